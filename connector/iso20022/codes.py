"""Code tables: what a code means, and which of our codes is which of theirs. Data in ``mappings/``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import yaml

from connector.domain.errors import Misconfigured

MAPPINGS_FOLDER: Final = Path(__file__).resolve().parents[2] / "mappings"


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A translation: ``codes`` from our value to the code that stands in the message; one to one."""

    name: str
    codes: Mapping[str, str]

    @property
    def reverse(self) -> Mapping[str, str]:
        """From the code in the message to our value."""
        return {code: value for value, code in self.codes.items()}


def load_tables(folder: Path) -> dict[str, CodeTable]:
    """Read every ``*.yaml`` of a folder whose ``codes`` is a mapping of text to text; no folder, no tables.

    Raises ``Misconfigured`` where a table is not readable.
    """
    return {file.stem: _table(file) for file in sorted(folder.glob("*.yaml"))}


def _table(file: Path) -> CodeTable:
    codes = _document(file).get("codes")
    if not isinstance(codes, dict) or not all(_is_text(key) and _is_text(value) for key, value in codes.items()):
        raise Misconfigured(str(file), 1, "codes", "must map text to text (quote numbers)")
    return CodeTable(file.stem, MappingProxyType(codes))


class ContractStatus(NamedTuple):
    """How a Source BB is told what became of a payment.

    status: the word of the v3.0 batch detail; bucket: ongoing, completed or failed, as the v3.0 counters have it;
    final: nothing more will come, except a return; sentence: for a person.
    """

    status: str
    bucket: str
    final: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class StatusTable:
    """ISO transaction status, refined by reason, to what the contract knows."""

    by_status: Mapping[str, ContractStatus]
    by_reason: Mapping[tuple[str, str], ContractStatus]
    otherwise: ContractStatus

    def contract(self, status: str, reason: str = "") -> ContractStatus:
        """Translate; a status that the table does not know is neither success nor failure."""
        return self.by_reason.get((status, reason)) or self.by_status.get(status, self.otherwise)

    def codes(self, word: str) -> str:
        """The ISO codes that the contract calls by this word, comma separated; "" for none."""
        return ",".join(code for code, told in self.by_status.items() if told.status == word.upper())


def load_status_table(file: Path = MAPPINGS_FOLDER / "govstack" / "status.yaml") -> StatusTable:
    """Read the table of contract statuses. Raises ``Misconfigured``."""
    document = _document(file)
    try:
        return StatusTable(
            by_status=MappingProxyType({code: _status(entry) for code, entry in document["statuses"].items()}),
            by_reason=MappingProxyType(
                {(item["status"], item["reason"]): _status(item["then"]) for item in document.get("reasons", [])}
            ),
            otherwise=_status(document["otherwise"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise Misconfigured(str(file), 1, str(error), "is not a table of contract statuses") from error


@dataclass(frozen=True, slots=True)
class Sentences:
    """What ISO status and reason codes mean, in a sentence a person can act on."""

    statuses: Mapping[str, str]
    reasons: Mapping[str, str]

    def status(self, code: str) -> str:
        """The meaning of a status code."""
        return self.statuses.get(code, "Status that this version does not know.")

    def reason(self, code: str) -> str:
        """The meaning of a reason code; "" for no code."""
        return self.reasons.get(code, "Reason that this version does not know.") if code else ""


def load_sentences(folder: Path = MAPPINGS_FOLDER / "codes") -> Sentences:
    """Read ``status.yaml`` and ``reasons.yaml``. Raises ``Misconfigured``."""
    return Sentences(_table(folder / "status.yaml").codes, _table(folder / "reasons.yaml").codes)


def _status(entry: Mapping[str, Any]) -> ContractStatus:
    return ContractStatus(str(entry["status"]), str(entry["bucket"]), bool(entry["final"]), str(entry["sentence"]))


def _document(file: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise Misconfigured(str(file), 0, "", f"is not readable YAML: {error}") from error
    if not isinstance(document, dict):
        raise Misconfigured(str(file), 1, "", "must be a mapping")
    return document


def _is_text(value: object) -> bool:
    return isinstance(value, str)

"""ISO's external code sets: which codes a type knows, and what they mean. Data in ``mappings/codesets/``.

External codes are published apart from the schemas, which only limit their length; so a code that is valid under the
schema may still mean nothing to anybody. The name of an element's simple type (``ExternalPurpose1Code``) is the name
of its set.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import yaml

from connector.domain.errors import Misconfigured
from connector.iso20022.codes import MAPPINGS_FOLDER

CODESETS_FOLDER: Final = MAPPINGS_FOLDER / "codesets"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class CodeSets:
    """All external code sets of one edition; immutable, safe to use from several threads."""

    def __init__(self, folder: Path = CODESETS_FOLDER) -> None:
        """Read every ``*.yaml`` of the folder. Raises ``Misconfigured``: unreadable, of several editions, twice."""
        sets: dict[str, Mapping[str, str]] = {}
        editions: set[str] = set()
        for file in sorted(folder.glob("*.yaml")):
            edition, found = _load(file)
            editions.add(edition)
            if again := sets.keys() & found.keys():
                raise Misconfigured(str(file), 1, min(again), "is in another file of code sets already")
            sets |= found
        if len(editions) > 1:
            raise Misconfigured(
                str(folder), 0, "edition", f"differs from file to file: {', '.join(sorted(editions))}"
            )
        self.edition = next(iter(editions), "")
        """The edition that ISO gave the sets, such as ``2Q2026``."""
        self._sets = MappingProxyType(sets)

    def names(self) -> tuple[str, ...]:
        """The types whose codes are known."""
        return tuple(sorted(self._sets))

    def codes(self, type_name: str) -> Mapping[str, str]:
        """The codes of a set with their definitions; empty where there is no such set."""
        return self._sets.get(type_name, MappingProxyType({}))

    def knows(self, type_name: str, code: str) -> bool | None:
        """Whether the set of this type has the code; None where there is no such set, so that nobody can tell."""
        found = self._sets.get(type_name)
        return None if found is None else code in found

    def definition(self, type_name: str, code: str) -> str:
        """What the code means, in short; "" where it is not known."""
        return self.codes(type_name).get(code, "")


def _load(file: Path) -> tuple[str, dict[str, Mapping[str, str]]]:
    """The edition and the sets of one file."""
    try:
        document = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both loaders are safe ones
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise Misconfigured(str(file), 0, "", f"is not readable YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("edition"), str):
        raise Misconfigured(str(file), 1, "edition", "must name the edition of the code sets")
    sets = document.get("sets")
    if not isinstance(sets, dict) or not sets:
        raise Misconfigured(str(file), 1, "sets", "must map names of types to their codes")
    return document["edition"], {str(name): _codes(file, str(name), codes) for name, codes in sets.items()}


def _codes(file: Path, name: str, codes: object) -> Mapping[str, str]:
    """The codes of one set; YAML's own words (NO, ON, 0123) must be quoted, so that no code is lost."""
    if not isinstance(codes, dict) or not all(
        isinstance(code, str) and isinstance(text, str) and text for code, text in codes.items()
    ):
        raise Misconfigured(str(file), 1, f"sets/{name}", "must map codes to text (quote numbers and yes/no words)")
    return MappingProxyType(codes)

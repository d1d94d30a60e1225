"""Validates a message under its schema with libxml2, and lets a few known oddities of real reports pass, by name."""

from collections.abc import Iterable
from typing import Final, NamedTuple, cast

from lxml import etree

from connector.domain.errors import Fault
from connector.iso20022.explanation import Explainer, LogEntry
from connector.iso20022.parsing import Element, check_bytes, check_prolog, parse
from connector.iso20022.streaming import LARGE_BYTES, Streamed, beginning, namespace, stream
from iso20022_schemas.catalogue import Catalogue

_REPORTS: Final = ("pain.002", "pacs.002", "pacs.004", "acmt.024")

_OVERLONG: Final = {
    "AddtlInf": (105, 1000),
    **dict.fromkeys(
        (
            "MsgId",
            "OrgnlMsgId",
            "OrgnlPmtInfId",
            "OrgnlInstrId",
            "OrgnlEndToEndId",
            "OrgnlTxId",
            "OrgnlId",
            "StsId",
            "RtrId",
        ),
        (35, 36),
    ),
}
"""Texts in reports that may be longer than the schema says: up to what length each."""


class Checked(NamedTuple):
    """What the schema said."""

    faults: tuple[Fault, ...]
    tolerated: tuple[str, ...]


class Parsed(NamedTuple):
    """A message from outside: its root; for a large one also its bytes, and what checking them in one pass gave."""

    root: Element
    large: bytes = b""
    streamed: Streamed | None = None


class Validator:
    """Validates messages of a catalogue; safe to use from several threads."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Take the catalogue that has the schemas."""
        self._catalogue = catalogue
        self._explainer = Explainer(catalogue)

    def parse(self, body: bytes) -> Parsed:
        """Parse; a large Document is checked under its schema in the same pass. Raises ``Refused``."""
        if len(body) < LARGE_BYTES:
            return Parsed(parse(body))
        check_bytes(body)
        message = self._catalogue.find(namespace(body))
        streamed = stream(body, self._catalogue.schema(message)) if message else None
        if streamed is None or streamed.root is None:
            return Parsed(parse(body), body, streamed)
        check_prolog(streamed.root)
        return Parsed(streamed.root, body, streamed)

    def check(self, element: Element, message: str, parsed: Parsed | None = None) -> Checked:
        """Validate; where it fails, once more without the texts that may be too long.

        parsed: where the element comes from, if from outside.
        """
        schema = self._catalogue.schema(message)
        if parsed is not None and parsed.large:
            body, streamed = parsed.large, parsed.streamed
            if streamed is None:
                body = etree.tostring(element)
                streamed = stream(body, schema)
            if streamed.root is not None:
                return Checked((), _oddities(element, message))
            if streamed.looked_at < len(body):
                return self._check_beginning(element, message, body[: streamed.looked_at])
        if schema.validate(element):
            return Checked((), _oddities(element, message))
        failed = cast("Iterable[LogEntry]", schema.error_log)  # the stubs do not say that it is iterable
        return self._shortened(element, message) or Checked(self._explainer.explain(element, message, failed), ())

    def _check_beginning(self, element: Element, message: str, body: bytes) -> Checked:
        """Judge a message with very many faults by its beginning, unless they are all of the kind let pass."""
        passed = self._shortened(element, message)
        if passed:
            return passed
        schema, part = self._catalogue.schema(message), beginning(body)
        schema.validate(part)
        failed = cast("Iterable[LogEntry]", schema.error_log)  # as above
        return Checked(self._explainer.explain(part, message, failed), ())

    def _shortened(self, element: Element, message: str) -> Checked | None:
        """The verdict on a report without the texts that may be too long; none where that does not help."""
        if not message.startswith(_REPORTS):
            return None
        shortened = _shorten(element)
        if not shortened:
            return None
        passed = stream(etree.tostring(element), self._catalogue.schema(message)).root is not None
        for overlong, text in shortened:
            overlong.text = text
        return Checked((), (*_overlong_sentences(shortened), *_oddities(element, message))) if passed else None


def _shorten(element: Element) -> list[tuple[Element, str]]:
    """Cut what may be too long down to the schema's length; gives back what stood there."""
    shortened = []
    for name, (shortest, longest) in _OVERLONG.items():
        for overlong in element.iter(f"{{*}}{name}"):
            text = overlong.text or ""
            if shortest < len(text) <= longest:
                shortened.append((overlong, text))
                overlong.text = text[:shortest]
    return shortened


def _overlong_sentences(shortened: list[tuple[Element, str]]) -> list[str]:
    names = sorted({etree.QName(element).localname for element, _ in shortened})
    return [f"{name} is longer than {_OVERLONG[name][0]} characters." for name in names]


def _oddities(element: Element, message: str) -> tuple[str, ...]:
    """What is valid and yet worth saying."""
    if not message.startswith(_REPORTS):
        return ()
    found = []
    if _has_part(element):
        found.append("The group status is PART; the statuses of the transactions count.")
    if _has_supplementary_data(element):
        found.append("Supplementary data (SplmtryData) was passed over.")
    return tuple(found)


def _has_part(element: Element) -> bool:
    namespace = etree.QName(element).namespace
    return any(
        status.text == "PART" for status in element.iter(f"{{{namespace}}}GrpSts", f"{{{namespace}}}PmtInfSts")
    )


def _has_supplementary_data(element: Element) -> bool:
    return next(element.iter(f"{{{etree.QName(element).namespace}}}SplmtryData"), None) is not None

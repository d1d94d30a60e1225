"""Validates a message under its schema with libxml2, and lets a few known oddities of real reports pass, by name."""

from collections.abc import Iterable
from typing import Final, NamedTuple, cast

from lxml import etree

from connector.domain.errors import Fault
from connector.iso20022.explanation import Explainer, LogEntry
from connector.iso20022.parsing import Element
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

_HAS_PART: Final = etree.XPath("boolean(*/*/*[local-name() = 'GrpSts' or local-name() = 'PmtInfSts'][. = 'PART'])")


class Checked(NamedTuple):
    """What the schema said."""

    faults: tuple[Fault, ...]
    tolerated: tuple[str, ...]


class Validator:
    """Validates messages of a catalogue; safe to use from several threads."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Take the catalogue that has the schemas."""
        self._catalogue = catalogue
        self._explainer = Explainer(catalogue)

    def check(self, element: Element, message: str) -> Checked:
        """Validate; where it fails, once more without the texts that may be too long."""
        schema = self._catalogue.schema(message)
        if schema.validate(element):
            return Checked((), _oddities(element, message))
        failed = cast("Iterable[LogEntry]", schema.error_log)  # the stubs do not say that it is iterable
        if message.startswith(_REPORTS):
            shortened = _shorten(element)
            passed = bool(shortened) and schema.validate(element)
            for overlong, text in shortened:
                overlong.text = text
            if passed:
                return Checked((), (*_overlong_sentences(shortened), *_oddities(element, message)))
        return Checked(self._explainer.explain(element, message, failed), ())


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
    if _HAS_PART(element):
        found.append("The group status is PART; the statuses of the transactions count.")
    if _has_supplementary_data(element):
        found.append("Supplementary data (SplmtryData) was passed over.")
    return tuple(found)


def _has_supplementary_data(element: Element) -> bool:
    return next(element.iter(f"{{{etree.QName(element).namespace}}}SplmtryData"), None) is not None

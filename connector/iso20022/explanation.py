"""Says in words what is wrong with a message that failed under its schema: path, kind and reason of each fault.

libxml2 finds the place; the xmlschema library explains it, on a copy of the message that holds only the failing
transaction, because it is some fifty times slower. What stands in the message is never quoted.
"""

import re
import threading
from collections.abc import Iterable, Iterator
from copy import deepcopy
from itertools import islice
from typing import Any, Final, Protocol

import xmlschema
from lxml import etree
from xmlschema.validators.exceptions import XMLSchemaChildrenValidationError, XMLSchemaValidationError

from connector.domain.errors import Fault
from connector.iso20022.document import local_names
from connector.iso20022.parsing import Element
from iso20022_schemas.catalogue import Catalogue

MAXIMUM_FAULTS: Final = 20
_KINDS: Final = (
    ("pattern", "pattern"),
    ("length", "length"),
    ("enum", "enumeration"),
    ("digits", "number"),
    ("clusive", "number"),
)

_ATTRIBUTE: Final = re.compile(r"(?:attribute |missing required attribute ')(\w+)")


class LogEntry(Protocol):
    """An entry of libxml2's error log, as far as it is looked at."""

    @property
    def path(self) -> str | None:
        """Where the element is, by positions."""


class Explainer:
    """Explains schema faults; the slow schema of a message is loaded when it is needed for the first time."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Take the catalogue that has the schemas."""
        self._catalogue = catalogue
        self._schemas: dict[str, xmlschema.XMLSchema10] = {}
        self._lock = threading.Lock()

    def explain(self, document: Element, message: str, log: Iterable[LogEntry]) -> tuple[Fault, ...]:
        """The faults of a document, from the error log that libxml2 left. At least one, at most a few."""
        found: dict[tuple[str, str], Fault] = {}
        for place in islice(_places(document, log), MAXIMUM_FAULTS):
            for fault in self._faults_at(document, place, message):
                found.setdefault((fault.where, fault.code), fault)
            if len(found) >= MAXIMUM_FAULTS:
                break
        return tuple(found.values()) or (Fault("/", "schema", "The message is not valid under its schema."),)

    def _faults_at(self, document: Element, place: Element, message: str) -> Iterator[Fault]:
        cut, names = _cut_out(document, place)
        faults = list(islice(self._iter_faults(cut, names, message), MAXIMUM_FAULTS))
        where = "/".join(local_names(place, document))
        yield from faults or [Fault(where or "/", "schema", "The element is not valid under the schema.")]

    def _iter_faults(self, cut: Element, names: dict[Element, str], message: str) -> Iterator[Fault]:
        for error in self._schema(message).iter_errors(cut):
            element: Any = cut if error.elem is None else error.elem
            where = _path(element, cut, names) + _attribute(error)
            yield Fault(where or "/", _kind(error), _sentence(error))

    def _schema(self, message: str) -> xmlschema.XMLSchema10:
        with self._lock:
            if message not in self._schemas:
                self._schemas[message] = xmlschema.XMLSchema10(str(self._catalogue.xsd(message)), defuse="never")
            return self._schemas[message]


def _places(document: Element, log: Iterable[LogEntry]) -> Iterator[Element]:
    """The failing elements; several errors in one transaction are explained together."""
    seen: set[int] = set()
    kept: list[Element] = []
    for entry in log:
        element = _element_at(document, entry.path)
        unit = _unit(element, document)
        if id(unit) not in seen:
            seen.add(id(unit))
            kept.append(unit)
            yield element


def _element_at(document: Element, path: str | None) -> Element:
    """The element that libxml2 names by path, counted from the document as the root; the document where it cannot."""
    below = (path or "").split("/", 2)[2:]
    prefixes = {prefix: uri for prefix, uri in document.nsmap.items() if prefix}
    try:
        found = document.xpath(below[0], namespaces=prefixes) if below else []
    except etree.XPathError:
        found = []
    first = found[0] if isinstance(found, list) and found else document
    return first if etree.iselement(first) else document


def _unit(element: Element, document: Element) -> Element:
    """The repeated element (a transaction, a block) that the element stands in, or itself."""
    for ancestor in (element, *element.iterancestors()):
        if ancestor is document:
            break
        if (
            next(ancestor.itersiblings(ancestor.tag), None) is not None
            or next(ancestor.itersiblings(ancestor.tag, preceding=True), None) is not None
        ):
            return ancestor
    return element


def _cut_out(document: Element, place: Element) -> tuple[Element, dict[Element, str]]:
    """A copy of the document without the siblings of the same name along the way to the place.

    Gives also the names with their original positions of the copied elements along the way.
    """
    line = [place, *place.iterancestors()]
    chain = line[: next(index for index, element in enumerate(line) if element is document)][::-1]
    here = top = deepcopy(document) if not chain else _empty_copy(document)
    names: dict[Element, str] = {}
    for step, name in zip(chain, local_names(place, document), strict=True):
        copied = deepcopy(step) if step is place else _empty_copy(step)
        here.extend(_without_alike(step, copied))
        names[copied] = name
        here = copied
    return top, names


def _empty_copy(element: Element) -> Element:
    copied = etree.Element(element.tag)
    copied.attrib.update(element.attrib)
    copied.text = element.text
    return copied


def _without_alike(step: Element, copied: Element) -> Iterator[Element]:
    """Copies of the step's siblings of other names, with the copied step in its place."""
    yield from (
        deepcopy(other) for other in reversed(list(step.itersiblings(preceding=True))) if other.tag != step.tag
    )
    yield copied
    yield from (deepcopy(other) for other in step.itersiblings() if other.tag != step.tag)


def _path(element: Element, top: Element, known: dict[Element, str]) -> str:
    """The path from below the top, with the positions that the elements have in the whole message."""
    names: list[str] = []
    while element is not top:
        parent = element.getparent()
        if parent is None:
            break
        names.append(known.get(element) or next(iter(local_names(element, parent))))
        element = parent
    return "/".join(reversed(names))


def _attribute(error: XMLSchemaValidationError) -> str:
    """``/@Ccy`` where the fault is in an attribute, which the library says only in its reason."""
    found = _ATTRIBUTE.match(error.reason or "")
    return f"/@{found[1]}" if found else ""


def _kind(error: XMLSchemaValidationError) -> str:
    if isinstance(error, XMLSchemaChildrenValidationError):
        return "missing" if error.invalid_tag is None else "unexpected"
    reason = str(error.reason or "").lower()
    facet = type(error.validator).__name__.lower()
    return next((code for word, code in _KINDS if word in facet), "attribute" if "attribute" in reason else "type")


def _sentence(error: XMLSchemaValidationError) -> str:
    """What the facet asks for; never the text that stands in the element."""
    if isinstance(error, XMLSchemaChildrenValidationError):
        return _children_sentence(error)
    facet: Any = error.validator
    if _kind(error) == "attribute":
        return "The attribute is missing or may not stand here."
    sentences = {
        "XsdPatternFacets": lambda: f"The text does not have the form {' and '.join(facet.regexps)}.",
        "XsdEnumerationFacets": lambda: f"The text is not one of {', '.join(map(str, facet.enumeration))}.",
        "XsdMaxLengthFacet": lambda: f"The text is longer than {facet.value} characters.",
        "XsdMinLengthFacet": lambda: f"The text is shorter than {facet.value} characters.",
        "XsdTotalDigitsFacet": lambda: f"The number has more than {facet.value} digits.",
        "XsdFractionDigitsFacet": lambda: f"The number has more than {facet.value} decimals.",
    }
    other = f"The text is not a valid {getattr(facet, 'local_name', None) or 'value'}."
    return sentences.get(type(facet).__name__, lambda: other)()


def _children_sentence(error: XMLSchemaChildrenValidationError) -> str:
    expected = ", ".join(str(getattr(item, "local_name", "") or "any") for item in (error.expected or ()))
    if error.invalid_tag is None:
        return f"The element ends too early; {expected or 'another element'} is expected."
    tag = error.invalid_tag.rpartition("}")[2]
    return f"{tag} may not stand here." + (f" Expected: {expected}." if expected else "")

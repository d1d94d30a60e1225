"""Says in words what is wrong with a message that failed under its schema: path, kind and reason of each fault.

libxml2 finds the place; the xmlschema library explains it, on a copy of the message that holds only the failing
transaction, because it is some fifty times slower. What stands in the message is never quoted.
"""

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby, islice
from typing import Any, Final, Protocol

import xmlschema
from lxml import etree
from xmlschema.validators.exceptions import XMLSchemaChildrenValidationError, XMLSchemaValidationError

from connector.domain.errors import Fault
from connector.iso20022.document import local_names
from connector.iso20022.parsing import Element
from iso20022_schemas.catalogue import Catalogue

MAXIMUM_FAULTS: Final = 20
MAXIMUM_CHILDREN: Final = 100
_KINDS: Final = (
    ("pattern", "pattern"),
    ("length", "length"),
    ("enum", "enumeration"),
    ("digits", "number"),
    ("clusive", "number"),
)

_ATTRIBUTE: Final = re.compile(r"(?:attribute |missing required attribute ')(\w+)")

Origins = dict[Element, Element]
"""From an element of the cut to the one of the message that it is a copy of."""


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
        cut, origins = _cut_out(document, place)
        faults = []
        with suppress(ValueError, ArithmeticError):  # years of twenty digits are too much even for the explanation
            for error in islice(self._schema(message).iter_errors(cut), MAXIMUM_FAULTS):
                element: Any = error.elem
                path = "/".join(local_names(origins.get(element, document), document))
                faults.append(Fault(f"{path}{_attribute(error)}" or "/", _kind(error), _sentence(error)))
        where = "/".join(local_names(place, document))
        yield from faults or [Fault(where or "/", "schema", "The element is not valid under the schema.")]

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


def _cut_out(document: Element, place: Element) -> tuple[Element, Origins]:
    """A small copy of the document around a place, and which element each copied one stands for.

    Along the way to the place, siblings of the same name are left out; what repeats elsewhere is thinned.
    """
    origins: Origins = {}
    line = [place, *place.iterancestors()]
    chain = line[: next(index for index, element in enumerate(line) if element is document)][::-1]
    if not chain:
        return _thinned(document, origins), origins
    here = top = _copied(document, origins)
    for step in chain:
        copied = _thinned(step, origins) if step is place else _copied(step, origins)
        here.extend(_around(step, copied, origins))
        here = copied
    return top, origins


def _copied(element: Element, origins: Origins) -> Element:
    """A copy without children."""
    copied = etree.Element(element.tag)
    for name in islice(element.attrib, MAXIMUM_CHILDREN):
        copied.set(name, element.get(name, ""))
    copied.text = element.text
    origins[copied] = element
    return copied


def _thinned(element: Element, origins: Origins) -> Element:
    """A copy in which at most two neighbours have the same name, and no element has very many children."""
    copied = _copied(element, origins)
    copied.extend([_thinned(child, origins) for child in islice(_sparse(element), MAXIMUM_CHILDREN)])
    return copied


def _sparse(elements: Iterable[Element]) -> Iterator[Element]:
    """The first two of each run of elements of one name."""
    for _, run in groupby(elements, key=lambda element: element.tag):
        yield from islice(run, 2)


def _around(step: Element, copied: Element, origins: Origins) -> Iterator[Element]:
    """Thinned copies of the step's siblings of other names, with the copied step in its place."""
    before = [other for other in step.itersiblings(preceding=True) if other.tag != step.tag][::-1]
    after = (other for other in step.itersiblings() if other.tag != step.tag)
    yield from (_thinned(other, origins) for other in islice(_sparse(before), MAXIMUM_CHILDREN))
    yield copied
    yield from (_thinned(other, origins) for other in islice(_sparse(after), MAXIMUM_CHILDREN))


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

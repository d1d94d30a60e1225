"""Says in words what is wrong with a message that failed under its schema: path, kind and reason of each fault.

libxml2 finds the place; the xmlschema library explains it, on a copy of the message that holds only the failing
transaction, because it is some fifty times slower. What stands in the message is never quoted.
"""

import threading
from collections.abc import Iterator
from copy import deepcopy
from itertools import islice
from typing import Any, Final

import xmlschema
from lxml import etree
from xmlschema.validators.exceptions import XMLSchemaChildrenValidationError, XMLSchemaValidationError

from connector.domain.errors import Fault
from connector.iso20022.document import local_names
from iso20022_schemas.catalogue import Catalogue

MAXIMUM_FAULTS: Final = 20
_KINDS: Final = (
    ("pattern", "pattern"),
    ("length", "length"),
    ("enum", "enumeration"),
    ("digits", "number"),
    ("clusive", "number"),
)


class Explainer:
    """Explains schema faults; the slow schema of a message is loaded when it is needed for the first time."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Take the catalogue that has the schemas."""
        self._catalogue = catalogue
        self._schemas: dict[str, xmlschema.XMLSchema10] = {}
        self._lock = threading.Lock()

    def explain(self, document: etree._Element, message: str, log: Any) -> tuple[Fault, ...]:
        """The faults of a document, from the error log that libxml2 left. At least one, at most a few."""
        found: dict[tuple[str, str], Fault] = {}
        for place in islice(_places(document, log), MAXIMUM_FAULTS):
            for fault in self._faults_at(document, place, message):
                found.setdefault((fault.where, fault.code), fault)
            if len(found) >= MAXIMUM_FAULTS:
                break
        return tuple(found.values()) or (Fault("/", "schema", "The message is not valid under its schema."),)

    def _faults_at(self, document: etree._Element, place: etree._Element, message: str) -> Iterator[Fault]:
        cut, prefixes = _cut_out(document, place)
        faults = list(islice(self._iter_faults(cut, prefixes, message), MAXIMUM_FAULTS))
        where = "/".join(local_names(place, document))
        yield from faults or [Fault(where or "/", "schema", "The element is not valid under the schema.")]

    def _iter_faults(self, cut: etree._Element, positions: dict[Any, str], message: str) -> Iterator[Fault]:
        for error in self._schema(message).iter_errors(cut):
            element = error.elem if error.elem is not None else cut
            yield Fault(_path(element, cut, positions) or "/", _kind(error), _sentence(error))

    def _schema(self, message: str) -> xmlschema.XMLSchema10:
        with self._lock:
            if message not in self._schemas:
                self._schemas[message] = xmlschema.XMLSchema10(str(self._catalogue.xsd(message)), defuse="never")
            return self._schemas[message]


def _places(document: etree._Element, log: Any) -> Iterator[etree._Element]:
    """The failing elements; several errors in one transaction are explained together."""
    seen: set[int] = set()
    kept: list[etree._Element] = []
    for entry in log:
        element = _element_at(document, entry.path)
        unit = _unit(element, document)
        if id(unit) not in seen:
            seen.add(id(unit))
            kept.append(unit)
            yield element


def _element_at(document: etree._Element, path: str | None) -> etree._Element:
    """The element that libxml2 names by path; the document itself where it cannot be told."""
    try:
        found = document.getroottree().xpath(path) if path and "ns" not in path else []
    except etree.XPathError:
        found = []
    first = found[0] if isinstance(found, list) and found else document
    return first if isinstance(first, etree._Element) and _is_below(first, document) else document


def _is_below(element: etree._Element, document: etree._Element) -> bool:
    return element is document or any(parent is document for parent in element.iterancestors())


def _unit(element: etree._Element, document: etree._Element) -> etree._Element:
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


def _cut_out(document: etree._Element, place: etree._Element) -> tuple[etree._Element, dict[Any, str]]:
    """A copy of the document without the siblings of the same name along the way to the place.

    Gives also the original name with position of each element along the way.
    """
    line = [place, *place.iterancestors()]
    chain = line[: next(index for index, element in enumerate(line) if element is document) + 1][::-1]
    names = list(local_names(place, document))
    top = etree.Element(document.tag, dict(document.attrib), nsmap=document.nsmap)
    here, positions = top, {}
    for step, name in zip(chain[1:], names, strict=True):
        parent = step.getparent()
        following = here
        for sibling in parent if parent is not None else ():
            if sibling is step:
                following = deepcopy(step) if step is place else etree.SubElement(here, step.tag, dict(step.attrib))
                following.tail = None
                here.append(following)
                positions[following] = name
            elif sibling.tag != step.tag:
                here.append(deepcopy(sibling))
        here = following
    return (top if len(chain) > 1 else document), positions


def _path(element: Any, cut: etree._Element, positions: dict[Any, str]) -> str:
    names: list[str] = []
    while element is not None and element is not cut:
        own = (
            next(local for local in list(local_names(element, element.getparent())))
            if element.getparent() is not None
            else ""
        )
        names.append(positions.get(element, own))
        element = element.getparent()
    return "/".join(reversed(names))


def _kind(error: XMLSchemaValidationError) -> str:
    if isinstance(error, XMLSchemaChildrenValidationError):
        return "missing" if error.invalid_tag is None else "unexpected"
    reason = str(error.reason or "").lower()
    facet = type(error.validator).__name__.lower()
    return next((code for word, code in _KINDS if word in facet), "attribute" if "attribute" in reason else "type")


def _sentence(error: XMLSchemaValidationError) -> str:
    """The library's reason without namespaces and without the text that stands in the element."""
    if isinstance(error, XMLSchemaChildrenValidationError):
        return _children_sentence(error)
    facet: Any = error.validator
    value = getattr(facet, "value", None)
    name = type(facet).__name__.lower()
    if "pattern" in name:
        return f"The text does not have the form {', '.join(facet.regexps)}."
    if "enum" in name:
        return f"The text is not one of {', '.join(map(str, facet.enumeration))}."
    if "maxlength" in name:
        return f"The text is longer than {value} characters."
    if "minlength" in name:
        return f"The text is shorter than {value} characters."
    if "attribute" in str(error.reason or "").lower():
        return "An attribute is missing or wrong."
    return f"The text is not a valid {getattr(facet, 'local_name', None) or 'value'} here."


def _children_sentence(error: XMLSchemaChildrenValidationError) -> str:
    expected = ", ".join(str(getattr(item, "local_name", "") or "any") for item in (error.expected or ()))
    if error.invalid_tag is None:
        return f"The element ends too early; {expected or 'another element'} is expected."
    tag = error.invalid_tag.rpartition("}")[2]
    return f"{tag} may not stand here." + (f" Expected: {expected}." if expected else "")

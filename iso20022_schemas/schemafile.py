"""Reads the definitions of a schema file: the part of XML Schema that ISO 20022 and national schemas use."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

from lxml import etree

from connector.domain.errors import Misconfigured
from iso20022_schemas.structure import Attribute, ComplexType, Definitions, Kind, Particle, SimpleType

XS = "{http://www.w3.org/2001/XMLSchema}"
_GROUPS = {f"{XS}sequence": Kind.SEQUENCE, f"{XS}choice": Kind.CHOICE, f"{XS}all": Kind.SEQUENCE}
_NUMBERS = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "length": "length",
    "totalDigits": "total_digits",
    "fractionDigits": "fraction_digits",
}
_BOUNDS = {"minInclusive": "min_inclusive", "maxInclusive": "max_inclusive"}


def parser() -> etree.XMLParser:
    """A parser for schema files: no entities, no network."""
    return etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)


def namespace_of(path: Path) -> str:
    """The target namespace of a schema file, "" where it has none; reads no further than the root.

    Raises Misconfigured where the file is no schema.
    """
    try:
        with path.open("rb") as file:
            _, root = next(iter(etree.iterparse(file, events=("start",), resolve_entities=False, no_network=True)))
    except (etree.XMLSyntaxError, StopIteration, OSError) as error:
        raise Misconfigured(str(path), 0, "", f"is not a readable schema file: {error}") from error
    if root.tag != f"{XS}schema":
        raise Misconfigured(str(path), 1, str(root.tag), "is not a schema file")
    return str(root.get("targetNamespace") or "")


def read(path: Path) -> Definitions:
    """All definitions of a schema file. Raises Misconfigured where it uses what the reader does not know."""
    try:
        root = etree.parse(str(path), parser()).getroot()
    except (etree.XMLSyntaxError, OSError) as error:
        raise Misconfigured(str(path), 0, "", f"is not a readable schema file: {error}") from error
    return _Reader(path, root).definitions()


class _Reader:
    """Walks one schema document; types written inside an element get a name from their place."""

    def __init__(self, path: Path, root: etree._Element) -> None:
        self._path = path
        self._root = root
        self._simple: dict[str, SimpleType] = {}
        self._complex: dict[str, ComplexType] = {}
        self._sources = {str(node.get("name")): node for node in root.iterchildren(f"{XS}simpleType")}

    def definitions(self) -> Definitions:
        for name in self._sources:
            self._simple_type(name)
        for node in self._root.iterchildren(f"{XS}complexType"):
            self._complex_type(str(node.get("name")), node)
        roots = tuple(self._element(node, "") for node in self._root.iterchildren(f"{XS}element"))
        namespace = str(self._root.get("targetNamespace") or "")
        return Definitions(namespace, self._simple, self._complex, roots)

    def _simple_type(self, name: str) -> SimpleType:
        """The simple type of this name: read, being read for the first time, or built in."""
        if name not in self._simple:
            source = self._sources.get(name)
            self._simple[name] = SimpleType(name, base=name) if source is None else self._restricted(name, source)
        return self._simple[name]

    def _restricted(self, name: str, source: etree._Element) -> SimpleType:
        restriction = source.find(f"{XS}restriction")
        if restriction is None:
            raise self._unknown(source)
        base = self._simple_type(_local(restriction.get("base")))
        values = [(_local(node.tag), str(node.get("value"))) for node in restriction if isinstance(node.tag, str)]
        numbers = {_NUMBERS[facet]: int(value) for facet, value in values if facet in _NUMBERS}
        bounds = {_BOUNDS[facet]: value for facet, value in values if facet in _BOUNDS}
        patterns = tuple(value for facet, value in values if facet == "pattern")
        allowed = tuple(value for facet, value in values if facet == "enumeration")
        return replace(
            base,
            name=name,
            patterns=base.patterns + patterns,
            enumeration=allowed or base.enumeration,
            **numbers,  # type: ignore[arg-type]  # facet names are those of SimpleType, by the tables above
            **bounds,  # type: ignore[arg-type]  # as above
        )

    def _complex_type(self, name: str, node: etree._Element) -> None:
        extension = node.find(f"{XS}simpleContent/{XS}extension")
        if extension is not None:
            text = self._simple_type(_local(extension.get("base"))).name
            self._complex[name] = ComplexType(name, None, text, tuple(self._attributes(extension)))
            return
        content = next((self._particle(child, name) for child in node if child.tag in _GROUPS), None)
        self._complex[name] = ComplexType(name, content, "", tuple(self._attributes(node)))

    def _attributes(self, node: etree._Element) -> Iterator[Attribute]:
        for child in node.iterchildren(f"{XS}attribute"):
            required = child.get("use") == "required"
            yield Attribute(str(child.get("name")), required, self._simple_type(_local(child.get("type"))))

    def _particle(self, node: etree._Element, place: str) -> Particle:
        minimum, maximum = _occurrence(node)
        if node.tag == f"{XS}element":
            return self._element(node, place)
        if node.tag == f"{XS}any":
            allowed = f"{node.get('namespace', '##any')} {node.get('processContents', 'strict')}"
            return Particle(Kind.ANY, "", minimum, maximum, allowed)
        if node.tag not in _GROUPS:
            raise self._unknown(node)
        children = (child for child in node if child.tag != f"{XS}annotation")
        members = tuple(self._particle(child, place) for child in children)
        return Particle(_GROUPS[str(node.tag)], "", minimum, maximum, members=members)

    def _element(self, node: etree._Element, place: str) -> Particle:
        minimum, maximum = _occurrence(node)
        name = str(node.get("name") or _local(node.get("ref")))
        type_name = _local(node.get("type")) if node.get("type") else self._inline(node, f"{place}/{name}")
        if type_name not in self._complex and self._is_simple(type_name):
            self._simple_type(type_name)
        return Particle(Kind.ELEMENT, name, minimum, maximum, type_name)

    def _inline(self, node: etree._Element, name: str) -> str:
        simple, complex_ = node.find(f"{XS}simpleType"), node.find(f"{XS}complexType")
        if simple is not None:
            self._simple[name] = self._restricted(name, simple)
        elif complex_ is not None:
            self._complex_type(name, complex_)
        return name

    def _is_simple(self, type_name: str) -> bool:
        return type_name in self._sources or not any(
            node.get("name") == type_name for node in self._root.iterchildren(f"{XS}complexType")
        )

    def _unknown(self, node: etree._Element) -> Misconfigured:
        line = cast("int | None", node.sourceline) or 0
        return Misconfigured(str(self._path), line, _local(str(node.tag)), "is a construct not supported here")


def _local(name: str | None) -> str:
    """``xs:string``, ``{...}element`` or ``Max35Text`` without its prefix."""
    return str(name or "").rpartition("}")[2].rpartition(":")[2]


def _occurrence(node: etree._Element) -> tuple[int, int | None]:
    maximum = node.get("maxOccurs", "1")
    return int(node.get("minOccurs", "1")), None if maximum == "unbounded" else int(maximum)

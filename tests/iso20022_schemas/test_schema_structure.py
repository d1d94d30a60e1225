"""Our schemas and the official ones have the same content models."""

from dataclasses import replace

from lxml import etree

from iso20022_schemas import Catalogue, Kind, Node

XS = "{http://www.w3.org/2001/XMLSchema}"
UNDERSTOOD = {
    *("enumeration", "pattern", "length", "minLength", "maxLength", "minInclusive", "maxInclusive"),
    *("totalDigits", "fractionDigits", "schema", "element", "complexType", "simpleType", "sequence", "choice", "any"),
    *("restriction", "simpleContent", "extension", "attribute"),
}


def test_content_models_are_the_official_ones(ours: Catalogue, official: Catalogue, compared: str) -> None:
    assert list(_lines(ours.structure(compared), "", set())) == list(_lines(official.structure(compared), "", set()))


def test_the_namespace_is_the_official_one(ours: Catalogue, message: str) -> None:
    assert ours.namespace(message) == f"urn:iso:std:iso:20022:tech:xsd:{message}"


def test_the_comparison_understands_every_construct_of_the_official_schemas(
    official: Catalogue, compared: str
) -> None:
    root = etree.parse(str(official.xsd(compared)), etree.XMLParser(remove_comments=True)).getroot()
    assert {str(node.tag).removeprefix(XS) for node in root.iter()} <= UNDERSTOOD


def test_types_have_the_names_of_the_standard(ours: Catalogue, official: Catalogue, compared: str) -> None:
    assert _type_names(ours, compared) == _type_names(official, compared)


def _lines(node: Node, path: str, visited: set[str]):
    """The content model as text, every type once; a group that only wraps a group is looked through."""
    here = f"{path}/{node.name or node.kind}"
    allowed = node.type_name if node.kind is Kind.ANY else ""
    yield f"{here} {node.kind} {node.minimum}..{node.maximum} {allowed}"
    if node.simple:
        yield f"{here} {replace(node.simple, name='')}"
        yield from (f"{here} @{item.name} {item.required} {replace(item.type, name='')}" for item in node.attributes)
    elif node.kind is not Kind.ELEMENT or node.type_name not in visited:
        visited.add(node.type_name)
        for member in _members(node):
            yield from _lines(member, here, visited)


def _members(node: Node) -> tuple[Node, ...]:
    group = node.content if node.kind is Kind.ELEMENT else node
    while group and len(group.members) == 1 and group.members[0].kind in {Kind.CHOICE, Kind.SEQUENCE}:
        group = group.members[0]
    if group is None or node.kind is not Kind.ELEMENT:
        return node.members
    return (group,) if group.kind is Kind.CHOICE else group.members


def _type_names(catalogue: Catalogue, message: str) -> set[str]:
    root = etree.parse(str(catalogue.xsd(message))).getroot()
    return {str(node.get("name")) for node in root if node.tag in {f"{XS}complexType", f"{XS}simpleType"}}

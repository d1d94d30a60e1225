"""Generated documents, whole and broken, are judged alike by our schemas and by the official ones."""

import zlib

from lxml import etree
from schema_instances import Instances, Mutations

from iso20022_schemas import Catalogue, Node


def _generator(catalogue: Catalogue, message: str) -> Instances:
    return Instances(catalogue.structure(message), catalogue.namespace(message), zlib.crc32(message.encode()))


def _documents(catalogue: Catalogue, message: str) -> list[etree._Element]:
    """The least document, one with everything, and some in between."""
    generator = _generator(catalogue, message)
    return [generator.document(optional=optional) for optional in (0.0, 1.0, 1.0, 0.5)]


def _judge(schema: etree.XMLSchema, document: etree._Element) -> str:
    return "valid" if schema.validate(document) else str(schema.error_log)


def test_documents_of_our_structure_are_valid_under_our_schema(ours: Catalogue, message: str) -> None:
    for document in _documents(ours, message):
        assert _judge(ours.schema(message), document) == "valid"


def test_documents_of_either_structure_are_valid_under_both_schemas(
    ours: Catalogue, official: Catalogue, compared: str
) -> None:
    for document in (*_documents(ours, compared), *_documents(official, compared)):
        assert _judge(ours.schema(compared), document) == "valid"
        assert _judge(official.schema(compared), document) == "valid"


def test_the_documents_contain_every_element_and_every_branch(ours: Catalogue, compared: str) -> None:
    generator, root = _generator(ours, compared), ours.structure(compared)
    missing = _places(root, set())
    for _ in range(12):
        _strike(missing, generator.document(optional=1.0), root)
        if not missing:
            break
    assert missing == set()


def test_broken_documents_get_the_same_verdict(ours: Catalogue, official: Catalogue, compared: str) -> None:
    generator, mutations = _generator(ours, compared), Mutations(zlib.crc32(compared.encode()))
    verdicts = set()
    for _ in range(40):
        document = generator.document(optional=0.15)
        change = mutations.mutate(document)
        # Both judge the text, as it would arrive; a removed root leaves the document as it was.
        parsed = etree.fromstring(etree.tostring(document))
        verdict = ours.schema(compared).validate(parsed)
        assert verdict == official.schema(compared).validate(parsed), change
        verdicts.add(verdict)
    assert verdicts == {True, False}


def _places(node: Node, visited: set[str]) -> set[tuple[str, str]]:
    """Every (type, element) that a message can contain."""
    if node.type_name in visited:
        return set()
    visited.add(node.type_name)
    own = {(node.type_name, child.name) for child in node.elements}
    return own.union(*(_places(child, visited) for child in node.elements))


def _strike(missing: set[tuple[str, str]], element: etree._Element, node: Node) -> None:
    """Take away the places that the document fills."""
    nodes = {child.name: child for child in node.elements}
    for child in element:
        name = etree.QName(child).localname
        if name in nodes:
            missing.discard((node.type_name, name))
            _strike(missing, child, nodes[name])

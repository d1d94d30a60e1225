"""Generated documents, whole and broken, are judged alike by our schemas and by the official ones."""

import zlib

from lxml import etree
from schema_instances import Instances, Mutations

from iso20022_schemas import Catalogue, Kind, Node


def _generator(catalogue: Catalogue, message: str) -> Instances:
    return Instances(catalogue.structure(message), catalogue.namespace(message), zlib.crc32(message.encode()))


def _documents(catalogue: Catalogue, message: str) -> list[etree._Element]:
    """The least document, one with everything, and some in between."""
    generator = _generator(catalogue, message)
    return [generator.document(optional=optional) for optional in (0.0, 1.0, 1.0, 1.0, 0.5, 0.3)]


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
    generator = _generator(ours, compared)
    seen = {"/".join(path) for _ in range(12) for path in _paths(generator.document(optional=1.0), ())}
    assert {f"{owner}/{name}" for owner, name in _places(ours.structure(compared), set())} <= _typed(
        ours.structure(compared), seen
    )


def test_broken_documents_get_the_same_verdict(ours: Catalogue, official: Catalogue, compared: str) -> None:
    generator, mutations = _generator(ours, compared), Mutations(seed=len(compared))
    verdicts = set()
    for _ in range(60):
        document = generator.document(optional=0.15)
        change = mutations.mutate(document)
        # Both judge the text, as it would arrive; a removed root leaves the document as it was.
        parsed = etree.fromstring(etree.tostring(document))
        verdict = ours.schema(compared).validate(parsed)
        assert verdict == official.schema(compared).validate(parsed), change
        verdicts.add(verdict)
    assert verdicts == {True, False}


def _paths(element: etree._Element, above: tuple[str, ...]) -> list[tuple[str, ...]]:
    path = (*above, etree.QName(element).localname)
    return [path, *(below for child in element for below in _paths(child, path))]


def _places(node: Node, visited: set[str]) -> set[tuple[str, str]]:
    """Every (type, element) that a message can contain."""
    if node.type_name in visited:
        return set()
    visited.add(node.type_name)
    own = {(node.type_name, child.name) for child in node.elements}
    return own.union(*(_places(child, visited) for child in node.elements))


def _typed(root: Node, paths: set[str]) -> set[str]:
    """The (type, element) pairs that were seen on these paths."""
    found = set()
    for path in paths:
        above, _, name = path.partition("/")[2].rpartition("/")
        owner = root.at(above)
        if owner is not None and owner.kind is Kind.ELEMENT and name:
            found.add(f"{owner.type_name}/{name}")
    return found

"""The content model of a message as an immutable tree.

The tree is what a mapping profile is checked against: names, order, occurrence, choices, facets and attributes.
Nodes are built when they are first looked at, so that a recursive type costs nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple


class Kind(StrEnum):
    """What a node of the content model is."""

    ELEMENT = "element"
    SEQUENCE = "sequence"
    CHOICE = "choice"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class SimpleType:
    """A simple type with everything that restricts it, its own facets and those of its bases together.

    base: the built-in type without prefix (``string``, ``decimal``, ``date``, ``dateTime``, ``boolean`` ...);
    patterns: XSD regular expressions that must all match; enumeration: empty where every value is allowed.
    """

    name: str
    base: str = "string"
    patterns: tuple[str, ...] = ()
    min_length: int | None = None
    max_length: int | None = None
    length: int | None = None
    enumeration: tuple[str, ...] = ()
    min_inclusive: str | None = None
    max_inclusive: str | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None


class Attribute(NamedTuple):
    """An attribute of an element, for example ``Ccy`` of an amount."""

    name: str
    required: bool
    type: SimpleType


class Particle(NamedTuple):
    """One place in a content model as the schema file states it; types are still names."""

    kind: Kind
    name: str = ""
    minimum: int = 1
    maximum: int | None = 1
    type_name: str = ""
    members: "tuple[Particle, ...]" = ()


class ComplexType(NamedTuple):
    """A type with children, or with text and attributes."""

    name: str
    content: Particle | None = None
    text: str = ""
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Definitions:
    """All types of one schema file, and its root elements."""

    namespace: str
    simple: Mapping[str, SimpleType]
    complex: Mapping[str, ComplexType]
    roots: tuple[Particle, ...]


@dataclass(frozen=True)
class Node:
    """An element, or a group of elements (sequence, choice), or the wildcard of an envelope (any).

    name: the element's local name ("" for groups and wildcards); maximum: None where unbounded;
    type_name: the type as the standard names it; for a wildcard its namespaces and strictness (``##any lax``).
    """

    kind: Kind
    name: str
    minimum: int
    maximum: int | None
    type_name: str
    _particle: Particle = field(repr=False, compare=False)
    _definitions: Definitions = field(repr=False, compare=False)

    @classmethod
    def of(cls, particle: Particle, definitions: Definitions) -> "Node":
        """The node at one place of the content model."""
        kind, name, minimum, maximum, type_name, _ = particle
        return cls(kind, name, minimum, maximum, type_name, particle, definitions)

    @property
    def simple(self) -> SimpleType | None:
        """The type of the element's text; None where it has children instead."""
        declared = self._definitions.complex.get(self.type_name)
        name = declared.text if declared else self.type_name
        return self._definitions.simple.get(name) if name else None

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The element's attributes, in the order of the schema."""
        declared = self._definitions.complex.get(self.type_name)
        return declared.attributes if declared else ()

    @cached_property
    def content(self) -> "Node | None":
        """The element's sequence, choice or wildcard; None where it has text only."""
        declared = self._definitions.complex.get(self.type_name)
        return Node.of(declared.content, self._definitions) if declared and declared.content else None

    @cached_property
    def members(self) -> "tuple[Node, ...]":
        """What a group consists of, in order; for an element, the members of its content."""
        if self.kind is Kind.ELEMENT:
            return self.content.members if self.content else ()
        return tuple(Node.of(member, self._definitions) for member in self._particle.members)

    @property
    def is_choice(self) -> bool:
        """Whether exactly one of the element's children may appear."""
        group = self.content if self.kind is Kind.ELEMENT else self
        return group is not None and group.kind is Kind.CHOICE

    @cached_property
    def elements(self) -> "tuple[Node, ...]":
        """The element's possible child elements in the order of the schema, groups looked through."""
        return tuple(_elements(self.members))

    def child(self, name: str) -> "Node | None":
        """The child element of this name, or None."""
        return next((node for node in self.elements if node.name == name), None)

    def at(self, path: str) -> "Node | None":
        """The element at a path below this one (``GrpHdr/MsgId``; "" is the node itself), or None."""
        node: Node | None = self
        for name in filter(None, path.split("/")):
            node = node.child(name) if node else None
        return node


def _elements(members: tuple[Node, ...]) -> Iterator[Node]:
    for member in members:
        if member.kind is Kind.ELEMENT:
            yield member
        else:
            yield from _elements(member.members)

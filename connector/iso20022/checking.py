"""Checks a profile against the schema's content model and the value's fields, when it is loaded.

A wrong profile never gets as far as a payment: unknown elements, wrong order, repetition where there is none, texts
that the schema forbids, mandatory elements left out, alternatives that could stand together, unknown fields.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from connector.iso20022.codes import CodeTable
from connector.iso20022.fields import SHAPES, Field, Shape
from connector.iso20022.formats import FORMATS, format_for
from connector.iso20022.profile import Profile, Rule
from iso20022_schemas.structure import Kind, Node, SimpleType

FILLED_BY_ENGINE: Final = frozenset({"message", "tolerated", "total_minor", "transaction_id"})
"""Fields that no profile has to read: known from the message itself, or "" in messages that do not have them."""


class Scope(NamedTuple):
    """Which fields a rule may name: those of the item it repeats for, and (by ``../``) those of the message."""

    message: Shape
    item: Shape

    def find(self, rule: Rule, name: str) -> Field:
        """The field of this name. Raises ``Misconfigured``."""
        shape = self.message if name.startswith("../") else self.item
        field = shape.fields.get(name.removeprefix("../"))
        if field is None:
            known = ", ".join(sorted(shape.fields))
            raise rule.place.wrong(f"{shape.cls.__name__} has no field {name.removeprefix('../')}; it has {known}")
        return field


class _Checker(NamedTuple):
    """One direction of one profile under check."""

    tables: Mapping[str, CodeTable]
    writing: bool
    read_fields: set[str]

    def element(self, rule: Rule, node: Node, scope: Scope) -> None:
        """Check the rule of an element and everything below it."""
        inner = self.repetition(rule, node, scope)
        if rule.has_value:
            self.value(rule, node.simple, inner)
        elif node.simple is not None:
            raise rule.place.wrong(f"{node.name} has text and no child elements")
        self.attributes(rule, node, inner)
        self.children(rule, node, inner)
        for name in (*rule.when, *rule.unless):
            self.condition(rule, name, scope)

    def condition(self, rule: Rule, name: str, scope: Scope) -> None:
        pattern = {**rule.when, **rule.unless}[name]
        if not self.writing:
            asks = not name.startswith("../") and scope.find(rule, name).type is bool and pattern is None
            if not asks or not rule.source:
                raise rule.place.wrong("a condition when reading is on a text, and asks a yes/no field of the item")
        elif scope.find(rule, name).type is not str and pattern is not None:
            raise rule.place.wrong(f"a pattern looks at text; {name} is none")

    def repetition(self, rule: Rule, node: Node, scope: Scope) -> Scope:
        """The scope below the rule; checks that what repeats may repeat."""
        if rule.each:
            collection = scope.find(rule, rule.each)
            if collection.item is None:
                raise rule.place.wrong(f"{rule.each} is not a collection")
            if node.maximum == 1:
                raise rule.place.wrong(f"{node.name} may stand here only once and cannot repeat for {rule.each}")
            self.read_fields.add(_qualified(rule.each, scope))
            return Scope(scope.message, collection.item)
        if rule.many and (self.writing or node.maximum == 1):
            raise rule.place.wrong("many has a meaning only when reading an element that may repeat")
        return scope

    def value(self, rule: Rule, simple: SimpleType | None, scope: Scope) -> None:
        """Check where the text comes from against what text the schema allows."""
        if simple is None:
            raise rule.place.wrong(f"{rule.name} has child elements and no text of its own")
        if rule.constant is not None:
            _check_text(rule, rule.constant, simple)
        elif rule.count:
            if not self.writing or scope.find(rule, rule.count).item is None:
                raise rule.place.wrong("count names a collection, when writing")
        else:
            self.source(rule, simple, scope)
        if rule.cut and (not self.writing or simple.max_length is None):
            raise rule.place.wrong("cut has a meaning only when writing text whose length the schema limits")

    def source(self, rule: Rule, simple: SimpleType, scope: Scope) -> None:
        field = scope.find(rule, rule.source)
        if field.item is not None:
            raise rule.place.wrong(f"{rule.source} is a collection; repeat an element for it with each")
        name = rule.format or format_for(field.name, field.type)
        if name not in FORMATS:
            raise rule.place.wrong(f"there is no format {name}; there are {', '.join(FORMATS)}")
        if FORMATS[name].type is not field.type:
            raise rule.place.wrong(f"format {name} does not fit {rule.source}, which is {field.type.__name__}")
        bases = FORMATS[name].bases if self.writing else FORMATS[name].bases | FORMATS[name].read_bases
        if simple.base not in bases:
            raise rule.place.wrong(f"format {name} does not fit {simple.name}, which is {simple.base}")
        self.read_fields.add(_qualified(rule.source, scope))
        self.table(rule, simple)

    def table(self, rule: Rule, simple: SimpleType) -> None:
        if not rule.code:
            return
        table = self.tables.get(rule.code)
        if table is None:
            raise rule.place.wrong(f"there is no code table {rule.code}")
        for code in table.codes.values():
            _check_text(rule, code, simple)
        if not self.writing and len(table.reverse) < len(table.codes):
            raise rule.place.wrong(f"code table {rule.code} has one code for several values and cannot be read back")

    def attributes(self, rule: Rule, node: Node, scope: Scope) -> None:
        known = {attribute.name: attribute for attribute in node.attributes}
        for given in rule.attributes:
            if given.name not in known:
                raise given.place.wrong(f"{node.name} has no attribute {given.name}")
            self.value(given, known[given.name].type, scope)
        missing = {name for name, attribute in known.items() if attribute.required} - {
            a.name for a in rule.attributes
        }
        if missing and self.writing:
            raise rule.place.wrong(f"{node.name} needs the attribute {', '.join(sorted(missing))}")

    def children(self, rule: Rule, node: Node, scope: Scope) -> None:
        for child in rule.children:
            below = node.child(child.name)
            if below is None:
                known = ", ".join(element.name for element in node.elements) or "no elements"
                raise child.place.wrong(f"{node.name} has no element {child.name}; it has {known}")
            self.element(child, below, scope)
        if self.writing and node.content is not None and rule.children:
            _check_order(rule, node)
            _check_group(rule, node.content)


def check(profile: Profile, root: Node, tables: Mapping[str, CodeTable]) -> None:
    """Check a whole profile. Raises ``Misconfigured`` with file, line, path and sentence."""
    shape = SHAPES.get(profile.value)
    if shape is None:
        raise profile.place.wrong(f"there is no value {profile.value}; there are {', '.join(SHAPES)}")
    for rule, writing in ((profile.write, True), (profile.read, False)):
        if rule is not None:
            checker = _Checker(tables, writing, set())
            checker.children(rule, root, Scope(shape, shape))
            if not writing:
                _check_covered(rule, shape, checker.read_fields)


def _check_covered(rule: Rule, shape: Shape, read: Iterable[str]) -> None:
    """Every field that has no default must be read from somewhere."""
    wanted = set(_wanted(shape, set(read)))
    missing = sorted(wanted - set(read))
    if missing:
        raise rule.place.wrong(f"nothing is read into {', '.join(missing)}")


def _wanted(shape: Shape, read: Container[str]) -> Iterator[str]:
    """The mandatory fields of a value, and of the items of the collections that are read."""
    yield from _required(shape)
    for field in shape.fields.values():
        if field.item is not None and f"{shape.cls.__name__}.{field.name}" in read:
            yield from _wanted(field.item, read)


def _required(shape: Shape) -> Iterator[str]:
    for field in shape.fields.values():
        if field.required and field.name not in FILLED_BY_ENGINE:
            yield f"{shape.cls.__name__}.{field.name}"


def _qualified(name: str, scope: Scope) -> str:
    shape = scope.message if name.startswith("../") else scope.item
    return f"{shape.cls.__name__}.{name.removeprefix('../')}"


def _check_order(rule: Rule, node: Node) -> None:
    """Elements of a sequence must be given in the order of the schema."""
    if node.is_choice:
        return
    order = {element.name: position for position, element in reversed(list(enumerate(node.elements)))}
    for before, after in zip(rule.children, rule.children[1:], strict=False):
        if order[before.name] > order[after.name]:
            raise after.place.wrong(f"{after.name} must stand before {before.name}")


def _check_group(rule: Rule, group: Node) -> None:
    """Mandatory members are there without a condition; of a choice, one member and never two."""
    given = {child.name: child for child in rule.children}
    if group.kind is Kind.CHOICE:
        _check_choice(rule, group, given)
        return
    for member in group.members:
        if member.kind is Kind.ELEMENT:
            _check_mandatory(rule, member, given)
        elif member.kind is not Kind.ANY and (member.minimum or _names(member) & given.keys()):
            _check_group(rule, member)


def _check_mandatory(rule: Rule, member: Node, given: Mapping[str, Rule]) -> None:
    if not member.minimum:
        return
    child = given.get(member.name)
    if child is None:
        raise rule.place.wrong(f"{member.name} is mandatory here and missing")
    if child.conditional:
        raise child.place.wrong(f"{member.name} is mandatory here and cannot have a condition")


def _check_choice(rule: Rule, group: Node, given: Mapping[str, Rule]) -> None:
    names = [name for name in given if name in _names(group)]
    if not names:
        raise rule.place.wrong(f"one of {', '.join(sorted(_names(group)))} is mandatory here")
    for name in names[:-1]:
        if not given[name].conditional:
            raise given[name].place.wrong(
                f"only one of {', '.join(names)} may stand here; all but the last need a condition"
            )
    if given[names[-1]].conditional:
        raise given[names[-1]].place.wrong(f"{names[-1]} is the last alternative and cannot have a condition")


def _names(group: Node) -> set[str]:
    return {element.name for element in ([group] if group.kind is Kind.ELEMENT else group.elements)}


def _check_text(rule: Rule, text: str, simple: SimpleType) -> None:
    """Constant text must be what the schema's facets allow."""
    shortest = simple.length or simple.min_length or 0
    longest = simple.length or simple.max_length
    if len(text) < shortest or (longest is not None and len(text) > longest):
        raise rule.place.wrong(f"{text!r} has not the length that {simple.name} asks for ({shortest} to {longest})")
    if simple.enumeration and text not in simple.enumeration:
        raise rule.place.wrong(f"{text!r} is not one of {', '.join(simple.enumeration)}")
    for pattern in simple.patterns:
        if not re.fullmatch(pattern, text):
            raise rule.place.wrong(f"{text!r} does not have the form {pattern}")
    if simple.base == "decimal" and not re.fullmatch(r"\d+(\.\d+)?", text):
        raise rule.place.wrong(f"{text!r} is not a number")
    if simple.base == "boolean" and text not in {"true", "false"}:
        raise rule.place.wrong(f"{text!r} is neither true nor false")

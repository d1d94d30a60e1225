"""Compiles the write part of a checked profile to a function from a value to bytes.

Everything works on columns: a field of all rows at once is turned into text, and one template per row joins them,
so that per transaction there is little more than string formatting. An optional element without a value is not
written, nor is an optional container in which nothing stands.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, repeat
from operator import attrgetter
from typing import Any, Final, NamedTuple

from connector.domain.errors import Refused
from connector.iso20022.branches import PARTED
from connector.iso20022.codes import CodeTable
from connector.iso20022.codesets import CodeSets
from connector.iso20022.fields import SHAPES, Shape
from connector.iso20022.formats import FORMATS, format_for
from connector.iso20022.profile import Condition, Profile, Rule
from iso20022_schemas.structure import Node

Column = Callable[[object, Sequence[object]], Sequence[str]]
"""From the message and the rows to one text a row. At message level the message itself is the only row."""

Piece = str | Column

Spell = Callable[[Sequence[Any], str, str], Sequence[str]]
"""From values, their currency and the rule's path to texts."""

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def compile_writer(
    profile: Profile, root: Node, namespace: str, tables: Mapping[str, CodeTable], codesets: CodeSets
) -> Callable[[object], bytes]:
    """Compile a profile that was checked and has a write part."""
    if profile.write is None:
        raise profile.place.wrong("has nothing to write")
    shape = SHAPES[profile.value]
    pieces: list[Piece] = [f'{_DECLARATION}<{root.name} xmlns="{namespace}">']
    pieces += _Compiler(tables, codesets, shape, shape).children(profile.write, root, optional=False)
    row = _rendered([*pieces, f"</{root.name}>"])

    def write(message: object) -> bytes:
        return row(message, (message,))[0].encode()

    return write


class _Compiler(NamedTuple):
    """Compiles the elements of one level; rows are items of the shape ``item``, or the message itself."""

    tables: Mapping[str, CodeTable]
    codesets: CodeSets
    message: Shape
    item: Shape

    @property
    def inside(self) -> bool:
        """Whether the rows are items of a collection."""
        return self.item is not self.message

    def element(self, rule: Rule, node: Node, *, optional: bool) -> list[Piece]:
        """An element with all that stands in it, under its condition."""
        optional = optional or node.minimum == 0
        if self.inside and _is_shared(rule):
            return [_spread(_rendered(self._replace(item=self.message).element(rule, node, optional=optional)))]
        if rule.each:
            pieces = self.repeated(rule, node)
        elif rule.has_value:
            pieces = self.leaf(rule, node, optional=optional)
        else:
            pieces = self.container(rule, node, optional=optional)
        return [_guarded(self.condition(rule), _rendered(pieces))] if rule.conditional else pieces

    def leaf(self, rule: Rule, node: Node, *, optional: bool) -> list[Piece]:
        value = self.value(rule, node)
        opening = [f"<{rule.name}", *self.attributes(rule), ">"]
        closing = f"</{rule.name}>"
        if isinstance(value, str) or not optional:
            return [*opening, value, closing]
        if rule.attributes:
            return [_guarded(value, _rendered([*opening, value, closing]))]
        return [_enclosed(f"<{rule.name}>", value, closing)]

    def attributes(self, rule: Rule) -> list[Piece]:
        pieces: list[Piece] = []
        for attribute in rule.attributes:
            pieces += [f' {attribute.name}="', self.value(attribute, None), '"']
        return pieces

    def container(self, rule: Rule, node: Node, *, optional: bool) -> list[Piece]:
        optional = optional or node.minimum == 0
        opening, closing = f"<{rule.name}>", f"</{rule.name}>"
        body = self.children(rule, node, optional=optional)
        if optional and not all(isinstance(piece, str) for piece in body):
            return [_enclosed(opening, _rendered(body), closing)]
        return [opening, *body, closing]

    def children(self, rule: Rule, node: Node, *, optional: bool) -> list[Piece]:
        """The pieces of all child elements; of a choice, the first alternative whose condition holds."""
        compiled: list[tuple[Rule, list[Piece]]] = []
        for child in rule.children:
            below = node.child(child.name)
            if below is None:
                raise child.place.wrong("was not checked")
            compiled.append((child, self.element(child, below, optional=optional)))
        if node.is_choice and len(compiled) > 1:
            return [_first([_rendered(pieces) for _, pieces in compiled])]
        return [piece for _, pieces in compiled for piece in pieces]

    def repeated(self, rule: Rule, node: Node) -> list[Piece]:
        """The element once for every item of the collection."""
        within = self._replace(item=self.item_of(rule))
        whole = _joined([f"<{rule.name}>", *within.children(rule, node, optional=False), f"</{rule.name}>"])
        shared = tuple(_shared_collections(rule))

        def text(message: object, items: Sequence[object]) -> str:
            if len(items) != 1 and any(getattr(message, name) for name in shared):
                raise Refused.because(rule.place.path, "ambiguous", f"Needs exactly one {rule.name} to stand in.")
            return whole(message, items)

        return [self.spread(rule.each, text)]

    def item_of(self, rule: Rule) -> Shape:
        """What the collection consists of that the rule repeats for."""
        shape = self.message if rule.each.startswith("../") else self.item
        item = shape.fields[rule.each.removeprefix("../")].item
        if item is None:
            raise rule.place.wrong("was not checked")
        return item

    def spread(self, each: str, text: Callable[[object, Sequence[object]], str]) -> Column:
        """A column of repeated elements, from the message's collection or from each row's own."""
        name = each.removeprefix("../")
        if each.startswith("../") and self.inside:
            return lambda message, rows: [text(message, getattr(message, name))] * len(rows)
        return lambda message, rows: [text(message, getattr(row, name)) for row in rows]

    def condition(self, rule: Rule) -> Column:
        """Mark the rows that the rule is for with "yes" and the others with ""."""
        wanted, unwanted = self.matches(rule.when), self.matches(rule.unless)

        def holds(message: object, rows: Sequence[object]) -> Sequence[str]:
            yes = wanted(message, rows) if rule.when else [True] * len(rows)
            no = unwanted(message, rows) if rule.unless else [False] * len(rows)
            if all(yes) and not any(no):
                return ["yes"] * len(rows)
            return ["yes" if first and not second else "" for first, second in zip(yes, no, strict=True)]

        return holds

    def matches(self, condition: Condition) -> Callable[[object, Sequence[object]], Sequence[bool]]:
        """True for the rows for which every part of the condition holds."""
        tests = [(self.texts(name), pattern) for name, pattern in condition.items()]

        def column(message: object, rows: Sequence[object]) -> Sequence[bool]:
            found = [_tested(texts(message, rows), pattern) for texts, pattern in tests]
            if len(found) == 1:
                return found[0]
            return [all(row) for row in zip(*found, strict=True)]

        return column

    def value(self, rule: Rule, node: Node | None) -> Piece:
        """The text of an element or attribute: fixed, a count, or a column."""
        where = rule.place.path
        if rule.constant is not None:
            return FORMATS["text"].write([rule.constant], "", where)[0]
        if rule.count:
            counted = self.values(rule.count)
            return lambda message, rows: [str(len(items)) for items in counted(message, rows)]
        name = rule.source.removeprefix("../")
        values = self.values(rule.source)
        prepared = self.prepared(rule, node)
        shape = self.message if rule.source.startswith("../") else self.item
        spelling = FORMATS[rule.format or format_for(name, shape.fields[name].type)]
        spell = self.listed(spelling.write, node)

        def column(message: object, rows: Sequence[object]) -> Sequence[str]:
            return spell(prepared(values(message, rows)), getattr(message, "currency", ""), where)

        def by_row(message: object, rows: Sequence[object]) -> Sequence[str]:
            return _by_currency(values(message, rows), rows, spell, where)

        return by_row if spelling.currency and shape is self.item and "currency" in shape.fields else column

    def listed(self, spell: Spell, node: Node | None) -> Spell:
        """The spelling, which refuses codes that are not in the external set of the element."""
        type_name = node.simple.name if node and node.simple else ""
        known = self.codesets.codes(type_name).keys() | {""}
        if len(known) == 1:
            return spell

        def checked(values: Sequence[Any], currency: str, where: str) -> Sequence[str]:
            texts = spell(values, currency, where)
            if not known >= set(texts):
                raise Refused.because(where, "code", f"{type_name} does not list this code.")
            return texts

        return checked

    def prepared(self, rule: Rule, node: Node | None) -> Callable[[Sequence[Any]], Sequence[Any]]:
        """What happens to values before they are formatted: translated by a code table, or cut to length."""
        if rule.code:
            codes = {"": "", **self.tables[rule.code].codes}
            return lambda values: _translated(values, codes, rule)
        if rule.part:
            return lambda values: [_part(value, rule.part) for value in values]
        simple = node.simple if node else None
        if rule.cut and simple and simple.max_length:
            longest = simple.max_length
            return lambda values: _cut(values, longest)
        return lambda values: values

    def texts(self, name: str) -> Column:
        """The values of a field that is text, as the check made sure."""
        return self.values(name)

    def values(self, name: str) -> Callable[[object, Sequence[object]], Sequence[Any]]:
        """The values of a field for all rows."""
        if name.startswith("../") and self.inside:
            outer = attrgetter(name.removeprefix("../"))
            return lambda message, rows: [outer(message)] * len(rows)
        field = attrgetter(name.removeprefix("../"))
        return lambda _, rows: list(map(field, rows))


def _cut(values: Sequence[str], longest: int) -> Sequence[str]:
    """Texts as far as they may go; most often they all fit."""
    if max(map(len, values), default=0) <= longest:
        return values
    return [value[:longest] for value in values]


def _part(value: str, number: int) -> str:
    """One of the parts that ``/`` separates, or nothing."""
    parts = value.split(PARTED)
    return parts[number - 1] if number <= len(parts) else ""


def _by_currency(values: Sequence[Any], rows: Sequence[Any], spell: Spell, where: str) -> Sequence[str]:
    """Amounts whose rows have currencies of their own."""
    currencies = [row.currency for row in rows]
    if len(set(currencies)) == 1:
        return spell(values, currencies[0], where)
    return [spell([value], each, where)[0] for value, each in zip(values, currencies, strict=True)]


def _translated(values: Sequence[str], codes: Mapping[str, str], rule: Rule) -> Sequence[str]:
    try:
        return [codes[value] for value in values]
    except KeyError:
        raise Refused.because(
            rule.place.path, "code", f"Code table {rule.code} has no code for this {rule.source}."
        ) from None


def _rendered(pieces: Iterable[Piece]) -> Column:
    """All pieces of a row as one text."""
    parts = list(_merged(pieces))
    if len(parts) == 1 and not isinstance(parts[0], str):
        return parts[0]
    if all(isinstance(part, str) for part in parts):
        fixed = "".join(map(str, parts))
        return lambda _, rows: [fixed] * len(rows)
    return lambda message, rows: list(map("".join, zip(*_columns(parts, message, rows), strict=True)))


def _joined(pieces: Iterable[Piece]) -> Callable[[object, Sequence[object]], str]:
    """The rows one behind the other: quicker than each for itself, and then all of them."""
    parts = list(_merged(pieces))
    return lambda message, rows: "".join(chain.from_iterable(zip(*_columns(parts, message, rows), strict=True)))


def _columns(parts: Iterable[Piece], message: object, rows: Sequence[object]) -> Iterator[Iterable[str]]:
    """The texts of each part, row by row; tags around texts that are all there are parts of their own."""
    for part in parts:
        if isinstance(part, str):
            yield repeat(part, len(rows))
        elif isinstance(part, _Enclosed):
            yield from part.columns(message, rows)
        else:
            yield part(message, rows)


def _merged(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Put fixed texts that stand side by side together."""
    for fixed, group in groupby(pieces, lambda piece: isinstance(piece, str)):
        if fixed:
            yield "".join(map(str, group))
        else:
            yield from group


@dataclass(frozen=True, slots=True)
class _Enclosed:
    """A column: the body in its tags, or nothing where the body is empty."""

    opening: str
    body: Column
    closing: str

    def __call__(self, message: object, rows: Sequence[object]) -> Sequence[str]:
        opening, closing = self.opening, self.closing
        texts = self.body(message, rows)
        if not any(texts):
            return texts
        return [f"{opening}{text}{closing}" if text else "" for text in texts]

    def columns(self, message: object, rows: Sequence[object]) -> Sequence[Iterable[str]]:
        """Tags and bodies side by side where every row has a body."""
        texts = self.body(message, rows)
        if all(texts):
            return repeat(self.opening, len(rows)), texts, repeat(self.closing, len(rows))
        opening, closing = self.opening, self.closing
        return ([f"{opening}{text}{closing}" if text else "" for text in texts],)


def _enclosed(opening: str, body: Column, closing: str) -> Column:
    """Enclose a body; tags around tags become one pair, so that nesting costs nothing per row."""
    if isinstance(body, _Enclosed):
        return _Enclosed(opening + body.opening, body.body, body.closing + closing)
    return _Enclosed(opening, body, closing)


def _guarded(guard: Column, body: Column) -> Column:
    """The body for the rows for which the guard is not empty, nothing for the others."""

    def column(message: object, rows: Sequence[object]) -> Sequence[str]:
        allowed = guard(message, rows)
        if all(allowed):
            return body(message, rows)
        chosen = [row for row, yes in zip(rows, allowed, strict=True) if yes]
        if not chosen:
            return allowed
        texts = iter(body(message, chosen))
        return [next(texts) if yes else "" for yes in allowed]

    return column


def _first(alternatives: Sequence[Column]) -> Column:
    """The first alternative that gives any text; the later ones are asked only for the rows that are left."""

    def column(message: object, rows: Sequence[object]) -> Sequence[str]:
        texts = alternatives[0](message, rows)
        for alternative in alternatives[1:]:
            if all(texts):
                break
            if not any(texts):
                texts = alternative(message, rows)
                continue
            left = [row for row, text in zip(rows, texts, strict=True) if not text]
            more = iter(alternative(message, left) if left else ())
            texts = [text or next(more) for text in texts]
        return texts

    return column


def _tested(texts: Sequence[str], pattern: re.Pattern[str] | None) -> Sequence[bool]:
    """Whether each text matches (no pattern: is not empty); a text that comes often is looked at once."""
    if pattern is None:
        return list(map(bool, texts))
    different = set(texts)
    if len(different) * 2 > len(texts):
        return [match is not None for match in map(pattern.fullmatch, texts)]
    known = {text: bool(pattern.fullmatch(text)) for text in different}
    if len(known) == 1:
        return list(known.values()) * len(texts)
    return [known[text] for text in texts]


def _is_shared(rule: Rule) -> bool:
    """Whether all that the rule writes comes from the message, so that it is the same in every row."""
    names = [rule.source or "../", rule.count or "../", rule.each or "../", *rule.when, *rule.unless]
    own = all(name.startswith("../") for name in names)
    return own and not rule.each and all(_is_shared(part) for part in (*rule.children, *rule.attributes))


def _spread(column: Column) -> Column:
    """What the message says, once for every row."""
    return lambda message, rows: list(column(message, (message,))) * len(rows)


def _shared_collections(rule: Rule) -> Iterable[str]:
    """Collections of the message that repeat inside this rule, which so must itself stand once."""
    for child in rule.children:
        if child.each.startswith("../"):
            yield child.each.removeprefix("../")
        yield from _shared_collections(child)

"""Compiles the read part of a checked profile to a function from a parsed message to a value.

One walk over the tree: a table per element says what to do with each child it may have, everything else is passed
over. Rows are collected as text and turned into values a column at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Final, NamedTuple

from connector.domain.errors import Refused
from connector.domain.messages import Message
from connector.iso20022.codes import CodeTable
from connector.iso20022.fields import SHAPES, Shape
from connector.iso20022.formats import FORMATS, format_for
from connector.iso20022.parsing import Element
from connector.iso20022.profile import Profile, Rule
from iso20022_schemas.structure import Node


@dataclass(slots=True)
class Picked:
    """What has been picked from one message so far: the message's own fields, and rows by collection."""

    values: list[str]
    rows: dict[str, list[list[str]]] = field(default_factory=dict)


Step = Callable[[Element, list[str], Picked], None]
"""What to do with an element: given it, the fields of its level and everything picked so far."""

TextOf = Callable[[Element], str]
_FREE: Final = ""


class Steps(NamedTuple):
    """What to do with each child by its tag: texts go straight into a field, everything else has a step."""

    texts: dict[str, int]
    others: dict[str, Step]


class Slot(NamedTuple):
    """A field that is read: its place in the list of its level, and the rule by which its text becomes a value."""

    place: int
    rule: Rule


@dataclass(slots=True)
class _Level:
    """The fields that are read at one level (the message, or a collection's items)."""

    shape: Shape
    slots: dict[str, Slot] = field(default_factory=dict)

    def slot(self, rule: Rule, name: str) -> int:
        return self.slots.setdefault(name, Slot(len(self.slots), rule)).place


class _Compiler(NamedTuple):
    """Compiles one profile; level is where the rules at hand read into."""

    namespace: str
    tables: Mapping[str, CodeTable]
    message: _Level
    levels: dict[str, _Level]
    level: _Level

    def steps(self, rule: Rule, node: Node) -> Steps:
        """What to do with each child element."""
        found = Steps({}, {})
        for child in rule.children:
            below = node.child(child.name)
            if below is None:
                raise child.place.wrong("was not checked")
            tag = f"{{{self.namespace}}}{child.name}"
            if self.is_plain(child, below):
                found.texts[tag] = self.level.slot(child, child.source)
            else:
                found.others[tag] = self.step(child, below)
        return found

    def is_plain(self, rule: Rule, node: Node) -> bool:
        """Whether the element's text goes into a field of its own level as it is."""
        special = rule.attributes or rule.code or node.maximum != 1 or rule.source.startswith("../")
        return bool(rule.source) and not special

    def step(self, rule: Rule, node: Node) -> Step:
        if rule.each:
            return self.rows(rule, node)
        parts = [self.attribute(attribute) for attribute in rule.attributes]
        if rule.has_value:
            parts.append(self.leaf(rule, node))
        if rule.children:
            parts.append(_descend(self.steps(rule, node)))
        whole = parts[0] if len(parts) == 1 else _all(parts)
        repeats = node.maximum != 1 and not rule.many
        return _once(whole, rule) if repeats else whole

    def rows(self, rule: Rule, node: Node) -> Step:
        """Start a new row of the collection for every such element."""
        name = rule.each.removeprefix("../")
        item = self.message.shape.fields[name].item
        if item is None:
            raise rule.place.wrong("was not checked")
        level = self.levels.setdefault(name, _Level(item))
        descend = _descend(self._replace(level=level).steps(rule, node))
        width = len(item.fields)

        def step(element: Element, _: list[str], picked: Picked) -> None:
            row = [_FREE] * width
            picked.rows[name].append(row)
            descend(element, row, picked)

        return step

    def leaf(self, rule: Rule, _node: Node) -> Step:
        if rule.constant is not None:
            return _demand(rule, rule.constant)
        return self.store(rule, self.translated(rule, _text))

    def attribute(self, rule: Rule) -> Step:
        if rule.constant is not None:
            raise rule.place.wrong("an attribute is read into a field")
        return self.store(rule, self.translated(rule, lambda element: element.get(rule.name) or ""))

    def translated(self, rule: Rule, text_of: TextOf) -> TextOf:
        """The text, by way of the rule's code table if it has one."""
        if not rule.code:
            return text_of
        codes = {"": "", **self.tables[rule.code].reverse}

        def translate(element: Element) -> str:
            try:
                return codes[text_of(element)]
            except KeyError:
                sentence = f"The code is not one of those that {rule.code} allows."
                raise Refused.because(rule.place.path, "usage", sentence) from None

        return translate

    def store(self, rule: Rule, text_of: TextOf) -> Step:
        """Keep the element's text in its field; a message's field, seen from a row, must always be the same."""
        if rule.source.startswith("../") and self.level is not self.message:
            return _shared(self.message.slot(rule, rule.source.removeprefix("../")), rule, text_of)
        index = self.level.slot(rule, rule.source.removeprefix("../"))
        if rule.many == "join":
            return _joined(index, text_of)

        def step(element: Element, row: list[str], _: Picked) -> None:
            if not row[index]:
                row[index] = text_of(element)

        return step


def _text(element: Element) -> str:
    return element.text or ""


def _descend(steps: Steps) -> Step:
    """Look at all children, going from one to the next: half the time of an iterator over so few."""
    texts, others = steps

    def step(element: Element, row: list[str], picked: Picked) -> None:
        child = element[0] if len(element) else None
        while child is not None:
            tag = child.tag
            if tag in texts:
                index = texts[tag]
                row[index] = row[index] or child.text or ""
            elif tag in others:
                others[tag](child, row, picked)
            child = child.getnext()

    return step


def _all(parts: Sequence[Step]) -> Step:
    def step(element: Element, row: list[str], picked: Picked) -> None:
        for part in parts:
            part(element, row, picked)

    return step


def _once(whole: Step, rule: Rule) -> Step:
    """Refuse an element that stands there again, rather than losing or mixing what it says."""

    def step(element: Element, row: list[str], picked: Picked) -> None:
        if next(element.itersiblings(element.tag, preceding=True), None) is not None:
            raise Refused.because(rule.place.path, "unsupported", f"More than one {rule.name} is not supported here.")
        whole(element, row, picked)

    return step


def _joined(index: int, text_of: TextOf) -> Step:
    def step(element: Element, row: list[str], _: Picked) -> None:
        row[index] = f"{row[index]} {text_of(element)}".strip()

    return step


def _shared(index: int, rule: Rule, text_of: TextOf) -> Step:
    def step(element: Element, _: list[str], picked: Picked) -> None:
        text, known = text_of(element), picked.values[index]
        if known and known != text:
            name = rule.source.removeprefix("../")
            raise Refused.because(rule.place.path, "mixed", f"All transactions of a message must have one {name}.")
        picked.values[index] = text

    return step


def _demand(rule: Rule, constant: str) -> Step:
    def step(element: Element, _: list[str], __: Picked) -> None:
        if (element.text or "").strip() != constant:
            raise Refused.because(rule.place.path, "usage", f"Only {constant} is accepted here.")

    return step


class Reader(NamedTuple):
    """A compiled profile: picks what is mapped out of a validated tree and builds the value."""

    cls: Callable[..., Message]
    steps: Steps
    message: _Level
    levels: Mapping[str, _Level]

    def read(self, root: Element, message: str, tolerated: tuple[str, ...]) -> Message:
        """The value of a message that is valid under its schema. Raises ``Refused``."""
        picked = Picked([_FREE] * len(self.message.shape.fields), {name: [] for name in self.levels})
        _descend(self.steps)(root, picked.values, picked)
        currency = self._text("currency", picked)
        given = {name: self._items(name, rows, currency) for name, rows in picked.rows.items()}
        for name, slot in self.message.slots.items():
            text = picked.values[slot.place]
            if text:
                given[name] = self._column(self.message, name, slot, [text], currency)[0]
        return self.cls(**self._completed(given, message, tolerated))

    def _text(self, name: str, picked: Picked) -> str:
        slot = self.message.slots.get(name)
        return picked.values[slot.place] if slot else ""

    def _items(self, name: str, rows: list[list[str]], currency: str) -> list[Any]:
        """The items of a collection; fields that are not read keep their default."""
        level = self.levels[name]
        cls: Any = level.shape.cls
        if not rows:
            return []
        texts = list(zip(*rows, strict=True))
        columns = [
            self._column(level, field, level.slots[field], texts[level.slots[field].place], currency)
            if field in level.slots
            else repeat(cls._field_defaults.get(field, _FREE), len(rows))
            for field in cls._fields
        ]
        return list(map(cls._make, zip(*columns, strict=True)))

    def _column(self, level: _Level, name: str, slot: Slot, texts: Sequence[str], currency: str) -> Sequence[Any]:
        rule, kind = slot.rule, level.shape.fields[name].type
        return FORMATS[rule.format or format_for(name, kind)].read(texts, currency, rule.place.path)

    def _completed(self, given: dict[str, Any], message: str, tolerated: tuple[str, ...]) -> dict[str, Any]:
        """Add what no element says: the message's name, the total, the day where none is given, empty texts."""
        fields = self.message.shape.fields
        extra: dict[str, Any] = {"message": message, "tolerated": tolerated}
        given.update({name: value for name, value in extra.items() if name in fields})
        if "total_minor" in fields:
            rows = next((given[name] for name in ("transfers", "returns", "requests") if given.get(name)), ())
            given["total_minor"] = sum(row.amount_minor for row in rows)
        for name, item in fields.items():
            if item.required and given.get(name) is None:
                given[name] = given["created"].date() if name.endswith("_date") else item.type()
        return given


def compile_reader(profile: Profile, root: Node, namespace: str, tables: Mapping[str, CodeTable]) -> Reader:
    """Compile a profile that was checked and has a read part."""
    if profile.read is None:
        raise profile.place.wrong("has nothing to read")
    shape = SHAPES[profile.value]
    level = _Level(shape)
    compiler = _Compiler(namespace, tables, level, {}, level)
    steps = compiler.steps(profile.read, root)
    return Reader(shape.cls, steps, level, compiler.levels)

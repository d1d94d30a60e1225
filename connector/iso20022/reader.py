"""Reads a validated message into a value, by the read part of a profile.

One walk over the tree: a table per element says what to do with each child it may have, everything else is passed
over. Rows are collected as text and turned into values a column at a time. The rows of a large message in its usual
spelling are not walked over but read by their shape (``shapes``), which gives the same texts in less time.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from operator import attrgetter
from typing import Any, NamedTuple

from connector.domain.errors import Refused
from connector.domain.messages import Message
from connector.iso20022.branches import FREE, Branch, Level, Picked, Slot, Take, Tree, compile_tree
from connector.iso20022.codes import CodeTable
from connector.iso20022.codesets import CodeSets
from connector.iso20022.formats import FORMATS, format_for
from connector.iso20022.parsing import Element
from connector.iso20022.profile import Profile, Rule
from connector.iso20022.shapes import RowReader, row_reader
from iso20022_schemas.structure import Node

Step = Callable[[Element, list[str], Picked], None]
"""What to do with an element: given it, the fields of its level and everything picked so far."""


class Understood(NamedTuple):
    """A value, and what was let pass before and while it was read."""

    value: Message
    tolerated: tuple[str, ...]


class Reader(NamedTuple):
    """A compiled profile: picks what is mapped out of a validated tree and builds the value."""

    tree: Tree
    walk: Step
    rows: RowReader | None
    codesets: CodeSets

    def read(self, root: Element, message: str, body: bytes = b"", tolerated: Sequence[str] = ()) -> Understood:
        """The value of a message that is valid under its schema; body: the bytes it was parsed from, if at hand.

        Raises ``Refused``.
        """
        picked = self._picked_by_shape(root, body) or self._picked(root)
        passed = (*tolerated, *self._unknown(picked))
        return Understood(_Values(self.tree, picked).message({"message": message, "tolerated": passed}), passed)

    def _unknown(self, picked: Picked) -> Iterator[str]:
        """A sentence for each code that its external set or its code table does not list."""
        for type_name, path, code in sorted(picked.codes):
            if self.codesets.knows(type_name, code) is False:
                yield f"{path}: {type_name} does not list {code}."
        for table, path, code in sorted(picked.untranslated):
            yield f"{path}: code table {table} does not have {code}."

    def _picked(self, root: Element) -> Picked:
        picked = self._nothing()
        self.walk(root, picked.values, picked)
        return picked

    def _picked_by_shape(self, root: Element, body: bytes) -> Picked | None:
        """What the walk would pick, or None where only the walk can tell (also where it would refuse)."""
        if self.rows is None or not body:
            return None
        cut = self.rows.cut(root, body)
        if cut is None:
            return None
        picked = self._nothing()
        try:
            self.walk(cut.rest, picked.values, picked)
            cut.fill(picked)
        except Refused:
            return None
        return picked

    def _nothing(self) -> Picked:
        width = len(self.tree.message.shape.fields)
        levels = self.tree.levels
        nested = {path: list[int]() for path, level in levels.items() if level.nested}
        return Picked([FREE] * width, {path: [] for path in levels}, nested)


def compile_reader(
    profile: Profile, root: Node, namespace: str, tables: Mapping[str, CodeTable], codesets: CodeSets
) -> Reader:
    """Compile a profile that was checked and has a read part."""
    tree = compile_tree(profile, root, tables)
    return Reader(tree, _descend(tree.root, f"{{{namespace}}}"), row_reader(tree, namespace), codesets)


def _step(branch: Branch, prefix: str) -> Step:
    """What to do with an element of this branch."""
    parts = [_attribute(name, take) for name, take in branch.attributes.items()]
    if branch.text is not None:
        parts.append(_text(branch.text))
    if branch.children:
        parts.append(_descend(branch, prefix))
    whole = parts[0] if len(parts) == 1 else _all(parts)
    if branch.level is not None:
        return _row(branch.level, whole)
    return _once(whole, branch.rule) if branch.once else whole


def _descend(branch: Branch, prefix: str) -> Step:
    """Look at all children, going from one to the next: half the time of an iterator over so few."""
    texts = {
        f"{prefix}{name}": child.text.place for name, child in branch.children.items() if child.plain and child.text
    }
    others = {f"{prefix}{name}": _step(child, prefix) for name, child in branch.children.items() if not child.plain}

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


def _row(level: Level, whole: Step) -> Step:
    """Start a new row of the collection for every such element."""
    width, path = len(level.shape.fields), level.path
    above = level.parent.path if level.parent and level.nested else ""

    def step(element: Element, _: list[str], picked: Picked) -> None:
        row = [FREE] * width
        if above:
            picked.parents[path].append(len(picked.rows[above]) - 1)
        picked.rows[path].append(row)
        whole(element, row, picked)

    return step


def _text(take: Take) -> Step:
    taker = take.take
    return lambda element, row, picked: taker(element.text or "", row, picked)


def _attribute(name: str, take: Take) -> Step:
    taker = take.take
    return lambda element, row, picked: taker(element.get(name) or "", row, picked)


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


class _Values(NamedTuple):
    """Turns picked texts into the value and its items."""

    tree: Tree
    picked: Picked

    def message(self, extra: Mapping[str, Any]) -> Message:
        """The message's value; extra: what is known of it from elsewhere."""
        level = self.tree.message
        given: dict[str, Any] = {name: value for name, value in extra.items() if name in level.shape.fields}
        given.update(self.collections(level))
        for field, slot in level.slots.items():
            text = self.picked.values[slot.place]
            if text:
                given[field] = self.column(level, field, [text])[0]
        cls: Callable[..., Message] = level.shape.cls
        return cls(**_completed(level, given))

    def collections(self, parent: Level) -> Iterator[tuple[str, list[Any]]]:
        """The collections that belong to a level, each with its items: the message's as they are."""
        for level in self.tree.levels.values():
            if level.parent is parent:
                yield level.name, self.items(level)

    def items(self, level: Level) -> list[Any]:
        """The items of a collection; fields that are not read keep their default."""
        cls: Any = level.shape.cls
        rows = self.picked.rows[level.path]
        if not rows:
            return []
        self.inherit(level)
        texts = list(zip(*rows, strict=True))
        inner = {name: self.parted(items, level, name) for name, items in self.collections(level)}
        columns = [
            inner[field]
            if field in inner
            else self.column(level, field, texts[level.slots[field].place], texts)
            if field in level.slots
            else repeat(cls._field_defaults.get(field, FREE), len(rows))
            for field in cls._fields
        ]
        return list(map(partial(tuple.__new__, cls), zip(*columns, strict=True)))

    def parted(self, items: list[Any], level: Level, name: str) -> list[tuple[Any, ...]]:
        """The items of an inner collection, by the row of the outer one that they belong to."""
        parts: list[list[Any]] = [[] for _ in self.picked.rows[level.path]]
        for parent, item in zip(self.picked.parents[f"{level.path}/{name}"], items, strict=True):
            parts[parent].append(item)
        return list(map(tuple, parts))

    def inherit(self, level: Level) -> None:
        """What an item leaves out and what stands around it says as well: its currency, its sign, its moment.

        An amount is the outer one's only where the item is the only one there.
        """
        outer = level.parent
        if outer is None:
            return
        for field in level.inherited:
            place, above = level.slots[field].place, outer.slots[field].place
            sole = field.endswith("_minor")
            for row, around, alone in self.around(level, outer):
                if not row[place] and (alone or not sole):
                    row[place] = around[above]

    def around(self, level: Level, outer: Level) -> Iterator[tuple[list[str], Sequence[str], bool]]:
        """Each row, the row that it stands in, and whether it is the only one there."""
        rows = self.picked.rows[level.path]
        if not level.nested:
            yield from zip(rows, repeat(self.picked.values), repeat(len(rows) == 1))
            return
        parents = self.picked.parents[level.path]
        sizes = Counter(parents)
        for row, parent in zip(rows, parents, strict=True):
            yield row, self.picked.rows[outer.path][parent], sizes[parent] == 1

    def column(
        self, level: Level, name: str, texts: Sequence[str], row_texts: Sequence[Sequence[str]] = ()
    ) -> Sequence[Any]:
        """The values of a field; amounts by the currency of their row, or of the message."""
        slot: Slot = level.slots[name]
        spelling = FORMATS[slot.rule.format or format_for(name, level.shape.fields[name].type)]
        own = level.slots.get("currency") if spelling.currency else None
        where = slot.rule.place.path
        if own is None or not row_texts:
            return spelling.read(texts, self.currency(), where)
        currencies = row_texts[own.place]
        if len(set(currencies)) == 1:
            return spelling.read(texts, currencies[0], where)
        return [spelling.read([text], each, where)[0] for text, each in zip(texts, currencies, strict=True)]

    def currency(self) -> str:
        slot = self.tree.message.slots.get("currency")
        return self.picked.values[slot.place] if slot else ""


def _completed(level: Level, given: dict[str, Any]) -> dict[str, Any]:
    """Add what no element says: the total, the day where none is given, empty texts."""
    fields = level.shape.fields
    if "total_minor" in fields:
        amounts = attrgetter("amount_minor")
        items = next((given[name] for name in ("transfers", "returns", "requests") if given.get(name)), ())
        given["total_minor"] = sum(map(amounts, items))
    for name, item in fields.items():
        if item.required and given.get(name) is None:
            given[name] = given["created"].date() if name.endswith("_date") else item.type()
    return given

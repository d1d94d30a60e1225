"""What a checked profile reads, as a tree of its own: for each element, what becomes of its text and its children.

Both ways of reading follow it: the walk over a parsed message (``reader``) and the reading of rows by their shape
(``shapes``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from connector.domain.errors import Refused
from connector.iso20022.codes import CodeTable
from connector.iso20022.fields import SHAPES, Shape
from connector.iso20022.formats import FORMATS
from connector.iso20022.profile import Profile, Rule
from iso20022_schemas.structure import Node

FREE: Final = ""
PARTED: Final = "/"


@dataclass(slots=True)
class Picked:
    """What has been picked from one message so far.

    values: texts of the message's own fields; rows: texts of the items of each collection, by the collection's path;
    parents: for collections inside collections, which row each row belongs to; codes: external codes that were met,
    with their type and where they stood; untranslated: codes that their table does not have, likewise.
    """

    values: list[str]
    rows: dict[str, list[Any]]
    parents: dict[str, list[int]]
    codes: set[tuple[str, str, str]] = field(default_factory=set)
    untranslated: set[tuple[str, str, str]] = field(default_factory=set)


Taker = Callable[[str, list[str], Picked], None]
"""What to do with a text: given it, the fields of its row and everything picked so far. Raises ``Refused``."""


class Slot(NamedTuple):
    """A field that is read: its place in the list of its level, and the rule by which its text becomes a value."""

    place: int
    rule: Rule


@dataclass(slots=True)
class Level:
    """The fields that are read at one level: the message (path "") or a collection (``statements/entries``)."""

    path: str
    shape: Shape
    parent: "Level | None" = None
    slots: dict[str, Slot] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The field that holds the collection."""
        return self.path.rpartition("/")[2]

    @property
    def nested(self) -> bool:
        """Whether the collection belongs to the items of another one."""
        return "/" in self.path

    @property
    def inherited(self) -> list[str]:
        """The fields that the level around reads as well and that are no text of their own."""
        outer, fields = self.parent, self.shape.fields
        both = [name for name in self.slots if outer and name in outer.slots and fields[name].required]
        return [name for name in both if fields[name].type is not str or name == "currency"]

    def slot(self, rule: Rule) -> int:
        """The place of the field that the rule reads into; all rules of a field must spell it alike."""
        found = self.slots.setdefault(rule.source.removeprefix("../"), Slot(len(self.slots), rule))
        if found.rule.format != rule.format:
            raise rule.place.wrong(f"{rule.source} has another format at {found.rule.place.path}")
        return found.place


class Take(NamedTuple):
    """What becomes of one text.

    place: where it is kept, -1 where it is only compared; plain: kept as it is, if nothing is there yet;
    alone: what becomes of it does not depend on the row, so that equal texts need to be looked at once; code: the
    external code set that it should be of, with the rule's path.
    """

    take: Taker
    place: int = -1
    plain: bool = False
    alone: bool = False
    code: tuple[str, str] | None = None

    def note(self, text: str, picked: Picked) -> None:
        """Do what needs no row: keep a text of the message, note a code."""
        if self.alone:
            self.take(text, [], picked)
        elif self.code:
            picked.codes.add((*self.code, text))


@dataclass(slots=True)
class Branch:
    """An element: its name, what becomes of its text, attributes and children, the collection it is a row of."""

    rule: Rule
    text: Take | None = None
    attributes: dict[str, Take] = field(default_factory=dict)
    children: "dict[str, Branch]" = field(default_factory=dict)
    once: bool = False
    level: Level | None = None

    @property
    def plain(self) -> bool:
        """Whether the element's text goes into a field of its own level as it is, and that is all."""
        text = self.text
        return bool(text and text.plain and not text.code) and not self.attributes and not self.once


class Tree(NamedTuple):
    """A whole profile: its branches, the message's own level, and the levels of all collections by path."""

    root: Branch
    message: Level
    levels: Mapping[str, Level]


def compile_tree(profile: Profile, root: Node, tables: Mapping[str, CodeTable]) -> Tree:
    """Compile a profile that was checked and has a read part."""
    if profile.read is None:
        raise profile.place.wrong("has nothing to read")
    message = Level("", SHAPES[profile.value])
    compiler = _Compiler(tables, message, {}, message)
    return Tree(compiler.branch(profile.read, root), message, compiler.levels)


class _Compiler(NamedTuple):
    """Compiles one profile; level is where the rules at hand read into."""

    tables: Mapping[str, CodeTable]
    message: Level
    levels: dict[str, Level]
    level: Level

    def branch(self, rule: Rule, node: Node) -> Branch:
        within = self._replace(level=self.collection(rule)) if rule.each else self
        branch = Branch(rule, level=within.level if rule.each else None)
        branch.once = node.maximum != 1 and not rule.many and not rule.each
        if rule.has_value:
            branch.text = within.take(rule, node.simple.name if node.simple else "")
        types = {attribute.name: attribute.type.name for attribute in node.attributes}
        branch.attributes = {given.name: within.take(given, types[given.name]) for given in rule.attributes}
        for child in rule.children:
            below = node.child(child.name)
            if below is None:
                raise child.place.wrong("was not checked")
            branch.children[child.name] = within.branch(child, below)
        return branch

    def collection(self, rule: Rule) -> Level:
        """The level of a collection: the message's, or one of the items of the level at hand."""
        name = rule.each.removeprefix("../")
        parent = self.message if rule.each.startswith("../") else self.level
        item = parent.shape.fields[name].item
        if item is None:
            raise rule.place.wrong("was not checked")
        path = f"{parent.path}/{name}".lstrip("/")
        return self.levels.setdefault(path, Level(path, item, parent))

    def take(self, rule: Rule, type_name: str) -> Take:
        if rule.constant is not None:
            return Take(_demanding(rule, rule.constant), alone=True)
        outer = rule.source.startswith("../") and self.level is not self.message
        place = (self.message if outer else self.level).slot(rule)
        keep = _shared(place, rule) if outer else _kept(place, rule)
        codes = {"": "", **self.tables[rule.code].reverse} if rule.code else None
        external = type_name.startswith("External")
        special = codes is not None or rule.many == "join" or bool(rule.part)
        if codes is not None:
            keep = _translated(keep, codes, rule)
        if external:
            keep = _noted(keep, type_name, rule.place.path)
        if rule.conditional:
            keep, special = _where(keep, self.level, rule), True
        code = (type_name, rule.place.path) if external else None
        return Take(keep, place, plain=not outer and not special, alone=outer, code=code)


def _kept(place: int, rule: Rule) -> Taker:
    """Keep the text in its field: the first one, or all of them one after the other."""
    between = " " if rule.many == "join" else PARTED

    def first(text: str, row: list[str], _: Picked) -> None:
        row[place] = row[place] or text

    def joined(text: str, row: list[str], _: Picked) -> None:
        row[place] = f"{row[place]}{between}{text}" if row[place] and text else row[place] or text

    return joined if rule.many == "join" or rule.part else first


def _where(keep: Taker, level: Level, rule: Rule) -> Taker:
    """Keep the text only where yes/no fields that were read before, of the row or of the one around it, agree."""
    wanted = [*((name, True) for name in rule.when), *((name, False) for name in rule.unless)]

    def take(text: str, row: list[str], picked: Picked) -> None:
        if all(_said(name, level, row, picked) is yes for name, yes in wanted):
            keep(text, row, picked)

    return take


def _said(name: str, level: Level, row: list[str], picked: Picked) -> bool:
    slot, outer = level.slots.get(name), level.parent
    text = row[slot.place] if slot else ""
    if not text and outer is not None and level.nested:
        return _said(name, outer, picked.rows[outer.path][-1], picked)
    return bool(slot and FORMATS[slot.rule.format or "boolean"].read([text], "", slot.rule.place.path)[0])


def _shared(place: int, rule: Rule) -> Taker:
    """Keep a field of the message, seen from a row: it must always be the same."""
    name = rule.source.removeprefix("../")

    def take(text: str, _: list[str], picked: Picked) -> None:
        known = picked.values[place]
        if known and known != text:
            raise Refused.because(rule.place.path, "mixed", f"All transactions of a message must have one {name}.")
        picked.values[place] = text

    return take


def _translated(keep: Taker, codes: Mapping[str, str], rule: Rule) -> Taker:
    """Translate; a code that the table does not have is kept as it came, and noted."""

    def take(text: str, row: list[str], picked: Picked) -> None:
        if text not in codes:
            picked.untranslated.add((rule.code, rule.place.path, text))
        keep(codes.get(text, text), row, picked)

    return take


def _noted(keep: Taker, type_name: str, path: str) -> Taker:
    """Note which external code was met, so that unknown ones can be named."""

    def take(text: str, row: list[str], picked: Picked) -> None:
        picked.codes.add((type_name, path, text))
        keep(text, row, picked)

    return take


def _demanding(rule: Rule, constant: str) -> Taker:
    def take(text: str, _: list[str], __: Picked) -> None:
        if text.strip() != constant:
            raise Refused.because(rule.place.path, "usage", f"Only {constant} is accepted here.")

    return take

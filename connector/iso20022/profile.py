"""Mapping profiles as they stand in the file: one rule an element, each with the line it was written on.

A profile is YAML and mirrors the message: element names (upper case) nest as they do in the schema, a rule (lower
case) says where a value comes from. ``docs`` of the format: ``mappings/README.md``. Nothing is checked against the
schema here; see ``connector.iso20022.checking``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from connector.domain.errors import Misconfigured

RULE_KEYS: Final = frozenset({"from", "is", "format", "code", "when", "unless", "cut", "count", "many", "each"})
_ELEMENT: Final = re.compile(r"[A-Z][A-Za-z0-9]*")

Condition = Mapping[str, re.Pattern[str] | None]
"""Field to the pattern that its whole text must match; None: it must not be empty."""


class Place(NamedTuple):
    """Where in which profile something was written, to say so when it is wrong."""

    file: str
    line: int
    path: str

    def wrong(self, sentence: str) -> Misconfigured:
        """The error to raise about this place."""
        return Misconfigured(self.file, self.line, self.path, sentence)

    def below(self, name: str, node: yaml.Node) -> "Place":
        """The place of a child element or attribute."""
        return Place(self.file, _line(node), f"{self.path}/{name}".lstrip("/"))


@dataclass(frozen=True, slots=True)
class Rule:
    """What a profile says of one element or attribute.

    source: field the value is taken from (``../field``: the message's from within a repeated element);
    constant: fixed text; format: see ``formats``; code: name of a code table; count: collection whose length is
    written; each: collection the element repeats for; cut: shorten to the schema's length; many: what a reader does
    with repetitions ("first", "join" or "" for refusing them); when: field to pattern, all must match, None stands
    for "is not empty"; unless: the same, and then the element is left out.
    """

    place: Place
    name: str
    source: str = ""
    constant: str | None = None
    format: str = ""
    code: str = ""
    count: str = ""
    each: str = ""
    many: str = ""
    cut: bool = False
    when: Condition = field(default_factory=dict)
    unless: Condition = field(default_factory=dict)
    attributes: tuple["Rule", ...] = ()
    children: tuple["Rule", ...] = ()

    @property
    def has_value(self) -> bool:
        """Whether the rule itself says what text stands in the element."""
        return bool(self.source or self.count) or self.constant is not None

    @property
    def conditional(self) -> bool:
        """Whether the element may be left out by a condition."""
        return bool(self.when or self.unless)


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile file; write or read is None where the file has no such part."""

    place: Place
    scheme: str
    message: str
    value: str
    write: Rule | None
    read: Rule | None


def load(file: Path) -> Profile:
    """Read a profile file; the scheme is the folder's name. Raises ``Misconfigured`` for what is no profile."""
    place = Place(str(file), 1, "")
    entries = dict(_entries(_compose(file), place))
    unknown = entries.keys() - {"message", "value", "write", "read"}
    if unknown:
        raise place.wrong(f"has no meaning for {', '.join(sorted(unknown))}; it knows message, value, write, read")
    if "message" not in entries or "value" not in entries or not entries.keys() & {"write", "read"}:
        raise place.wrong("a profile names its message, its value, and what to write or to read")
    message = _text(entries["message"], place.below("message", entries["message"]))
    if message != file.stem:
        raise Place(str(file), _line(entries["message"]), "message").wrong(f"the file is named after {file.stem}")
    return Profile(
        place=place,
        scheme=file.parent.name,
        message=message,
        value=_text(entries["value"], place.below("value", entries["value"])),
        write=_tree(entries.get("write"), place),
        read=_tree(entries.get("read"), place),
    )


def _compose(file: Path) -> yaml.Node:
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise Misconfigured(str(file), mark.line + 1 if mark else 0, "", f"is not readable YAML: {error}") from error
    if node is None:
        raise Misconfigured(str(file), 1, "", "is empty")
    return node


def _tree(node: yaml.Node | None, place: Place) -> Rule | None:
    return None if node is None else _rule("", node, Place(place.file, _line(node), ""))


def _rule(name: str, node: yaml.Node, place: Place) -> Rule:
    """One rule; plain text is short for ``{from: text}``."""
    if isinstance(node, yaml.ScalarNode):
        return Rule(place, name, source=_text(node, place))
    keys: dict[str, yaml.Node] = {}
    attributes: list[Rule] = []
    children: list[Rule] = []
    for key, value in _entries(node, place):
        if key in RULE_KEYS:
            keys[key] = value
        elif key.startswith("@"):
            attributes.append(_rule(key[1:], value, place.below(key, value)))
        elif _ELEMENT.fullmatch(key):
            children.append(_rule(key, value, place.below(key, value)))
        else:
            raise place.below(key, value).wrong(
                f"{key} is neither an element nor one of {', '.join(sorted(RULE_KEYS))}"
            )
    rule = _with_keys(Rule(place, name, attributes=tuple(attributes), children=tuple(children)), keys)
    _check_shape(rule)
    return rule


def _with_keys(rule: Rule, keys: Mapping[str, yaml.Node]) -> Rule:
    def text(key: str) -> str:
        return _text(keys[key], rule.place.below(key, keys[key])) if key in keys else ""

    return Rule(
        place=rule.place,
        name=rule.name,
        source=text("from"),
        constant=text("is") if "is" in keys else None,
        format=text("format"),
        code=text("code"),
        count=text("count"),
        each=text("each"),
        many=text("many"),
        cut=text("cut") == "true",
        when=_condition(keys["when"], rule.place) if "when" in keys else {},
        unless=_condition(keys["unless"], rule.place) if "unless" in keys else {},
        attributes=rule.attributes,
        children=rule.children,
    )


def _check_shape(rule: Rule) -> None:
    """One source of text at most, and text or children."""
    given = [bool(rule.source), rule.constant is not None, bool(rule.count)].count(True)
    if given > 1:
        raise rule.place.wrong("takes its value from one of from, is and count, not from several")
    if given and (rule.children or rule.each):
        raise rule.place.wrong("has a value of its own and child elements as well")
    if rule.many not in {"", "first", "join"}:
        raise rule.place.wrong("many is first or join")
    if not given and not rule.children and rule.name:
        raise rule.place.wrong("says neither where a value comes from nor which elements it has")


def _condition(node: yaml.Node, place: Place) -> dict[str, re.Pattern[str] | None]:
    if isinstance(node, yaml.ScalarNode):
        return {_text(node, place): None}
    return {field: _pattern(value, place.below("when", value)) for field, value in _entries(node, place)}


def _pattern(node: yaml.Node, place: Place) -> re.Pattern[str]:
    try:
        return re.compile(_text(node, place))
    except re.error as error:
        raise place.wrong(f"is no regular expression: {error}") from error


def _entries(node: yaml.Node, place: Place) -> Iterator[tuple[str, yaml.Node]]:
    """Keys and values of a YAML mapping in their order; a key that is there twice is refused."""
    if not isinstance(node, yaml.MappingNode):
        raise Place(place.file, _line(node), place.path).wrong("must be a mapping of names to rules")
    seen: set[str] = set()
    for key, value in node.value:
        name = _text(key, place)
        if name in seen:
            raise place.below(name, key).wrong("stands here twice")
        seen.add(name)
        yield name, value


def _text(node: yaml.Node, place: Place) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise place.wrong("must be plain text")
    return str(node.value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1

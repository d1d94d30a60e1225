"""Mapping profiles as they stand in the file: one rule an element, each with the line it was written on.

A profile is YAML and mirrors the message: element names (upper case) nest as they do in the schema, a rule (lower
case) says where a value comes from. ``docs`` of the format: ``mappings/README.md``. Nothing is checked against the
schema here; see ``connector.iso20022.checking``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from connector.iso20022 import yamlfile
from connector.iso20022.yamlfile import Place

RULE_KEYS: Final = frozenset(
    {"from", "is", "format", "code", "when", "unless", "cut", "count", "many", "each", "part"}
)
_ELEMENT: Final = re.compile(r"[A-Z][A-Za-z0-9]*|[a-z]{4}\.\d{3}\.\d{3}\.\d{2}")
"""Names of elements; one message (admi.002.001.01) has its own name for an element."""

Condition = Mapping[str, re.Pattern[str] | None]
"""Field to the pattern that its whole text must match; None: it must not be empty."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a profile says of one element or attribute.

    source: field the value is taken from (``../field``: the message's from within a repeated element);
    constant: fixed text; format: see ``formats``; code: name of a code table; count: collection whose length is
    written; each: collection the element repeats for; cut: shorten to the schema's length; many: what a reader does
    with repetitions ("first", "join" or "" for refusing them); part: which of the parts that ``/`` separates in a
    field; when: field to pattern, all must match, None stands for "is not empty"; unless: the same, and then the
    element is left out.
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
    part: int = 0
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
    entries = dict(yamlfile.entries(yamlfile.compose(file), place))
    unknown = entries.keys() - {"message", "value", "write", "read"}
    if unknown:
        raise place.wrong(f"has no meaning for {', '.join(sorted(unknown))}; it knows message, value, write, read")
    if "message" not in entries or "value" not in entries or not entries.keys() & {"write", "read"}:
        raise place.wrong("a profile names its message, its value, and what to write or to read")
    message = yamlfile.text(entries["message"], place.below("message", entries["message"]))
    if message != file.stem:
        raise Place(str(file), yamlfile.line(entries["message"]), "message").wrong(
            f"the file is named after {file.stem}"
        )
    return Profile(
        place=place,
        scheme=file.parent.name,
        message=message,
        value=yamlfile.text(entries["value"], place.below("value", entries["value"])),
        write=_tree(entries.get("write"), place),
        read=_tree(entries.get("read"), place),
    )


def _tree(node: yaml.Node | None, place: Place) -> Rule | None:
    return None if node is None else _rule("", node, Place(place.file, yamlfile.line(node), ""))


def _rule(name: str, node: yaml.Node, place: Place) -> Rule:
    """One rule; plain text is short for ``{from: text}``."""
    if isinstance(node, yaml.ScalarNode):
        return Rule(place, name, source=yamlfile.text(node, place))
    keys: dict[str, yaml.Node] = {}
    attributes: list[Rule] = []
    children: list[Rule] = []
    for key, value in yamlfile.entries(node, place):
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
    def given(key: str) -> str:
        return yamlfile.text(keys[key], rule.place.below(key, keys[key])) if key in keys else ""

    return Rule(
        place=rule.place,
        name=rule.name,
        source=given("from"),
        constant=given("is") if "is" in keys else None,
        format=given("format"),
        code=given("code"),
        count=given("count"),
        each=given("each"),
        many=given("many"),
        part=_number(keys["part"], rule.place.below("part", keys["part"])) if "part" in keys else 0,
        cut=given("cut") == "true",
        when=_condition(keys["when"], rule.place) if "when" in keys else {},
        unless=_condition(keys["unless"], rule.place) if "unless" in keys else {},
        attributes=rule.attributes,
        children=rule.children,
    )


def _number(node: yaml.Node, place: Place) -> int:
    text = yamlfile.text(node, place)
    if not text.isdecimal() or not 1 <= int(text) <= 9:
        raise place.wrong("is a number from 1 to 9")
    return int(text)


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
        return {yamlfile.text(node, place): None}
    return {field: _pattern(value, place.below("when", value)) for field, value in yamlfile.entries(node, place)}


def _pattern(node: yaml.Node, place: Place) -> re.Pattern[str]:
    try:
        return re.compile(yamlfile.text(node, place))
    except re.error as error:
        raise place.wrong(f"is no regular expression: {error}") from error

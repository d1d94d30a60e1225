"""YAML files of profiles and schemes, read so that everything in them knows the line on which it stands."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from connector.domain.errors import Misconfigured

LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where it is there: a start reads nearly a hundred files."""


class Place(NamedTuple):
    """Where in which file something was written, to say so when it is wrong."""

    file: str
    line: int
    path: str

    def wrong(self, sentence: str) -> Misconfigured:
        """The error to raise about this place."""
        return Misconfigured(self.file, self.line, self.path, sentence)

    def below(self, name: str, node: yaml.Node) -> "Place":
        """The place of a child element, attribute or key."""
        return Place(self.file, line(node), f"{self.path}/{name}".lstrip("/"))


def compose(file: Path) -> yaml.Node:
    """The file's root node. Raises ``Misconfigured`` for what is no YAML, or empty."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=LOADER)
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise Misconfigured(str(file), mark.line + 1 if mark else 0, "", f"is not readable YAML: {error}") from error
    if node is None:
        raise Misconfigured(str(file), 1, "", "is empty")
    return node


def entries(node: yaml.Node, place: Place) -> Iterator[tuple[str, yaml.Node]]:
    """Keys and values of a mapping in their order; a key that is there twice is refused."""
    if not isinstance(node, yaml.MappingNode):
        raise Place(place.file, line(node), place.path).wrong("must be a mapping of names to rules")
    seen: set[str] = set()
    for key, value in node.value:
        name = text(key, place)
        if name in seen:
            raise place.below(name, key).wrong("stands here twice")
        seen.add(name)
        yield name, value


def items(node: yaml.Node, place: Place) -> Iterator[str]:
    """The texts of a list."""
    if not isinstance(node, yaml.SequenceNode):
        raise Place(place.file, line(node), place.path).wrong("must be a list")
    for item in node.value:
        yield text(item, place)


def text(node: yaml.Node, place: Place) -> str:
    """The text of a scalar, as it was written."""
    if not isinstance(node, yaml.ScalarNode):
        raise place.wrong("must be plain text")
    return str(node.value)


def line(node: yaml.Node) -> int:
    """The line that the node begins on, from 1."""
    return int(node.start_mark.line) + 1

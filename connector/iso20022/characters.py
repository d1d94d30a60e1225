"""Transliteration: what may stand for a character that a scheme does not allow. Tables in ``mappings/characters/``.

A table is data: a character and what stands for it, one or several alternatives of which the first counts that the
scheme allows. Letters with accents lose them by Unicode's own decomposition where the table says so. What no table
knows is not dropped: it is for the caller to refuse.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import yaml

from connector.iso20022 import yamlfile
from connector.iso20022.scheme import Characters
from connector.iso20022.yamlfile import Place


class Table(NamedTuple):
    """What may stand for a character, best first; decompose: accents may be taken off letters."""

    alternatives: Mapping[str, tuple[str, ...]]
    decompose: bool


NOTHING = Table(MappingProxyType({}), decompose=False)


class Fixed(NamedTuple):
    """A text whose characters were looked at: how many were changed, the position (from 1) of the first of them.

    refused: the position (from 1) of the first one for which nothing may stand, 0 where there is none.
    """

    text: str
    changed: int = 0
    first: int = 0
    refused: int = 0


class Alphabet:
    """The characters of a scheme, with what stands for the others."""

    def __init__(self, characters: Characters, table: Table) -> None:
        """Take what is allowed, and the table for what is not."""
        self._allowed = characters.allowed.fullmatch
        self._replacement = characters.replacement
        self._table = table
        self.forbidden = _complement(characters.allowed)
        """Finds a character that is not allowed; NUL, which no message can carry, may stand between texts."""

    def fix(self, text: str) -> Fixed:
        """Put something allowed for every character that is not."""
        text = unicodedata.normalize("NFC", text)
        parts: list[str] = []
        changed = first = 0
        for position, character in enumerate(text, 1):
            instead = character if self._allowed(character) else self._instead(character, parts)
            if instead is None:
                return Fixed(text, refused=position)
            if instead != character:
                changed, first = changed + 1, first or position
            parts.append(instead)
        return Fixed("".join(parts), changed, first)

    def _instead(self, character: str, before: list[str]) -> str | None:
        for alternative in self._alternatives(character):
            if all(map(self._allowed, alternative)):
                return alternative
        if self._table.decompose and unicodedata.combining(character) and before:
            return ""  # an accent on its own, whose letter stands before it
        return self._replacement

    def _alternatives(self, character: str) -> Iterator[str]:
        """What the tables say, for the character itself and then for its parts without accents."""
        yield from self._table.alternatives.get(character, ())
        if not self._table.decompose:
            return
        parts = [part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)]
        if parts and parts != [character]:
            yield "".join(parts)
            yield "".join(self._table.alternatives.get(part, (part,))[0] for part in parts)


def _complement(allowed: re.Pattern[str]) -> re.Pattern[str]:
    """A set in brackets is turned round, which is much faster than asking of each character what it is not."""
    inside = allowed.pattern[1:-1]
    return re.compile(f"(?!{allowed.pattern})[^\0]" if inside.startswith(("^", "]", "-")) else f"[^\0{inside}]")


def load_tables(folders: Iterable[Path]) -> dict[str, Table]:
    """Read every table of the folders; a later folder's table replaces an earlier one of its name.

    Raises ``Misconfigured``.
    """
    files = {file.stem: file for folder in folders for file in sorted(folder.glob("*.yaml"))}
    return {name: _table(name, files, ()) for name in files}


def _table(name: str, files: Mapping[str, Path], above: tuple[str, ...]) -> Table:
    """A table with those that it includes; its own characters go before theirs."""
    place = Place(str(files[name]), 1, "")
    nodes = dict(yamlfile.entries(yamlfile.compose(files[name]), place))
    if unknown := nodes.keys() - {"name", "includes", "decompose", "characters"}:
        raise place.wrong(f"has no meaning for {', '.join(sorted(unknown))}")
    found: dict[str, tuple[str, ...]] = {}
    decompose = "decompose" in nodes and yamlfile.text(nodes["decompose"], place) == "true"
    for included in (
        yamlfile.items(nodes["includes"], place.below("includes", nodes["includes"])) if ("includes" in nodes) else ()
    ):
        if included not in files or included in (*above, name):
            raise place.below("includes", nodes["includes"]).wrong(f"there is no table {included} to include here")
        other = _table(included, files, (*above, name))
        found |= other.alternatives
        decompose = decompose or other.decompose
    if "characters" in nodes:
        found |= _characters(nodes["characters"], place.below("characters", nodes["characters"]))
    return Table(MappingProxyType(found), decompose)


def _characters(node: yaml.Node, place: Place) -> Iterator[tuple[str, tuple[str, ...]]]:
    for character, value in yamlfile.entries(node, place):
        here = place.below(character, value)
        if len(character) != 1:
            raise here.wrong("one character stands before the colon (quote it)")
        is_text = isinstance(value, yaml.ScalarNode)
        alternatives = (yamlfile.text(value, here),) if is_text else tuple(yamlfile.items(value, here))
        if not all(alternatives) or not alternatives:
            raise here.wrong("something must stand for a character; what cannot be said is better refused")
        yield character, alternatives

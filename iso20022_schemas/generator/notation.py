"""The project's own notation for message definitions, one type a paragraph.

    borrow pacs.008.001.08                 types that are used and not defined here are those of that message
    root Document Document                 the root element and its type

    Document                               a sequence: one element a line, its type behind it
      IdVrfctnReq IdentificationVerificationRequestV03
    IdentificationVerificationRequestV03
      Assgnmt     IdentificationAssignment3
      Vrfctn+     IdentificationVerification4      + 1..n, * 0..n, ? 0..1, {0,2} as it says, otherwise 1..1
      any         ##any lax                        a wildcard
    Party40Choice choice                   exactly one of its elements
      Pty         PartyIdentification135
    Max35Text string 1..35                 a text with its least and greatest length
    CountryCode string /[A-Z]{2,2}/        a text with a pattern
    AddressType2Code ADDR PBOX HOME        a code with its values
    ISODateTime = dateTime                 another name for a built-in type

Everything after a # that follows two blanks, and every line that begins with #, is a remark.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from connector.domain.errors import Misconfigured
from iso20022_schemas.structure import ComplexType, Definitions, Kind, Particle, SimpleType

_OCCURRENCES: dict[str, tuple[int, int | None]] = {"": (1, 1), "?": (0, 1), "*": (0, None), "+": (1, None)}
_ELEMENT = re.compile(r"(\w+)([?*+]?|\{(\d+),(\d+)\})\s+(\S.*)")
_LENGTHS = re.compile(r"(\w+) string (\d+)\.\.(\d+)")
_PATTERN = re.compile(r"(\w+) string /(.+)/")
_BUILT_IN = re.compile(r"(\w+) = (\w+)")
_COMPOSED = re.compile(r"(\w+)( choice)?")
_CODES = re.compile(r"(\w+)((?: \w+)+)")


class Notation:
    """A file in the notation, read."""

    def __init__(self, path: Path, namespace: str) -> None:
        """Read the file; raises Misconfigured with the line that cannot be understood."""
        self._path = path
        self.lenders: list[str] = []
        self._roots: list[Particle] = []
        self._simple: dict[str, SimpleType] = {}
        self._groups: dict[str, tuple[Kind, list[Particle]]] = {}
        self._members: list[Particle] = []
        for number, line in _lines(path):
            self._read(number, line)
        self.definitions = Definitions(namespace, self._simple, self._composed(), tuple(self._roots))

    def _read(self, number: int, line: str) -> None:
        if line.startswith(" "):
            self._member(number, line.strip())
        elif line.startswith("borrow "):
            self.lenders.append(line.removeprefix("borrow "))
        elif line.startswith("root "):
            _, name, type_name = line.split()
            self._roots.append(Particle(Kind.ELEMENT, name, type_name=type_name))
        else:
            self._type(number, line)

    def _composed(self) -> dict[str, ComplexType]:
        groups = ((name, Particle(kind, members=tuple(members))) for name, (kind, members) in self._groups.items())
        return {name: ComplexType(name, content) for name, content in groups}

    def _type(self, number: int, line: str) -> None:
        if found := _COMPOSED.fullmatch(line):
            self._members = []
            self._groups[found[1]] = (Kind.CHOICE if found[2] else Kind.SEQUENCE, self._members)
        elif simple := _simple(line):
            self._simple[simple.name] = simple
        else:
            raise Misconfigured(str(self._path), number, line, "is no type in this notation")

    def _member(self, number: int, line: str) -> None:
        found = _ELEMENT.fullmatch(line)
        if not found or not self._groups:
            raise Misconfigured(str(self._path), number, line, "is no element of a type in this notation")
        name, mark, fewest, most, type_name = found.groups()
        minimum, maximum = (int(fewest), int(most)) if fewest else _OCCURRENCES[mark]
        kind = Kind.ANY if name == "any" else Kind.ELEMENT
        member = Particle(kind, "" if name == "any" else name, minimum, maximum, type_name)
        self._members.append(member)


def _simple(line: str) -> SimpleType | None:
    if found := _LENGTHS.fullmatch(line):
        return SimpleType(found[1], min_length=int(found[2]), max_length=int(found[3]))
    if found := _PATTERN.fullmatch(line):
        return SimpleType(found[1], patterns=(found[2],))
    if found := _BUILT_IN.fullmatch(line):
        return SimpleType(found[1], found[2])
    if found := _CODES.fullmatch(line):
        return SimpleType(found[1], enumeration=tuple(found[2].split()))
    return None


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that say something, with their numbers."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        text = re.sub(r"(^|  )#.*", "", line).rstrip()
        if text:
            yield number, text

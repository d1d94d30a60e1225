"""Reads the rows of a large message by their shape, out of the bytes that libxml2 has just validated.

Nearly all transactions of a message have the same elements in the same order. So the first row of a shape is looked
at closely and becomes one regular expression, and the other rows of that shape are matched by it. Only the
usual spelling is read so: one namespace, no comments, sections, prefixes or processing instructions, UTF-8. Of
anything else ``cut`` gives None, and the walk over the tree (``reader``) decides; both pick the same texts.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from lxml import etree

from connector.domain.errors import Refused
from connector.iso20022.branches import Branch, Level, Picked, Take, Tree
from connector.iso20022.parsing import Element, parse

MAXIMUM_SHAPES: Final = 32
NEW_SHAPES: Final = 8
"""How many shapes are kept, and how many one message may add: making one costs a millisecond or two."""

_SPACE: Final = "[ \t\n]++"
_WHITE: Final = re.compile(_SPACE)
_ROOT: Final = re.compile(r'<Document(?: xmlns="[^"<&]*")?>')
_ROOT_BYTES: Final = re.compile(_ROOT.pattern.encode())
_DECLARATION: Final = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml [^<>]*\?>")
_ENCODINGS: Final = frozenset({"UTF-8", "ASCII", "US-ASCII"})
_TEXT: Final = "[^<]*+"
_QUOTED: Final = r'[^"<&\t\n]*+'
_TOKEN: Final = re.compile(r'<(/?)([A-Za-z][A-Za-z0-9.]*)((?: [A-Za-z]+="[^"<&\t\n]*")*)>([^<]*)')
_ATTRIBUTE: Final = re.compile(r' ([A-Za-z]+)="')
_REFERENCE: Final = re.compile(r"&(?:#x([0-9A-Fa-f]+)|#([0-9]+)|([a-z]+));")
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_MARKS: Final = ("!--", "![", "?>")
"""Comments, sections, instructions."""

_SUPPLEMENT: Final = "SplmtryData"
"""In it, anything may stand."""


class Shape:
    """The elements of a row, in order, as an expression whose groups are the texts that are wanted."""

    def __init__(self, name: str, expression: str, takes: Sequence[Take], level: Level) -> None:
        """Sort out which texts go into a field as they are, and which need more."""
        whole = f"<{name}>{expression}()"  # the last group is for the fields that nothing is read into
        self.match = re.compile(whole).match
        self.split = re.compile(whole).split
        self.groups = len(takes) + 1
        own = Counter(take.place for take in takes if not take.alone)
        groups = list(enumerate(takes))
        plain = {take.place: number for number, take in groups if take.plain and own[take.place] == 1}
        self.row = itemgetter(*(plain.get(place, len(takes)) for place in range(len(level.shape.fields))))
        self.others = [(number, take) for number, take in groups if number not in plain.values() and not take.alone]
        self.alone = [
            (number, take) for number, take in groups if take.alone or (number in plain.values() and take.code)
        ]
        self.common = _getter([number for number, _ in self.alone])


def _getter(numbers: Sequence[int]) -> Callable[[Sequence[str]], object]:
    return itemgetter(*numbers) if numbers else lambda _: None


class Run(NamedTuple):
    """Rows of one shape that follow each other, with their texts."""

    shape: Shape
    rows: Sequence[Sequence[str]]


class Cut(NamedTuple):
    """A message in two: the tree of all that is not a row, and the texts of the rows."""

    rest: Element
    path: str
    runs: Sequence[Run]

    def fill(self, picked: Picked) -> None:
        """Add the rows to what the walk over the rest has picked. Raises ``Refused``."""
        rows = picked.rows[self.path]
        seen: set[tuple[Shape, object]] = set()
        for shape, texts in self.runs:
            if shape.others:
                rows.extend(_completed(shape, texts, picked))
            else:
                rows.extend(map(shape.row, texts))
            if shape.alone:
                for common, row in _firsts(shape, texts):
                    if (shape, common) not in seen:
                        seen.add((shape, common))
                        for number, take in shape.alone:
                            take.note(row[number], picked)


def _firsts(shape: Shape, texts: Sequence[Sequence[str]]) -> Iterable[tuple[object, Sequence[str]]]:
    """What rows have in common that need not be looked at again, each with the first of these rows."""
    commons = list(map(shape.common, texts))
    if len(set(commons)) <= 1:
        return zip(commons[:1], texts[:1], strict=True)
    firsts = dict(zip(reversed(commons), reversed(texts), strict=True))
    return [(common, firsts[common]) for common in dict.fromkeys(commons)]


def _completed(shape: Shape, texts: Sequence[Sequence[str]], picked: Picked) -> Iterator[list[str]]:
    """Rows with the fields that are made of more than one text."""
    for found in texts:
        row = list(shape.row(found))
        for number, take in shape.others:
            take.take(found[number], row, picked)
        yield row


class RowReader:
    """Cuts the rows of one collection out of messages; safe to use from several threads."""

    def __init__(self, branch: Branch, level: Level, path: Sequence[str], namespace: str) -> None:
        """Take the branch whose elements are the rows, and its path below the Document."""
        self._branch = branch
        self._level = level
        self._tag = f"<{path[-1]}>"
        steps = "/".join(f"n:{name}" for name in path)
        self._count = etree.XPath(f"count({steps})", namespaces={"n": namespace})
        self._name = f"{{{namespace}}}{path[-1]}"
        self._root = f'<Document xmlns="{namespace}">'
        self._shapes: tuple[Shape, ...] = ()

    def cut(self, document: Element, body: bytes) -> Cut | None:
        """Part the message, or give None where its spelling is unusual."""
        text = _document(document, body)
        if text is None:
            return None
        begin = text.find(self._tag)
        matched = self._matched(text[begin:], []) if begin >= 0 else None
        if matched is None:
            return None
        runs, tails = matched
        around = "".join([_ROOT.sub("", text[:begin], count=1), *tails])
        rest = None if _is_unusual(around) else _parsed(self._root + around)
        if rest is None or next(rest.iter(self._name), None) is not None:
            return None  # some rows are spelled otherwise
        if self._count(document) != sum(len(rows) for _, rows in runs):
            return None  # some stand elsewhere
        return Cut(rest, self._level.path, _resolved(runs) if "&" in text else runs)

    def _matched(self, text: str, new: list[Shape]) -> tuple[list[Run], list[str]] | None:
        """Rows of a text that begins with one, and what stands between and behind them and is none.

        All rows of the first one's shape are found at once; among what is left are those of other shapes.
        """
        shape = self._shape_of(text, new)
        if shape is None:
            return None
        parted = shape.split(text)
        between = parted[:: shape.groups + 1]
        rows = list(zip(*(parted[group :: shape.groups + 1] for group in range(1, shape.groups + 1)), strict=True))
        runs: list[Run] = []
        tails: list[str] = []
        done = 0
        for place, left in enumerate(between):
            if not left:
                continue
            runs.append(Run(shape, rows[done:place]))
            done = place
            tail, tag, others = left.partition(self._tag)
            tails.append(tail)
            if tag:
                matched = self._matched(tag + others, new)
                if matched is None:
                    return None
                runs += matched[0]
                tails += matched[1]
        return [*runs, Run(shape, rows[done:])], tails

    def _shape_of(self, text: str, new: list[Shape]) -> Shape | None:
        """The shape that the first row has: one of those that are known, or a new one."""
        known = next((shape for shape in self._shapes if shape.match(text)), None)
        if known or len(new) == NEW_SHAPES:
            return known
        learned = _learned(text, self._branch, self._level)
        if learned:
            new.append(learned)
            self._shapes = (learned, *self._shapes)[:MAXIMUM_SHAPES]
        return learned


def row_reader(tree: Tree, namespace: str) -> RowReader | None:
    """A reader for the rows of a profile, where it has a collection that holds no other one."""
    found = [row for row in _rows(tree.root, ()) if _alone(row[0], row[1])]
    branch, level, path = found[-1] if found else (None, None, ())
    return RowReader(branch, level, path, namespace) if branch and level else None


def _alone(branch: Branch, level: Level) -> bool:
    """Whether the rows hold no other rows, and need nothing from what stands around them."""
    inner = (row for child in branch.children.values() for row in _rows(child, ()))
    return not level.nested and not level.inherited and next(inner, None) is None


def _rows(branch: Branch, above: tuple[str, ...]) -> Iterator[tuple[Branch, Level, tuple[str, ...]]]:
    """All branches that are rows, outer ones first, with their paths."""
    path = (*above, branch.rule.name) if branch.rule.name else above
    if branch.level is not None:
        yield branch, branch.level, path
    for child in branch.children.values():
        yield from _rows(child, path)


def _document(document: Element, body: bytes) -> str | None:
    """The text of the Document in the usual spelling, or None."""
    if (document.getroottree().docinfo.encoding or "UTF-8").upper() not in _ENCODINGS:
        return None
    begin, end = body.find(b"<Document"), body.rfind(b"</Document>")
    root = _ROOT_BYTES.match(body, begin) if begin >= 0 else None
    declaration = _DECLARATION.match(body)
    if root is None or b"\r" in body:
        return None
    end += len(b"</Document>")
    envelope = body[declaration.end() if declaration else 0 : begin], body[end:]
    if any(mark.encode() in part for mark in _MARKS for part in envelope):
        return None
    try:
        return str(memoryview(body)[begin:end], "utf-8")
    except UnicodeDecodeError:
        return None


def _is_unusual(around: str) -> bool:
    """Whether what stands around the rows is spelled unusually; the shapes of rows never are."""
    return any(mark in around for mark in (*_MARKS, "<Document", "xmlns", _SUPPLEMENT))


def _parsed(text: str) -> Element | None:
    try:
        return parse(text.encode())
    except Refused:
        return None


def _resolved(runs: Sequence[Run]) -> list[Run]:
    """The rows with characters in the place of references."""
    return [
        Run(shape, [tuple(map(_plain, row)) if "&" in "".join(row) else row for row in rows]) for shape, rows in runs
    ]


def _plain(text: str) -> str:
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(found: re.Match[str]) -> str:
    hexadecimal, decimal, name = found.groups()
    return _NAMED[name] if name else chr(int(hexadecimal, 16) if hexadecimal else int(decimal))


def _learned(text: str, branch: Branch, level: Level) -> Shape | None:
    """The shape of the row with which a text begins; None where it is spelled unusually."""
    name = branch.rule.name
    learner = _Learner([], [], [_Open(name, branch, set())])
    position = learner.space(text, len(f"<{name}>"))
    while learner.open:
        token = _TOKEN.match(text, position)
        if token is None:
            return None
        closing, name, attributes, content = token.groups()
        close = f"</{name}>"
        leaf = not closing and text.startswith(close, token.end())
        if content.strip(" \t\n") and not leaf:
            return None
        if not (learner.close(name) if closing else learner.element(name, attributes, leaf)):
            return None
        position = learner.space(text, token.end() + len(close) if leaf else token.start(4))
    return Shape(branch.rule.name, "".join(learner.expression), learner.takes, level)


class _Open(NamedTuple):
    """An element that has begun: its branch, if it is mapped, and the names of its children so far."""

    name: str
    branch: Branch | None
    seen: set[str]


class _Learner(NamedTuple):
    """Puts the expression of a shape together, one tag after the other."""

    expression: list[str]
    takes: list[Take]
    open: list[_Open]

    def space(self, text: str, position: int) -> int:
        """White space, as much as there is, or none where there is none; gives the position behind it."""
        found = _WHITE.match(text, position)
        if found is None:
            return position
        self.expression.append(_SPACE)
        return found.end()

    def close(self, name: str) -> bool:
        """An end tag; False where it is not that of the element that is open."""
        self.expression.append(f"</{re.escape(name)}>")
        return self.open.pop().name == name

    def element(self, name: str, attributes: str, leaf: bool) -> bool:
        """A start tag, or all of an element without children; False where only the walk can tell what it means."""
        around = self.open[-1]
        branch = around.branch.children.get(name) if around.branch else None
        if branch and branch.once and name in around.seen:
            return False
        around.seen.add(name)
        names = _ATTRIBUTE.findall(attributes)
        if name in {_SUPPLEMENT, "Document"} or "xmlns" in names:
            return False
        if branch and not branch.attributes.keys() <= set(names):
            return False
        self.expression.append(f"<{re.escape(name)}")
        for attribute in names:
            wanted = branch.attributes.get(attribute) if branch else None
            self.expression.append(f' {attribute}="{self.text(wanted, _QUOTED)}"')
        self.expression.append(">")
        if leaf:
            self.expression.append(f"{self.text(branch.text if branch else None, _TEXT)}</{re.escape(name)}>")
        else:
            self.open.append(_Open(name, branch, set()))
        return True

    def text(self, take: Take | None, expression: str) -> str:
        if take is None:
            return expression
        self.takes.append(take)
        return f"({expression})"

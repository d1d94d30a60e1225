"""A JSON text with one array of any length, taken apart while it comes in: pieces of whole elements, and the rest.

A piece is right if, and only if, it is JSON when it is put in brackets: a cut within a string or a nested value never
is. So the place of a cut may be guessed, by counting brackets, and the decoder decides. Where the guesses fail
(brackets in strings) the text is scanned token by token, which on JSON always finds the place.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, Generic, NamedTuple, TypeVar

from connector.api.json_body import decode, is_cut_off
from connector.domain.errors import Refused

PIECE_BYTES: Final = 1024 * 1024
"""No element, nor all that is around the array, may be longer; from half of it on a piece is cut off."""

LOOKS: Final = 12
"""Ends of objects that are looked at, from the end, for one where the brackets are even."""

TRIES: Final = 3
"""Of those, or of all where there is none, how many are tried before the text is scanned."""

MOST_ARRAYS: Final = 16
"""Of the same name in one text; each is looked for from the beginning."""

SPACE: Final = b" \t\r\n"
_COMMA: Final = re.compile(rb"[ \t\r\n]*,")
_STRING: Final = rb'"(?:[^"\\]++|\\.)*+"'
_TOKEN: Final = re.compile(_STRING + rb'|[\[\]{},"]', re.DOTALL)
_TOKEN_OR_COLON: Final = re.compile(_STRING + rb'|[\[\]{}:"]', re.DOTALL)

Value = TypeVar("Value")


class Piece(NamedTuple, Generic[Value]):
    """What was made of a run of elements, and of which array: the name may occur again, then the last one counts."""

    array: int
    value: Value


class _Cut(NamedTuple):
    """Where elements end, where the text goes on, and whether the array ends there."""

    end: int
    onwards: int
    last: bool


class ArrayText(Generic[Value]):
    """Takes a text in parts and gives what ``read`` makes of its elements, in brackets, in pieces.

    read: raises ``Refused`` for what is no JSON. Refusals of the text as a whole are raised by ``pieces``, which is
    not called again after one.
    """

    def __init__(self, name: str, read: Callable[[bytes], Value], piece_bytes: int = PIECE_BYTES) -> None:
        """Begin; name: of the array in an object, "" where the whole text is the array."""
        self.arrays = 0
        self._name = name
        self._read = read
        self._piece_bytes = piece_bytes
        self._around = b""
        self._text = b""
        self._inside = False
        self._after_comma = False

    def pieces(self, part: bytes, *, last: bool) -> Iterator[Piece[Value]]:
        """Take the next part; gives the pieces that are whole now. Raises ``Refused``."""
        self._text += part
        while self._inside or self._enter():
            found = self._next(last=last)
            if found is None:
                return
            yield Piece(self.arrays, found)
        if not last and len(self._around) + len(self._text) > self._piece_bytes:
            raise self._too_long(self._around + self._text, "Beside its instructions a batch")

    def around(self) -> object:
        """Decode the whole text, once it has all been taken, with ``[n]`` in the place of the n-th array."""
        return decode(self._around + self._text)

    def _enter(self) -> bool:
        """Go on to the beginning of the array, if it is there yet."""
        if not self._around or self._text.isspace():
            self._text = self._text.lstrip(SPACE)
        start = _array_start(self._around, self._text, self._name)
        if start is None:
            return False
        if self.arrays == MOST_ARRAYS:
            raise Refused.because(f"/{self._name}", "too_many", f"It may be there at most {MOST_ARRAYS} times.")
        self.arrays += 1
        self._around += self._text[:start]
        self._text = self._text[start:]
        self._inside, self._after_comma = True, False
        return True

    def _next(self, *, last: bool) -> Value | None:
        """Cut the next piece off; ``None`` where more text is needed first."""
        self._text = self._text.lstrip(SPACE)
        if not last and len(self._text) < self._piece_bytes // 2:
            return None
        guessed = self._guessed(_ends(self._text) if last else _commas(self._text))
        return self._scanned(last=last) if guessed is None else guessed

    def _guessed(self, cuts: Sequence[_Cut]) -> Value | None:
        even = (cut for cut in cuts if _even(self._text, cut.end))
        for cut in list(islice(even, TRIES)) or cuts[:TRIES]:
            with suppress(Refused):
                return self._taken(cut)
        return None

    def _scanned(self, *, last: bool) -> Value | None:
        if cut := _scan(self._text):
            return self._taken(cut)
        if last:
            decode(b"[" + self._text)  # which says what is wrong with it
        if last or len(self._text) >= self._piece_bytes:
            raise self._too_long(b"[" + self._text, "An instruction")
        return None

    def _taken(self, cut: _Cut) -> Value:
        """Read the elements before a cut and go on behind it; raises ``Refused`` where they are none."""
        elements = self._text[: cut.end]
        if (self._after_comma or not cut.last) and not elements.strip(SPACE):
            raise _malformed()
        value = self._read(b"[" + elements + b"]")
        self._text = self._text[cut.onwards :]
        self._after_comma, self._inside = not cut.last, not cut.last
        if cut.last:
            self._around += b"%d]" % self.arrays
        return value

    def _too_long(self, text: bytes, what: str) -> Refused:
        """Say what is wrong with a text that has not come to its end where it should have."""
        if not is_cut_off(text):
            try:
                decode(text)
            except Refused as error:
                return error
        return Refused.because("", "too_large", f"{what} may have at most {self._piece_bytes} bytes.")


def _malformed() -> Refused:
    return Refused.because("", "malformed", "The body is not well-formed JSON in UTF-8.")


def _even(text: bytes, end: int) -> bool:
    """Tell whether brackets are closed as often as opened, those in strings too: cheap, and nearly always right."""
    opened, closed = text.count(b"[", 0, end), text.count(b"]", 0, end)
    return opened == closed and text.count(b"{", 0, end) == text.count(b"}", 0, end)


def _commas(text: bytes) -> list[_Cut]:
    """Give ends of objects that a comma follows, the last first."""
    commas = ((place + 1, _COMMA.match(text, place + 1)) for place in _backwards(text, b"}"))
    return [_Cut(end, comma.end(), last=False) for end, comma in commas if comma]


def _ends(text: bytes) -> list[_Cut]:
    """Give places where the array may end, the last first."""
    return [_Cut(place, place + 1, last=True) for place in _backwards(text, b"]")]


def _backwards(text: bytes, sign: bytes) -> Iterator[int]:
    place = len(text)
    for _ in range(LOOKS):
        place = text.rfind(sign, 0, place)
        if place < 0:
            return
        yield place


def _scan(text: bytes) -> _Cut | None:
    """Find where the array ends, else behind which element the last comma is; right wherever the text is JSON."""
    depth, comma = 0, -1
    for token in _TOKEN.finditer(text):
        match token[0]:
            case b"[" | b"{":
                depth += 1
            case b"]" | b"}" if depth:
                depth -= 1
            case b"]":
                return _Cut(token.start(), token.end(), last=True)
            case b"," if not depth:
                comma = token.start()
            case b"}" | b'"':  # no JSON, or a string that goes on
                break
    return _Cut(comma, comma + 1, last=False) if comma >= 0 else None


def _array_start(around: bytes, text: bytes, name: str) -> int | None:
    """Find where the next array of the name begins in ``text``, behind its bracket; ``around`` goes before it."""
    if not name:
        return 1 if not around and text.startswith(b"[") else None
    before, whole = len(around), around + text
    depth, key, found, colon = 0, b"", False, 0
    for token in _TOKEN_OR_COLON.finditer(whole):
        sign = token[0]
        if found and sign == b"[" and token.end() > before and not whole[colon : token.start()].strip(SPACE):
            return token.end() - before
        found = depth == 1 and sign == b":" and _is(key, name)
        colon = token.end()
        key = sign
        depth += (sign in b"[{") - (sign in b"]}")
        if sign == b'"':
            break
    return None


def _is(key: bytes, name: str) -> bool:
    """Tell whether a string in JSON, however it is escaped, is this name."""
    if b"\\" not in key:
        return key == b'"%s"' % name.encode()
    try:
        return decode(key) == name
    except Refused:
        return False

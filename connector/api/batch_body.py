"""The body of a batch, which may be of any size: read, checked and put into a draft piece by piece.

What is answered is what reading it as a whole would say: a fault of the text goes before a fault of the models, and
that before an amount that cannot be paid, wherever in the body they are. So the text is read to its end in any case.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, cast

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from connector.api.json_array import PIECE_BYTES, ArrayText
from connector.api.json_body import MAXIMUM_FAULTS, Parsed, decode, faults_of, judged, uncollected
from connector.api.quick import Quick, plain
from connector.domain.errors import Fault, Refused
from connector.domain.instruction import CreditInstruction
from connector.domain.stages import Stages
from connector.flows.draft import Draft


@dataclass(frozen=True, slots=True)
class Form:
    """How a contract writes a batch, in one length mode.

    array: the member that has the instructions, "" where they are the whole; amount: the instruction's member;
    items: validates a list of instructions; whole: validates all of it, which is asked where there are none;
    cover: validates what is beside them (``None``: nothing is); instruction: from a validated one; usual: from one
    that was read the fast way.
    """

    array: str
    amount: str
    quick: Quick
    items: TypeAdapter[list[Any]]
    whole: TypeAdapter[Any]
    cover: TypeAdapter[Any] | None
    instruction: Callable[[int, Any, list[Fault]], CreditInstruction]
    usual: Callable[[Any], CreditInstruction | None]


class _Elements(NamedTuple):
    """A piece: structs where it could be read the fast way, else what the JSON says."""

    structs: list[Any] | None
    values: list[Any]


class BatchReading:
    """One body on its way into a draft; parts are taken one after the other, in threads where they are large."""

    def __init__(self, form: Form, draft: Draft, stages: Stages, piece_bytes: int = PIECE_BYTES) -> None:
        """Begin to read."""
        self._form = form
        self._draft = draft
        self._stages = stages
        self._text = ArrayText(form.array, self._read, piece_bytes)
        self._begin_array(0)
        self._malformed: Refused | None = None

    def _begin_array(self, number: int) -> None:
        self._array = number
        self._count = 0
        self._wrong: list[Fault] = []
        self._unpayable: list[Fault] = []
        self._draft.clear()

    def take(self, part: bytes, *, last: bool = False) -> None:
        """Take the next part."""
        if self._malformed:
            return
        try:
            with uncollected():
                for piece in self._text.pieces(part, last=last):
                    if piece.array != self._array:
                        self._begin_array(piece.array)
                    self._check(piece.value)
        except Refused as error:
            self._malformed = error

    def _read(self, text: bytes) -> _Elements:
        """Decode a piece; raises ``Refused`` where it is no JSON."""
        laps = self._stages.laps()
        structs = None if self._wrong else self._form.quick.read(text)
        values: list[Any] = decode(text) if structs is None else []  # type: ignore[assignment]  # it is in brackets
        laps.end("read JSON")
        laps.count("", len(values if structs is None else structs))
        return _Elements(structs, values)

    def _check(self, elements: _Elements) -> None:
        """Turn a piece into instructions and put them into the draft, if nothing is wrong with the batch so far."""
        structs, values = elements
        first, count = self._count, len(values if structs is None else structs)
        self._count += count
        if self._wrong:
            return
        with self._stages.measure("check instructions", count):
            found = self._looked_at(first, values) if structs is None else self._accepted(first, structs)
        del self._unpayable[MAXIMUM_FAULTS:]
        if not self._wrong and not self._unpayable:
            self._draft.take(found)

    def _looked_at(self, first: int, values: list[Any]) -> list[CreditInstruction]:
        """Validate decoded instructions and turn them into ours; gives nothing where one of them is wrong."""
        try:
            validated = self._form.items.validate_python(values) if values else []
        except ValidationError as error:
            self._wrong = faults_of(error, self._within, first)
            return []
        return [self._form.instruction(first + index, each, self._unpayable) for index, each in enumerate(validated)]

    def _accepted(self, first: int, structs: list[Any]) -> list[CreditInstruction]:
        """Turn what was read the fast way into instructions; what is unusual is validated."""
        found = list(map(self._form.usual, structs))
        unusual = [index for index, each in enumerate(found) if each is None]
        values = [self._value(structs[index]) for index in unusual]  # all are decoded before any is validated
        for index, value in zip(unusual, values, strict=True):
            looked_at = self._looked_at(first + index, [value])
            if not looked_at:
                return []
            found[index] = looked_at[0]
        return cast("list[CreditInstruction]", found)  # none is left out now

    def _value(self, struct: Any) -> dict[str, Any]:  # noqa: ANN401 - of the form's fast way
        """Give an instruction as it would have been decoded; raises ``Refused`` where its amount is no JSON."""
        value: dict[str, Any] = plain(struct)
        return value | {self._form.amount: decode(bytes(value[self._form.amount]))}

    @property
    def _within(self) -> str:
        return f"/{self._form.array}" if self._form.array else ""

    def parsed(self) -> Parsed:
        """Say what came of the body, once all of it was taken; the value is what is beside the instructions."""
        try:
            if self._malformed:
                raise self._malformed
            around = self._text.around()
        except Refused as error:
            return Parsed("", refusal=error)
        return judged(around, lambda: self._judge(around))

    def _judge(self, around: Any) -> object:  # noqa: ANN401 - JSON
        """Give what is beside the instructions; raises ``Refused`` or pydantic's error for what is wrong."""
        form = self._form
        named = around.get(form.array) if form.array and isinstance(around, dict) else around
        if not isinstance(named, list) or isinstance(around, list) == bool(form.array):
            return form.whole.validate_python(around)
        if not self._count:
            return form.whole.validate_python({**around, form.array: []} if form.array else [])
        cover, faults = _validated(form.cover, around)
        if faults := [*faults, *self._wrong] or self._unpayable:
            raise Refused(faults[:MAXIMUM_FAULTS])
        return cover


def _validated(adapter: TypeAdapter[Any] | None, value: object) -> tuple[object, list[Fault]]:
    """Validate a value, if there is anything to validate it with."""
    try:
        return (adapter.validate_python(value) if adapter else None), []
    except ValidationError as error:
        return None, faults_of(error)


class _Behind:
    """Lets a part be looked at while the next one comes in, and no further."""

    def __init__(self, reading: BatchReading, draft: Draft) -> None:
        self._reading = reading
        self._draft = draft
        self._work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        """Wait for the work, however it ends: the draft is left alone from here on."""
        if self._work:
            await asyncio.gather(self._work, return_exceptions=True)

    async def take(self, part: bytes) -> None:
        """Begin with a part when the one before is done; raises what was wrong with that."""
        await self.done()
        self._work = asyncio.create_task(self._take(part))

    async def done(self) -> None:
        """Wait for the part that is looked at."""
        if self._work:
            await self._work

    async def _take(self, part: bytes) -> None:
        await asyncio.to_thread(self._reading.take, part)
        await self._draft.stage()


async def receive(request: web.Request, reading: BatchReading, draft: Draft, ceiling: int, at_once: int) -> int:
    """Read a body of at most ``ceiling`` bytes; at_once: up to so many bytes are looked at without a thread.

    Gives how many bytes there were. Raises aiohttp's ``HTTPRequestEntityTooLarge``, and ``Unavailable``.
    """
    part, size = bytearray(), 0
    async with _Behind(reading, draft) as behind:
        async for chunk in request.content.iter_any():
            size += len(chunk)
            if size > ceiling:
                raise web.HTTPRequestEntityTooLarge(ceiling, size)
            part += chunk
            while len(part) >= PIECE_BYTES:
                await behind.take(bytes(part[:PIECE_BYTES]))
                del part[:PIECE_BYTES]
        await behind.done()
    if size < at_once:
        reading.take(bytes(part), last=True)
    else:
        await asyncio.to_thread(reading.take, bytes(part), last=True)
    return size

"""A batch on its way in: checked, added up and put into slices piece by piece, so that none of it is held as a whole.

A draft knows the instructions; who sends them and on what terms is said when it is accepted (``intake``). What it
holds of an instruction until then is eight bytes (the hash of its id) and its part of a compressed slice: in the
store, where the draft has known from the beginning which batch it is to be, else in memory.
"""

import asyncio
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from types import TracebackType
from typing import Final, ParamSpec, Self, TypeVar

import msgspec

from connector.domain.chunk import Tally
from connector.domain.errors import Fault, Refused, Unavailable
from connector.domain.instruction import CreditInstruction
from connector.flows.services import Services
from connector.store.staging import pack, unpack

MOST_FAULTS: Final = 20
SLICES_AT_ONCE: Final = 4
TOKEN_BYTES: Final = 8
HASHES_AT_ONCE: Final = 250_000
"""Of so many instruction ids at most a set is made at a time: memory for the check stays the same for any batch."""

MANY: Final = 500
"""Instructions that are worth a thread."""

P = ParamSpec("P")
T = TypeVar("T")


class Draft:
    """Takes instructions in pieces; leaving its ``async with`` drops what was staged, unless it became a batch.

    ``add`` may not be called again before the call before has ended.
    """

    def __init__(self, services: Services, ref: str = "") -> None:
        """Begin without instructions; ref: the batch that it is to be, "" where that is not known yet."""
        self.ref = ref
        self.token = services.random(TOKEN_BYTES).hex()
        self._staging = services.store.staging
        self._stages = services.stages
        self._ceiling = services.settings.ceiling
        self._slice_size = services.settings.slice_size
        self._staged: set[int] = set()
        self.clear()

    def clear(self) -> None:
        """Begin again without instructions."""
        self.count = 0
        self._content = sha256()
        self._counts: dict[str, int] = {}
        self._minors: dict[str, int] = {}
        self._hashes = array("q")
        self._open: list[CreditInstruction] = []
        self._packed: dict[int, bytes] = {}
        self._slices = 0

    async def __aenter__(self) -> Self:
        """Give the draft."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop what is still staged; where the store is away it goes by itself, after a day."""
        with suppress(Unavailable):
            await self.drop()

    async def add(self, instructions: Sequence[CreditInstruction]) -> None:
        """Take the next instructions: count, add up, and put full slices where they are kept."""
        await _aside(len(instructions), self.take, instructions)
        await self.stage()

    def take(self, instructions: Sequence[CreditInstruction]) -> None:
        """Take the next instructions without staging them; for threads."""
        self.count += len(instructions)
        if self.count > self._ceiling:  # it is refused whatever else it says
            self._open, self._packed, self._hashes = [], {}, array("q")
            return
        with self._stages.measure("pack slices", len(instructions)):
            self._hashes.extend([hash(instruction[0]) for instruction in instructions])
            self._sum_up(instructions)
            self._open += instructions
            while len(self._open) >= self._slice_size:
                self._pack(self._open[: self._slice_size])
                del self._open[: self._slice_size]

    def _sum_up(self, instructions: Sequence[CreditInstruction]) -> None:
        for currency, tally in sums(instructions).items():
            self._counts[currency] = self._counts.get(currency, 0) + tally.payments
            self._minors[currency] = self._minors.get(currency, 0) + tally.minor

    def _pack(self, instructions: Sequence[CreditInstruction]) -> None:
        content, packed = pack(instructions)
        self._content.update(content)
        self._packed[self._slices] = packed
        self._slices += 1

    async def stage(self, ref: str = "") -> None:
        """Put the slices that are full into the store, a few at once, where the batch is known (now).

        A draft that staged slices for another batch takes them along.
        """
        if ref and ref != self.ref:
            await self._move(ref)
        if not self.ref:
            return
        gate, self._packed, packed = asyncio.Semaphore(SLICES_AT_ONCE), {}, self._packed

        async def put(number: int) -> None:
            async with gate:
                self._staged.add(number)
                await self._staging.put(self.ref, self.token, number, packed[number])

        await asyncio.gather(*(put(number) for number in packed))

    async def _move(self, ref: str) -> None:
        for number in sorted(self._staged - self._packed.keys()):  # what is packed is newer, see ``clear``
            instructions = await self._staging.slice(self.ref, self.token, number)
            self._packed[number] = (await asyncio.to_thread(pack, instructions)).packed
        await self.drop()
        self.ref = ref

    async def finish(self) -> None:
        """Make the last slice of what is left; nothing can be added after it."""
        if self._open:
            await _aside(len(self._open), self._pack, self._open)
            self._open = []

    async def drop(self) -> None:
        """Take staged slices out of the store; those of a batch that was made of them are not there any more."""
        staged, self._staged = self._staged, set()
        await self._staging.drop(self.ref, self.token, staged)

    @property
    def slices(self) -> int:
        """How many slices it has, once it is finished."""
        return self._slices

    @property
    def expected(self) -> dict[str, Tally]:
        """Count and sum per currency."""
        return {currency: Tally(self._counts[currency], self._minors[currency]) for currency in self._counts}

    def digest(self, terms: tuple[object, ...]) -> str:
        """Condense what a finished draft says, with the terms, whatever the spelling and spacing it came in."""
        whole = self._content.copy()
        whole.update(msgspec.msgpack.encode((terms, self.count)))
        return whole.hexdigest()

    async def refuse_duplicates(self) -> None:
        """Raise ``Refused`` naming instruction ids that were used before in this finished draft.

        Ids are the same where their hashes are; whether the reverse is true as well is looked up.
        """
        if repeated := await _aside(self.count, self._repeated):
            faults = await self._duplicates(repeated)
            if faults:
                raise Refused(faults)

    def _repeated(self) -> set[int]:
        """Find the hashes that occur more than once."""
        parts = -(-self.count // HASHES_AT_ONCE)
        found: set[int] = set()
        for part in range(parts):
            hashes = self._hashes if parts == 1 else [each for each in self._hashes if each % parts == part]
            if len(seen := set(hashes)) != len(hashes):
                found |= _more_than_once(hashes, seen)
        return found

    async def _duplicates(self, repeated: set[int]) -> list[Fault]:
        faults: list[Fault] = []
        seen: set[str] = set()
        for number, places in self._places(repeated):
            instructions = await self._slice(number)
            for place in places:
                name = instructions[place].instruction_id
                if name in seen:
                    where = f"/CreditInstructions/{number * self._slice_size + place}/InstructionID"
                    faults.append(Fault(where, "AM05", "The instruction id is used before in the same batch."))
                seen.add(name)
                if len(faults) == MOST_FAULTS:
                    return faults
        return faults

    def _places(self, hashes: set[int]) -> Iterator[tuple[int, list[int]]]:
        """Say in which slices, and where in them, ids with these hashes are."""
        for number in range(self._slices):
            first = number * self._slice_size
            own = self._hashes[first : first + self._slice_size]
            if places := [place for place, each in enumerate(own) if each in hashes]:
                yield number, places

    async def _slice(self, number: int) -> list[CreditInstruction]:
        """Read a slice again."""
        if number in self._packed:
            return await asyncio.to_thread(unpack, self._packed[number])
        return await self._staging.slice(self.ref, self.token, number)


async def _aside(payments: int, work: Callable[P, T], *arguments: P.args, **others: P.kwargs) -> T:
    """Do work on so many payments: a few at once, many in a thread."""
    if payments < MANY:
        return work(*arguments, **others)
    return await asyncio.to_thread(work, *arguments, **others)


def _more_than_once(hashes: Sequence[int], unseen: set[int]) -> set[int]:
    """Find what occurs more than once; ``unseen`` has all of them, and is emptied."""
    found: set[int] = set()
    for each in hashes:
        if each in unseen:
            unseen.remove(each)
        else:
            found.add(each)
    return found


def sums(instructions: Sequence[CreditInstruction]) -> dict[str, Tally]:
    """Add instructions up per currency."""
    counts: dict[str, int] = {}
    minors: dict[str, int] = {}
    for instruction in instructions:
        currency = instruction.currency
        counts[currency] = counts.get(currency, 0) + 1
        minors[currency] = minors.get(currency, 0) + instruction.amount_minor
    return {currency: Tally(counts[currency], minors[currency]) for currency in counts}

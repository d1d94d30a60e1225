"""Step 3a: from a slice of instructions to chunks, one institution, modality and currency each. Pure.

Nothing is lost and nothing is added: every instruction of the slice is in exactly one chunk. Those that cannot be
routed are in chunks without institution, rejected with an ISO reason.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from connector.domain.beneficiary import Beneficiary, PaymentModality
from connector.domain.chunk import UNROUTED, VOUCHERS, Chunk, ChunkStatus, Dispatch, Update, advance, fresh, moved
from connector.domain.directory import Directory, Institution, InstitutionKind
from connector.domain.ids import CHUNKS_PER_SLICE, ChunkId, chunk_number, end_to_end_id
from connector.domain.instruction import Credit, CreditInstruction, Reason
from connector.domain.money import MAXIMUM_DIGITS
from connector.domain.status import InstructionStatus

NOT_REGISTERED: Final = Reason("BE06", "The functional id is not registered.")
SWITCHED_OFF: Final = Reason("AC06", "The beneficiary is not active.")
NO_ADDRESS: Final = Reason("AC01", "No financial address is registered.")
NO_INSTITUTION: Final = Reason("AGNT", "No institution is known for the financial address.")
NOT_PAYABLE: Final = Reason("AG03", "The payment modality cannot be paid by credit transfer.")
TOO_SCATTERED: Final = Reason("NARR", "The batch names too many institutions and currencies.")

_PAYABLE: Final = frozenset(modality.value for modality in PaymentModality) - {PaymentModality.VOUCHER.value}
_MODALITY_OF: Final = {
    InstitutionKind.MOBILE_MONEY: PaymentModality.MOBILE_MONEY,
    InstitutionKind.WALLET: PaymentModality.DIGITAL_WALLET,
}

_DEPENDENT: Final = re.compile(r"\\[0-9]|\(\?(?!:)")
"""What means something else, or is not allowed, beside other expressions: references to groups, flags, names."""

ChunkKey = tuple[str, str, str]
"""Institution, modality, currency."""

MOST_GROUPS: Final = CHUNKS_PER_SLICE // 4
MOST_PARTS: Final = CHUNKS_PER_SLICE // 2
"""A slice has at most as many chunks as it has groups (refused ones included) and cuts within them, by size or,
rarely, by sum: what a batch may be in one currency is less than ten times what a message may be."""

MOST_VOUCHERS: Final = 1000
"""Vouchers that a chunk makes."""

LARGEST_SUM: Final = 10**MAXIMUM_DIGITS - 1
"""In minor units; a control sum has at most 18 digits."""


@dataclass(slots=True)
class _Sorted:
    """A slice's credits by where they go, and the refused ones by currency."""

    routed: dict[ChunkKey, list[Credit]] = field(default_factory=dict)
    refused: dict[str, list[tuple[Credit, Reason]]] = field(default_factory=dict)


class Claims:
    """Which institution claims an address by its form: the first that does, in the order of the directory.

    Addresses are many, so that the forms are side by side in one expression, unless one of them forbids that.
    """

    def __init__(self, institutions: Iterable[Institution]) -> None:
        self._claims = [(re.compile(form), place) for place in institutions for form in place.addresses]
        self._together = ""
        self._places: dict[int | None, Institution] = {}
        if not any(_DEPENDENT.search(form.pattern) for form, _ in self._claims):
            self._together = "|".join(f"({form.pattern})" for form, _ in self._claims)
            firsts = accumulate((form.groups + 1 for form, _ in self._claims), initial=1)
            self._places = dict(zip(firsts, (place for _, place in self._claims), strict=False))
        self._match = re.compile(self._together).fullmatch

    def owner(self, address: str) -> Institution | None:
        """Find the institution; None where none claims the address."""
        if self._together:
            found = self._match(address)
            return self._places[found.lastindex] if found else None  # the group that was closed last is the outer one
        return next((place for form, place in self._claims if form.fullmatch(address)), None)


class Debulk:
    """Cuts slices into chunks under one directory.

    size: the most credits a chunk may have; vouchers: payees may be given vouchers.
    """

    def __init__(self, directory: Directory, size: int, *, vouchers: bool = False) -> None:
        self._directory = directory
        self._size = max(1, size)
        self._vouchers = vouchers
        self._claims = Claims(directory.institutions.values())

    def slice(
        self,
        ref: str,
        number: int,
        first_position: int,
        instructions: Sequence[CreditInstruction],
        found: Sequence[Beneficiary | None],
        now: float,
    ) -> list[tuple[Chunk, ChunkStatus]]:
        """Cut one slice; ``found`` is what the mapper knows of each instruction's payee, in the same order."""
        goals = self._sort(first_position, instructions, found)
        chunks: list[tuple[Chunk, ChunkStatus]] = []
        smallest = -(-len(instructions) // MOST_PARTS)  # a tiny chunk size must not use up the chunk numbers
        for currency, refused in goals.refused.items():
            chunks.append(_unrouted(_id(ref, number, len(chunks)), currency, refused, InstructionStatus.RJCT, now))
        for key, group in goals.routed.items():
            for part in _parts(group, max(self._size_for(key[0]), smallest)):
                chunks.append(_routed(_id(ref, number, len(chunks)), key, part))
        return chunks

    def _sort(
        self, first: int, instructions: Sequence[CreditInstruction], found: Sequence[Beneficiary | None]
    ) -> _Sorted:
        """Decide for each instruction where it goes; bounded, so that the chunk numbers suffice."""
        goals = _Sorted()
        room = MOST_GROUPS - len({instruction.currency for instruction in instructions})
        for instruction, payee, credit in zip(instructions, found, _credits(first, instructions, found), strict=True):
            goal = self._goal(instruction, payee)
            if not isinstance(goal, Reason) and goal not in goals.routed and len(goals.routed) >= room:
                goal = TOO_SCATTERED
            if isinstance(goal, Reason):
                goals.refused.setdefault(instruction.currency, []).append((credit, goal))
            else:
                goals.routed.setdefault(goal, []).append(credit)
        return goals

    def _goal(self, instruction: CreditInstruction, payee: Beneficiary | None) -> ChunkKey | Reason:
        """Say where an instruction goes, or why nowhere."""
        if instruction.address:
            return self._place(
                instruction.address, instruction.institution, instruction.modality, instruction.currency
            )
        if payee is None:
            return NOT_REGISTERED
        _, modality, institution, address, _, active = payee
        if not active:
            return SWITCHED_OFF
        if not address and (not modality or modality in _PAYABLE):
            return NO_ADDRESS
        return self._place(address, institution, modality, instruction.currency)

    def _place(self, address: str, code: str, modality: str, currency: str) -> ChunkKey | Reason:
        """Find the institution by its code, else by the form of the address."""
        if modality and modality not in _PAYABLE:
            return self._uncredited(modality, currency)
        place = self._directory.institutions.get(code) if code else self._claims.owner(address)
        if place is None:
            return NO_INSTITUTION
        return place.code, modality or _MODALITY_OF.get(place.kind, PaymentModality.BANK_ACCOUNT), currency

    def _uncredited(self, modality: str, currency: str) -> ChunkKey | Reason:
        """A voucher, where the programme gives any."""
        given = self._vouchers and modality == PaymentModality.VOUCHER
        return (VOUCHERS, modality, currency) if given else NOT_PAYABLE

    def _size_for(self, code: str) -> int:
        place = self._directory.institutions.get(code)
        return min(self._size, max(1, place.chunk_size if place else MOST_VOUCHERS))


def _id(ref: str, number: int, index: int) -> ChunkId:
    return ChunkId(ref, chunk_number(number, index))


def _credits(
    first: int, instructions: Sequence[CreditInstruction], found: Sequence[Beneficiary | None]
) -> list[Credit]:
    """Resolve instructions, a column at a time."""
    if not instructions:
        return []
    ids, payees, amounts, _, narrations, addresses, institutions, modalities, names = zip(*instructions, strict=True)
    if any(addresses):
        named = [
            (institution, modality) if address else None
            for address, institution, modality in zip(addresses, institutions, modalities, strict=True)
        ]
    else:
        named = [None] * len(instructions)
    columns = (
        range(first, first + len(instructions)),
        ids,
        _end_to_end_ids(first, ids),
        payees,
        amounts,
        [address or (payee.address if payee else "") for address, payee in zip(addresses, found, strict=True)],
        [payee.name if payee else name for name, payee in zip(names, found, strict=True)],
        narrations,
        named,
    )
    return list(map(Credit._make, zip(*columns, strict=True)))


def _end_to_end_ids(first: int, instruction_ids: Sequence[str]) -> list[str]:
    """Fit ids into end-to-end ids; two that shorten to the same are kept apart by their positions."""
    ids = list(map(end_to_end_id, instruction_ids))
    if len(set(ids)) == len(ids):
        return ids
    taken: set[str] = set()
    for place, name in enumerate(ids):
        if name in taken:
            ids[place] = f"{name[:26]}-{first + place}"
        taken.add(ids[place])
    return ids


def _parts(group: Sequence[Credit], size: int) -> Iterator[tuple[Credit, ...]]:
    """Cut a group into pieces of at most ``size``, and of a sum that a message can state."""
    start = total = 0
    for index, credit in enumerate(group):
        total += credit.amount_minor
        if index - start == size or total > LARGEST_SUM:
            yield tuple(group[start:index])
            start, total = index, credit.amount_minor
    yield tuple(group[start:])


def _routed(identifier: ChunkId, key: ChunkKey, part: tuple[Credit, ...]) -> tuple[Chunk, ChunkStatus]:
    return Chunk(identifier, *key, part), fresh(len(part))


def _unrouted(
    identifier: ChunkId,
    currency: str,
    refused: Sequence[tuple[Credit, Reason]],
    status: InstructionStatus,
    now: float,
) -> tuple[Chunk, ChunkStatus]:
    """A chunk that goes nowhere: everything in it is final."""
    chunk = Chunk(identifier, UNROUTED, "", currency, tuple(credit for credit, _ in refused))
    final = (Update(index, status, reason) for index, (_, reason) in enumerate(refused))
    return chunk, moved(advance(fresh(len(refused)), final, now), Dispatch.CLOSED, now)


def nowhere(
    ref: str,
    number: int,
    first_position: int,
    instructions: Sequence[CreditInstruction],
    ending: tuple[InstructionStatus, Reason],
    now: float,
) -> list[tuple[Chunk, ChunkStatus]]:
    """Cut a slice that is not to be paid into chunks that go nowhere, one per currency, all with the same ending."""
    by_currency: dict[str, list[tuple[Credit, Reason]]] = {}
    resolved = _credits(first_position, instructions, [None] * len(instructions))
    for instruction, credit in zip(instructions, resolved, strict=True):
        by_currency.setdefault(instruction.currency, []).append((credit, ending[1]))
    return [
        _unrouted(_id(ref, number, index), currency, refused, ending[0], now)
        for index, (currency, refused) in enumerate(by_currency.items())
    ]

"""Step 3a: from a slice of instructions to chunks, one institution, modality and currency each. Pure.

Nothing is lost and nothing is added: every instruction of the slice is in exactly one chunk. Those that cannot be
routed are in chunks without institution, rejected with an ISO reason.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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

_PAYABLE: Final = frozenset(PaymentModality) - {PaymentModality.VOUCHER}
_MODALITY_OF: Final = {
    InstitutionKind.MOBILE_MONEY: PaymentModality.MOBILE_MONEY,
    InstitutionKind.WALLET: PaymentModality.DIGITAL_WALLET,
}

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


class Debulk:
    """Cuts slices into chunks under one directory.

    size: the most credits a chunk may have; vouchers: payees may be given vouchers.
    """

    def __init__(self, directory: Directory, size: int, *, vouchers: bool = False) -> None:
        self._directory = directory
        self._size = max(1, size)
        self._vouchers = vouchers
        self._claims = [
            (re.compile(pattern).fullmatch, place)
            for place in directory.institutions.values()
            for pattern in place.addresses
        ]

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
        taken: set[str] = set()
        room = MOST_GROUPS - len({instruction.currency for instruction in instructions})
        for position, (instruction, payee) in enumerate(zip(instructions, found, strict=True), first):
            goal = self._goal(instruction, payee)
            credit = _credit(position, instruction, payee, taken)
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
        if not payee.active:
            return SWITCHED_OFF
        if not payee.address and (not payee.modality or payee.modality in _PAYABLE):
            return NO_ADDRESS
        return self._place(payee.address, payee.institution, payee.modality, instruction.currency)

    def _place(self, address: str, code: str, modality: str, currency: str) -> ChunkKey | Reason:
        """Find the institution by its code, else by the form of the address."""
        if modality and modality not in _PAYABLE:
            return self._uncredited(modality, currency)
        place = self._directory.institutions.get(code) if code else self._owner(address)
        if place is None:
            return NO_INSTITUTION
        return place.code, modality or _MODALITY_OF.get(place.kind, PaymentModality.BANK_ACCOUNT), currency

    def _uncredited(self, modality: str, currency: str) -> ChunkKey | Reason:
        """A voucher, where the programme gives any."""
        given = self._vouchers and modality == PaymentModality.VOUCHER
        return (VOUCHERS, modality, currency) if given else NOT_PAYABLE

    def _owner(self, address: str) -> Institution | None:
        """Find the first institution that claims the address by its form; compiled once, as addresses are many."""
        for matches, place in self._claims:
            if matches(address):
                return place
        return None

    def _size_for(self, code: str) -> int:
        place = self._directory.institutions.get(code)
        return min(self._size, max(1, place.chunk_size if place else MOST_VOUCHERS))


def _id(ref: str, number: int, index: int) -> ChunkId:
    return ChunkId(ref, chunk_number(number, index))


def _credit(position: int, instruction: CreditInstruction, payee: Beneficiary | None, taken: set[str]) -> Credit:
    """Resolve one instruction; two instruction ids that shorten to the same end-to-end id are kept apart."""
    end_to_end = end_to_end_id(instruction.instruction_id)
    if end_to_end in taken:
        end_to_end = f"{end_to_end[:26]}-{position}"
    taken.add(end_to_end)
    return Credit(
        position,
        instruction.instruction_id,
        end_to_end,
        instruction.payee_functional_id,
        instruction.amount_minor,
        instruction.address or (payee.address if payee else ""),
        payee.name if payee else instruction.name,
        instruction.narration,
        (instruction.institution, instruction.modality) if instruction.address else None,
    )


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
    taken: set[str] = set()
    by_currency: dict[str, list[tuple[Credit, Reason]]] = {}
    for position, instruction in enumerate(instructions, first_position):
        credit = _credit(position, instruction, None, taken)
        by_currency.setdefault(instruction.currency, []).append((credit, ending[1]))
    return [
        _unrouted(_id(ref, number, index), currency, refused, ending[0], now)
        for index, (currency, refused) in enumerate(by_currency.items())
    ]

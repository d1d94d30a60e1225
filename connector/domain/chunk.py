"""The chunk: the credits of one batch for one institution, modality and currency. The unit of work.

The fixed facts (``Chunk``) are written once; the changing part (``ChunkStatus``) is one byte a credit, a sparse table
of reasons and a version. All rules on how a status may move are here, pure; the store only swaps versions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from operator import attrgetter
from typing import Final, NamedTuple

from connector.domain.beneficiary import PaymentModality
from connector.domain.ids import ChunkId
from connector.domain.instruction import Credit, Reason
from connector.domain.recall import RecallCase
from connector.domain.status import BYTE_OF, CODES, OUTCOME_OF_BYTE, InstructionStatus, Outcome, may_follow

_UNANSWERED: Final = frozenset({BYTE_OF[InstructionStatus.RCVD], BYTE_OF[InstructionStatus.PDNG]})

_BEFORE: Final = {
    then: frozenset(BYTE_OF[now] for now in InstructionStatus if may_follow(now, then)) for then in InstructionStatus
}
"""For each status, those that it may follow, as bytes."""

_AMOUNT: Final = attrgetter("amount_minor")

UNROUTED: Final = ""
"""The institution of a chunk that holds instructions refused before they could be routed."""


VOUCHERS: Final = "VOUCHERS"
"""In place of an institution, in a chunk whose credits become vouchers."""


class Dispatch(StrEnum):
    """Where a chunk's message is."""

    READY = "ready"  # to be sent
    SENDING = "sending"  # on its way, or its answer was lost
    SENT = "sent"  # the FSP has it
    CLOSED = "closed"  # nothing more is to be sent (all final, cancelled or refused)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The fixed facts of a chunk."""

    id: ChunkId
    institution: str
    modality: str
    currency: str
    credits: tuple[Credit, ...]

    @property
    def by_voucher(self) -> bool:
        """Whether its credits become vouchers instead of a message."""
        return self.modality == PaymentModality.VOUCHER

    @property
    def total_minor(self) -> int:
        """The chunk's control sum in minor units."""
        return sum(map(_AMOUNT, self.credits))


@dataclass(frozen=True, slots=True)
class ChunkStatus:
    """The changing part of a chunk; ``codes[i]`` and ``reasons.get(i)`` belong to ``Chunk.credits[i]``.

    version counts the changes; attempts the sendings; sent_at and changed_at are Unix seconds (0: never).
    recalls: the cases in which credits were asked back, in the order of their numbers.
    executor and composed_at (Unix seconds) are those of the first sending, so that every repetition is the same
    message to the same institution. unsent: the credits that its message cannot carry, in order.
    """

    codes: bytes
    reasons: Mapping[int, Reason] = field(default_factory=dict)
    version: int = 0
    dispatch: Dispatch = Dispatch.READY
    attempts: int = 0
    sent_at: float = 0.0
    changed_at: float = 0.0
    recalls: tuple[RecallCase, ...] = ()
    executor: str = ""
    composed_at: float = 0.0
    unsent: tuple[int, ...] = ()

    def status(self, index: int) -> InstructionStatus:
        """The status of the ``index``-th credit."""
        return CODES[self.codes[index]]

    @property
    def settled(self) -> bool:
        """Whether no credit is ongoing any more."""
        return not any(OUTCOME_OF_BYTE[code] is Outcome.ONGOING for code in set(self.codes))

    @property
    def unanswered(self) -> bool:
        """Whether nothing was ever reported of any credit that is to be sent."""
        held_back = set(self.unsent)
        return all(code in _UNANSWERED or index in held_back for index, code in enumerate(self.codes))


class Update(NamedTuple):
    """What a report says of one credit of a chunk; position counts within the chunk, from 0."""

    position: int
    status: InstructionStatus
    reason: Reason | None = None


class Tally(NamedTuple):
    """How many credits of a chunk have an outcome, and their sum in minor units."""

    payments: int
    minor: int


def fresh(size: int, status: InstructionStatus = InstructionStatus.RCVD) -> ChunkStatus:
    """The status of a chunk of ``size`` credits at its beginning."""
    return ChunkStatus(codes=bytes([BYTE_OF[status]]) * size)


def advance(status: ChunkStatus, updates: Iterable[Update], now: float) -> ChunkStatus:
    """Apply the updates that are a step forward and ignore the rest.

    Gives back the very same object where nothing changed, otherwise one with the next version.
    """
    codes = bytearray(status.codes)
    reasons = dict(status.reasons)
    changed = False
    known, byte, may_move = None, 0, frozenset[int]()
    for position, then, reason in updates:
        if then is not known:  # most often all are the same
            known, byte, may_move = then, BYTE_OF[then], _BEFORE[then]
        if codes[position] not in may_move:
            continue
        codes[position] = byte
        changed = True
        if reason is not None:
            reasons[position] = reason
        elif reasons:
            reasons.pop(position, None)  # it was for what is past
    return _next(status, bytes(codes), reasons, now) if changed else status


def advance_all(status: ChunkStatus, then: InstructionStatus, reason: Reason | None, now: float) -> ChunkStatus:
    """Apply one status to every credit that may take it."""
    moving = _BEFORE[then].intersection(status.codes)
    if not moving:
        return status
    codes = status.codes.translate(bytes(BYTE_OF[then] if code in moving else code for code in range(256)))
    if reason is None:
        reasons = {index: kept for index, kept in status.reasons.items() if status.codes[index] not in moving}
    else:
        moved_on = {index: reason for index, code in enumerate(status.codes) if code in moving}
        reasons = {**status.reasons, **moved_on}
    return _next(status, codes, reasons, now)


def _next(status: ChunkStatus, codes: bytes, reasons: Mapping[int, Reason], now: float) -> ChunkStatus:
    return replace(status, codes=codes, reasons=reasons, version=status.version + 1, changed_at=now)


def hold_back(status: ChunkStatus, faults: Mapping[int, Reason], now: float) -> ChunkStatus:
    """Reject the credits that the message cannot carry, by position; the message goes out without them."""
    after = advance(status, (Update(index, InstructionStatus.RJCT, faults[index]) for index in sorted(faults)), now)
    return replace(after, unsent=tuple(sorted({*status.unsent, *faults})))


def carried(chunk: Chunk, status: ChunkStatus) -> Chunk:
    """Give the chunk as its message carries it: without the credits that are held back."""
    if not status.unsent:
        return chunk
    held_back = set(status.unsent)
    return replace(chunk, credits=tuple(c for index, c in enumerate(chunk.credits) if index not in held_back))


def moved(status: ChunkStatus, dispatch: Dispatch, now: float) -> ChunkStatus:
    """Note where the chunk's message is; a sending counts as an attempt."""
    sending = dispatch is Dispatch.SENDING
    return replace(
        status,
        dispatch=dispatch,
        version=status.version + 1,
        attempts=status.attempts + sending,
        sent_at=now if sending else status.sent_at,
        composed_at=status.composed_at or (now if sending else 0.0),
        changed_at=now,
    )


def tallies(chunk: Chunk, status: ChunkStatus) -> dict[Outcome, Tally]:
    """Count the credits and add up their amounts per outcome; every outcome is present."""
    sums = dict.fromkeys(status.codes, 0)  # by byte: there are few, and they hash much faster than outcomes
    if len(sums) == 1 and len(chunk.credits) == len(status.codes):
        sums = dict.fromkeys(sums, chunk.total_minor)
    else:
        for credit, code in zip(chunk.credits, status.codes, strict=True):
            sums[code] += credit.amount_minor
    found = dict.fromkeys(Outcome, Tally(0, 0))
    for code, minor in sums.items():
        payments, before = found[OUTCOME_OF_BYTE[code]]
        found[OUTCOME_OF_BYTE[code]] = Tally(payments + status.codes.count(code), before + minor)
    return found

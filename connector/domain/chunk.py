"""The chunk: the credits of one batch for one institution, modality and currency. The unit of work.

The fixed facts (``Chunk``) are written once; the changing part (``ChunkStatus``) is one byte a credit, a sparse table
of reasons and a version. All rules on how a status may move are here, pure; the store only swaps versions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, NamedTuple

from connector.domain.ids import ChunkId
from connector.domain.instruction import Credit, Reason
from connector.domain.recall import RecallCase
from connector.domain.status import BYTE_OF, CODES, OUTCOME_OF_BYTE, InstructionStatus, Outcome, may_follow

UNROUTED: Final = ""
"""The institution of a chunk that holds instructions refused before they could be routed."""


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
    def total_minor(self) -> int:
        """The chunk's control sum in minor units."""
        return sum(credit.amount_minor for credit in self.credits)


@dataclass(frozen=True, slots=True)
class ChunkStatus:
    """The changing part of a chunk; ``codes[i]`` and ``reasons.get(i)`` belong to ``Chunk.credits[i]``.

    version counts the changes; attempts the sendings; sent_at and changed_at are Unix seconds (0: never).
    recalls: the cases in which credits were asked back, in the order of their numbers.
    """

    codes: bytes
    reasons: Mapping[int, Reason] = field(default_factory=dict)
    version: int = 0
    dispatch: Dispatch = Dispatch.READY
    attempts: int = 0
    sent_at: float = 0.0
    changed_at: float = 0.0
    recalls: tuple[RecallCase, ...] = ()

    def status(self, index: int) -> InstructionStatus:
        """The status of the ``index``-th credit."""
        return CODES[self.codes[index]]

    @property
    def settled(self) -> bool:
        """Whether no credit is ongoing any more."""
        return not any(OUTCOME_OF_BYTE[code] is Outcome.ONGOING for code in set(self.codes))


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
    for position, then, reason in updates:
        if not may_follow(CODES[codes[position]], then):
            continue
        codes[position] = BYTE_OF[then]
        changed = True
        if reason is not None:
            reasons[position] = reason
    if not changed:
        return status
    return replace(status, codes=bytes(codes), reasons=reasons, version=status.version + 1, changed_at=now)


def advance_all(status: ChunkStatus, then: InstructionStatus, reason: Reason | None, now: float) -> ChunkStatus:
    """Apply one status to every credit that may take it."""
    return advance(status, (Update(index, then, reason) for index in range(len(status.codes))), now)


def moved(status: ChunkStatus, dispatch: Dispatch, now: float) -> ChunkStatus:
    """Note where the chunk's message is; a sending counts as an attempt."""
    sending = dispatch is Dispatch.SENDING
    return replace(
        status,
        dispatch=dispatch,
        version=status.version + 1,
        attempts=status.attempts + sending,
        sent_at=now if sending else status.sent_at,
        changed_at=now,
    )


def tallies(chunk: Chunk, status: ChunkStatus) -> dict[Outcome, Tally]:
    """Count the credits and add up their amounts per outcome; every outcome is present."""
    counts = dict.fromkeys(Outcome, 0)
    sums = dict.fromkeys(Outcome, 0)
    for credit, code in zip(chunk.credits, status.codes, strict=True):
        result = OUTCOME_OF_BYTE[code]
        counts[result] += 1
        sums[result] += credit.amount_minor
    return {result: Tally(counts[result], sums[result]) for result in Outcome}

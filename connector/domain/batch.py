"""A batch: what a ministry handed over as one piece of work."""

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from connector.domain.chunk import Tally
from connector.domain.status import Outcome


class BatchKind(StrEnum):
    """Whether the batch pays, or only asks whether it could be paid."""

    DISBURSEMENT = "disbursement"
    PREVALIDATION = "prevalidation"


class BatchState(StrEnum):
    """Where the batch as a whole is; its instructions have statuses of their own."""

    ACCEPTED = "accepted"  # durable, not yet looked at
    SCHEDULED = "scheduled"  # waits for its execution date
    AWAITING_AUTHORISATION = "awaiting authorisation"  # waits for the payer bank's word
    RUNNING = "running"  # slices are resolved, chunks dispatched, reports collected
    COMPLETED = "completed"  # every instruction has a final status
    CANCELLED = "cancelled"  # stopped before dispatch; every instruction is CANC
    REFUSED = "refused"  # no funds or no authorisation; every instruction is RJCT


TRANSITIONS: Final = MappingProxyType(
    {
        BatchState.ACCEPTED: frozenset(BatchState) - {BatchState.ACCEPTED, BatchState.COMPLETED},
        BatchState.SCHEDULED: frozenset(
            {BatchState.AWAITING_AUTHORISATION, BatchState.RUNNING, BatchState.CANCELLED, BatchState.REFUSED}
        ),
        BatchState.AWAITING_AUTHORISATION: frozenset({BatchState.RUNNING, BatchState.CANCELLED, BatchState.REFUSED}),
        BatchState.RUNNING: frozenset({BatchState.COMPLETED}),
        BatchState.COMPLETED: frozenset(),
        BatchState.CANCELLED: frozenset(),
        BatchState.REFUSED: frozenset(),
    }
)

REDEMPTIONS: Final = "vouchers"
"""The contract of batches that pay merchants for redeemed vouchers; they have no Source BB."""

FINISHED: Final = frozenset({BatchState.COMPLETED, BatchState.CANCELLED, BatchState.REFUSED})


@dataclass(frozen=True, slots=True)
class CallbackTarget:
    """Where and how the Source BB wants to be told (url empty: it does not)."""

    url: str = ""
    verb: str = "POST"
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """The facts of a batch that do not change.

    ref: derived reference (see ids); batch_id, request_id, source: the Source BB's own; digest: SHA-256 of the
    content, by which a repeat is told from a conflict; expected: count and sum in minor units per currency;
    slices: how many pieces the instructions are stored in, each but the last of slice_size instructions;
    execute_at: Unix seconds, 0 for at once; priority: 0 (highest) to 9; accepted_at: Unix seconds;
    retry_of: the ref of the batch whose failures this repeats.
    """

    ref: str
    kind: BatchKind
    contract: str
    source: str
    request_id: str
    batch_id: str
    programme: str
    digest: str
    slices: int
    expected: dict[str, Tally]
    accepted_at: float
    callback: CallbackTarget = field(default_factory=CallbackTarget)
    execute_at: float = 0.0
    priority: int = 5
    retry_of: str = ""
    origin: str = ""
    slice_size: int = 0

    @property
    def redeems(self) -> bool:
        """Whether it pays merchants for vouchers: the money was reserved when those were made."""
        return self.contract == REDEMPTIONS

    @property
    def count(self) -> int:
        """How many instructions the batch has in all currencies."""
        return sum(tally.payments for tally in self.expected.values())


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """The changing part of a batch.

    totals: per currency and outcome; resolved: how many slices have been resolved;
    finished_at: Unix seconds, 0 while it runs; reason: why it was refused or cancelled, as a person reads it;
    archived_at: Unix seconds of the last time that its payments went into a file, 0 while all are in the store.
    """

    state: BatchState
    totals: dict[str, dict[Outcome, Tally]]
    resolved: int = 0
    finished_at: float = 0.0
    reason: str = ""
    archived_at: float = 0.0

"""What became of a batch and of each of its payments; O(chunks), never O(payments) unless details are asked for."""

from dataclasses import dataclass

from connector.domain.batch import Batch, BatchProgress
from connector.domain.event import Event
from connector.flows.services import Services


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """A batch and how far it is."""

    batch: Batch
    progress: BatchProgress


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """The transaction record of one payment; it has no account number.

    status: the ISO 20022 code; outcome: ongoing, completed, failed or returned; started_at and completed_at: Unix
    seconds, 0 where it has not happened; message_id: of the message that carried it, "" before it is routed.
    """

    instruction_id: str
    payee_functional_id: str
    institution: str
    modality: str
    amount_minor: int
    currency: str
    status: str
    outcome: str
    reason: str
    information: str
    started_at: float
    completed_at: float
    message_id: str


async def summary(services: Services, ref: str) -> BatchSummary:
    """Tell how far a batch is; raises ``NotFound``."""
    return BatchSummary(*await services.store.batches.read(ref))


async def details(services: Services, ref: str, *, page: int, size: int, status: str = "") -> list[PaymentRecord]:
    """Give a page (from 0) of the payments, in the order of the batch's slices.

    status: an ISO code or an outcome, "" for all. Raises ``NotFound``; ``Refused`` for an unknown status.
    """
    raise NotImplementedError


async def events(services: Services, ref: str) -> list[Event]:
    """Give the batch's event log; raises ``NotFound``."""
    await services.store.batches.read(ref)
    return await services.store.events.of(ref)

"""Step 1: take a batch in. What this answers survives any crash; what it refuses leaves no trace."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connector.domain.batch import Batch, BatchKind, CallbackTarget
from connector.domain.instruction import CreditInstruction
from connector.flows.services import Services


@dataclass(frozen=True, slots=True)
class Submission:
    """A batch as a contract's adapter hands it over.

    batch_id "": the derived reference is the batch's id as well (v3.0). digest: SHA-256 of the content, by which a
    repeat is told from a conflict. programme "": the source's own, else the default. execute_at: Unix seconds.
    """

    contract: str
    kind: BatchKind
    source: str
    request_id: str
    batch_id: str
    instructions: Sequence[CreditInstruction]
    digest: str
    programme: str = ""
    callback: CallbackTarget = field(default_factory=CallbackTarget)
    execute_at: float = 0.0
    priority: int | None = None
    origin: str = ""
    retry_of: str = ""


async def submit(services: Services, submission: Submission) -> Batch:
    """Check, store and queue a batch; an identical repeat gives the batch that was there.

    Raises ``Refused`` (unknown source or programme, no instructions, over the ceiling, duplicates inside) and
    ``Conflict`` (a used batch or request id with other content).
    """
    raise NotImplementedError

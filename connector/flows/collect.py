"""Step 5: read what an FSP reports and move instructions forward. Answers only when that is durable."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.flows.services import Services


@dataclass(frozen=True, slots=True)
class Collected:
    """A report that was taken; status: "processed", or "repeated" where it changed nothing."""

    message_id: str
    message: str
    status: str


async def report(services: Services, institution: str, body: bytes) -> Collected:
    """Take a pain.002, pacs.002, acmt.024 or pacs.004 that an institution pushed.

    Raises ``Refused``: unreadable or invalid XML, wrong sums, an unknown message id or transaction, a foreign chunk.
    """
    raise NotImplementedError


async def validation_answer(
    services: Services, institution: str, ref: str, chunk: int, failed: Mapping[str, str]
) -> None:
    """Take the payer bank's answer to Bulk_ValidateAccount; failed: reason by instruction id."""
    raise NotImplementedError


async def authorisation_answer(
    services: Services, institution: str, ref: str, granted: bool, reason: str, number: int = 0
) -> None:
    """Take the payer bank's word on a batch; number: which of the batch's currencies it is about (the callback's)."""
    raise NotImplementedError


async def status_push(services: Services, institution: str, batch_id: str, body: Mapping[str, Any]) -> None:
    """Take a v3.0 BulkPayment_StatusPush about a chunk that went out by JSON."""
    raise NotImplementedError

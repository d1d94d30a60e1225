"""Prevalidation: the walk of a batch that only asks whether it could be paid."""

from dataclasses import dataclass
from typing import Final

from connector.domain.batch import FINISHED, Batch
from connector.domain.status import Outcome
from connector.flows import status
from connector.flows.services import Services

LIFE_SECONDS: Final = 90 * 24 * 3600.0
PAGE: Final = 10_000


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """What is known of a prevalidation: whether it is finished, and (instruction id, reason) of what failed."""

    ref: str
    finished: bool
    failed: list[tuple[str, str]]


async def result(services: Services, source: str, request_id: str, batch_id: str) -> ValidationResult | None:
    """Find a prevalidation; ``None`` for an unknown one.

    source may be "" where the question does not name it (v1.0 ``/prepayment-validation-response``); request_id helps
    where several batches have the same batch id.
    """
    for name in (f"{source}|{request_id}|{batch_id}", f"{source}||{batch_id}"):
        ref = await services.store.records.get("prevalidation", name)
        if ref is not None:
            return await _result(services, ref)
    return None


async def remember(services: Services, batch: Batch) -> None:
    """Keep under which names a prevalidation may be asked for."""
    for source in ("", batch.source):
        for request_id in ("", batch.request_id):
            name = f"{source}|{request_id}|{batch.batch_id}"
            await services.store.records.put("prevalidation", name, batch.ref, LIFE_SECONDS)


async def _result(services: Services, ref: str) -> ValidationResult:
    summary = await status.summary(services, ref)
    failed: list[tuple[str, str]] = []
    page = 0
    while records := await status.details(services, ref, page=page, size=PAGE, status=Outcome.FAILED.value):
        failed += [(record.instruction_id, f"{record.reason} {record.information}".strip()) for record in records]
        page += 1
    return ValidationResult(ref, summary.progress.state in FINISHED, failed)

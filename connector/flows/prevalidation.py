"""Prevalidation: the walk of a batch that only asks whether it could be paid."""

from dataclasses import dataclass

from connector.flows.services import Services


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """What is known of a prevalidation: whether it is finished, and (instruction id, reason) of what failed."""

    ref: str
    finished: bool
    failed: list[tuple[str, str]]


async def result(services: Services, source: str, request_id: str, batch_id: str) -> ValidationResult | None:
    """Find a prevalidation; ``None`` for an unknown one.

    source may be "" where the question does not name it (v1.0 ``/prepayment-validation-response``).
    """
    raise NotImplementedError

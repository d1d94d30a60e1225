"""Onboarding: put people's financial addresses into the account mapper, and look them up."""

from collections.abc import Sequence

from connector.domain.batch import CallbackTarget
from connector.domain.beneficiary import Beneficiary, FailedCase
from connector.flows.services import Services


async def register(
    services: Services,
    source: str,
    entries: Sequence[Beneficiary],
    *,
    request_id: str,
    callback: CallbackTarget,
    origin: str,
) -> list[FailedCase]:
    """Register beneficiaries; gives back the cases that failed, and queues the callback where one is wanted."""
    raise NotImplementedError


async def update(
    services: Services,
    source: str,
    entries: Sequence[Beneficiary],
    *,
    request_id: str,
    callback: CallbackTarget,
    origin: str,
) -> list[FailedCase]:
    """Update beneficiaries, leaving what is empty as it is; gives back the failed cases, and queues the callback."""
    raise NotImplementedError


async def lookup(services: Services, source: str, functional_ids: Sequence[str]) -> list[Beneficiary | None]:
    """Look beneficiaries up; ``None`` for those that the source never registered."""
    raise NotImplementedError

"""Onboarding: put people's financial addresses into the account mapper, and look them up."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from connector.domain.batch import CallbackTarget
from connector.domain.beneficiary import Beneficiary, FailedCase, PaymentModality
from connector.domain.directory import Directory
from connector.domain.errors import Refused
from connector.flows import tasks
from connector.flows.bodies import derived_request_id, onboarding_body
from connector.flows.notify import headers
from connector.flows.services import Services
from connector.store import Callback

_MODALITIES: Final = frozenset(modality.value for modality in PaymentModality)

_Write = Callable[[str, Sequence[Beneficiary]], Awaitable[list[FailedCase]]]


async def register(
    services: Services,
    source: str,
    entries: Sequence[Beneficiary],
    *,
    request_id: str,
    callback: CallbackTarget,
    origin: str,
) -> list[FailedCase]:
    """Register beneficiaries; gives back the cases that failed, and queues the callback where one is wanted.

    Raises ``Refused`` for an unknown source or no entries.
    """
    failed = await _write(services, source, entries, services.store.mapper.register)
    await _call_back(services, (source, request_id, origin), callback, failed, "payeeIdentity")
    return failed


async def update(
    services: Services,
    source: str,
    entries: Sequence[Beneficiary],
    *,
    request_id: str,
    callback: CallbackTarget,
    origin: str,
) -> list[FailedCase]:
    """Update beneficiaries, leaving what is empty as it is; gives back the failed cases, and queues the callback.

    Raises ``Refused`` for an unknown source or no entries.
    """
    failed = await _write(services, source, entries, services.store.mapper.update)
    await _call_back(services, (source, request_id, origin), callback, failed, "payeeFunctionalID")
    return failed


async def lookup(services: Services, source: str, functional_ids: Sequence[str]) -> list[Beneficiary | None]:
    """Look beneficiaries up; ``None`` for those that the source never registered."""
    return await services.store.mapper.resolve(source, functional_ids)


def fault_of(entry: Beneficiary, directory: Directory, *, strict: bool) -> str:
    """Say what is wrong with an entry, "" if nothing is. Pure."""
    if entry.modality and entry.modality not in _MODALITIES:
        return "Unknown payment modality"
    if entry.institution and entry.institution not in directory.institutions:
        return "Unknown banking institution"
    if not entry.address:
        return ""
    if entry.institution:
        place = directory.institutions[entry.institution]
        fits = not place.addresses or place.owns(entry.address)
        return "" if fits else "The financial address is not one of the institution's"
    known = not strict or directory.institution_of(entry.address) is not None
    return "" if known else "The financial address belongs to no known institution"


async def _write(services: Services, source: str, entries: Sequence[Beneficiary], write: _Write) -> list[FailedCase]:
    """Write the good entries; the bad ones come first in the answer."""
    directory = await services.store.directory.load()
    if source not in directory.sources and not directory.open_sources:
        raise Refused.because("/SourceBBID", "unknown_source", "The Source BB is not registered here.")
    if not entries:
        raise Refused.because("/Beneficiaries", "empty", "The request has no beneficiaries.")
    good: list[Beneficiary] = []
    failed: list[FailedCase] = []
    for entry in entries:
        if reason := fault_of(entry, directory, strict=services.settings.strict_addresses):
            failed.append(FailedCase(entry.functional_id, entry.modality, entry.institution, reason))
        else:
            good.append(entry)
    return failed + (await write(source, good) if good else [])


async def _call_back(
    services: Services,
    request: tuple[str, str, str],
    callback: CallbackTarget,
    failed: Sequence[FailedCase],
    id_key: str,
) -> None:
    """Keep the callback and queue it, in one step; a repeated request calls back once."""
    if not callback.url:
        return
    source, request_id, _origin = request
    identifier = derived_request_id(source, request_id, id_key, callback.url)
    body = onboarding_body(identifier, request_id, failed, id_key)
    kept = Callback(
        id="final",
        batch=identifier,
        url=callback.url,
        body=body,
        verb=callback.verb or services.settings.callback_verb,
        headers=headers(callback.correlation_id, identifier),
        changed_at=services.clock(),
    )
    await services.store.callbacks.put(kept, then=[tasks.callback(identifier, "final")])

"""Payments by voucher: the credits of a bulk payment whose modality is 02 become vouchers instead of messages.

The money is the bulk payment's own: spent when the voucher is made, returned when the voucher ends unused.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from connector.domain.batch import Batch, BatchKind, CallbackTarget
from connector.domain.chunk import VOUCHERS, Chunk, ChunkStatus, Dispatch, Update, advance, advance_all
from connector.domain.directory import Directory
from connector.domain.errors import Refused
from connector.domain.event import Event
from connector.domain.instruction import Reason
from connector.domain.status import InstructionStatus, Outcome, outcome
from connector.domain.voucher import Command, Issued, VoucherFault, VoucherRefused, VoucherState
from connector.flows import tasks
from connector.flows.bodies import derived_request_id
from connector.flows.change import change
from connector.flows.services import Services
from connector.flows.vouchers import notices
from connector.flows.vouchers.bodies import creation_body
from connector.flows.vouchers.caller import BULK, ISOGATE, Caller
from connector.flows.vouchers.groups import known_group, price
from connector.flows.vouchers.issue import carry_out
from connector.flows.vouchers.plan import Order, Wanted
from connector.flows.vouchers.secrecy import correspondent, sealed_number
from connector.store import Entry, Task
from connector.store.vouchers import LotAccount

NO_GROUP: Final = Reason("AG03", "The programme has no voucher group.")
WAIT_SECONDS: Final = 5.0

_EXECUTOR: Final = f"{VOUCHERS} "
"""Begins what stands for the executor in a chunk that is being issued; the voucher group follows."""

_REASONS: Final = MappingProxyType({VoucherFault.AMOUNT: "AM12", VoucherFault.CURRENCY: "AM03"})
_RETURNED: Final = MappingProxyType(
    {
        VoucherState.CANCELLED: Reason("CUST", "The voucher was cancelled before it was redeemed."),
        VoucherState.EXPIRED: Reason("NARR", "The voucher expired before it was redeemed."),
    }
)


async def run(services: Services, entry: Entry) -> None:
    """Step ``issue-vouchers``: issue the vouchers of a chunk, activated; of a prevalidation only say whether."""
    batch, _ = await services.store.batches.read(entry.task.batch)
    chunk, status = await services.store.batches.chunk(batch.ref, entry.task.number)
    if batch.kind is BatchKind.PREVALIDATION:
        return await _finish(services, batch, chunk, status, await _faults(services, batch, chunk), entry)
    if status.dispatch is Dispatch.READY:
        status = await _begin(services, batch, chunk, status)
    if status.dispatch is not Dispatch.SENDING:
        return await services.store.queue.done(entry)
    try:
        issued = await carry_out(services, _order(batch, chunk, status))
    except VoucherRefused as refused:
        reason = _reason(refused)
        faults = dict.fromkeys(_open(status), reason)
        return await _finish(services, batch, chunk, status, faults, entry)
    await _tell(services, batch, chunk, issued)
    return await _finish(services, batch, chunk, status, {}, entry)


async def take_back(services: Services, account: LotAccount, task: Task) -> Sequence[Task]:
    """Return the instructions whose vouchers were cancelled or have expired; gives what is left to be done later."""
    lot = account.lot
    batch, _ = await services.store.batches.read(lot.batch)
    chunk, status = await services.store.batches.chunk(lot.batch, lot.chunk)
    ended = await _ended(services, account)
    places = {credit.instruction_id: index for index, credit in enumerate(chunk.credits)}
    updates = [
        Update(places[name], InstructionStatus.RTND, _RETURNED[state])
        for name, state in ended.items()
        if name in places
    ]
    if any(outcome(status.status(update.position)) is Outcome.ONGOING for update in updates):
        return [replace(task, due_at=services.clock() + WAIT_SECONDS)]  # the issue is not noted in the chunk yet
    now = services.clock()
    event = Event(now, "isogate", "vouchers ended unused", "worker", "ok", f"chunk {chunk.id.number}")

    def then(after: ChunkStatus) -> Sequence[Task]:
        return tasks.notify(batch, f"returned-{chunk.id.number}-{after.version}")

    await change(
        services, batch, chunk, status, lambda current: advance(current, updates, now), event=event, then=then
    )
    return ()


async def _begin(services: Services, batch: Batch, chunk: Chunk, status: ChunkStatus) -> ChunkStatus:
    """Decide, durably, which credits become vouchers, and of which group."""
    faults, now = await _faults(services, batch, chunk), services.clock()
    programme = (await services.store.directory.load()).programmes.get(batch.programme)
    group = _EXECUTOR + (programme.voucher_group if programme else "")

    def begin(current: ChunkStatus) -> ChunkStatus:
        if current.dispatch is not Dispatch.READY:
            return current
        after = advance(current, _rejections(faults), now)
        left = Dispatch.CLOSED if after.settled else Dispatch.SENDING
        return replace(after, dispatch=left, attempts=1, executor=group, composed_at=now, changed_at=now)

    event = Event(now, "isogate", "vouchers being issued", "worker", "ok", f"chunk {chunk.id.number}")
    status, _ = await change(services, batch, chunk, status, begin, event=event)
    return status


async def _finish(
    services: Services,
    batch: Batch,
    chunk: Chunk,
    status: ChunkStatus,
    faults: Mapping[int, Reason],
    entry: Entry,
) -> None:
    """Reject what cannot be, and note that all the rest is paid (or verified); the entry is done either way."""
    now = services.clock()

    def finish(current: ChunkStatus) -> ChunkStatus:
        if current.dispatch not in {Dispatch.READY, Dispatch.SENDING}:
            return current
        after = advance_all(advance(current, _rejections(faults), now), InstructionStatus.ACSC, None, now)
        return replace(after, dispatch=Dispatch.CLOSED, changed_at=now)

    done = len(chunk.credits) - len(faults)
    event = Event(now, "isogate", "vouchers issued", "worker", "ok", f"chunk {chunk.id.number}, {done} vouchers")
    _, changed = await change(services, batch, chunk, status, finish, event=event, done=entry)
    if not changed:
        await services.store.queue.done(entry)


async def _faults(services: Services, batch: Batch, chunk: Chunk) -> dict[int, Reason]:
    """Say which credits of a chunk cannot become vouchers, and why."""
    directory = await services.store.directory.load()
    by_amount = {
        amount: _fault(directory, batch, chunk.currency, amount)
        for amount in {credit.amount_minor for credit in chunk.credits}
    }
    found = ((index, by_amount[credit.amount_minor]) for index, credit in enumerate(chunk.credits))
    return {index: reason for index, reason in found if reason}


def _fault(directory: Directory, batch: Batch, currency: str, amount_minor: int) -> Reason | None:
    programme = directory.programmes.get(batch.programme)
    if programme is None or not programme.voucher_group:
        return NO_GROUP
    try:
        price(known_group(directory, programme.voucher_group), currency, amount_minor)
    except VoucherRefused as refused:
        return _reason(refused)
    return None


def _reason(refused: VoucherRefused) -> Reason:
    if refused.fault is VoucherFault.UNKNOWN_GROUP:
        return NO_GROUP
    return Reason(_REASONS.get(refused.fault, "NARR"), refused.faults[0].sentence)


def _rejections(faults: Mapping[int, Reason]) -> list[Update]:
    return [Update(index, InstructionStatus.RJCT, faults[index]) for index in sorted(faults)]


def _open(status: ChunkStatus) -> list[int]:
    return [index for index in range(len(status.codes)) if outcome(status.status(index)) is Outcome.ONGOING]


def _order(batch: Batch, chunk: Chunk, status: ChunkStatus) -> Order:
    """The order of a chunk's vouchers: the same on every repetition."""
    wanted = [
        Wanted(
            status.executor.removeprefix(_EXECUTOR),
            chunk.currency,
            credit.amount_minor,
            credit.instruction_id,
            credit.payee_functional_id,
            credit.narration,
        )
        for credit in (chunk.credits[index] for index in _open(status))
    ]
    return Order(
        Caller(BULK, batch.source),
        f"{batch.ref}/{chunk.id.number}",
        wanted,
        VoucherState.ACTIVATED,
        batch=batch.ref,
        chunk=chunk.id.number,
        programme=batch.programme,
        funded=False,
    )


async def _tell(services: Services, batch: Batch, chunk: Chunk, issued: Sequence[Issued]) -> None:
    """Tell the Source BB of its vouchers, with their numbers sealed for it, where it can be told."""
    directory = await services.store.directory.load()
    source = directory.sources.get(batch.source)
    target = batch.callback if batch.callback.url else CallbackTarget(source.callback_url if source else "")
    if not target.url:
        return None
    name = f"vouchers-{batch.ref}-{chunk.id.number}"
    try:
        reader = correspondent(directory, batch.source)
        sealed = await asyncio.to_thread(lambda: [sealed_number(reader, one.serial, one.number) for one in issued])
    except Refused as refused:
        event = Event(services.clock(), "isogate", "voucher details not sent", "worker", str(refused), name)
        return await services.store.events.add(batch.ref, event)
    listed = zip(issued, sealed, strict=True)
    body = creation_body(derived_request_id("vouchers", batch.ref, str(chunk.id.number)), batch.batch_id, listed)
    await notices.notify(services, name, target, body)
    return None


async def _ended(services: Services, account: LotAccount) -> dict[str, VoucherState]:
    """Find the lot's vouchers that ended unused, by instruction id; those that are late expire for good."""
    vouchers = services.store.vouchers
    found = await vouchers.read(range(account.first, account.last + 1))
    mine = [one for one in found if one is not None and one.lot == account.lot.id and one.state in _RETURNED]
    late = [one.serial for one in mine if one.state is VoucherState.EXPIRED]
    moved = await vouchers.move(Command.EXPIRE, late, actor=ISOGATE.actor, now=services.clock()) if late else []
    alive = {one.serial for one in moved if one.state is not VoucherState.EXPIRED}
    return {one.instruction_id: one.state for one in mine if one.serial not in alive}

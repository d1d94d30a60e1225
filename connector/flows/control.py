"""What an operator may do to a batch: cancel it before anything was sent, or repeat what failed."""

import hashlib
from typing import Final

from connector.domain.batch import FINISHED, Batch, BatchState
from connector.domain.chunk import Chunk, ChunkStatus, Dispatch, advance_all, moved
from connector.domain.errors import NotFound, NotPermitted, Unavailable
from connector.domain.event import Event
from connector.domain.instruction import CreditInstruction, Reason
from connector.domain.status import OUTCOME_OF_BYTE, InstructionStatus, Outcome
from connector.flows import tasks
from connector.flows.change import change
from connector.flows.debulk import nowhere
from connector.flows.intake import Submission, submit
from connector.flows.services import Services

CANCELLED: Final = Reason("CUST", "Cancelled before it was sent.")
MOST_ROUNDS: Final = 20
_NOT_STARTED: Final = frozenset({BatchState.ACCEPTED, BatchState.SCHEDULED, BatchState.AWAITING_AUTHORISATION})


async def cancel(services: Services, ref: str, actor: str, origin: str) -> None:
    """Cancel a batch of which nothing was sent yet; raises ``NotFound``, ``NotPermitted``.

    One that is not running becomes CANCELLED. In a running one every payment is cancelled by itself, and the batch
    is then COMPLETED; where sending begins meanwhile, what was sent continues and ``NotPermitted`` says so.
    """
    for _ in range(MOST_ROUNDS):
        batch, progress = await services.store.batches.read(ref)
        if progress.state is BatchState.RUNNING:
            return await _cancel_running(services, batch, actor, origin)
        if progress.state not in _NOT_STARTED:
            raise NotPermitted("batch", ref, progress.state)
        if await _cancel_whole(services, batch, progress.state, actor, origin):
            return None
    raise Unavailable("batch", "it changes all the time")


async def _cancel_whole(services: Services, batch: Batch, state: BatchState, actor: str, origin: str) -> bool:
    now = services.clock()
    return await services.store.batches.move(
        batch.ref,
        state,
        BatchState.CANCELLED,
        then=[tasks.release(batch), *tasks.notify(batch, "final")],
        event=Event(now, actor, "batch cancelled", origin, "ok"),
        reason=f"NARR {CANCELLED.information}",
        now=now,
    )


async def _cancel_running(services: Services, batch: Batch, actor: str, origin: str) -> None:
    """First look, then touch: a batch of which anything was sent stays as it is."""
    batches = services.store.batches
    for number in await batches.chunk_numbers(batch.ref):
        if (await batches.chunk_status(batch.ref, number)).attempts:
            raise NotPermitted("batch", batch.ref, "being sent")
    await services.store.events.add(batch.ref, Event(services.clock(), actor, "cancellation", origin, "ok"))
    for number in range(batch.slices):
        await cancel_slice(services, batch, number)
    sent = [
        number for number in await batches.chunk_numbers(batch.ref) if not await _cancelled(services, batch, number)
    ]
    if sent:
        raise NotPermitted("batch", batch.ref, f"sent in part ({len(sent)} chunks)")


async def cancel_slice(services: Services, batch: Batch, number: int) -> None:
    """A slice that is not resolved yet becomes chunks that go nowhere."""
    try:
        instructions = await services.store.batches.slice(batch.ref, number)
    except NotFound:
        return
    now = services.clock()
    first = number * batch.slice_size
    chunks = nowhere(batch.ref, number, first, instructions, (InstructionStatus.CANC, CANCELLED), now)
    await services.store.batches.resolved(
        batch.ref,
        number,
        chunks,
        then=[tasks.settle(batch, chunk) for chunk, _ in chunks],
        then_if_finished=tasks.notify(batch, "final"),
        now=now,
    )


async def _cancelled(services: Services, batch: Batch, number: int) -> bool:
    """Cancel a chunk that is still ready; False where it has left."""
    now = services.clock()

    def close(status: ChunkStatus) -> ChunkStatus:
        if status.dispatch is not Dispatch.READY:
            return status
        return moved(advance_all(status, InstructionStatus.CANC, CANCELLED, now), Dispatch.CLOSED, now)

    chunk, status = await services.store.batches.chunk(batch.ref, number)
    status, _ = await change(services, batch, chunk, status, close)
    return status.dispatch is Dispatch.CLOSED and not status.attempts


async def retry(services: Services, ref: str, actor: str, origin: str) -> Batch:
    """Repeat the failed instructions of a finished batch as a new one; a second call gives the same new batch.

    A batch is repeated once: what fails again is repeated from the new batch, so that nobody is paid twice.
    Payees are looked up anew. Raises ``NotFound``, ``NotPermitted`` (still running, nothing failed, or it pays for
    vouchers: those are free again, and may have been redeemed elsewhere since).
    """
    batch, progress = await services.store.batches.read(ref)
    if batch.redeems:
        raise NotPermitted("batch", ref, "for vouchers, which are free again")
    if progress.state not in FINISHED:
        raise NotPermitted("batch", ref, progress.state)
    failed = await _failed(services, batch)
    if not failed:
        raise NotPermitted("batch", ref, "without failed payments")
    again = await submit(services, _repetition(batch, failed, origin))
    event = Event(services.clock(), actor, "failed payments repeated", origin, "ok", f"as {again.ref}")
    await services.store.events.add(ref, event)
    return again


def _repetition(batch: Batch, failed: list[CreditInstruction], origin: str) -> Submission:
    """The sender's id of the new batch is derived from the old reference."""
    names = "\n".join(instruction.instruction_id for instruction in failed)
    return Submission(
        contract=batch.contract,
        kind=batch.kind,
        source=batch.source,
        request_id=batch.request_id,
        batch_id=f"{batch.ref}-R",
        instructions=failed,
        digest=hashlib.sha256(f"{batch.ref}\n{names}".encode()).hexdigest(),
        programme=batch.programme,
        callback=batch.callback,
        priority=batch.priority,
        origin=origin,
        retry_of=batch.ref,
    )


async def _failed(services: Services, batch: Batch) -> list[CreditInstruction]:
    """Collect the failed instructions in the batch's order: of chunks, and of slices that never ran."""
    batches = services.store.batches
    failed: list[CreditInstruction] = []
    for number in await batches.chunk_numbers(batch.ref):
        chunk, status = await batches.chunk(batch.ref, number)
        failed += _failed_of(chunk, status)
    for number in range(batch.slices):
        try:
            failed += await batches.slice(batch.ref, number)
        except NotFound:
            continue
    return failed


def _failed_of(chunk: Chunk, status: ChunkStatus) -> list[CreditInstruction]:
    return [
        CreditInstruction(
            credit.instruction_id,
            credit.payee_functional_id,
            credit.amount_minor,
            chunk.currency,
            credit.narration,
            *(("", "", "") if credit.named is None else (credit.address, *credit.named)),
        )
        for credit, code in zip(chunk.credits, status.codes, strict=True)
        if OUTCOME_OF_BYTE[code] is Outcome.FAILED
    ]

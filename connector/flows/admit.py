"""Step 2: decide whether and when a batch runs: execution date, funds, the payer bank's word."""

from collections.abc import Sequence
from typing import Final

from connector.channels import Declined
from connector.domain.batch import Batch, BatchKind, BatchState
from connector.domain.directory import Programme
from connector.domain.errors import Refused
from connector.domain.event import Event
from connector.flows import tasks
from connector.flows.compose import authorisation
from connector.flows.routing import way_of
from connector.flows.services import Services
from connector.flows.times import attempt_of, backoff
from connector.store import Entry, Task

WAITING: Final = frozenset({BatchState.ACCEPTED, BatchState.SCHEDULED})
AUTHORISATION_LIFE_SECONDS: Final = 90 * 24 * 3600.0
ASK_AGAIN_AT_MOST_SECONDS: Final = 3600.0


async def run(services: Services, entry: Entry) -> None:
    """Schedule, refuse, ask or start the batch; a batch that is past this already is left alone."""
    store = services.store
    batch, progress = await store.batches.read(entry.task.batch)
    if progress.state not in WAITING:
        return await store.queue.done(entry)
    if batch.execute_at > services.clock():
        return await _schedule(services, batch, progress.state, entry)
    try:
        way = way_of(await store.directory.load(), batch.programme, batch.kind)
    except Refused as refused:
        return await refuse(services, batch, progress.state, f"AG01 {refused.faults[0].sentence}", entry)
    if batch.kind is BatchKind.DISBURSEMENT and (short := await _reserve(services, batch, way.programme)):
        reason = f"AM04 The programme's budget in {short} is not enough."
        return await refuse(services, batch, progress.state, reason, entry)
    if batch.kind is BatchKind.DISBURSEMENT and way.programme.authorisation:
        asking = [tasks.authorise(batch, number) for number in range(len(batch.expected))]
        return await _move(
            services,
            batch,
            (progress.state, BatchState.AWAITING_AUTHORISATION),
            asking,
            entry,
            "authorisation needed",
        )
    return await start(services, batch, progress.state, entry)


async def authorise(services: Services, entry: Entry) -> None:
    """Ask for the payer bank's word on one currency, and again after a while until it has come."""
    store, number = services.store, entry.task.number
    batch, progress = await store.batches.read(entry.task.batch)
    if progress.state is not BatchState.AWAITING_AUTHORISATION:
        return await store.queue.done(entry)
    if await _granted(services, batch, number):  # a crash may have come between the last yes and the start
        await _start_if_granted(services, batch)
        return await store.queue.done(entry)
    way = way_of(await store.directory.load(), batch.programme, batch.kind)
    answer = await services.channels.authorise(way.executor, authorisation(batch, number, way))
    if isinstance(answer, Declined):
        return await refuse(services, batch, progress.state, f"AG01 {answer.sentence}", entry)
    attempt = attempt_of(entry)
    delay = backoff(services.terms(way.executor).answer_seconds, attempt, ASK_AGAIN_AT_MOST_SECONDS)
    again = tasks.authorise(batch, number, due_at=services.clock() + delay, attempt=attempt + 1)
    return await store.queue.done(entry, [again])


async def grant(services: Services, batch: Batch, number: int) -> None:
    """Note the bank's yes to one currency, and start the batch when it was the last one."""
    await services.store.records.put("authorisation", f"{batch.ref}/{number}", "Y", AUTHORISATION_LIFE_SECONDS)
    await _start_if_granted(services, batch)


async def start(services: Services, batch: Batch, state: BatchState, entry: Entry | None = None) -> None:
    """Let the batch run: resolve its slices, and tell the Source BB how it goes from time to time."""
    interval = services.settings.progress_interval_seconds
    then = tasks.resolve_all(batch)
    if interval > 0:
        then += tasks.progress(batch, services.clock() + interval)
    await _move(services, batch, (state, BatchState.RUNNING), then, entry, "batch started")


async def refuse(
    services: Services, batch: Batch, state: BatchState, reason: str, entry: Entry | None = None
) -> None:
    """Refuse the batch as a whole; reason: an ISO reason code, a space and a sentence."""
    then = [tasks.release(batch), *tasks.notify(batch, "final")]
    await _move(services, batch, (state, BatchState.REFUSED), then, entry, "batch refused", reason)


async def release(services: Services, entry: Entry) -> None:
    """Give back what a refused or cancelled batch had reserved."""
    batch, progress = await services.store.batches.read(entry.task.batch)
    await services.store.funds.release(batch.programme, batch.ref, progress.state)
    await services.store.queue.done(entry)


async def _start_if_granted(services: Services, batch: Batch) -> None:
    for number in range(len(batch.expected)):
        if not await _granted(services, batch, number):
            return
    await start(services, batch, BatchState.AWAITING_AUTHORISATION)


async def _reserve(services: Services, batch: Batch, programme: Programme) -> str:
    amounts = {currency: tally.minor for currency, tally in batch.expected.items()}
    return await services.store.funds.reserve(programme.id, batch.ref, amounts, programme.open_budget)


async def _granted(services: Services, batch: Batch, number: int) -> bool:
    return await services.store.records.get("authorisation", f"{batch.ref}/{number}") is not None


async def _schedule(services: Services, batch: Batch, state: BatchState, entry: Entry) -> None:
    timer = tasks.admit(batch, batch.execute_at)
    if state is BatchState.SCHEDULED:  # woken early, as when the clock was set back
        return await services.store.queue.done(entry, [timer])
    return await _move(services, batch, (state, BatchState.SCHEDULED), [timer], entry, "batch scheduled")


async def _move(  # noqa: PLR0913, PLR0917 (one commit: what becomes true together is said together)
    services: Services,
    batch: Batch,
    step: tuple[BatchState, BatchState],
    then: Sequence[Task],
    entry: Entry | None,
    action: str,
    reason: str = "",
) -> None:
    """Commit one change of state; where somebody else was faster, only the entry is struck off."""
    now = services.clock()
    event = Event(now, "isogate", action, "worker", "ok", reason)
    move = services.store.batches.move
    if not await move(batch.ref, *step, then=then, event=event, done=entry, reason=reason, now=now) and entry:
        await services.store.queue.done(entry)

"""Step 3: look up where the payees of a slice want their money, and cut the slice into chunks."""

import asyncio

from connector.domain.batch import Batch, BatchState
from connector.domain.beneficiary import Beneficiary
from connector.domain.chunk import UNROUTED, Chunk, ChunkStatus
from connector.domain.errors import NotFound
from connector.domain.event import Event
from connector.domain.instruction import CreditInstruction
from connector.flows import tasks
from connector.flows.debulk import Debulk
from connector.flows.routing import way_of
from connector.flows.services import Services
from connector.store import Entry, Task


async def run(services: Services, entry: Entry) -> None:
    """Resolve one slice; one that was resolved before, or whose batch does not run, is left alone."""
    store, number = services.store, entry.task.number
    batch, progress = await store.batches.read(entry.task.batch)
    if progress.state is not BatchState.RUNNING:
        return await store.queue.done(entry)
    try:
        instructions = await store.batches.slice(batch.ref, number)
    except NotFound:
        return await store.queue.done(entry)
    directory = await store.directory.load()
    way = way_of(directory, batch.programme, batch.kind)
    found = await _payees(services, batch.source, instructions)
    now = services.clock()
    vouchers = bool(way.programme.voucher_group)
    debulk = Debulk(directory, services.terms(way.executor).transactions, vouchers=vouchers)

    def cut() -> list[tuple[Chunk, ChunkStatus]]:
        with services.stages.measure("debulk", len(instructions)):
            return debulk.slice(batch.ref, number, number * batch.slice_size, instructions, found, now)

    chunks = await asyncio.to_thread(cut)
    done = await store.batches.resolved(
        batch.ref,
        number,
        chunks,
        then=[_next(batch, chunk) for chunk, _ in chunks],
        event=Event(now, "isogate", "slice resolved", "worker", "ok", f"slice {number}, {len(chunks)} chunks"),
        done=entry,
        then_if_finished=tasks.notify(batch, "final"),
        now=now,
    )
    return None if done else await store.queue.done(entry)


def _next(batch: Batch, chunk: Chunk) -> Task:
    """What is to be done about a chunk."""
    if chunk.institution == UNROUTED:
        return tasks.settle(batch, chunk)
    todo = tasks.issue_vouchers if chunk.by_voucher else tasks.dispatch
    return todo(batch, chunk.id.number)


async def _payees(services: Services, source: str, instructions: list[CreditInstruction]) -> list[Beneficiary | None]:
    """Ask the mapper once for all whose address the batch does not name itself."""
    asked = [instruction.payee_functional_id for instruction in instructions if not instruction.address]
    answers = iter(await services.store.mapper.resolve(source, asked) if asked else ())
    return [None if instruction.address else next(answers) for instruction in instructions]

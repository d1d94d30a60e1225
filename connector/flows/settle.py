"""Step 6: apply a chunk's outcome to the programme's funds. Absolute per chunk, so that a repeat changes nothing."""

from connector.domain.batch import BatchKind
from connector.domain.chunk import tallies
from connector.domain.status import Outcome
from connector.flows.services import Services
from connector.store import Entry


async def run(services: Services, entry: Entry) -> None:
    """Tell the funds what of the chunk was spent, and what is free again."""
    store, number = services.store, entry.task.number
    batch, _ = await store.batches.read(entry.task.batch)
    if batch.kind is BatchKind.DISBURSEMENT:
        chunk, status = await store.batches.chunk(batch.ref, number)
        counted = tallies(chunk, status)
        released = counted[Outcome.FAILED].minor + counted[Outcome.RETURNED].minor
        spent = counted[Outcome.COMPLETED].minor
        await store.funds.settle(batch.programme, batch.ref, number, status.version, chunk.currency, spent, released)
    await store.queue.done(entry)

"""Step 6: apply a chunk's outcome to the programme's funds. Absolute per chunk, so that a repeat changes nothing.

What a chunk for redeemed vouchers has come to decides those redemptions: their money is reserved with the vouchers.
"""

from connector.domain.batch import Batch, BatchKind
from connector.domain.chunk import Chunk, ChunkStatus, tallies
from connector.domain.status import Outcome
from connector.flows.services import Services
from connector.flows.vouchers import payout
from connector.store import Entry


async def run(services: Services, entry: Entry) -> None:
    """Tell the funds, or the redemptions, what of the chunk was spent, and what is free again."""
    store, number = services.store, entry.task.number
    batch, _ = await store.batches.read(entry.task.batch)
    if batch.kind is BatchKind.DISBURSEMENT:
        chunk, status = await store.batches.chunk(batch.ref, number)
        applied = payout.decide if batch.redeems else _settle
        await applied(services, batch, chunk, status)
    await store.queue.done(entry)


async def _settle(services: Services, batch: Batch, chunk: Chunk, status: ChunkStatus) -> None:
    counted, number = tallies(chunk, status), chunk.id.number
    released = counted[Outcome.FAILED].minor + counted[Outcome.RETURNED].minor
    spent, settle = counted[Outcome.COMPLETED].minor, services.store.funds.settle
    await settle(batch.programme, batch.ref, number, status.version, chunk.currency, spent, released)

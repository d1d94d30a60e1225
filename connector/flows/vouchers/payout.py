"""Step "payout": pay the merchants of many redemptions by one batch; and decide redemptions as their payments end."""

from connector.domain.batch import Batch
from connector.domain.chunk import Chunk, ChunkStatus
from connector.flows.services import Services
from connector.store import Entry


async def run(services: Services, entry: Entry) -> None:
    """Make the batches of one closing of the payout lists."""
    raise NotImplementedError


async def decide(services: Services, batch: Batch, chunk: Chunk, status: ChunkStatus) -> None:
    """Decide the redemptions that a chunk pays, as far as its payments are final; repeatable."""
    raise NotImplementedError

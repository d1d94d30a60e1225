"""Batches and chunks for the tests of the store."""

from connector.domain.batch import Batch, BatchKind, BatchState
from connector.domain.chunk import Chunk, ChunkStatus, Tally, fresh
from connector.domain.event import Event
from connector.domain.ids import ChunkId, batch_reference
from connector.domain.instruction import Credit, CreditInstruction
from connector.store import Store, Task
from connector.store.staging import pack

ACCOUNT = "10777123456"
TOKEN = "t0"


def event(action: str = "batch accepted") -> Event:
    return Event(1.0, "TREASURY", action, "127.0.0.1", "ok")


def instructions(amounts: list[int], currency: str = "USD") -> list[CreditInstruction]:
    return [CreditInstruction(f"I{n}", f"P{n}", minor, currency, "", ACCOUNT) for n, minor in enumerate(amounts)]


def batch_of(name: str, slices: list[list[int]], **changes: object) -> Batch:
    amounts = [minor for part in slices for minor in part]
    facts = {
        "ref": batch_reference("govstack-v1", "TREASURY", name),
        "kind": BatchKind.DISBURSEMENT,
        "contract": "govstack-v1",
        "source": "TREASURY",
        "request_id": f"R-{name}",
        "batch_id": name,
        "programme": "PENSIONS",
        "digest": "d1",
        "slices": len(slices),
        "expected": {"USD": Tally(len(amounts), sum(amounts))},
        "accepted_at": 1_800_000_000.0,
    }
    return Batch(**(facts | changes))


def chunk_of(ref: str, number: int, amounts: list[int]) -> tuple[Chunk, ChunkStatus]:
    credits = tuple(
        Credit(n, f"I{n}", f"I{n}", f"P{n}", minor, ACCOUNT, "Ada Example", "") for n, minor in enumerate(amounts)
    )
    return Chunk(ChunkId(ref, number), "UNIOXU22", "00", "USD", credits), fresh(len(amounts))


async def staged(store: Store, batch: Batch, number: int, amounts: list[int], token: str = TOKEN) -> None:
    """A slice that waits for its batch."""
    await store.staging.put(batch.ref, token, number, pack(instructions(amounts)).packed)


async def created(store: Store, name: str, slices: list[list[int]], **changes: object) -> Batch:
    """A batch in state ACCEPTED, with a task to admit it."""
    batch = batch_of(name, slices, **changes)
    for number, amounts in enumerate(slices):
        await staged(store, batch, number, amounts)
    assert await store.batches.create(batch, [Task("admit", batch.ref)], event(), token=TOKEN) is None
    return batch


async def running(store: Store, name: str, slices: list[list[int]]) -> Batch:
    """A batch of one chunk a slice, all resolved."""
    batch = await created(store, name, slices)
    assert await store.batches.move(batch.ref, BatchState.ACCEPTED, BatchState.RUNNING)
    for number, amounts in enumerate(slices):
        pair = chunk_of(batch.ref, number * 1000, amounts)
        assert await store.batches.resolved(batch.ref, number, [pair], now=2.0)
    return batch

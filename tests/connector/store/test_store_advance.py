"""Chunks under competing writers: no update is lost, none counts twice, and the batch completes exactly once."""

import asyncio
from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from store_samples import running

from connector.domain.batch import BatchState
from connector.domain.chunk import Chunk, ChunkStatus, Update, advance, tallies
from connector.domain.status import InstructionStatus, Outcome
from connector.store import EmbeddedServer, Keyring, Store, Task

SLICES = [[1, 2, 2**60], [10, 20, 30]]
NUMBERS = st.sampled_from([0, 1000])
WRITERS = st.sampled_from(["a", "b", "c"])
UPDATES = st.lists(st.builds(Update, st.integers(0, 2), st.sampled_from(InstructionStatus)), min_size=1, max_size=3)


async def commit(store: Store, ref: str, chunk: Chunk, old: ChunkStatus, updates: Sequence[Update]) -> bool | None:
    """What a worker does with a report; ``None`` where it changes nothing."""
    new = advance(old, updates, 5.0)
    if new is old:
        return None
    return await store.batches.advance(
        ref, chunk.id.number, old.version, new, tallies(chunk, old), tallies(chunk, new), "USD",
        then_if_finished=[Task("notify", ref)], now=5.0,
    )  # fmt: skip


async def test_racing_reports_all_arrive(store: Store) -> None:
    batch = await running(store, "B1", [[1] * 40])

    async def report(position: int) -> int:
        tries = 0
        while True:
            tries += 1
            chunk, status = await store.batches.chunk(batch.ref, 0)
            if await commit(store, batch.ref, chunk, status, [Update(position, InstructionStatus.ACSC)]):
                return tries

    tries = await asyncio.gather(*(report(position) for position in range(40)))
    _, progress = await store.batches.read(batch.ref)
    assert progress.totals["USD"][Outcome.COMPLETED].payments == 40
    assert progress.state is BatchState.COMPLETED
    assert (await store.batches.chunk_status(batch.ref, 0)).version == 40
    assert (await store.queue.depth())["notify"] == 1
    assert sum(tries) > 40  # they did meet


class ChunkMachine(RuleBasedStateMachine):
    """Writers that read at one time and write at another."""

    url: str
    keys: Keyring

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = self.runner.run(Store.connect(self.url, keys=self.keys, clock=lambda: 0.0))

    @initialize()
    def begin(self) -> None:
        self.runner.run(self.store.link.ask("FLUSHALL"))
        self.ref = self.runner.run(running(self.store, "B1", SLICES)).ref
        self.model = {number: self.runner.run(self.store.batches.chunk(self.ref, number)) for number in (0, 1000)}
        self.held: dict[tuple[str, int], ChunkStatus] = {}

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()

    @rule(writer=WRITERS, number=NUMBERS)
    def read(self, writer: str, number: int) -> None:
        self.held[writer, number] = self.runner.run(self.store.batches.chunk_status(self.ref, number))

    @rule(writer=WRITERS, number=NUMBERS, updates=UPDATES)
    def write(self, writer: str, number: int, updates: list[Update]) -> None:
        chunk, current = self.model[number]
        old = self.held.get((writer, number), current)
        done = self.runner.run(commit(self.store, self.ref, chunk, old, updates))
        assert done in {None, old.version == current.version}
        if done:
            self.model[number] = chunk, advance(old, updates, 5.0)

    @rule(number=NUMBERS, status=st.sampled_from([InstructionStatus.ACSC, InstructionStatus.RJCT]))
    def finish(self, number: int, status: InstructionStatus) -> None:
        self.held.pop(("z", number), None)
        self.write("z", number, [Update(position, status) for position in range(3)])

    @invariant()
    def store_is_the_model(self) -> None:
        expected = [tallies(*pair) for pair in self.model.values()]
        _, progress = self.runner.run(self.store.batches.read(self.ref))
        for outcome, total in progress.totals["USD"].items():
            assert total.payments == sum(part[outcome].payments for part in expected)
            assert total.minor == sum(part[outcome].minor for part in expected)
        settled = all(status.settled for _, status in self.model.values())
        assert progress.state is (BatchState.COMPLETED if settled else BatchState.RUNNING)
        assert self.runner.run(self.store.queue.depth()).get("notify", 0) == settled
        for number, (_, status) in self.model.items():
            assert self.runner.run(self.store.batches.chunk_status(self.ref, number)) == status


def test_chunks_follow_the_model_whatever_happens(store_server: EmbeddedServer, keyring: Keyring) -> None:
    machine = type("Machine", (ChunkMachine,), {"url": store_server.url, "keys": keyring})
    run_state_machine_as_test(machine, settings=settings(max_examples=30, stateful_step_count=20, deadline=None))

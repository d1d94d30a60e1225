"""A batch's commits: each happens once, whole or not at all, and the totals always add up."""

import asyncio

import pytest
from store_samples import TOKEN, batch_of, chunk_of, created, event, instructions, running, staged

from connector.domain.batch import BatchKind, BatchState
from connector.domain.chunk import Tally, advance_all, tallies
from connector.domain.errors import Misconfigured, NotFound, NotPermitted, Refused
from connector.domain.instruction import Reason
from connector.domain.status import InstructionStatus, Outcome
from connector.store import Store, Task

pytestmark = pytest.mark.cluster

S = InstructionStatus
HUGE = 2**60 + 1


async def test_a_created_batch_is_read_back(store: Store) -> None:
    batch = await created(store, "B1", [[100, HUGE], [5]])
    read, progress = await store.batches.read(batch.ref)
    assert read == batch
    assert progress.state is BatchState.ACCEPTED
    assert progress.totals["USD"][Outcome.ONGOING] == Tally(3, HUGE + 105)
    assert await store.batches.slice(batch.ref, 1) == instructions([5])
    assert [found.action for found in await store.events.of(batch.ref)] == ["batch accepted"]
    assert (await store.queue.depth())["admit"] == 1


async def test_creating_again_gives_what_was_there_and_changes_nothing(store: Store) -> None:
    batch = await created(store, "B1", [[100]])
    await staged(store, batch, 0, [999])
    again = batch_of("B1", [[999]], digest="other")
    assert await store.batches.create(again, [Task("admit", batch.ref)], event(), token=TOKEN) == batch
    assert await store.batches.slice(batch.ref, 0) == instructions([100])
    assert (await store.queue.depth())["admit"] == 1


async def test_of_many_creators_one_wins(store: Store) -> None:
    batch = batch_of("B1", [[1]])
    await staged(store, batch, 0, [1])
    results = await asyncio.gather(
        *(store.batches.create(batch, [Task("admit", batch.ref)], event(), token=TOKEN) for _ in range(9))
    )
    assert results.count(None) == 1
    assert (await store.queue.depth())["admit"] == 1


async def test_a_batch_without_one_of_its_slices_is_not_created(store: Store) -> None:
    batch = batch_of("B1", [[1], [2]])
    await staged(store, batch, 0, [1])
    with pytest.raises(NotFound):
        await store.batches.create(batch, [], event(), token=TOKEN)
    with pytest.raises(NotFound):
        await store.batches.read(batch.ref)


async def test_slices_live_for_a_day_until_the_batch_is_created(store: Store) -> None:
    batch = batch_of("B1", [[1]])
    await staged(store, batch, 0, [1])
    [waiting] = await store.link.ask("KEYS", "*:staged:*")
    assert 0 < await store.link.ask("TTL", waiting) <= 86_400
    await store.batches.create(batch, [], event(), token=TOKEN)
    assert await store.link.ask("EXISTS", waiting) == 0
    assert await store.link.ask("TTL", store.keyspace.slice(batch.ref, 0)) == -1


async def test_slices_of_two_senders_with_one_batch_id_are_not_mixed(store: Store) -> None:
    one, other = batch_of("B1", [[1]], digest="d1"), batch_of("B1", [[2]], digest="d2")
    await staged(store, one, 0, [1], "d1")
    await staged(store, one, 0, [2], "d2")
    assert await store.batches.create(one, [], event(), token="d1") is None
    assert await store.batches.create(other, [], event(), token="d2") == one
    assert await store.batches.slice(one.ref, 0) == instructions([1])


async def test_a_sum_beyond_the_counters_is_refused(store: Store) -> None:
    batch = batch_of("B1", [[1]], expected={"USD": Tally(1, 2**63)})
    with pytest.raises(Refused):
        await store.batches.create(batch, [], event(), token=TOKEN)


async def test_a_move_needs_the_expected_state(store: Store) -> None:
    batch = await created(store, "B1", [[1]])
    [entry] = await store.queue.take(["admit"], "w", 1, 0)
    assert not await store.batches.move(
        batch.ref, BatchState.SCHEDULED, BatchState.RUNNING, then=[Task("resolve", batch.ref)], done=entry
    )
    assert (await store.queue.depth()).get("resolve", 0) == 0
    assert await store.batches.move(
        batch.ref, BatchState.ACCEPTED, BatchState.RUNNING, then=[Task("resolve", batch.ref)], done=entry
    )
    depth = await store.queue.depth()
    assert (depth["admit"], depth["resolve"]) == (0, 1)


async def test_a_step_outside_the_table_is_not_permitted(store: Store) -> None:
    with pytest.raises(NotPermitted):
        await store.batches.move("A" * 20, BatchState.COMPLETED, BatchState.RUNNING)


@pytest.mark.parametrize("end", [BatchState.REFUSED, BatchState.CANCELLED])
async def test_a_stopped_batch_has_failed_as_a_whole(store: Store, end: BatchState) -> None:
    batch = await created(store, "B1", [[1, HUGE], [3]])
    assert await store.batches.move(batch.ref, BatchState.ACCEPTED, end, reason="no funds", now=9.0)
    _, progress = await store.batches.read(batch.ref)
    assert progress.totals["USD"][Outcome.FAILED] == Tally(3, HUGE + 4)
    assert progress.totals["USD"][Outcome.ONGOING] == Tally(0, 0)
    assert (progress.state, progress.reason, progress.finished_at) == (end, "no funds", 9.0)


async def test_a_slice_is_resolved_once(store: Store) -> None:
    batch = await created(store, "B1", [[1, HUGE]])
    await store.batches.move(batch.ref, BatchState.ACCEPTED, BatchState.RUNNING)
    pair = chunk_of(batch.ref, 0, [1, HUGE])
    then = [Task("dispatch", batch.ref)]
    results = await asyncio.gather(
        *(store.batches.resolved(batch.ref, 0, [pair], then=then, now=2.0) for _ in range(5))
    )
    assert results.count(True) == 1
    assert (await store.queue.depth())["dispatch"] == 1
    assert await store.batches.chunk(batch.ref, 0) == pair
    assert await store.batches.chunk_status(batch.ref, 0) == pair[1]
    with pytest.raises(NotFound):
        await store.batches.slice(batch.ref, 0)


async def test_a_slice_of_a_batch_that_does_not_run_is_not_resolved(store: Store) -> None:
    batch = await created(store, "B1", [[1]])
    assert not await store.batches.resolved(batch.ref, 0, [chunk_of(batch.ref, 0, [1])], now=2.0)
    assert await store.batches.chunk_numbers(batch.ref) == []


async def test_a_batch_whose_instructions_all_fail_routing_completes_when_resolved(store: Store) -> None:
    batch = await created(store, "B1", [[1], [2]])
    await store.batches.move(batch.ref, BatchState.ACCEPTED, BatchState.RUNNING)
    finished = [Task("notify", batch.ref)]
    for number, amount in enumerate([1, 2]):
        chunk, status = chunk_of(batch.ref, number * 1000, [amount])
        failed = advance_all(status, S.RJCT, Reason("BE01"), 2.0)
        await store.batches.resolved(
            batch.ref, number, [(chunk, failed)], then_if_finished=finished, now=3.0 + number
        )
    _, progress = await store.batches.read(batch.ref)
    assert (progress.state, progress.finished_at, progress.resolved) == (BatchState.COMPLETED, 4.0, 2)
    assert progress.totals["USD"][Outcome.FAILED] == Tally(2, 3)
    assert (await store.queue.depth())["notify"] == 1


async def test_a_stale_version_changes_nothing(store: Store) -> None:
    batch = await running(store, "B1", [[1, 2]])
    chunk, status = await store.batches.chunk(batch.ref, 0)
    paid = advance_all(status, S.ACSC, None, 5.0)
    before, after = tallies(chunk, status), tallies(chunk, paid)
    assert await store.batches.advance(batch.ref, 0, 0, paid, before, after, "USD", now=5.0)
    assert not await store.batches.advance(
        batch.ref, 0, 0, paid, before, after, "USD", then=[Task("notify", batch.ref)], event=event("again"), now=6.0
    )
    _, progress = await store.batches.read(batch.ref)
    assert progress.totals["USD"][Outcome.COMPLETED] == Tally(2, 3)
    assert (progress.state, progress.finished_at) == (BatchState.COMPLETED, 5.0)
    assert "again" not in {found.action for found in await store.events.of(batch.ref)}
    assert (await store.queue.depth()).get("notify", 0) == 0


async def test_a_return_after_completion_moves_totals_and_finishes_nothing(store: Store) -> None:
    batch = await running(store, "B1", [[1, 2]])
    chunk, status = await store.batches.chunk(batch.ref, 0)
    finished = [Task("notify", batch.ref)]
    for then in (S.ACSC, S.RTND):
        new = advance_all(status, then, None, 5.0)
        assert await store.batches.advance(
            batch.ref, 0, status.version, new, tallies(chunk, status), tallies(chunk, new), "USD",
            then_if_finished=finished, now=5.0,
        )  # fmt: skip
        status = new
    _, progress = await store.batches.read(batch.ref)
    assert progress.totals["USD"][Outcome.RETURNED] == Tally(2, 3)
    assert progress.state is BatchState.COMPLETED
    assert (await store.queue.depth())["notify"] == 1


async def test_a_commit_takes_no_task_of_another_partition(store: Store) -> None:
    batch = await created(store, "B1", [[1]])
    other = next(f"X{n}" for n in range(99) if store.keyspace.home(f"X{n}") != store.keyspace.home(batch.ref))
    with pytest.raises(ValueError, match="partition"):
        await store.batches.move(batch.ref, BatchState.ACCEPTED, BatchState.RUNNING, then=[Task("resolve", other)])


async def test_lists_are_newest_first_and_filtered(store: Store) -> None:
    refs = [(await created(store, f"B{n}", [[1]], accepted_at=100.0 + n)).ref for n in range(12)]
    relief = (await created(store, "C", [[1]], accepted_at=50.0, programme="RELIEF")).ref
    await store.batches.move(refs[3], BatchState.ACCEPTED, BatchState.RUNNING)
    assert await store.batches.find(newest=5) == refs[:6:-1]
    assert await store.batches.find(newest=2, before=105.0) == [refs[4], refs[3]]
    assert await store.batches.find(programme="RELIEF", source="TREASURY") == [relief]
    assert await store.batches.find(state="running") == [refs[3]]
    assert refs[3] not in await store.batches.find(state="accepted")
    assert await store.batches.find(source="NOBODY") == []


async def test_a_batch_is_found_by_the_senders_id(store: Store) -> None:
    first = await created(store, "B1", [[1]], accepted_at=100.0)
    other = await created(store, "Z", [[1]], accepted_at=200.0, batch_id="B1", source="HEALTH")
    assert await store.batches.by_sender_id("B1") == other.ref
    assert await store.batches.by_sender_id("B1", "TREASURY") == first.ref
    assert await store.batches.by_sender_id("B2") is None


async def test_a_payment_goes_before_the_prevalidation_of_the_same_batch_id(store: Store) -> None:
    paid = await created(store, "B1", [[1]], accepted_at=100.0)
    await created(store, "V1", [[1]], accepted_at=200.0, batch_id="B1", kind=BatchKind.PREVALIDATION)
    assert await store.batches.by_sender_id("B1") == paid.ref


async def test_a_sealed_chunk_does_not_open_in_anothers_place(store: Store) -> None:
    batch = await running(store, "B1", [[1], [2]])
    keys = store.keyspace
    await store.link.ask("COPY", keys.chunk(batch.ref, 0), keys.chunk(batch.ref, 1000), "REPLACE")
    with pytest.raises(Misconfigured):
        await store.batches.chunk(batch.ref, 1000)

"""The queue hands each task to one worker, urgent ones first, and loses none."""

import asyncio
from collections import Counter

import pytest

from connector.store import Store, Task

pytestmark = pytest.mark.cluster

STEPS = ("resolve", "dispatch")


async def test_a_task_comes_back_as_it_was_put(store: Store) -> None:
    task = Task("dispatch", "B1", 7, 5, data='{"x": "é"}')
    await store.queue.put([task])
    [entry] = await store.queue.take(STEPS, "w1", 10, 0)
    assert entry.task == task
    assert entry.deliveries == 1


async def test_urgent_tasks_go_first_wherever_they_are(store: Store) -> None:
    await store.queue.put([Task("dispatch", f"B{n}") for n in range(20)])
    await store.queue.put([Task("resolve", "late", priority=1)])
    [entry] = await store.queue.take(STEPS, "w1", 1, 0)
    assert entry.task.batch == "late"


async def test_only_the_named_steps_are_taken(store: Store) -> None:
    await store.queue.put([Task("notify", "B1"), Task("resolve", "B1")])
    taken = await store.queue.take(STEPS, "w1", 10, 0)
    assert [entry.task.step for entry in taken] == ["resolve"]


@pytest.mark.parametrize("count", [1, 3, 8, 20])
async def test_no_more_than_asked_for_and_none_twice(store: Store, count: int) -> None:
    tasks = [Task("dispatch", f"B{n}") for n in range(50)]
    await store.queue.put(tasks)
    seen = []
    while taken := await store.queue.take(STEPS, "w1", count, 0):
        assert len(taken) <= count
        seen += [entry.task for entry in taken]
    assert Counter(seen) == Counter(tasks)


async def test_workers_share_without_overlap(store: Store) -> None:
    tasks = [Task("dispatch", f"B{n}") for n in range(200)]
    await store.queue.put(tasks)

    async def work(name: str) -> list[Task]:
        done = []
        while taken := await store.queue.take(STEPS, name, 5, 0):
            done += [entry.task for entry in taken]
        return done

    shares = await asyncio.gather(*(work(f"w{n}") for n in range(4)))
    assert Counter(task for share in shares for task in share) == Counter(tasks)


async def test_waiting_ends_when_a_task_arrives(store: Store) -> None:
    waiting = asyncio.create_task(store.queue.take(STEPS, "w1", 4, 4.0))
    await store.queue.take(STEPS, "w2", 1, 0)  # the streams are there now
    await store.queue.put([Task("resolve", "B1", 3)])
    [entry] = await asyncio.wait_for(waiting, 3)
    assert entry.task == Task("resolve", "B1", 3)


async def test_waiting_ends_without_a_task(store: Store) -> None:
    assert await store.queue.take(STEPS, "w1", 4, 0.01) == []


async def test_an_emptied_store_gets_its_streams_again(store: Store) -> None:
    assert await store.queue.take(STEPS, "w1", 4, 0.01) == []
    await store.link.ask("FLUSHALL")
    assert await store.queue.take(STEPS, "w1", 4, 0.01) == []
    await store.queue.put([Task("resolve", "B1")])
    assert len(await store.queue.take(STEPS, "w1", 4, 0.01)) == 1


async def test_a_dead_workers_tasks_are_taken_over_and_counted(store: Store) -> None:
    await store.queue.put([Task("dispatch", "B1"), Task("resolve", "B2")])
    assert len(await store.queue.take(STEPS, "dead", 10, 0)) == 2
    assert await store.queue.take_over("heir", 60.0, 10) == []
    taken = await store.queue.take_over("heir", 0.0, 10)
    assert {entry.task.batch for entry in taken} == {"B1", "B2"}
    assert {entry.deliveries for entry in taken} == {2}
    assert await store.queue.take(STEPS, "heir", 10, 0) == []


async def test_a_worker_that_starts_again_goes_on_with_its_own_tasks_at_once(store: Store) -> None:
    await store.queue.put([Task("dispatch", f"B{n}") for n in range(6)])
    mine = await store.queue.take(STEPS, "w1", 3, 0)
    others = await store.queue.take(STEPS, "w2", 3, 0)
    again = await store.queue.resume("w1", STEPS)
    assert {entry.task for entry in again} == {entry.task for entry in mine}
    assert {entry.deliveries for entry in again} == {2}
    assert not {entry.task for entry in others} & {entry.task for entry in again}
    assert await store.queue.resume("w3", STEPS) == []


async def test_take_over_keeps_to_steps_and_count(store: Store) -> None:
    await store.queue.put([Task("dispatch", f"B{n}") for n in range(6)] + [Task("resolve", "B9")])
    await store.queue.take(STEPS, "dead", 100, 0)
    await store.queue.take(STEPS, "dead", 100, 0)
    assert len(await store.queue.take_over("heir", 0.0, 4, ["dispatch"])) == 4
    assert [entry.task.step for entry in await store.queue.take_over("heir", 0.0, 4, ["resolve"])] == ["resolve"]


async def test_take_over_finds_a_dead_workers_task_behind_many_live_ones(store: Store) -> None:
    await store.queue.put([Task("dispatch", "B1", n) for n in range(300)])
    entries = []
    while taken := await store.queue.take(STEPS, "live", 100, 0):
        entries += taken
    last = max(entries, key=lambda entry: tuple(map(int, entry.id.split("-"))))
    await store.link.ask("XCLAIM", last.stream, "workers", "dead", 0, last.id, "IDLE", 90_000)
    [found] = await store.queue.take_over("heir", 60.0, 1)
    assert found.task == last.task


async def test_what_is_done_is_gone_also_when_said_twice(store: Store) -> None:
    await store.queue.put([Task("dispatch", "B1")])
    [entry] = await store.queue.take(STEPS, "w1", 1, 0)
    await store.queue.done(entry)
    await store.queue.done(entry)
    assert await store.queue.take_over("heir", 0.0, 10) == []
    assert (await store.queue.depth())["dispatch"] == 0


async def test_timers_wait_until_they_are_due_and_wake_once(store: Store, clock) -> None:
    task = Task("inquire", "B1", 4, due_at=clock() + 30)
    await store.queue.put([task])
    assert await store.queue.take(["inquire"], "w1", 1, 0) == []
    assert await store.queue.depth() == {"timers": 1}
    assert await store.queue.wake_due(clock() + 29.9) == 0
    assert await store.queue.wake_due(clock() + 30) == 1
    assert await store.queue.wake_due(clock() + 30) == 0
    [entry] = await store.queue.take(["inquire"], "w1", 1, 0)
    assert entry.task == task


async def test_an_equal_timer_is_moved_not_doubled(store: Store, clock) -> None:
    await store.queue.put([Task("inquire", "B1", due_at=clock() + 30)])
    await store.queue.put([Task("inquire", "B1", due_at=clock() + 60)])
    assert await store.queue.wake_due(clock() + 45) == 0
    assert await store.queue.wake_due(clock() + 60) == 1


async def test_a_step_that_names_no_stream_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        await store.queue.put([Task("no such:step", "B1")])


async def test_what_follows_is_appended_in_the_step_that_strikes_the_entry_off(store: Store, clock) -> None:
    await store.queue.put([Task("admit", "B1")])
    (entry,) = await store.queue.take(("admit",), "w", 5, 0.0)
    await store.queue.done(entry, [Task("resolve", "B1"), Task("inquire", "B1", due_at=clock() + 5)])
    depth = await store.queue.depth()
    assert (depth["admit"], depth["resolve"], depth["timers"]) == (0, 1, 1)


async def test_who_waits_is_woken_though_another_left_a_stream_named_as_ready(store: Store) -> None:
    await store.queue.put([Task("resolve", "B1")])
    assert len(await store.queue.take(STEPS, "w1", 1, 0)) == 1  # as many as were asked for: there may be more
    waiting = asyncio.create_task(store.queue.take(STEPS, "w2", 1, 4.0))
    assert await store.queue.take(STEPS, "w3", 1, 0.05) == []
    await store.queue.put([Task("resolve", "B1", 2)])
    [entry] = await asyncio.wait_for(waiting, 3)
    assert entry.task.number == 2


async def test_tasks_of_a_version_that_named_no_streams_as_ready_are_found(store: Store) -> None:
    await store.queue.put([Task("resolve", "B1")])
    await store.link.ask("DEL", f"{store.keyspace.home('B1')}:ready")
    assert len(await store.queue.take(STEPS, "w1", 4, 0)) == 1


async def test_who_takes_urgent_tasks_alone_is_woken_by_them_alone(store: Store) -> None:
    urgent = asyncio.create_task(store.queue.take(STEPS, "w1", 2, 4.0, urgent_only=True))
    every = asyncio.create_task(store.queue.take(["resolve"], "w1", 2, 4.0))
    await asyncio.sleep(0.05)
    await store.queue.put([Task("resolve", "B1")])
    [entry] = await asyncio.wait_for(every, 3)
    assert entry.task.batch == "B1"
    assert not urgent.done()
    await store.queue.put([Task("dispatch", "B2", priority=0)])
    [entry] = await asyncio.wait_for(urgent, 3)
    assert entry.task.batch == "B2"


async def test_urgent_tasks_that_never_end_do_not_stop_all_others(store: Store) -> None:
    await store.queue.put([Task("dispatch", f"B{number}") for number in range(3)])
    taken = []
    for turn in range(32):
        await store.queue.put([Task("dispatch", f"U{turn}", priority=0)])
        for entry in await store.queue.take(("dispatch",), "w1", 1, 0.0):
            taken.append(entry.task)
            await store.queue.done(entry)
    assert [place for place, task in enumerate(taken) if not task.urgent] == [7, 15, 23]

"""The worker: it carries everything through, stops cleanly, takes over from the dead and buries what is poisoned."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from flow_world import World, pay, person

from connector.channels import gate
from connector.domain.batch import BatchState
from connector.domain.chunk import Dispatch
from connector.domain.errors import Misconfigured, Unavailable
from connector.flows import status, steps
from connector.flows.worker import Worker
from connector.store import Task


async def until(condition, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 (the condition is in the store)
            await asyncio.sleep(0.01)


def finished(world: World, ref: str):
    async def ask() -> bool:
        return (await status.summary(world.services, ref)).progress.state is BatchState.COMPLETED

    return ask


async def waiting(world: World) -> bool:
    """Whether all that is left is one timer."""
    depth = await world.services.store.queue.depth()
    return depth["timers"] == sum(depth.values()) == 1


async def idle(world: World) -> bool:
    return not sum((await world.services.store.queue.depth()).values())


async def running(world: World, condition, **settings: object) -> None:
    """Let a worker run until the condition holds, then stop it."""
    services = replace(world.services, settings=replace(world.services.settings, **settings))
    stop = asyncio.Event()
    work = asyncio.create_task(Worker(services, "worker-1").run(stop))
    try:
        await until(condition)
    finally:
        stop.set()
        await asyncio.wait_for(work, 5)


async def test_a_worker_carries_batches_to_their_end(world: World) -> None:
    await world.onboard(*(person(number) for number in range(60)))
    first = await world.submit(*(pay(number) for number in range(60)), callback=world.callback)
    second = await world.submit(pay(1), batch_id="B2", request_id="R2", priority=0)

    async def told() -> bool:
        return (
            bool(world.fsp.callbacks) and await finished(world, first.ref)() and await finished(world, second.ref)()
        )

    await running(world, told)
    assert len({message.message_id for message in world.fsp.messages}) == 7


async def test_a_dead_workers_entry_is_taken_over(world: World) -> None:
    await world.onboard(person(1))
    batch = await world.submit(pay(1))
    assert len(await world.services.store.queue.take(("admit",), "dead", 5, 0.0)) == 1
    await running(world, finished(world, batch.ref), take_over_after_seconds=0.05)


async def test_a_poisoned_entry_is_set_aside_and_tried_again_when_it_is_mended(
    world: World, clock, monkeypatch
) -> None:
    async def crash(*_: object) -> None:
        raise ZeroDivisionError

    await world.onboard(person(1))
    batch = await world.submit(pay(1))
    with monkeypatch.context() as patch:
        patch.setitem(steps.STEPS, "admit", steps.Step("admit", crash, 5))
        await running(world, lambda: waiting(world), take_over_after_seconds=0.01, deliveries=2)
    events = await status.events(world.services, batch.ref)
    said = [event.action for event in events]
    assert said[:2] == ["batch accepted", "set aside"]  # once more, where so short a patience lets two set it aside
    assert set(said[2:]) <= {"set aside"}
    letter = await world.services.store.records.get("dead-letter", f"admit-{batch.ref}-0")
    assert letter is not None
    clock.pass_seconds(601)
    await running(world, finished(world, batch.ref))


@pytest.mark.parametrize("error", [TimeoutError(), Misconfigured("store", 0, "", "a key is missing")])
async def test_what_is_not_the_entrys_fault_does_not_count_against_it(
    world: World, clock, monkeypatch, error: Exception
) -> None:
    async def fail(*_: object) -> None:
        raise error

    await world.onboard(person(1))
    batch = await world.submit(pay(1))
    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setitem(steps.STEPS, "admit", steps.Step("admit", fail, 5))
            await running(world, lambda: waiting(world), deliveries=1)
        clock.pass_seconds(61)
    await running(world, finished(world, batch.ref))


async def test_the_store_being_away_for_a_while_loses_nothing(world: World, monkeypatch) -> None:
    tries = []

    async def away_twice(services, entry) -> None:
        tries.append(entry)
        if len(tries) < 3:
            raise Unavailable("store", "away")
        await services.store.queue.done(entry)

    monkeypatch.setitem(steps.STEPS, "admit", steps.Step("admit", away_twice, 5))
    await world.services.store.queue.put([Task("admit", "ANY")])
    await running(world, lambda: idle(world))
    assert len(tries) == 3


async def test_a_batch_waits_while_its_bank_is_not_connected(world: World, clock) -> None:
    await world.onboard(person(1))
    batch = await world.submit(pay(1))
    await steps.STEPS["admit"].run(world.services, (await world.take("admit"))[0])
    bank = (await world.services.store.directory.load()).institutions["TREAXU22"]
    await world.services.store.directory.save_institution(replace(bank, url=""))

    async def put_off() -> bool:
        return (await world.services.store.queue.depth()).get("timers", 0) == 1

    await running(world, put_off)
    await world.services.store.directory.save_institution(bank)
    clock.pass_seconds(61)
    await running(world, finished(world, batch.ref))


async def test_a_message_whose_turn_never_came_is_sent_later_without_a_question(world, clock, monkeypatch) -> None:
    monkeypatch.setattr(gate, "LONGEST_WAIT_SECONDS", 0.05)
    await world.onboard(person(1))
    batch = await world.submit(pay(1))
    bank = (await world.services.store.directory.load()).institutions["TREAXU22"]
    async with AsyncExitStack() as others:
        for _ in range(bank.in_flight - 1):
            await others.enter_async_context(world.services.channels.gates.through(bank))
        await running(world, lambda: waiting(world))
        [number] = await world.services.store.batches.chunk_numbers(batch.ref)
        chunk = await world.services.store.batches.chunk_status(batch.ref, number)
        assert (chunk.dispatch, chunk.attempts) == (Dispatch.READY, 0)
    clock.pass_seconds(6)
    await running(world, finished(world, batch.ref))
    assert len(world.fsp.messages) == 1
    assert not world.fsp.inquiries
    assert not world.fsp.asked


async def test_an_idle_worker_stops_at_once(world: World) -> None:
    async def at_once() -> bool:
        return True

    async with asyncio.timeout(2):
        await running(world, at_once)


async def test_a_worker_that_is_told_to_stop_begins_nothing_when_a_hand_is_free_again(
    world: World, monkeypatch
) -> None:
    begun, let_go, stop = [], asyncio.Event(), asyncio.Event()

    async def until_let_go(services, entry) -> None:
        begun.append(entry)
        await let_go.wait()
        await services.store.queue.done(entry)

    async def busy() -> bool:
        return bool(begun)

    monkeypatch.setitem(steps.STEPS, "admit", steps.Step("admit", until_let_go, 5))
    await world.services.store.queue.put([Task("admit", f"ANY{number}") for number in range(3)])
    work = asyncio.create_task(Worker(world.services, "worker-1", 1).run(stop))
    await until(busy)
    stop.set()
    let_go.set()
    await asyncio.wait_for(work, 5)
    assert len(begun) == 1


async def test_a_worker_that_left_more_behind_than_it_has_hands_for_finishes_it(world: World, monkeypatch) -> None:
    finished, others_may_finish = [], asyncio.Event()

    async def one_before_the_others(services, entry) -> None:
        if finished:
            await others_may_finish.wait()
        finished.append(entry)
        await services.store.queue.done(entry)

    async def after_that() -> bool:
        if finished:
            others_may_finish.set()
        return await idle(world)

    monkeypatch.setitem(steps.STEPS, "admit", steps.Step("admit", one_before_the_others, 5))
    await world.services.store.queue.put([Task("admit", f"ANY{number}") for number in range(9)])
    left: list[object] = []
    while len(left) < 9:  # before it was killed
        left += await world.services.store.queue.take(("admit",), "worker-1", 9, 0.0)
    await running(world, after_that)
    assert len(finished) == 9

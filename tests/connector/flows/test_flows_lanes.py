"""A worker whose hands are full of other work still does what is urgent, and calls Source BBs back."""

import asyncio
import threading

import pytest
from flow_world import World

from connector.domain.urgency import URGENT
from connector.flows import steps
from connector.flows.threads import Threads
from connector.flows.worker import Worker
from connector.store import Task

HANDS = 8


@pytest.mark.parametrize("task", [Task("dispatch", "URGENT", priority=0), Task("callback", "NORMAL")])
async def test_hands_that_are_full_do_not_keep_others_waiting(world: World, monkeypatch, task: Task) -> None:
    let_go, begun, done = asyncio.Event(), [], asyncio.Event()

    async def long(services, entry) -> None:
        if entry.task == task:
            assert URGENT.get() is task.urgent
            done.set()
        else:
            begun.append(entry)
            await let_go.wait()
        await services.store.queue.done(entry)

    for name in ("dispatch", "callback"):
        monkeypatch.setitem(steps.STEPS, name, steps.STEPS[name]._replace(run=long))
    await world.services.store.queue.put([Task("dispatch", f"LARGE{number}") for number in range(3 * HANDS)])
    stop = asyncio.Event()
    work = asyncio.create_task(Worker(world.services, "worker-1", HANDS).run(stop))
    async with asyncio.timeout(10):
        while len(begun) < HANDS:  # noqa: ASYNC110 (the worker's own pace)
            await asyncio.sleep(0.01)
        await world.services.store.queue.put([task])
        await done.wait()
        assert len(begun) == HANDS
        let_go.set()
        while len(begun) < 3 * HANDS:  # noqa: ASYNC110 (the worker's own pace)
            await asyncio.sleep(0.01)
        stop.set()
        await work


async def test_urgent_work_has_threads_of_its_own() -> None:
    threads, let_go = Threads(2), threading.Event()
    asyncio.get_running_loop().set_default_executor(threads)
    busy = [asyncio.create_task(asyncio.to_thread(let_go.wait)) for _ in range(5)]
    await asyncio.sleep(0)
    URGENT.set(True)
    try:
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(URGENT.get)
    finally:
        let_go.set()
        await asyncio.gather(*busy)

"""Several workers on one store: they share a batch evenly, and an institution gets no more at once than it may."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from aiohttp import web
from flow_world import World, pay, person

from connector.channels import Channels
from connector.domain.batch import BatchState
from connector.flows import status, steps
from connector.flows.worker import Worker
from connector.store import Entry

CHUNKS = 40
CREDITS = 2


async def large_batch(world: World) -> str:
    """A batch of many chunks, for a bank that takes two messages at once."""
    institutions = (await world.services.store.directory.load()).institutions
    bank = replace(institutions["TREAXU22"], chunk_size=CREDITS, in_flight=2)
    await world.services.store.directory.save_institution(bank)
    numbers = range(CHUNKS * CREDITS)
    await world.onboard(*map(person, numbers))
    return (await world.submit(*map(pay, numbers))).ref


async def work_together(world: World, ref: str, workers: int) -> None:
    """Let workers, each with channels of its own as in a process of its own, carry a batch to its end."""
    stop = asyncio.Event()

    async def work(name: str) -> None:
        services = world.services
        async with Channels(
            services.engine, connector_url=world.url, timeout_seconds=5, places=services.store.places, owner=name
        ) as channels:
            await Worker(replace(services, channels=channels), name).run(stop)

    working = [asyncio.create_task(work(f"worker-{number}")) for number in range(workers)]
    try:
        async with asyncio.timeout(20):
            while (await status.summary(world.services, ref)).progress.state is not BatchState.COMPLETED:  # noqa: ASYNC110 (it is in the store)
                await asyncio.sleep(0.02)
    finally:
        stop.set()
        await asyncio.gather(*working)


async def test_no_institution_gets_more_at_once_than_it_may_from_all_workers_together(world: World) -> None:
    inside, most = 0, 0

    async def take_time(_: object) -> web.Response | None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.01)
        inside -= 1
        return None

    world.fsp.meanwhile = take_time
    await work_together(world, await large_batch(world), workers=3)
    assert len(world.fsp.messages) == CHUNKS
    assert most == 2


async def test_workers_share_a_batch_evenly(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    carried: Counter[str] = Counter()
    real = steps.STEPS["dispatch"]

    async def counted(services, entry: Entry) -> None:
        carried[services.channels.gates.owner] += 1
        await real.run(services, entry)

    monkeypatch.setitem(steps.STEPS, "dispatch", real._replace(run=counted))
    await work_together(world, await large_batch(world), workers=2)
    assert sum(carried.values()) == CHUNKS
    assert min(carried.values()) >= CHUNKS // 4

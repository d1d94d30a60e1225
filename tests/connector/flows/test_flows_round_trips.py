"""What a slice and a chunk cost in round trips, messages and bytes: exact numbers, which no machine bends.

Who changes them on purpose changes them here; who does not has found out in time.
"""

from dataclasses import replace

import pytest
from flow_world import pay, person

from connector.flows.steps import STEPS

PEOPLE = 40


@pytest.fixture
async def trips(world, monkeypatch):
    """Round trips to the store by step, one number a run of the step."""
    counted, by_step = [0], {}
    link = world.services.store.link
    send = link._send

    async def counting(commands):
        counted[0] += 1
        return await send(commands)

    def watched(name, step):
        async def run(services, entry):
            before = counted[0]
            await step.run(services, entry)
            by_step.setdefault(name, []).append(counted[0] - before)

        return step._replace(run=run)

    monkeypatch.setattr(link, "_send", counting)
    for name, step in list(STEPS.items()):
        monkeypatch.setitem(STEPS, name, watched(name, step))
    return by_step


async def paid(world, people, slice_size):
    world.services = replace(world.services, settings=replace(world.services.settings, slice_size=slice_size))
    await world.onboard(*(person(number) for number in range(people)))
    batch = await world.submit(*(pay(number) for number in range(people)))
    await world.carry()
    return batch


@pytest.mark.parametrize("slice_size", [10, 20, 40])
async def test_round_trips_depend_on_slices_and_chunks_not_on_payments(world, trips, slice_size):
    await paid(world, PEOPLE, slice_size)
    slices = PEOPLE // slice_size
    assert trips == {"admit": [4], "resolve": [5] * slices, "dispatch": [5] * slices, "settle": [4] * slices}


@pytest.mark.parametrize("slice_size", [10, 40])
async def test_a_chunk_is_one_message(world, slice_size):
    await paid(world, PEOPLE, slice_size)
    assert len(world.fsp.messages) == PEOPLE // slice_size
    assert sum(len(message.transfers) for message in world.fsp.messages) == PEOPLE


async def test_a_paid_batch_keeps_few_bytes_a_payment(world):
    people = 2000
    batch = await paid(world, people, people)
    link = world.services.store.link
    keys = await link.ask("KEYS", f"*:batch:{batch.ref}*")
    kept = sum(await link.ask_all([("MEMORY", "USAGE", key) for key in keys]))
    assert kept / people < 60

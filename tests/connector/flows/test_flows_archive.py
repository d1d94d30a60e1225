"""Archived by the worker's clock, a batch is told of, recalled, returned and repeated as if it were in the store."""

from dataclasses import replace

import pytest
from flow_world import World, pay, person

from connector.domain.batch import Batch
from connector.domain.errors import Misconfigured, Unavailable
from connector.flows import archive, control, status
from connector.flows.services import FlowSettings
from connector.store import Task

DAY = 86_400.0


@pytest.fixture
def world(world: World) -> World:
    """Batches are archived a day after they are finished."""
    shorter: FlowSettings = replace(world.services.settings, archive_after_seconds=DAY)
    world.services = replace(world.services, settings=shorter)
    return world


async def paid(world: World, people: int = 12, **fields: object) -> Batch:
    await world.onboard(*(person(number) for number in range(people)))
    world.fsp.reject = {pay(1).instruction_id: "AC04", pay(7).instruction_id: "AC06"}
    batch = await world.submit(*(pay(number) for number in range(people)), **fields)
    await world.carry()
    return batch


async def is_archived(world: World, batch: Batch) -> bool:
    return (await world.services.store.batches.read(batch.ref))[1].archived_at > 0


async def test_the_clock_archives_what_has_been_finished_for_long_enough(world: World) -> None:
    batch = await paid(world)
    await archive.arm(world.services)
    world.services.clock.pass_seconds(DAY - archive.INTERVAL_SECONDS)
    assert await world.carry() == [archive.CLOCK]
    assert not await is_archived(world, batch)
    world.services.clock.pass_seconds(2 * archive.INTERVAL_SECONDS)
    assert await world.carry() == [archive.CLOCK]
    assert await is_archived(world, batch)
    assert (await world.services.store.queue.depth())["timers"] == 1


async def test_nothing_is_archived_by_itself_where_that_is_switched_off(world: World) -> None:
    world.services = replace(world.services, settings=FlowSettings())
    batch = await paid(world)
    await archive.arm(world.services)
    assert (await world.services.store.queue.depth()).get("timers", 0) == 0
    await world.services.store.queue.put([Task(archive.CLOCK, archive.CLOCK)])
    world.services.clock.pass_seconds(10 * DAY)
    await world.carry()
    assert not await is_archived(world, batch)


async def test_an_identical_batch_is_still_a_repeat(world: World) -> None:
    batch = await paid(world)
    await world.archive()
    again = await world.submit(*(pay(number) for number in range(12)))
    assert again.ref == batch.ref
    assert await world.carry() == []


async def test_the_failed_payments_of_an_archived_batch_are_repeated(world: World) -> None:
    batch = await paid(world)
    await world.archive()
    again = await control.retry(world.services, batch.ref, "operator", "test")
    assert again.count == 2
    assert [event.action for event in await status.events(world.services, batch.ref)][
        -1
    ] == "failed payments repeated"


async def test_a_batch_that_cannot_be_read_is_an_alert_and_the_others_are_archived(world: World) -> None:
    broken = await paid(world)
    sound = await paid(world, request_id="REQ000000002", batch_id="BATCH0000002")
    store = world.services.store
    await store.link.ask("HSET", f"{store.keyspace.batch(broken.ref)}:status", 0, b"\x04test" + bytes(40))
    swept = await world.archive()
    assert (swept.batches, swept.payments, swept.waiting) == (1, 12, 1)
    assert await is_archived(world, sound)
    assert not await is_archived(world, broken)
    assert [event.action for event in await status.events(world.services, broken.ref)][-1] == "alert: not archived"
    assert await store.archiving.awaiting(world.services.clock() - 1, 10) == []


async def test_a_file_on_a_disk_that_is_away_does_not_keep_the_others_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, sound = await paid(world), await paid(world, request_id="REQ000000002", batch_id="BATCH0000002")
    archiving = world.services.store.archiving
    archived = archiving.archive_batch

    async def tried(ref: str, *others: object) -> bool:
        if ref == away.ref:
            raise Unavailable("archive", "the disk is away")
        return await archived(ref, *others)

    monkeypatch.setattr(archiving, "archive_batch", tried)
    swept = await world.archive()
    assert (swept.batches, swept.waiting) == (1, 1)
    assert await is_archived(world, sound)
    assert [event.action for event in await status.events(world.services, away.ref)][-1] == "alert: not archived"


async def test_the_log_does_not_end_with_archived_where_that_failed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = await paid(world)
    store = world.services.store

    def full(*_: object) -> int:
        raise Misconfigured("archive", 0, "", "cannot be written: No space left on device")

    monkeypatch.setattr("connector.store.archive_file.Draft.publish", full)
    with pytest.raises(Misconfigured):
        await archive.archive_now(store, batch.ref, "operator", "test", world.services.clock())
    last = (await status.events(world.services, batch.ref))[-1]
    assert (last.action, last.outcome) == ("not archived", "archive: cannot be written: No space left on device")
    assert not await is_archived(world, batch)


async def test_a_turn_ends_after_so_many_payments_and_the_next_begins_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_PAYMENTS", 12)
    batches = [await paid(world, request_id=f"REQ00000000{n}", batch_id=f"BATCH000000{n}") for n in range(3)]
    await archive.arm(world.services)
    world.services.clock.pass_seconds(DAY + 60)
    assert await world.carry() == [archive.CLOCK] * 4
    assert all([await is_archived(world, batch) for batch in batches])


FILTERS = ("", "failed", "completed", "RJCT", "ACSC,RJCT", "ongoing", "returned")


async def test_every_page_of_payments_is_the_same_before_and_after(world: World) -> None:
    batch = await paid(world, 23)
    places = [(page, size, asked) for page in range(4) for size in (1, 2, 7, 10, 50) for asked in FILTERS]

    async def told() -> list[object]:
        return [
            await status.details(world.services, batch.ref, page=page, size=size, status=asked)
            for page, size, asked in places
        ]

    before = await told()
    await world.archive()
    assert await told() == before
    assert any(before)


async def test_payments_of_a_batch_that_was_cancelled_before_it_ran_are_told_from_the_file(world: World) -> None:
    await world.onboard(person(0))
    batch = await world.submit(*(pay(number) for number in range(12)), execute_at=world.services.clock() + DAY)
    await world.carry()
    await control.cancel(world.services, batch.ref, "operator", "test")
    before = await status.details(world.services, batch.ref, page=0, size=50)
    assert len(before) == 12
    await world.carry()
    await world.archive()
    assert await is_archived(world, batch)
    assert await status.details(world.services, batch.ref, page=0, size=50) == before
    assert (await control.retry(world.services, batch.ref, "operator", "test")).count == 12

"""The archive: old used vouchers leave the store for files without secrets or persons, and can still be asked for."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from flow_world import World
from issue_world import DAY, MINISTRY, food, with_groups

from connector.domain.errors import Misconfigured, NotPermitted, Unavailable
from connector.domain.voucher import Command, Issued, VoucherFault, VoucherRefused, VoucherState
from connector.flows.vouchers import purge as purging
from connector.flows.vouchers import queries, sweep
from connector.flows.vouchers.issue import issue
from connector.flows.vouchers.lifecycle import change
from connector.flows.vouchers.purge import purge
from connector.store.vouchers import Vouchers


@pytest.fixture
async def old(world: World, tmp_path: Path, clock) -> list[Issued]:
    """Three vouchers of which the first two were cancelled forty days ago."""
    await with_groups(world)
    settings = replace(world.services.settings, voucher_archive=str(tmp_path / "archive"))
    world.services = replace(world.services, settings=settings)
    wanted = food(payee_functional_id="PERSON-7", narration="for Ada", instruction_id="I1")
    vouchers = await issue(world.services, MINISTRY, "R1", [wanted] * 3)
    await change(world.services, MINISTRY, Command.CANCEL, [one.serial for one in vouchers[:2]])
    await world.carry()
    clock.pass_seconds(40 * DAY)
    return vouchers


async def test_old_vouchers_are_archived_and_found_by_their_serial(world: World, old, tmp_path) -> None:
    assert await purge(world.services, 41 * DAY) == (0, 0)
    before = await queries.history(world.services, old[0].serial)
    assert await purge(world.services, 30 * DAY) == (2, 1)
    assert await purge(world.services, 30 * DAY) == (0, 0)
    shown = await queries.voucher(world.services, old[0].serial)
    assert (shown.state, shown.amount_minor, shown.instruction_id) == (VoucherState.PURGED, 500, "I1")
    assert (await queries.history(world.services, old[0].serial))[: len(before)] == before
    assert await queries.redemptions(world.services, old[0].serial) == []
    with pytest.raises(VoucherRefused) as refused:
        await queries.by_number(world.services, old[0].number)
    assert refused.value.fault is VoucherFault.UNKNOWN_NUMBER
    assert (await queries.voucher(world.services, old[2].serial)).state is VoucherState.PRE_ACTIVATED
    [file] = (tmp_path / "archive").rglob("*.gz")
    text = gzip.decompress(file.read_bytes()).decode()
    assert len(text.splitlines()) == 2
    assert not any(secret in text for secret in (old[0].number, old[1].number, "PERSON-7", "Ada"))


async def test_a_crash_between_file_and_store_loses_nothing(world: World, old, monkeypatch) -> None:
    async def crash(*_args, **_named):
        raise Unavailable("store", "gone")

    with monkeypatch.context() as patch:
        patch.setattr(Vouchers, "purge", crash)
        with pytest.raises(Unavailable):
            await purge(world.services, 30 * DAY)
    assert (await queries.voucher(world.services, old[0].serial)).state is VoucherState.CANCELLED
    assert await purge(world.services, 30 * DAY) == (2, 1)
    assert (await queries.voucher(world.services, old[1].serial)).state is VoucherState.PURGED


async def test_later_vouchers_join_those_of_their_block(world: World, old, clock, tmp_path) -> None:
    await purge(world.services, 30 * DAY)
    await change(world.services, MINISTRY, Command.CANCEL, [old[2].serial])
    clock.pass_seconds(40 * DAY)
    assert (await purge(world.services, 30 * DAY)).vouchers == 1
    for one in old:
        assert (await queries.voucher(world.services, one.serial)).created_at
    [file] = (tmp_path / "archive").rglob("*.gz")
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(Misconfigured, match="not an archive file"):
        await queries.voucher(world.services, old[0].serial)


async def test_the_retention_purges_by_itself(world: World, old, clock) -> None:
    settings = replace(world.services.settings, voucher_retention_seconds=30 * DAY)
    world.services = replace(world.services, settings=settings)
    await sweep.arm(world.services)
    clock.pass_seconds(3600)
    assert await world.carry() == [purging.CLOCK]
    assert (await queries.voucher(world.services, old[0].serial)).state is VoucherState.PURGED
    assert (await world.services.store.queue.depth())["timers"] == 1


async def test_without_a_folder_nothing_is_purged(world: World) -> None:
    with pytest.raises(NotPermitted):
        await purge(world.services, 0)
    with pytest.raises(Misconfigured):
        await _into(world, Path("/proc/no/such/place"))


async def _into(world: World, folder: Path) -> None:
    await with_groups(world)
    [one] = await issue(world.services, MINISTRY, "R1", [food()])
    await change(world.services, MINISTRY, Command.CANCEL, [one.serial])
    await purge(world.services, -1, folder=folder)

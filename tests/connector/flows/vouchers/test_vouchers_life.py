"""The life of a voucher: changes with their money and history, expiry by the clock, and what may be known of it."""

import json
from dataclasses import replace

import pytest
from flow_world import World
from issue_world import DAY, MINISTRY, STRANGER, food, money, with_groups

from connector.domain.errors import NotPermitted
from connector.domain.voucher import (
    Command,
    Issued,
    Redemption,
    RedemptionState,
    VoucherFault,
    VoucherRefused,
    VoucherState,
)
from connector.flows.vouchers import notices, queries, sweep
from connector.flows.vouchers.issue import issue
from connector.flows.vouchers.lifecycle import change


async def issued(world: World, count: int = 3, **changes: object) -> list[Issued]:
    await with_groups(world, **changes)
    return await issue(world.services, MINISTRY, "R1", [food()] * count)


async def do(world: World, command: Command, *vouchers: Issued) -> list[tuple[VoucherState | None, object, bool]]:
    moved = await change(world.services, MINISTRY, command, [one.serial for one in vouchers])
    return [(one.state, one.fault, one.repeated) for one in moved]


async def test_a_voucher_lives_until_it_is_cancelled_and_its_money_is_free(world: World, clock) -> None:
    one, two, three = await issued(world)
    assert await do(world, Command.ACTIVATE, one, two) == [(VoucherState.ACTIVATED, None, False)] * 2
    assert await do(world, Command.ACTIVATE, one) == [(VoucherState.ACTIVATED, None, True)]
    shown = await queries.voucher(world.services, one.serial)
    assert (shown.activated_at, shown.expires_at, shown.balance_minor) == (clock(), clock() + 10 * DAY, 500)
    await do(world, Command.SUSPEND, one, three)
    assert await do(world, Command.REACTIVATE, one, three) == [
        (VoucherState.ACTIVATED, None, False), (VoucherState.PRE_ACTIVATED, None, False),
    ]  # fmt: skip
    assert await do(world, Command.CANCEL, one) == [(VoucherState.CANCELLED, None, False)]
    assert await do(world, Command.CANCEL, one) == [(VoucherState.CANCELLED, VoucherFault.STATE, False)]
    await world.carry(repeat=True)
    assert await money(world) == (1000, 0, 999_000)
    actions = [(event.actor, event.action) for event in await queries.history(world.services, one.serial)]
    assert [action for _, action in actions][1:] == ["activate", "suspend", "reactivate", "cancel"]
    assert {actor for actor, _ in actions} == {"govstack-v3 MINISTRY"}


async def test_what_is_unknown_or_forbidden_is_said(world: World) -> None:
    [one] = await issued(world, 1)
    [moved] = await change(world.services, MINISTRY, Command.ACTIVATE, [one.serial + 7])
    assert moved.fault is VoucherFault.UNKNOWN_SERIAL
    with pytest.raises(VoucherRefused):
        await change(world.services, STRANGER, Command.ACTIVATE, [one.serial])
    with pytest.raises(NotPermitted):
        await change(world.services, MINISTRY, Command.PURGE, [one.serial])
    for ask in (queries.voucher, queries.history, queries.redemptions):
        with pytest.raises(VoucherRefused) as refused:
            await ask(world.services, one.serial + 7)
        assert refused.value.fault is VoucherFault.UNKNOWN_SERIAL
    with pytest.raises(VoucherRefused):
        await queries.by_number(world.services, "1000000000000000")


async def test_a_thousand_are_changed_at_once(world: World) -> None:
    vouchers = await issued(world, 1500)
    assert {state for state, _, _ in await do(world, Command.ACTIVATE, *vouchers)} == {VoucherState.ACTIVATED}
    [line] = await queries.stock(world.services, "FOOD")
    assert line == ("FOOD", VoucherState.ACTIVATED, "USD", 1500, 750_000)


async def test_the_sweep_lets_vouchers_expire_when_their_time_has_passed(world: World, clock) -> None:
    one, two, three = await issued(world)
    await do(world, Command.ACTIVATE, one, two)
    await do(world, Command.SUSPEND, two)
    clock.pass_seconds(10 * DAY - 1)
    assert await sweep.expire(world.services) == 0
    clock.pass_seconds(1)
    assert (await queries.voucher(world.services, one.serial)).state is VoucherState.EXPIRED
    assert await sweep.expire(world.services) == 2
    assert await sweep.expire(world.services) == 0
    await world.carry()
    states = {(await queries.voucher(world.services, voucher.serial)).state for voucher in (one, two)}
    assert states == {VoucherState.EXPIRED}
    assert (await queries.voucher(world.services, three.serial)).state is VoucherState.PRE_ACTIVATED
    assert await money(world) == (500, 0, 999_500)
    assert (await queries.history(world.services, one.serial))[-1].actor == "isogate isogate"


async def test_the_clock_of_the_sweep_is_one_and_sets_itself_again(world: World, clock) -> None:
    services = replace(world.services, settings=replace(world.services.settings, voucher_sweep_seconds=30.0))
    world.services = services
    await sweep.arm(services)
    await sweep.arm(services)
    assert (await services.store.queue.depth())["timers"] == 1
    [one, *_] = await issued(world)
    await do(world, Command.ACTIVATE, one)
    clock.pass_seconds(10 * DAY)
    assert (await world.carry(repeat=True)).count(sweep.CLOCK) == 1
    assert (await services.store.queue.depth())["timers"] == 1
    clock.pass_seconds(30)
    assert sweep.CLOCK in await world.carry()


async def test_a_callback_is_queued_once_an_identifier(world: World) -> None:
    for _ in range(2):
        await notices.notify(world.services, "created-1", world.callback, '{"a": 1}')
    assert not await notices.notify(world.services, "created-2", notices.CallbackTarget(), "{}")
    await world.carry()
    assert world.fsp.callbacks == [{"a": 1, "callback_id": "created-1"}]


def test_a_receipt_tells_how_a_redemption_ended_and_no_secret() -> None:
    redemption = Redemption(
        "1000000000000001-1", 1000000000000001, RedemptionState.REDEEMED, 12345, "USD", "SHOP", "govstack-v1",
        1_800_000_000.0, "REQ1", "presenter's digest", "", 1_800_000_001.0,
    )  # fmt: skip
    told = json.loads(notices.receipt_body(redemption))
    assert (told["transactionId"], told["value"], told["status"]) == (redemption.id, 123.45, "redeemed")
    assert told["timestamp"] == "2027-01-15T08:00:01+00:00"
    assert "presenter's digest" not in told.values()

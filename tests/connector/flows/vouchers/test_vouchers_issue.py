"""Issuing: all or nothing, once a request, and never beyond the budget."""

import asyncio
import itertools

import pytest
from flow_world import World
from issue_world import DAY, MINISTRY, STRANGER, food, money, with_groups

from connector.domain.errors import Conflict, Refused, Unavailable
from connector.domain.voucher import GOVSTACK_POLICY, VoucherFault, VoucherRefused, VoucherState
from connector.flows.vouchers import queries
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.issue import Wanted, issue, pre_activate, provision, recover
from connector.flows.vouchers.plan import Order, draft
from connector.store import Store
from connector.store.vouchers import Vouchers


async def refusal(awaitable) -> tuple[VoucherFault, str]:
    with pytest.raises(VoucherRefused) as refused:
        await awaitable
    return refused.value.fault, refused.value.faults[0].where


async def test_vouchers_are_issued_in_order_with_numbers_of_their_own(world: World, clock) -> None:
    await with_groups(world)
    wanted = [food(100 + n, instruction_id=f"I{n}", payee_functional_id=f"P{n}", narration="May") for n in range(5)]
    issued = await issue(world.services, MINISTRY, "REQ1", wanted)
    assert [one.amount_minor for one in issued] == [100, 101, 102, 103, 104]
    assert [one.serial - issued[0].serial for one in issued] == [0, 1, 2, 3, 4]
    assert len({one.number for one in issued}) == 5
    assert {one.expires_at for one in issued} == {clock() + 10 * DAY}
    found = await queries.by_number(world.services, issued[3].number)
    assert (found.serial, found.state, found.instruction_id) == (issued[3].serial, VoucherState.PRE_ACTIVATED, "I3")
    assert (found.payee_functional_id, found.narration, found.programme) == ("P3", "May", "PENSIONS")
    assert await money(world) == (510, 0, 999_490)


async def test_a_request_may_be_about_several_groups_and_currencies(world: World) -> None:
    await with_groups(world)
    wanted = [food(100), Wanted("BOOKS", "EUR", 0), food(200), Wanted("FOOD", "EUR", 5)]
    with pytest.raises(VoucherRefused):  # PENSIONS has no euros
        await issue(world.services, MINISTRY, "REQ1", wanted)
    assert await money(world) == (0, 0, 1_000_000)
    issued = await issue(world.services, MINISTRY, "REQ1", wanted[:3])
    assert [(one.group, one.amount_minor, one.currency) for one in issued] == [
        ("FOOD", 100, "USD"), ("BOOKS", 700, "EUR"), ("FOOD", 200, "USD"),
    ]  # fmt: skip
    assert await money(world) == (300, 0, 999_700)
    assert await money(world, "ASKING", "EUR") == (700, 0, 999_300)
    assert await issue(world.services, MINISTRY, "REQ1", wanted[:3]) == issued


async def test_a_repeated_request_gets_the_same_vouchers_and_another_content_is_a_conflict(world: World) -> None:
    await with_groups(world)
    issued = await issue(world.services, MINISTRY, "REQ1", [food(), food(700)])
    assert await issue(world.services, MINISTRY, "REQ1", [food(), food(700)]) == issued
    with pytest.raises(Conflict):
        await issue(world.services, MINISTRY, "REQ1", [food()])
    assert await money(world) == (1200, 0, 998_800)
    others = await issue(world.services, Caller("admin", "MINISTRY"), "REQ1", [food()])
    unnamed = [await issue(world.services, MINISTRY, "", [food()]) for _ in range(2)]
    assert len({one.number for one in [*issued, *others, *unnamed[0], *unnamed[1]]}) == 5


async def test_the_same_request_at_the_same_time_makes_its_vouchers_once(world: World) -> None:
    await with_groups(world)
    results = await asyncio.gather(
        *(issue(world.services, MINISTRY, "REQ1", [food(), food()]) for _ in range(8)), return_exceptions=True
    )
    done = [one for one in results if not isinstance(one, Unavailable)]
    assert done
    assert all(one == done[0] for one in done)
    assert await issue(world.services, MINISTRY, "REQ1", [food(), food()]) == done[0]
    assert await money(world) == (1000, 0, 999_000)


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        (food()._replace(group="NONE"), VoucherFault.UNKNOWN_GROUP),
        (food(0), VoucherFault.AMOUNT),
        (food(-5), VoucherFault.AMOUNT),
        (food(10**15 + 1), VoucherFault.AMOUNT),
        (Wanted("BOOKS", "EUR", 701), VoucherFault.AMOUNT),
        (Wanted("BOOKS", "USD", 700), VoucherFault.CURRENCY),
        (food()._replace(currency="XYZ"), VoucherFault.CURRENCY),
        (food(1_000_001), VoucherFault.BUDGET),
    ],
)
async def test_what_cannot_be_issued_is_refused_whole_and_burns_nothing(
    world: World, wanted: Wanted, fault: VoucherFault
) -> None:
    await with_groups(world)
    good = food() if fault is not VoucherFault.BUDGET else wanted
    found, where = await refusal(issue(world.services, MINISTRY, "REQ1", [good, wanted]))
    assert (found, where) == (fault, "/0" if good is wanted else "/1")
    assert await money(world) == (0, 0, 1_000_000)
    assert await queries.stock(world.services) == []
    assert len(await issue(world.services, MINISTRY, "REQ1", [food()])) == 1  # the request id is free


async def test_only_building_blocks_that_are_known_and_entitled_are_served(world: World) -> None:
    await with_groups(world)
    assert (await refusal(issue(world.services, STRANGER, "R", [food()])))[0] is VoucherFault.UNKNOWN_CALLER
    with pytest.raises(Refused, match="1 to 100000"):
        await issue(world.services, MINISTRY, "R", [])


async def test_a_limit_holds_what_is_out(world: World) -> None:
    await with_groups(world, limit=3)
    await issue(world.services, MINISTRY, "R1", [food(), food()])
    assert (await refusal(issue(world.services, MINISTRY, "R2", [food(), food()])))[0] is VoucherFault.EXHAUSTED
    await issue(world.services, MINISTRY, "R2", [food()])
    assert (await refusal(pre_activate(world.services, MINISTRY, food())))[0] is VoucherFault.EXHAUSTED
    assert (await queries.standing(world.services, "FOOD"))[1:] == (0, 3)


async def test_chosen_numbers_are_kept_and_refused_when_taken(world: World) -> None:
    await with_groups(world)
    [first] = await issue(world.services, MINISTRY, "R1", [food(number="4000000000000001")])
    assert first.number == "4000000000000001"
    two = [food(number="4000000000000002"), food(number="4000000000000001")]
    assert await refusal(issue(world.services, MINISTRY, "R2", two)) == (VoucherFault.NUMBER_TAKEN, "/1")
    twice = [food(number="4000000000000003")] * 2
    assert await refusal(issue(world.services, MINISTRY, "R2", twice)) == (VoucherFault.NUMBER_TAKEN, "/1")
    assert await money(world) == (500, 0, 999_500)
    await issue(world.services, MINISTRY, "R2", [food(number="4000000000000002")])


async def test_a_number_that_is_drawn_twice_is_drawn_anew(world: World, monkeypatch) -> None:
    await with_groups(world)
    draws = itertools.chain([["4000000000000001"]] * 2, [["4000000000000002"]])
    monkeypatch.setattr("connector.flows.vouchers.plan.draw", lambda _, count: next(draws) if count else [])
    issued = [(await issue(world.services, MINISTRY, name, [food()]))[0] for name in ("R1", "R2")]
    assert [one.number for one in issued] == ["4000000000000001", "4000000000000002"]
    assert (await queries.by_number(world.services, "4000000000000002")).serial == issued[1].serial


STAGES = ["next_serials", "claim_numbers", "create"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("late", [False, True])
async def test_a_crash_anywhere_leaves_a_request_that_can_be_completed(
    world: World, monkeypatch, clock, stage: str, late: bool
) -> None:
    """Late: the sweep completes it, before the request is repeated."""
    await with_groups(world)
    real = getattr(Vouchers, stage)

    async def crash(*args, **named):
        await real(*args, **named)
        raise Unavailable("store", "gone")

    with monkeypatch.context() as patch:
        patch.setattr(Vouchers, stage, crash)
        with pytest.raises(Unavailable):
            await issue(world.services, MINISTRY, "REQ1", [food(), food(700)])
    if late:
        clock.pass_seconds(301)
        assert await recover(world.services) == (stage != "next_serials")
    issued = await issue(world.services, MINISTRY, "REQ1", [food(), food(700)])
    assert await money(world) == (1200, 0, 998_800)
    assert [(await queries.by_number(world.services, one.number)).serial for one in issued] == [
        one.serial for one in issued
    ]
    assert await world.services.store.plans.pending(clock() + 1) == []


async def test_what_nobody_can_ask_for_again_is_cancelled_and_its_money_free(
    world: World, monkeypatch, clock
) -> None:
    await with_groups(world)

    async def crash(*_args, **_named):
        raise Unavailable("store", "gone")

    with monkeypatch.context() as patch:
        patch.setattr(Vouchers, "create", crash)
        with pytest.raises(Unavailable):
            await pre_activate(world.services, MINISTRY, food())
    assert await money(world) == (500, 0, 999_500)
    assert await recover(world.services) == 0
    clock.pass_seconds(301)
    assert await recover(world.services) == 1
    await world.carry()
    assert await money(world) == (0, 0, 1_000_000)
    [line] = await queries.stock(world.services)
    assert (line.state, line.vouchers) == (VoucherState.CANCELLED, 1)


async def test_a_plan_tells_no_number_to_who_prints_it(world: World, store: Store) -> None:
    await with_groups(world)
    order = Order(MINISTRY, "R", [food(number="4000000000000009", pin="1234")], VoucherState.PRE_ACTIVATED)
    plan = await store.plans.keep(await draft(world.services, order, order.plan_id(world.services.random)))
    told = f"{order!r} {plan!r} {plan.lots[0][1]!r}"
    assert "4000000000000009" not in told
    assert "1234" not in told
    assert plan.lots[0][0].policy == GOVSTACK_POLICY
    stored = await store.link.ask("GET", store.keyspace.plan(plan.id))
    assert b"4000000000000009" not in stored


async def test_stock_is_handed_out_before_anything_is_made(world: World) -> None:
    await with_groups(world, on_demand=False)
    there = await provision(world.services, MINISTRY, "FOOD", "USD", 500, 2, "P1")
    assert await provision(world.services, MINISTRY, "FOOD", "USD", 500, 2, "P1") == there
    assert (there.count, await money(world)) == (2, (1000, 0, 999_000))
    got = [await pre_activate(world.services, MINISTRY, food()) for _ in range(2)]
    assert {one.serial for one in got} == {there.first, there.first + 1}
    assert got[0].state is VoucherState.PRE_ACTIVATED
    assert (await queries.by_number(world.services, got[0].number)).serial == got[0].serial
    assert (await refusal(pre_activate(world.services, MINISTRY, food())))[0] is VoucherFault.EXHAUSTED
    assert (await refusal(pre_activate(world.services, MINISTRY, food(600))))[0] is VoucherFault.EXHAUSTED
    await with_groups(world)
    assert (await pre_activate(world.services, MINISTRY, food(600))).amount_minor == 600


async def test_a_low_stock_is_told_once_until_it_is_filled(world: World) -> None:
    await with_groups(world, restock_threshold=2, restock_url=f"{world.url}/source")
    await provision(world.services, MINISTRY, "FOOD", "USD", 500, 3, "P1")
    for left in (2, 1, 0):
        await pre_activate(world.services, MINISTRY, food())
        await world.carry()
        assert len(world.fsp.callbacks) == (left < 2)
    assert (world.fsp.callbacks[0]["groupCode"], world.fsp.callbacks[0]["vouchersInStock"]) == ("FOOD", 1)
    alerts = [event.action for event in await world.services.store.events.of("group-FOOD")]
    assert alerts == ["alert: voucher stock low"]
    await provision(world.services, MINISTRY, "FOOD", "USD", 500, 1, "P2")
    await pre_activate(world.services, MINISTRY, food())
    await world.carry()
    assert len(world.fsp.callbacks) == 2


async def test_a_repeat_with_another_chosen_number_is_a_conflict_though_none_is_kept_readably(world: World) -> None:
    await with_groups(world)
    one = await issue(world.services, MINISTRY, "R1", [food(number="4000000000000001")])
    assert await issue(world.services, MINISTRY, "R1", [food(number="4000000000000001")]) == one
    with pytest.raises(Conflict):
        await issue(world.services, MINISTRY, "R1", [food(number="4000000000000002")])
    orders = [
        Order(MINISTRY, "R1", [food(number=number)], VoucherState.PRE_ACTIVATED).digest
        for number in ("4000000000000001", "4000000000000002", "")
    ]
    assert orders[0] == orders[1] != orders[2]


async def test_each_voucher_in_stock_is_handed_out_once(world: World) -> None:
    await with_groups(world, on_demand=False)
    await provision(world.services, MINISTRY, "FOOD", "USD", 500, 10, "P1")
    given = await asyncio.gather(
        *(pre_activate(world.services, MINISTRY, food()) for _ in range(15)), return_exceptions=True
    )
    serials = [one.serial for one in given if not isinstance(one, BaseException)]
    assert len(serials) == len(set(serials)) == 10
    assert all(isinstance(one, VoucherRefused) for one in given if isinstance(one, BaseException))

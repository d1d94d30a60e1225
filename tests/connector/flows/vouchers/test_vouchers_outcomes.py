"""No request misses the outcome of its redemption."""

import asyncio

from redeem_world import Made, RedeemWorld

from connector.domain.voucher import Redemption, RedemptionState
from connector.flows.vouchers.outcomes import Outcomes
from connector.flows.vouchers.pace import PATIENCE_SECONDS, Pace
from connector.store import PayoutOutcome, RedeemOrder

LONG_SECONDS = 30.0


async def committed(shop: RedeemWorld, voucher: Made) -> Redemption:
    now = shop.services.clock()
    order = RedeemOrder(voucher.serial, "CORNER", "PENSIONS", "p", "", "govstack-v1", "test", 0, True, now)
    return (await shop.services.store.vouchers.redeem(order)).redemption


async def decide(shop: RedeemWorld, redemption: Redemption, *, paid: bool = True) -> None:
    await shop.services.store.vouchers.decide(
        [PayoutOutcome(redemption.id, paid, "" if paid else "AC04 Closed", "B")]
    )


async def test_an_outcome_between_the_commit_and_the_wait_is_not_missed(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    outcomes = shop.services.desk.outcomes
    async with outcomes.watch(shop.services.store, voucher.serial) as watch:
        redemption = await committed(shop, voucher)
        await decide(shop, redemption)
        assert (await watch.outcome(redemption, LONG_SECONDS)).state is RedemptionState.REDEEMED


async def test_all_who_wait_for_a_voucher_are_woken_and_nobody_else(shop: RedeemWorld) -> None:
    voucher, other = await shop.make(100, 100)
    outcomes, store = shop.services.desk.outcomes, shop.services.store
    async with (
        outcomes.watch(store, voucher.serial) as one,
        outcomes.watch(store, voucher.serial) as two,
        outcomes.watch(store, other.serial) as stranger,
    ):
        mine, foreign = await committed(shop, voucher), await committed(shop, other)
        waiting = [asyncio.create_task(watch.outcome(mine, LONG_SECONDS)) for watch in (one, two)]
        await decide(shop, mine, paid=False)
        assert [(await each).reason for each in waiting] == ["AC04 Closed"] * 2
        assert (await stranger.outcome(foreign, 0.01)).state is RedemptionState.PAYING


async def test_the_record_tells_what_the_reader_did_not(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    outcomes = Outcomes()
    async with outcomes.watch(shop.services.store, voucher.serial) as watch:
        await outcomes.close()
        redemption = await committed(shop, voucher)
        await decide(shop, redemption)
        assert (await watch.outcome(redemption, 0.01)).state is RedemptionState.REDEEMED


async def test_an_earlier_failure_is_not_taken_for_the_outcome(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    outcomes = shop.services.desk.outcomes
    async with outcomes.watch(shop.services.store, voucher.serial) as watch:
        first = await committed(shop, voucher)
        await decide(shop, first, paid=False)
        assert (await watch.outcome(first, LONG_SECONDS)).state is RedemptionState.FAILED
        shop.clock.pass_seconds(5)
        second = await committed(shop, voucher)
        assert second.id != first.id
        waiting = asyncio.create_task(watch.outcome(second, LONG_SECONDS))
        await decide(shop, second)
        assert (await waiting).state is RedemptionState.REDEEMED


async def test_a_payout_alone_does_not_wait_and_the_third_waits_for_one_before_it() -> None:
    pace, clock = Pace(), asyncio.get_running_loop().time
    begun = clock()
    for ref in ("A", "B"):
        await pace.wait(0.0)
        pace.complete([ref])
    assert clock() - begun < PATIENCE_SECONDS / 2
    third = asyncio.create_task(pace.wait(0.0))
    await asyncio.sleep(0)
    assert not third.done()
    pace.ended("A")
    await third
    assert clock() - begun < PATIENCE_SECONDS / 2


async def test_nobody_waits_for_a_slow_bank_for_long() -> None:
    pace = Pace()
    pace.complete(["A", "B", "C"])
    await asyncio.wait_for(pace.wait(0.0), 5 * PATIENCE_SECONDS)

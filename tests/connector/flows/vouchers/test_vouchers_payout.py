"""No crash, repetition or rival pays a merchant twice or not at all, and no voucher stays locked for good."""

import asyncio
from dataclasses import replace

import pytest
from redeem_world import OTHER, Made, RedeemWorld

from connector.domain.directory import Institution, InstitutionKind
from connector.domain.errors import NotPermitted, Refused
from connector.domain.voucher import Redemption, RedemptionState, VoucherFault, VoucherRefused
from connector.flows import control, settle
from connector.flows.services import Services
from connector.flows.steps import STEPS
from connector.flows.vouchers import payout
from connector.flows.vouchers.desk import Desk
from connector.store import Entry, PayoutOutcome

Ordered = tuple[list[Made], list[asyncio.Task[Redemption]]]


async def ordered(shop: RedeemWorld, *amounts: int, **fields: object) -> Ordered:
    """Vouchers whose merchants are to be paid, from several blocks so that several partitions have lists."""
    vouchers: list[Made] = []
    for amount in amounts:
        await shop.services.store.vouchers.next_serials(1000)
        vouchers += await shop.make(amount)
    return vouchers, [await shop.ordered(voucher, **fields) for voucher in vouchers]


async def finished(shop: RedeemWorld, vouchers: list[Made], requests: list[asyncio.Task[Redemption]]) -> None:
    """Carry what is left, and see that everybody was paid once."""
    await shop.carry()
    assert [one.state for one in await asyncio.gather(*requests)] == [RedemptionState.REDEEMED] * len(requests)
    assert await shop.states(*vouchers) == ["redeemed"] * len(vouchers)
    assert shop.paid() == sorted(f"{voucher.serial}-1" for voucher in vouchers)
    assert await shop.services.store.queue.depth() == dict.fromkeys(await shop.services.store.queue.depth(), 0)


def another(shop: RedeemWorld) -> Services:
    """The services of another worker process."""
    return replace(shop.services, desk=Desk())


async def triggers(shop: RedeemWorld) -> list[Entry]:
    return await shop.take("payout")


async def test_every_step_may_be_repeated(shop: RedeemWorld) -> None:
    vouchers, requests = await ordered(shop, 100, 200, 300, 400)
    await shop.carry(repeat=True)
    await finished(shop, vouchers, requests)


async def test_a_crash_between_the_closing_and_the_batch_loses_nobody(shop: RedeemWorld) -> None:
    vouchers, requests = await ordered(shop, 100, 200, 300)
    [first, *_] = held = await triggers(shop)
    await shop.services.store.vouchers.close_payouts(first.task.data)  # and then the worker dies
    later, waiting = await ordered(shop, 400, 500)
    for entry in reversed([*held, *await triggers(shop)]):
        await payout.run(another(shop), entry)
    await finished(shop, vouchers + later, requests + waiting)


async def test_a_crash_in_the_middle_of_the_closing_loses_nobody(shop: RedeemWorld) -> None:
    vouchers, requests = await ordered(shop, 100, 200, 300)
    [first, *others] = await triggers(shop)
    own = int(first.task.data.partition(".")[0])
    await shop.services.store.vouchers._close(first.task.data, [own])  # and then the worker dies
    later, waiting = await ordered(shop, 400, 500, 600, 700)
    await asyncio.gather(*(payout.run(another(shop), entry) for entry in (first, *others, *await triggers(shop))))
    await finished(shop, vouchers + later, requests + waiting)


async def test_workers_with_the_same_trigger_make_one_batch(shop: RedeemWorld) -> None:
    vouchers, requests = await ordered(shop, 100, 200, 300)
    [first, *others] = await triggers(shop)
    await asyncio.gather(*(payout.run(another(shop), first) for _ in range(3)))
    assert len(await shop.services.store.batches.find()) == 1
    for entry in others:
        await payout.run(shop.services, entry)
    await finished(shop, vouchers, requests)


async def test_workers_with_different_triggers_share_the_lists_between_them(shop: RedeemWorld) -> None:
    vouchers, requests = await ordered(shop, *range(100, 110))
    await asyncio.gather(*(payout.run(another(shop), entry) for entry in await triggers(shop)))
    await finished(shop, vouchers, requests)


async def test_a_zombie_with_an_old_trigger_takes_nothing_new(shop: RedeemWorld) -> None:
    vouchers, requests = await ordered(shop, 100)
    [old] = await triggers(shop)
    await payout.run(shop.services, old)
    more = await shop.make(200, 300)
    waiting = [await shop.ordered(one) for one in more]
    await payout.run(another(shop), old)
    assert len(await shop.services.store.batches.find()) == 1
    await finished(shop, vouchers + more, requests + waiting)


async def test_one_who_came_before_a_closing_is_served_by_it_and_one_who_came_after_is_not(shop: RedeemWorld) -> None:
    vouchers, requests = await ordered(shop, *range(100, 108))
    await asyncio.gather(*(payout.run(shop.services, entry) for entry in await triggers(shop)))
    assert len(await shop.services.store.batches.find()) == 1
    later, waiting = await ordered(shop, 200, 300)
    await asyncio.gather(*(payout.run(shop.services, entry) for entry in await triggers(shop)))
    assert len(await shop.services.store.batches.find()) == 2
    await finished(shop, vouchers + later, requests + waiting)


async def test_a_lost_answer_is_asked_about_and_nothing_paid_twice(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    shop.fsp.mode = "lose"
    shop.impatient()
    [pending] = await shop.redeem_paid(voucher)
    assert pending.state is RedemptionState.PAYING
    shop.fsp.mode = "report"
    shop.clock.pass_seconds(2)
    retry = asyncio.create_task(shop.redeem(voucher))
    await shop.carry()
    assert (await retry).state is RedemptionState.REDEEMED or await shop.states(voucher) == ["redeemed"]
    assert len(shop.paid()) == 1


async def test_the_first_decision_stands(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    [redeemed] = await shop.redeem_paid(voucher)
    await shop.services.store.vouchers.decide([PayoutOutcome(redeemed.id, paid=False, reason="AC04", batch="B")])
    assert await shop.states(voucher) == ["redeemed"]


async def test_a_settlement_that_comes_late_or_twice_changes_nothing(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    shop.fsp.reject = {f"{voucher.serial}-1": "AC04"}
    request = await shop.ordered(voucher)
    entries: list[Entry] = []
    while not request.done():
        for entry in await shop.take():
            entries += [entry] if entry.task.step == "settle" else []
            await STEPS[entry.task.step].run(shop.services, entry)
        await asyncio.sleep(0)
    with pytest.raises(VoucherRefused):
        await request
    shop.fsp.reject = {}
    again = await shop.ordered(voucher, caller=OTHER)
    for entry in entries:  # what the first payment came to is not the second one's outcome
        await settle.run(another(shop), entry)
    assert await shop.states(voucher) == ["redeeming"]
    await shop.carry()
    assert (await again).state is RedemptionState.REDEEMED


async def test_what_an_operator_cancels_before_it_was_sent_frees_the_vouchers(shop: RedeemWorld) -> None:
    vouchers, requests = await ordered(shop, 100, 200)
    for entry in await triggers(shop):
        await payout.run(shop.services, entry)
    [ref] = await shop.services.store.batches.find()
    await control.cancel(shop.services, ref, "operator", "test")
    await shop.carry()
    told = await asyncio.gather(*requests, return_exceptions=True)
    assert [one.fault for one in told] == [VoucherFault.MERCHANT] * 2
    assert await shop.states(*vouchers) == ["activated", "activated"]
    assert shop.paid() == []
    with pytest.raises(NotPermitted):
        await control.retry(shop.services, ref, "operator", "test")


async def test_a_programme_without_a_way_out_does_not_keep_the_others_waiting(shop: RedeemWorld) -> None:
    directory, unreached = shop.services.store.directory, Institution("NOWHERE", "New bank", InstitutionKind.BANK)
    reached = replace(unreached, url=f"{shop.url}/TREAXU22")
    await directory.save_institution(reached)
    cut_off, waiting = await ordered(shop, 100, merchant="CUTOFF")
    served, requests = await ordered(shop, 200)
    await directory.save_institution(unreached)
    for entry in await triggers(shop):
        try:
            await payout.run(shop.services, entry)
        except Refused:  # the worker puts the entry off
            held = entry
    await shop.carry()
    assert (await requests[0]).state is RedemptionState.REDEEMED
    assert await shop.states(*served, *cut_off) == ["redeemed", "redeeming"]
    await directory.save_institution(reached)
    await payout.run(another(shop), held)
    await finished(shop, served + cut_off, requests + waiting)


async def test_a_merchant_that_vanished_before_it_was_paid_frees_the_voucher(shop: RedeemWorld) -> None:
    [voucher], [request] = await ordered(shop, 100)
    await shop.services.store.directory.remove_merchant("CORNER")
    await shop.carry()
    with pytest.raises(VoucherRefused):
        await request
    assert await shop.states(voucher) == ["activated"]

"""Redemption with the real payment of the merchant, at a bank of a few lines."""

import asyncio
from dataclasses import replace

import pytest
from redeem_world import OTHER, SHOP, Made, RedeemWorld

from connector.domain.errors import NotFound
from connector.domain.voucher import (
    RETAIL_POLICY,
    RedemptionState,
    VoucherFault,
    VoucherRefused,
    VoucherState,
)
from connector.flows.vouchers.caller import SUV, Caller
from connector.flows.vouchers.redemption import confirm, refund, reverse

RETAILER = Caller(SUV, "till-1")


async def refused(shop: RedeemWorld, voucher: Made, **fields: object) -> VoucherRefused:
    with pytest.raises(VoucherRefused) as caught:
        await shop.redeem(voucher, **fields)
    return caught.value


async def test_a_redemption_pays_the_merchant_and_consumes_the_voucher(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(1500)
    [redeemed] = await shop.redeem_paid(voucher)
    assert redeemed.state is RedemptionState.REDEEMED
    assert await shop.states(voucher) == ["redeemed"]
    [message] = shop.fsp.messages
    [transfer] = message.transfers
    assert (transfer.end_to_end_id, transfer.amount_minor) == (redeemed.id, 1500)
    credited = (transfer.creditor_agent, transfer.creditor_account, transfer.creditor_name)
    assert credited == ("UNIOXU22", "1000000042", "Corner Shop")


async def test_many_redemptions_share_a_message(shop: RedeemWorld) -> None:
    vouchers = await shop.make(*range(100, 125))
    waiting = [await shop.ordered(voucher) for voucher in vouchers]
    await shop.carry()
    assert {one.state for one in await asyncio.gather(*waiting)} == {RedemptionState.REDEEMED}
    assert len(shop.fsp.messages) <= 3  # ten instructions a slice
    assert len(shop.paid()) == len(set(shop.paid())) == 25


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"merchant": "NOBODY"}, VoucherFault.MERCHANT),
        ({"merchant": "CASHONLY"}, VoucherFault.MERCHANT),
        ({"merchant": "CLOSED"}, VoucherFault.MERCHANT),
        ({"merchant_name": "Unheard Of", "merchant_account": "77"}, VoucherFault.MERCHANT),
        ({"merchant": "POOR"}, VoucherFault.FUNDING),
        ({"merchant": "CUTOFF"}, VoucherFault.FUNDING),
        ({"merchant": "BAKER"}, VoucherFault.WRONG_GROUP),
        ({"merchant_group": "BREAD"}, VoucherFault.WRONG_GROUP),
        ({"currency": "EUR"}, VoucherFault.CURRENCY),
        ({"amount_minor": 400}, VoucherFault.PARTIAL),
        ({"amount_minor": 600}, VoucherFault.INSUFFICIENT),
    ],
)
async def test_what_cannot_be_redeemed_leaves_the_voucher_free(
    shop: RedeemWorld, fields: dict[str, object], fault: VoucherFault
) -> None:
    [voucher] = await shop.make(500)
    assert (await refused(shop, voucher, **fields)).fault is fault
    assert await shop.states(voucher) == ["activated"]
    assert await shop.carry() == []


async def test_the_checks_come_in_the_order_of_the_contract(shop: RedeemWorld) -> None:
    [used] = await shop.make(500)
    await shop.redeem_paid(used)
    shop.clock.pass_seconds(5)
    stranger = Caller("govstack-v1", "NOBODY_BB")
    unknown = Made(0, "1234567890123456")
    assert (await refused(shop, unknown, caller=stranger)).fault is VoucherFault.UNKNOWN_CALLER
    assert (await refused(shop, unknown, merchant="CLOSED")).fault is VoucherFault.UNKNOWN_NUMBER
    assert (await refused(shop, used, merchant="CLOSED")).fault is VoucherFault.MERCHANT
    assert (await refused(shop, used, merchant="POOR", merchant_group="BREAD")).fault is VoucherFault.FUNDING
    assert (await refused(shop, used, merchant_group="BREAD")).fault is VoucherFault.WRONG_GROUP
    assert (await refused(shop, used)).fault is VoucherFault.USED


@pytest.mark.parametrize(
    "fields",
    [
        {"merchant": "PHONE"},
        {"merchant_account": "UNIOXU22/1000000042"},
        {"merchant_name": "Phone Shop", "merchant_account": ""},
        {"merchant": "BAKER", "override": True},
        {"merchant_group": "GROCERY"},
        {"merchant_name": "Nobody entered it", "merchant_account": "1000007777"},
    ],
)
async def test_merchants_are_known_by_id_account_or_name(shop: RedeemWorld, fields: dict[str, object]) -> None:
    [voucher] = await shop.make(500)
    [redeemed] = await shop.redeem_paid(voucher, **fields)
    assert redeemed.state is RedemptionState.REDEEMED


async def test_a_rejected_payment_frees_the_voucher_and_says_whose_fault_it_is(shop: RedeemWorld) -> None:
    vouchers = await shop.make(100, 100, 100)
    shop.fsp.reject = {f"{vouchers[0].serial}-1": "AC04", f"{vouchers[1].serial}-1": "AM04"}
    closed, empty, paid = await shop.redeem_paid(*vouchers)
    assert (closed.fault, empty.fault, paid.state) == (
        VoucherFault.MERCHANT,
        VoucherFault.FUNDING,
        RedemptionState.REDEEMED,
    )
    assert await shop.states(*vouchers) == ["activated", "activated", "redeemed"]
    shop.clock.pass_seconds(5)
    again, _ = await shop.redeem_paid(vouchers[0], vouchers[1])
    assert (again.id, again.state) == (f"{vouchers[0].serial}-2", RedemptionState.REDEEMED)


async def test_the_same_request_twice_at_once_is_one_redemption(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    first, second = await shop.redeem_paid(voucher, voucher)
    assert first.id == second.id == shop.paid()[0]
    assert len(shop.paid()) == 1


async def test_somebody_else_is_told_that_it_is_in_progress_and_later_used(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    request = await shop.ordered(voucher)
    assert (await refused(shop, voucher, caller=OTHER)).fault is VoucherFault.IN_PROGRESS
    await shop.carry()
    await request
    assert (await refused(shop, voucher, caller=OTHER)).fault is VoucherFault.USED
    assert (await shop.redeem(voucher)).id == (await request).id  # a repeat within a second
    shop.clock.pass_seconds(1.5)
    assert (await refused(shop, voucher)).fault is VoucherFault.USED


async def test_a_request_id_is_answered_alike_for_ever(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    [redeemed] = await shop.redeem_paid(voucher, request="R-1")
    shop.clock.pass_seconds(10_000)
    assert (await shop.redeem(voucher, request="R-1")).id == redeemed.id
    assert (await refused(shop, voucher, request="R-2")).fault is VoucherFault.USED


async def test_an_unknown_outcome_keeps_the_voucher_locked_until_a_late_report(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    shop.fsp.mode = "accept"
    shop.impatient()
    [pending] = await shop.redeem_paid(voucher)
    assert pending.state is RedemptionState.PAYING
    assert await shop.states(voucher) == ["redeeming"]
    retry = asyncio.create_task(shop.redeem(voucher))
    await shop.report_late()
    await shop.carry()
    assert (await retry).id == pending.id
    assert await shop.states(voucher) == ["redeemed"]
    assert len(shop.paid()) == 1


async def test_a_retry_goes_on_although_the_merchant_was_switched_off_meanwhile(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    request = await shop.ordered(voucher)
    shop_now = (await shop.services.store.directory.load()).merchants["CORNER"]
    await shop.services.store.directory.save_merchant(replace(shop_now, active=False))
    retry = asyncio.create_task(shop.redeem(voucher))
    await shop.carry()
    assert (await retry).id == (await request).id
    [other] = await shop.make(100)
    assert (await refused(shop, other)).fault is VoucherFault.MERCHANT


async def test_wrong_numbers_block_the_voucher_that_they_are_tried_on(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    wrong = Made(voucher.serial, "1111111111111111")
    for _ in range(4):
        assert (await refused(shop, wrong, serial=voucher.serial)).state is VoucherState.ACTIVATED
    assert (await refused(shop, wrong, serial=voucher.serial)).state is VoucherState.BLOCKED
    assert (await refused(shop, voucher, serial=voucher.serial)).fault is VoucherFault.STATE


async def test_who_guesses_numbers_is_kept_out_and_others_are_not(shop: RedeemWorld) -> None:
    [voucher, other] = await shop.make(100, 100)
    shop.settings(presenter_wrong_tries=3)
    for number in range(3):
        assert (await refused(shop, Made(0, f"111111111111111{number}"))).fault is VoucherFault.UNKNOWN_NUMBER
    assert (await refused(shop, voucher)).fault is VoucherFault.TOO_MANY_TRIES
    [redeemed] = await shop.redeem_paid(other, caller=OTHER)
    assert redeemed.state is RedemptionState.REDEEMED


async def test_retail_vouchers_are_redeemed_in_parts_reversed_and_refunded(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(1000, policy=RETAIL_POLICY)
    part = await shop.redeem(voucher, RETAILER, merchant="CASHONLY", amount_minor=300, request="A")
    assert (part.state, (await shop.voucher(voucher)).balance_minor) == (RedemptionState.REDEEMED, 700)
    assert (await reverse(shop.services, RETAILER, part.id)).state is RedemptionState.REVERSED
    rest = await shop.redeem(voucher, RETAILER, merchant="CASHONLY", request="B")
    assert await shop.states(voucher) == ["redeemed"]
    await confirm(shop.services, RETAILER, rest.id)
    assert (await refund(shop.services, RETAILER, rest.id, amount_minor=400)).amount_minor == 600
    assert (await shop.voucher(voucher)).balance_minor == 400
    with pytest.raises(NotFound):
        await reverse(shop.services, SHOP, rest.id)


async def test_a_voucher_whose_merchant_was_paid_is_not_given_back(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    [redeemed] = await shop.redeem_paid(voucher)
    for undo, fault in ((reverse, VoucherFault.REVERSAL), (refund, VoucherFault.REFUND)):
        with pytest.raises(VoucherRefused) as caught:
            await undo(shop.services, SHOP, redeemed.id)
        assert caught.value.fault is fault


async def test_money_that_a_merchants_bank_gives_back_raises_an_alert(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(100)
    shop.fsp.mode = "accept"
    shop.impatient()
    await shop.redeem_paid(voucher)
    await shop.report_late()
    await shop.report_returned()
    await shop.carry()
    assert await shop.states(voucher) == ["redeemed"]
    [ref] = await shop.services.store.batches.find()
    actions = [event.action for event in await shop.services.store.events.of(ref)]
    assert "alert: merchant not paid" in actions


async def test_a_receipt_is_sent_to_who_wants_one(shop: RedeemWorld) -> None:
    wanting, silent = await shop.make(100, 100)
    await shop.redeem_paid(wanting, receipt=shop.callback)
    await shop.redeem_paid(silent)
    await shop.carry()
    assert [body["transactionId"] for body in shop.fsp.callbacks] == [f"{wanting.serial}-1"]

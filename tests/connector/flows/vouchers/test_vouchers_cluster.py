"""The whole way of vouchers, on one server and on three in cluster mode."""

import asyncio
from dataclasses import replace

import pytest
from issue_world import money
from redeem_world import SHOP, Made

from connector.domain.retail import RetailFault, RetailRefused
from connector.domain.voucher import (
    RETAIL_POLICY,
    Command,
    RedemptionState,
    VoucherFault,
    VoucherGroup,
    VoucherRefused,
    VoucherState,
)
from connector.flows.vouchers import retail_provision, retail_redemption, retail_refund
from connector.flows.vouchers.caller import SUV, Caller
from connector.flows.vouchers.issue import Wanted, issue, pre_activate, provision
from connector.flows.vouchers.lifecycle import change
from connector.flows.vouchers.redemption import Presentation
from connector.flows.vouchers.retail_messages import Advice, Asked
from connector.flows.vouchers.retail_refund import RefundOrder

pytestmark = pytest.mark.cluster

TILL = Caller(SUV, "TILL")
MANY = 1500
"""More than a block: their parts are in several partitions."""


async def issued(shop, *amounts):
    wanted = [Wanted("FOOD", "USD", minor) for minor in amounts]
    made = await issue(shop.services, SHOP, "REQ1", wanted)
    again = await issue(shop.services, SHOP, "REQ1", wanted)
    assert [(one.serial, one.number) for one in again] == [(one.serial, one.number) for one in made]
    return [Made(one.serial, one.number) for one in made]


async def test_vouchers_of_several_blocks_are_issued_activated_redeemed_and_settled(shop):
    vouchers = await issued(shop, *([10] * MANY))
    serials = [one.serial for one in vouchers]
    assert await money(shop) == (10 * MANY, 0, 10**6 - 10 * MANY)
    moved = await change(shop.services, SHOP, Command.ACTIVATE, serials)
    assert {(one.state, one.fault) for one in moved} == {(VoucherState.ACTIVATED, None)}
    paid = await shop.redeem_paid(*vouchers[::100])
    assert {one.state for one in paid} == {RedemptionState.REDEEMED}
    assert shop.paid() == sorted(one.id for one in paid)
    cancelled = await change(shop.services, SHOP, Command.CANCEL, serials)
    assert [one.serial for one in cancelled if one.fault is VoucherFault.USED] == serials[::100]
    await shop.carry()
    assert await money(shop) == (0, 150, 10**6 - 150)
    stock = await shop.services.store.vouchers.stock("FOOD")
    assert {state: tally.payments for (state, _), tally in stock.items()} == {"redeemed": 15, "cancelled": MANY - 15}


async def test_rivals_of_a_voucher_on_a_cluster_are_one_payment(shop):
    [voucher] = await issued(shop, 500)
    await change(shop.services, SHOP, Command.ACTIVATE, [voucher.serial])
    rivals = [shop.redeem_paid(voucher, correlation=str(number)) for number in range(4)]
    told = [one for found in await asyncio.gather(*rivals) for one in found]
    assert sum(not isinstance(one, VoucherRefused) for one in told) == 1
    assert len(shop.paid()) == 1
    await shop.carry()
    assert await money(shop) == (0, 500, 10**6 - 500)


async def test_stock_on_a_cluster_is_handed_out_to_the_last_one(shop):
    store = shop.services.store
    await store.directory.save_group(VoucherGroup("SHELF", "Shelf", "PENSIONS", on_demand=False))
    made = await provision(shop.services, SHOP, "SHELF", "USD", 100, 3, "STOCK1")
    handed = [await pre_activate(shop.services, SHOP, Wanted("SHELF", "USD", 100)) for _ in range(3)]
    assert sorted(one.serial for one in handed) == [made.first, made.first + 1, made.first + 2]
    with pytest.raises(VoucherRefused) as refused:
        await pre_activate(shop.services, SHOP, Wanted("SHELF", "USD", 100))
    assert refused.value.fault is VoucherFault.EXHAUSTED


async def test_a_retail_voucher_is_sold_redeemed_reversed_and_refunded(shop):
    services = shop.services
    await services.store.directory.save_group(VoucherGroup("CARD", "Card", "PENSIONS", policy=RETAIL_POLICY))
    card = await retail_provision.provision(services, TILL, Asked("P1", "{}"), Wanted("CARD", "USD", 1000))
    await retail_provision.confirm(services, TILL, Advice("A1", "P1"))
    presented = Presentation(card.number, merchant="ANYWHERE", amount_minor=400)
    for request in ("R1", "R2"):
        done = await retail_redemption.redeem(services, TILL, Asked(request, "{}"), presented)
    assert (done.amount_minor, done.balance_minor) == (400, 200)
    await retail_redemption.reverse(services, TILL, Advice("A2", "R1"))
    await retail_redemption.confirm(services, TILL, Advice("A3", "R2"))
    await retail_refund.refund(services, TILL, Asked("F1", "{}"), RefundOrder("", request="R2", amount_minor=100))
    await retail_refund.confirm(services, TILL, Advice("A4", "F1"))
    with pytest.raises(RetailRefused) as early:
        await retail_redemption.reverse(services, TILL, Advice("A5", "R3"))
    with pytest.raises(RetailRefused) as refused:
        await retail_redemption.redeem(services, TILL, Asked("R3", "{}"), replace(presented, amount_minor=1))
    assert (early.value.fault, refused.value.fault) == (RetailFault.UNKNOWN_REQUEST, RetailFault.REVERSED)
    [voucher] = await services.store.vouchers.read([card.serial])
    assert (voucher.state, voucher.balance_minor) == (VoucherState.ACTIVATED, 700)
    await shop.carry()
    assert await money(shop) == (700, 300, 10**6 - 1000)

"""Redemptions in the store: who may, what is paid, what is given back."""

import asyncio
from collections import Counter

import pytest
from voucher_samples import DAY, LOT, NOW, PAYING, made, order

from connector.domain.errors import NotFound
from connector.domain.voucher import (
    RETAIL_POLICY,
    Command,
    RedemptionState,
    VoucherFault,
    VoucherPolicy,
    VoucherRefused,
    VoucherState,
    block_of,
)
from connector.store import PayoutOutcome, Store

R, V = RedemptionState, VoucherState


async def look(store: Store, serial: int) -> tuple[VoucherState, int]:
    [found] = await store.vouchers.read([serial])
    return found.state, found.balance_minor


async def refused(step) -> tuple[VoucherFault, VoucherState | None]:
    with pytest.raises(VoucherRefused) as caught:
        await step
    return caught.value.fault, caught.value.state


async def test_two_hundred_redeemers_and_one_redemption(store: Store) -> None:
    [serial] = await made(store, [500])
    orders = [order(serial, presenter=str(n), pays=True) for n in range(200)]
    answers = await asyncio.gather(*map(store.vouchers.redeem, orders), return_exceptions=True)
    faults = Counter(answer.fault for answer in answers if isinstance(answer, VoucherRefused))
    assert faults == {VoucherFault.IN_PROGRESS: 199}
    assert await look(store, serial) == (V.REDEEMING, 500)


async def test_a_retry_goes_on_with_the_same_redemption(store: Store) -> None:
    redeem = store.vouchers.redeem
    [serial] = await made(store, [500], policy=PAYING)
    first = await redeem(order(serial, pays=True))
    assert (await redeem(order(serial, pays=True))) == (first.redemption, True)
    assert await refused(redeem(order(serial, presenter="other", pays=True))) == (
        VoucherFault.IN_PROGRESS,
        V.REDEEMING,
    )
    await store.vouchers.decide([PayoutOutcome(first.redemption.id, paid=True, batch="B" * 20)])
    again = await redeem(order(serial, pays=True, now=NOW + 0.9))
    assert (again.redemption.state, again.redemption.batch, again.repeated) == (R.REDEEMED, "B" * 20, True)
    assert await refused(redeem(order(serial, pays=True, now=NOW + 1))) == (VoucherFault.USED, V.REDEEMED)


async def test_a_request_id_is_remembered_for_ever(store: Store) -> None:
    redeem = store.vouchers.redeem
    [serial] = await made(store, [500])
    one = await redeem(order(serial, request="R1", amount_minor=100))
    await redeem(order(serial, request="R2", amount_minor=100))
    assert await redeem(order(serial, request="R1", now=NOW + DAY * 9)) == (one.redemption, True)
    assert (await refused(redeem(order(serial, request="R1", presenter="other", amount_minor=999))))[0] is (
        VoucherFault.INSUFFICIENT
    )
    assert [found.request for found in await store.vouchers.redemptions(serial)] == ["R1", "R2"]
    assert await store.vouchers.redemption(one.redemption.id) == one.redemption
    assert await store.vouchers.redemption("nonsense") is None


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        (V.PRE_ACTIVATED, VoucherFault.STATE),
        (V.SUSPENDED, VoucherFault.STATE),
        (V.CANCELLED, VoucherFault.STATE),
        (V.EXPIRED, VoucherFault.EXPIRED),
        (V.REDEEMED, VoucherFault.USED),
        (V.REDEEMING, VoucherFault.IN_PROGRESS),
    ],
)
async def test_only_an_activated_voucher_is_redeemed(store: Store, state: VoucherState, fault: VoucherFault) -> None:
    [serial] = await made(store, [500], state=state)
    assert await refused(store.vouchers.redeem(order(serial))) == (fault, state)
    assert (await refused(store.vouchers.redeem(order(7))))[0] is VoucherFault.UNKNOWN_SERIAL


async def test_a_voucher_whose_time_has_passed_expires_when_it_is_presented(store: Store) -> None:
    [serial] = await made(store, [500])
    assert (await refused(store.vouchers.redeem(order(serial, now=NOW + DAY)))) == (VoucherFault.EXPIRED, V.EXPIRED)
    assert (await store.vouchers.lot_account(LOT.id, block_of(serial))).released == 500


async def test_amounts_keep_to_the_policy(store: Store) -> None:
    [whole] = await made(store, [500], policy=PAYING)
    [parts] = await made(store, [500], id="P" * 20)
    assert (await refused(store.vouchers.redeem(order(whole, amount_minor=499))))[0] is VoucherFault.PARTIAL
    assert (await refused(store.vouchers.redeem(order(parts, amount_minor=501))))[0] is VoucherFault.INSUFFICIENT
    await store.vouchers.redeem(order(parts, amount_minor=499))
    assert await look(store, parts) == (V.ACTIVATED, 1)
    await store.vouchers.redeem(order(parts, request="R2"))
    assert await look(store, parts) == (V.REDEEMED, 0)


async def test_wrong_pins_block(store: Store) -> None:
    right = store.vouchers.pin_hash("1" * 16, "1234")
    assert right != store.vouchers.pin_hash("2" * 16, "1234")
    [serial] = await made(store, [500], pin_hash=right)
    tries = [await refused(store.vouchers.redeem(order(serial, pin_hash="x", wrong_limit=3))) for _ in range(3)]
    assert tries == [(VoucherFault.WRONG_PIN, V.ACTIVATED)] * 2 + [(VoucherFault.WRONG_PIN, V.BLOCKED)]
    assert await refused(store.vouchers.redeem(order(serial, pin_hash=right))) == (VoucherFault.STATE, V.BLOCKED)
    await store.vouchers.move(Command.UNBLOCK, [serial], actor="a", now=NOW)
    await store.vouchers.redeem(order(serial, pin_hash=right))
    assert await look(store, serial) == (V.REDEEMED, 0)


async def test_payout_lists_are_closed_once_a_name(store: Store) -> None:
    serials = await made(store, [500] * 2500, policy=PAYING)
    for serial in serials[::500]:
        await store.vouchers.redeem(order(serial, pays=True))
    entries = await store.queue.take(["payout"], "w", 10, 0)
    names = [entry.task.data for entry in entries]
    assert all(entry.task.urgent for entry in entries)
    assert len(names) == len({store.keyspace.partition(str(block_of(serial))) for serial in serials[::500]})
    members = await store.vouchers.close_payouts(names[0])
    assert sorted(member.serial for member in members) == serials[::500]
    assert members[0][2:] == ("RELIEF", "SHOP", 500, "USD")
    await store.vouchers.redeem(order(serials[1], pays=True))
    assert await store.vouchers.close_payouts(names[0]) == members
    empty = (store.keyspace.partition(str(block_of(serials[1]))) + 1) % 8
    assert await store.vouchers.close_payouts(f"{empty}.99") == []
    [later] = await store.queue.take(["payout"], "w", 10, 0)
    assert [member.serial for member in await store.vouchers.close_payouts(later.task.data)] == [serials[1]]


async def test_a_decision_is_made_once_and_told(store: Store) -> None:
    paid, failed = await made(store, [500, 600], policy=PAYING)
    ids = [
        (await store.vouchers.redeem(order(serial, pays=True, receipt=True))).redemption.id
        for serial in (paid, failed)
    ]
    position, _ = await store.vouchers.outcomes()
    for _ in range(2):
        decided = [PayoutOutcome(ids[0], paid=True), PayoutOutcome(ids[1], paid=False, reason="AC04 closed")]
        await store.vouchers.decide(decided)
    await store.vouchers.decide([PayoutOutcome(ids[0], paid=False)])
    assert (await look(store, paid), await look(store, failed)) == ((V.REDEEMED, 0), (V.ACTIVATED, 600))
    _, told = await store.vouchers.outcomes(position, 0.01)
    assert sorted(told) == [(ids[0], R.REDEEMED), (ids[1], R.FAILED)]
    assert (await store.vouchers.redemption(ids[1])).reason == "AC04 closed"
    assert (await store.queue.depth())["voucher-notice"] == 2
    assert (await store.vouchers.lot_account(LOT.id, block_of(paid))).spent == 500
    assert (await store.vouchers.redeem(order(failed, presenter="next", pays=True))).redemption.id == f"{failed}-2"


async def test_a_voucher_that_could_not_be_paid_in_time_is_released(store: Store, clock) -> None:
    [serial] = await made(store, [500], policy=PAYING)
    found = await store.vouchers.redeem(order(serial, pays=True))
    assert await store.vouchers.due(NOW + DAY, 9) == []
    clock.now = NOW + DAY
    await store.vouchers.decide([PayoutOutcome(found.redemption.id, paid=False)])
    assert await look(store, serial) == (V.EXPIRED, 0)
    assert (await store.vouchers.lot_account(LOT.id, block_of(serial))).released == 500


async def test_confirmation_gives_the_difference_back_and_ends_reversal(store: Store) -> None:
    vouchers = store.vouchers
    [serial] = await made(store, [500])
    one = (await vouchers.redeem(order(serial, amount_minor=300))).redemption.id
    assert (await refused(vouchers.confirm(one, 301, actor="a", now=NOW)))[0] is VoucherFault.INSUFFICIENT
    for _ in range(2):
        confirmed = await vouchers.confirm(one, 200, actor="a", now=NOW)
    assert (confirmed.state, confirmed.amount_minor) == (R.CONFIRMED, 200)
    assert await look(store, serial) == (V.ACTIVATED, 300)
    assert (await refused(vouchers.reverse(one, 0, actor="a", now=NOW)))[0] is VoucherFault.REVERSAL
    with pytest.raises(NotFound):
        await vouchers.confirm(f"{serial}-9", None, actor="a", now=NOW)
    with pytest.raises(NotFound):
        await vouchers.confirm("nonsense", None, actor="a", now=NOW)


async def test_reversal_is_repeatable_and_frees_the_voucher(store: Store) -> None:
    vouchers = store.vouchers
    [serial] = await made(store, [500])
    one = (await vouchers.redeem(order(serial))).redemption.id
    for _ in range(2):
        back = await vouchers.reverse(one, 0, actor="a", now=NOW)
    assert (back.state, back.amount_minor, await look(store, serial)) == (R.REVERSED, 0, (V.ACTIVATED, 500))
    assert (await refused(vouchers.confirm(one, None, actor="a", now=NOW)))[0] is VoucherFault.REVERSAL
    assert (await refused(vouchers.refund(one, 0, actor="a", now=NOW)))[0] is VoucherFault.REFUND
    two = (await vouchers.redeem(order(serial, request="2"))).redemption.id
    assert (await vouchers.reverse(two, 200, actor="a", now=NOW)).amount_minor == 200
    assert await look(store, serial) == (V.ACTIVATED, 300)
    assert (await vouchers.lot_account(LOT.id, block_of(serial))).spent == 200


async def test_what_comes_back_after_its_time_is_released(store: Store) -> None:
    [serial] = await made(store, [500])
    one = (await store.vouchers.redeem(order(serial))).redemption.id
    await store.vouchers.reverse(one, 0, actor="a", now=NOW + DAY)
    assert await look(store, serial) == (V.EXPIRED, 0)
    account = await store.vouchers.lot_account(LOT.id, block_of(serial))
    assert (account.spent, account.released) == (0, 500)


@pytest.mark.parametrize(
    ("command", "state", "left"), [(Command.CANCEL, V.CANCELLED, 0), (Command.SUSPEND, V.SUSPENDED, 500)]
)
async def test_what_comes_back_does_not_wake_a_voucher(
    store: Store, command: Command, state: VoucherState, left: int
) -> None:
    [serial] = await made(store, [500])
    one = (await store.vouchers.redeem(order(serial, amount_minor=100))).redemption.id
    await store.vouchers.move(command, [serial], actor="a", now=NOW)
    await store.vouchers.reverse(one, 0, actor="a", now=NOW)
    assert await look(store, serial) == (state, left)
    account = await store.vouchers.lot_account(LOT.id, block_of(serial))
    assert (account.spent, account.released) == (0, 500 - left)


async def test_refunds_end_with_what_remains_and_count_once_a_request(store: Store) -> None:
    vouchers = store.vouchers
    [serial] = await made(store, [500])
    one = (await vouchers.redeem(order(serial))).redemption.id
    await vouchers.confirm(one, None, actor="a", now=NOW)
    for _ in range(2):
        refunded = await vouchers.refund(one, 200, actor="a", now=NOW, request="F1")
    assert (refunded.state, refunded.amount_minor) == (R.REFUNDED, 300)
    assert (await refused(vouchers.refund(one, 301, actor="a", now=NOW)))[0] is VoucherFault.INSUFFICIENT
    await vouchers.refund(one, 0, actor="a", now=NOW, request="F2")
    assert await look(store, serial) == (V.ACTIVATED, 500)
    await vouchers.undo_refund(one, "F2", 0, actor="a", now=NOW)
    for _ in range(2):
        undone = await vouchers.undo_refund(one, "F1", 50, actor="a", now=NOW)
    assert (undone.state, undone.amount_minor, await look(store, serial)) == (R.REFUNDED, 450, (V.ACTIVATED, 50))
    await vouchers.redeem(order(serial, request="2", amount_minor=10))
    assert (await refused(vouchers.undo_refund(one, "F1", 0, actor="a", now=NOW)))[0] is VoucherFault.INSUFFICIENT
    with pytest.raises(NotFound):
        await vouchers.undo_refund(one, "F9", 0, actor="a", now=NOW)


async def test_policies_hold_on_the_server(store: Store) -> None:
    vouchers = store.vouchers
    [strict] = await made(store, [500], policy=VoucherPolicy(pays_merchant=False))
    one = (await vouchers.redeem(order(strict))).redemption.id
    assert (await refused(vouchers.reverse(one, 0, actor="a", now=NOW)))[0] is VoucherFault.REVERSAL
    assert (await refused(vouchers.refund(one, 0, actor="a", now=NOW)))[0] is VoucherFault.REFUND
    assert (await refused(vouchers.confirm(one, 1, actor="a", now=NOW)))[0] is VoucherFault.PARTIAL
    [paying] = await made(store, [500], id="P" * 20, policy=RETAIL_POLICY)
    two = (await vouchers.redeem(order(paying, pays=True))).redemption.id
    assert await refused(vouchers.reverse(two, 0, actor="a", now=NOW)) == (VoucherFault.IN_PROGRESS, V.REDEEMING)
    await vouchers.decide([PayoutOutcome(two, paid=True)])
    assert (await refused(vouchers.reverse(two, 0, actor="a", now=NOW)))[0] is VoucherFault.REVERSAL
    assert (await refused(vouchers.refund(two, 0, actor="a", now=NOW)))[0] is VoucherFault.REFUND


async def test_a_reversal_may_overtake_its_request(store: Store) -> None:
    [serial] = await made(store, [500])
    assert await store.vouchers.undo_unseen(serial, "R1") is None
    assert await refused(store.vouchers.redeem(order(serial, request="R1"))) == (VoucherFault.REVERSAL, V.ACTIVATED)
    seen = (await store.vouchers.redeem(order(serial, request="R2"))).redemption
    assert await store.vouchers.undo_unseen(serial, "R2") == seen
    await store.vouchers.purge([serial], actor="a", now=NOW)
    assert await store.link.ask("KEYS", "*:undone") == []


async def test_what_comes_back_too_late_is_not_due_again(store: Store) -> None:
    [serial] = await made(store, [500])
    one = (await store.vouchers.redeem(order(serial))).redemption.id
    await store.vouchers.refund(one, 100, actor="a", now=NOW + DAY)
    assert await look(store, serial) == (V.EXPIRED, 0)
    assert await store.vouchers.due(NOW + DAY, 9) == []

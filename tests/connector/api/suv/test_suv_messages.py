"""The flow of messages: every row of the contract's table of states."""

import pytest
from retail_till import Till, about, failed, message, money, new_id, standing

from connector.domain.voucher import VoucherState


async def test_a_voucher_is_sold_redeemed_refunded_and_redeemed_again(till: Till) -> None:
    sold = await till.sold(1000)
    code = sold["voucher"]["code"]
    redeemed = await till.redeemed(code, confirmed=True)
    assert redeemed["amounts"]["approvedAmount"] == money(1000)
    assert await till.look(sold) == (VoucherState.REDEEMED, 0)
    status, refund = await till.refund(code)
    assert (status, refund["amounts"]["approvedAmount"]) == (201, money(1000))
    assert failed(await till.redeem(code)) == (400, "VOUCHER_ALREADY_REDEEMED")
    assert (await till.confirm("refund", refund["id"]))[0] == 202
    assert await till.look(sold) == (VoucherState.ACTIVATED, 1000)
    await till.redeemed(code)


async def test_a_provision_is_answered_with_the_voucher_and_all_that_was_said(till: Till) -> None:
    asked = message(minor=1000, basketRef="B-1", stan=123456, product={"productId": "RETAIL"})
    status, body = await till.post("/vouchers", asked)
    assert status == 201
    assert (body["id"], body["time"], body["client"]) == (asked["id"], asked["time"], asked["client"])
    assert (body["basketRef"], body["stan"], body["product"]) == ("B-1", "123456", {"productId": "RETAIL"})
    assert body["amounts"] == {"requestAmount": money(1000), "approvedAmount": money(1000)}
    assert len(body["voucher"]["code"]) == 16
    assert body["voucher"]["expiryDate"].endswith("Z")
    first, *added = body["thirdPartyIdentifiers"]
    assert [first] == asked["thirdPartyIdentifiers"]
    assert [each["institutionId"] for each in added] == [body["settlementEntity"]["id"], body["receiver"]["id"]]
    assert added[1]["transactionIdentifier"] == body["voucher"]["serialNumber"]


async def test_an_id_makes_one_voucher_which_a_repeat_is_told(till: Till) -> None:
    asked = message(minor=1000)
    _, made = await till.post("/vouchers", asked)
    status, body = await till.post("/vouchers", asked)
    assert failed((status, body)) == (400, "DUPLICATE_RECORD")
    assert body["detailMessage"]["voucher"] == made["voucher"]
    assert (body["id"], "originalId" in body) == (asked["id"], False)
    await till.reverse("provision", asked["id"])
    assert failed(await till.post("/vouchers", asked)) == (400, "DUPLICATE_RECORD")


@pytest.mark.parametrize("kind", ["redemption", "refund"])
async def test_an_id_redeems_and_refunds_once(till: Till, kind: str) -> None:
    code = (await till.sold())["voucher"]["code"]
    await till.redeemed(code, 400, confirmed=True)
    asked = message(minor=100, voucher={"code": code})
    path = {"redemption": "/redemptions", "refund": "/refunds"}[kind]
    assert (await till.post(path, asked))[0] == 201
    assert failed(await till.post(path, asked)) == (400, "DUPLICATE_RECORD")


async def test_two_clients_may_use_the_same_id(till: Till) -> None:
    asked = message(minor=1000)
    other = Till(till.client, till.services, "OTHER")
    _, mine = await till.post("/vouchers", asked)
    status, theirs = await other.post("/vouchers", asked | {"client": {"id": "OTHER", "name": "Other"}})
    assert (status, theirs["voucher"]["code"] != mine["voucher"]["code"]) == (201, True)
    assert (await other.reverse("provision", asked["id"]))[0] == 202
    assert (await till.confirm("provision", asked["id"]))[0] == 202


async def test_a_voucher_is_worth_nothing_before_its_confirmation(till: Till) -> None:
    _, made = await till.ask("provision", 1000)
    assert failed(await till.redeem(made["voucher"]["code"])) == (400, "VOUCHER_NOT_REDEEMABLE")
    assert failed(await till.redeem("0000")) == (400, "VOUCHER_NOT_REDEEMABLE")
    assert failed(await till.refund("0000")) == (400, "INVALID_VOUCHER")


async def test_a_confirmation_is_repeated_without_effect_also_after_the_redemption(till: Till) -> None:
    sold = await till.sold()
    assert (await till.confirm("provision", sold["id"]))[0] == 202
    await till.redeemed(sold["voucher"]["code"])
    assert (await till.confirm("provision", sold["id"]))[0] == 202
    assert await till.look(sold) == (VoucherState.REDEEMED, 0)
    assert failed(await till.redeem(sold["voucher"]["code"])) == (400, "VOUCHER_ALREADY_REDEEMED")


async def test_advices_are_given_back_as_they_came(till: Till) -> None:
    _, made = await till.ask("provision", 1000)
    advice = about(made["id"], tenders=[{"tenderType": "CASH", "amount": money(1000)}], stan="7")
    assert await till.post("/vouchers/confirmations", advice) == (202, advice)


async def test_advices_about_nothing_are_not_found(till: Till) -> None:
    for kind in ("provision", "redemption", "refund"):
        request = new_id()
        status, body = await till.confirm(kind, request)
        assert failed((status, body)) == (404, "UNABLE_TO_LOCATE_RECORD")
        assert body["originalId"] == request
        assert failed(await till.reverse(kind, request)) == (404, "UNABLE_TO_LOCATE_RECORD")
        assert failed(await till.reverse(kind, request)) == (404, "UNABLE_TO_LOCATE_RECORD")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("provision", "VOUCHER_ALREADY_REVERSED"),
        ("redemption", "REDEMPTION_ALREADY_REVERSED"),
        ("refund", "REFUND_ALREADY_REVERSED"),
    ],
)
async def test_a_request_that_its_reversal_overtook_is_refused(till: Till, kind: str, error: str) -> None:
    sold = await till.sold()
    code = sold["voucher"]["code"]
    await till.redeemed(code, 400, confirmed=True)
    asked = message(minor=100, **({} if kind == "provision" else {"voucher": {"code": code}}))
    reversal = about(asked["id"], reversalReason="TIMEOUT")
    path = {"provision": "/vouchers", "redemption": "/redemptions", "refund": "/refunds"}[kind]
    assert failed(await till.post(f"{path}/reversals", reversal))[0] == 404
    status, body = await till.post(path, asked)
    assert failed((status, body)) == (400, error)
    assert (body["id"], body["originalId"]) == (asked["id"], reversal["id"])
    assert failed(await till.confirm(kind, asked["id"])) == (400, error)
    assert await till.look(sold) == (VoucherState.ACTIVATED, 600)


async def test_a_reversed_provision_is_gone_and_cannot_be_confirmed(till: Till) -> None:
    _, made = await till.ask("provision", 1000)
    for _ in range(2):
        assert (await till.reverse("provision", made["id"]))[0] == 202
    assert await till.look(made) == (VoucherState.CANCELLED, 0)
    assert failed(await till.confirm("provision", made["id"])) == (400, "VOUCHER_ALREADY_REVERSED")


async def test_a_confirmed_provision_cannot_be_reversed(till: Till) -> None:
    sold = await till.sold()
    assert failed(await till.reverse("provision", sold["id"])) == (400, "VOUCHER_ALREADY_CONFIRMED")
    assert await till.look(sold) == (VoucherState.ACTIVATED, 1000)


async def test_a_redemption_is_reversed_once(till: Till) -> None:
    sold = await till.sold()
    redeemed = await till.redeemed(sold["voucher"]["code"])
    reversal = about(redeemed["id"], reversalReason="CANCELLED")
    for _ in range(2):
        assert await till.post("/redemptions/reversals", reversal) == (202, reversal)
    assert failed(await till.reverse("redemption", redeemed["id"])) == (404, "UNABLE_TO_LOCATE_RECORD")
    assert await till.look(sold) == (VoucherState.ACTIVATED, 1000)
    assert failed(await till.confirm("redemption", redeemed["id"])) == (400, "REDEMPTION_ALREADY_REVERSED")


async def test_a_redemption_is_confirmed_once(till: Till) -> None:
    sold = await till.sold()
    redeemed = await till.redeemed(sold["voucher"]["code"])
    advice = about(redeemed["id"])
    for _ in range(2):
        assert (await till.post("/redemptions/confirmations", advice))[0] == 202
    assert failed(await till.confirm("redemption", redeemed["id"])) == (400, "VOUCHER_NOT_REDEEMED")
    assert failed(await till.reverse("redemption", redeemed["id"])) == (400, "REDEMPTION_ALREADY_CONFIRMED")


async def test_only_a_confirmed_redemption_is_refunded(till: Till) -> None:
    sold = await till.sold()
    code = sold["voucher"]["code"]
    assert failed(await till.refund(code)) == (400, "VOUCHER_NOT_REDEEMED")
    redeemed = await till.redeemed(code)
    assert failed(await till.refund(code)) == (400, "REDEMPTION_NOT_CONFIRMED")
    await till.confirm("redemption", redeemed["id"])
    assert (await till.refund(code))[0] == 201
    assert failed(await till.refund(code)) == (400, "VOUCHER_ALREADY_REFUNDED")


async def test_a_refund_is_confirmed_once_and_then_over(till: Till) -> None:
    code = (await till.sold())["voucher"]["code"]
    await till.redeemed(code, confirmed=True)
    _, refund = await till.refund(code)
    advice = about(refund["id"])
    for _ in range(2):
        assert (await till.post("/refunds/confirmations", advice))[0] == 202
    assert failed(await till.confirm("refund", refund["id"])) == (400, "VOUCHER_NOT_REFUNDED")
    assert failed(await till.reverse("refund", refund["id"])) == (400, "REFUND_ALREADY_CONFIRMED")
    assert failed(await till.refund(code)) == (400, "VOUCHER_NOT_REDEEMED")


async def test_a_reversed_refund_leaves_the_voucher_redeemed(till: Till) -> None:
    sold = await till.sold()
    code = sold["voucher"]["code"]
    await till.redeemed(code, confirmed=True)
    _, refund = await till.refund(code)
    reversal = about(refund["id"], reversalReason="TIMEOUT")
    for _ in range(2):
        assert (await till.post("/refunds/reversals", reversal))[0] == 202
    assert failed(await till.reverse("refund", refund["id"])) == (404, "UNABLE_TO_LOCATE_RECORD")
    assert failed(await till.confirm("refund", refund["id"])) == (400, "REFUND_ALREADY_REVERSED")
    assert await till.look(sold) == (VoucherState.REDEEMED, 0)
    assert (await till.refund(code))[0] == 201


async def test_repeated_confirmations_of_an_old_refund_do_not_give_twice(till: Till) -> None:
    sold = await till.sold()
    code = sold["voucher"]["code"]
    await till.redeemed(code, confirmed=True)
    _, refund = await till.refund(code)
    advice = about(refund["id"])
    await till.post("/refunds/confirmations", advice)
    await till.redeemed(code, 700)
    assert (await till.post("/refunds/confirmations", advice))[0] == 202
    assert await till.look(sold) == (VoucherState.ACTIVATED, 300)


async def test_parts_are_redeemed_confirmed_reversed_and_refunded(till: Till) -> None:
    sold = await till.sold(1000)
    code = sold["voucher"]["code"]
    first = await till.redeemed(code, 600)
    assert first["amounts"]["balanceAmount"] == money(400)
    assert (await till.confirm("redemption", first["id"], **standing(500)))[0] == 202
    second = await till.redeemed(code, 300)
    assert (await till.reverse("redemption", second["id"], **standing(100)))[0] == 202
    assert await till.look(sold) == (VoucherState.ACTIVATED, 400)
    _, refund = await till.refund(code, 450, redemptionId=first["id"])
    assert (await till.confirm("refund", refund["id"], **standing(200)))[0] == 202
    assert await till.look(sold) == (VoucherState.ACTIVATED, 600)


async def test_a_partly_reversed_refund_gives_back_what_stands(till: Till) -> None:
    sold = await till.sold(1000)
    await till.redeemed(sold["voucher"]["code"], confirmed=True)
    _, refund = await till.refund(sold["voucher"]["code"])
    assert (await till.reverse("refund", refund["id"], **standing(250)))[0] == 202
    assert await till.look(sold) == (VoucherState.ACTIVATED, 250)


async def test_nothing_stands_that_is_more_than_was_approved(till: Till) -> None:
    sold = await till.sold(1000)
    code = sold["voucher"]["code"]
    redeemed = await till.redeemed(code, 600)
    for advise in (till.confirm, till.reverse):
        assert failed(await advise("redemption", redeemed["id"], **standing(601))) == (400, "INVALID_AMOUNT")
        assert failed(await advise("redemption", redeemed["id"], **standing(10, "710"))) == (400, "INVALID_AMOUNT")
    await till.confirm("redemption", redeemed["id"])
    assert failed(await till.refund(code, 601)) == (400, "INVALID_AMOUNT")
    assert failed(await till.redeem(code, 401)) == (400, "INSUFFICIENT_AMOUNT")


async def test_a_provision_is_confirmed_and_reversed_whole(till: Till) -> None:
    _, made = await till.ask("provision", 1000)
    for advise in (till.confirm, till.reverse):
        assert failed(await advise("provision", made["id"], **standing(500))) == (400, "FUNCTION_NOT_SUPPORTED")
    assert failed(await till.confirm("provision", made["id"], **standing(1001))) == (400, "INVALID_AMOUNT")
    assert (await till.confirm("provision", made["id"], **standing(1000)))[0] == 202

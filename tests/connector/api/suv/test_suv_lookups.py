"""Looking vouchers and redemptions up: what is told, to whom, and what is never told."""

import logging

import pytest
from retail_till import BASE, Till, about, failed, message, money, new_id, originator

from connector.domain.voucher import VoucherState
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.issue import Wanted, issue
from connector.store.vouchers import PayoutOutcome

KNOWN = {"originator": originator("KNOWNSHOP000001")}


async def test_a_voucher_is_found_by_code_serial_number_and_provision(till: Till) -> None:
    sold = await till.sold(1000)
    code, serial = sold["voucher"]["code"], sold["voucher"]["serialNumber"]
    await till.redeemed(code, 400)
    for query in ({"voucherCode": code}, {"voucherSerialNumber": serial}, {"provisionRequestId": sold["id"]}):
        status, body = await till.get("/vouchers", **query)
        assert status == 200
        assert body["amounts"]["approvedAmount"] == money(600) | {"ledgerIndicator": "CREDIT"}
        assert body["voucher"]["serialNumber"] == serial
        assert body["product"] == {"productId": "RETAIL"}
        assert code not in str(body)


async def test_what_cannot_be_redeemed_is_worth_nothing_now(till: Till) -> None:
    _, made = await till.ask("provision", 1000)
    _, body = await till.get("/vouchers/", provisionRequestId=made["id"])
    assert body["amounts"] == {
        "approvedAmount": money(0) | {"ledgerIndicator": "CREDIT"},
        "balanceAmount": money(1000),
    }


async def test_routing_hints_are_given_back(till: Till) -> None:
    sold = await till.sold()
    _, body = await till.get(
        "/vouchers", voucherCode=sold["voucher"]["code"], receiverInstId="R1", settlementEntityInstId="S1"
    )
    assert (body["receiver"]["id"], body["settlementEntity"]["id"]) == ("R1", "S1")


@pytest.mark.parametrize(
    "query",
    [{"voucherCode": "1"}, {"voucherSerialNumber": "x"}, {"voucherSerialNumber": "7"}, {"provisionRequestId": "x"}],
)
async def test_a_voucher_that_is_not_there_is_not_found(till: Till, query) -> None:
    assert failed(await till.get("/vouchers", **query)) == (404, "UNABLE_TO_LOCATE_RECORD")


async def test_what_is_asked_about_must_be_one_voucher(till: Till) -> None:
    assert failed(await till.get("/vouchers", receiverInstId="R1")) == (400, "FORMAT_ERROR")
    one, other = await till.sold(), await till.sold()
    query = {"voucherCode": one["voucher"]["code"], "provisionRequestId": other["id"]}
    assert failed(await till.get("/vouchers", **query)) == (404, "UNABLE_TO_LOCATE_RECORD")


async def test_an_approved_redemption_is_told_again_as_it_was(till: Till) -> None:
    sold = await till.sold(1000)
    redeemed = await till.redeemed(sold["voucher"]["code"], 300)
    await till.redeemed(sold["voucher"]["code"], 300)
    assert await till.get(f"/redemptions/{redeemed['id']}") == (200, redeemed)
    assert await till.get(f"/redemptions/{redeemed['id']}/") == (200, redeemed)


async def test_a_refused_redemption_is_told_again_as_it_was(till: Till) -> None:
    sold = await till.sold(1000)
    asked = message(minor=1001, voucher={"code": sold["voucher"]["code"]})
    refused = await till.post("/redemptions", asked)
    assert failed(refused) == (400, "INSUFFICIENT_AMOUNT")
    assert await till.get(f"/redemptions/{asked['id']}") == refused


async def test_a_redemption_that_was_overtaken_is_told_as_never_received(till: Till) -> None:
    request = new_id()
    await till.reverse("redemption", request)
    assert await till.get(f"/redemptions/{request}") == (404, None)


async def test_somebody_elses_redemption_is_not_told(till: Till) -> None:
    sold = await till.sold()
    redeemed = await till.redeemed(sold["voucher"]["code"])
    other = Till(till.client, till.services, "OTHER")
    assert await other.get(f"/redemptions/{redeemed['id']}") == (403, None)
    assert await other.get(f"/redemptions/{new_id()}") == (404, None)


@pytest.mark.parametrize(("paid", "status", "error"), [(True, 200, ""), (False, 400, "INVALID_MERCHANT")])
async def test_a_payment_on_its_way_is_told_when_it_is_decided(till: Till, paid, status, error) -> None:
    [issued] = await issue(
        till.services, Caller("admin", "x"), "", [Wanted("FOOD", "USD", 1000)], state=VoucherState.ACTIVATED
    )
    answer, body = await till.redeem(issued.number, **KNOWN)
    assert answer == 504
    assert failed(await till.get(f"/redemptions/{body['id']}")) == (504, "VOUCHER_STATUS_UNKNOWN")
    assert failed(await till.confirm("redemption", body["id"])) == (504, "VOUCHER_STATUS_UNKNOWN")
    await till.services.store.vouchers.decide([PayoutOutcome(f"{issued.serial}-1", paid, "" if paid else "AC01")])
    found, told = await till.get(f"/redemptions/{body['id']}")
    assert (found, told.get("errorType", "")) == (status, error)
    confirmed = await till.confirm("redemption", body["id"])
    assert confirmed[0] == (202 if paid else 404)


async def test_no_code_and_no_pin_is_logged_or_kept_in_clear(till: Till, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "aiohttp.access")  # of the test's server: a real one keeps no such log
    code, pin = "SECRET-CODE-1234567", {"type": "CLEAR_PIN", "pin": "9876543"}
    sold = await till.sold(1000, voucher={"code": code, "pin": pin})
    status, redeemed = await till.ask("redemption", 300, voucher={"code": code, "pin": pin})
    assert status == 201
    assert code not in str(redeemed)
    await till.get("/vouchers", voucherCode=code)
    await till.post("/vouchers", message(minor=5, voucher={"code": code, "pin": pin}))
    await till.reverse("redemption", sold["id"])
    dumped = [
        str(await till.services.store.link.ask("DUMP", key))
        for key in await till.services.store.link.ask("KEYS", "*")
    ]
    for secret in (code, "9876543"):
        assert secret not in caplog.text
        assert not any(secret in each for each in dumped)


async def test_every_path_takes_a_slash_at_its_end(till: Till) -> None:
    for path in ("/vouchers", "/redemptions", "/refunds"):
        assert failed(await till.post(f"{path}/", {})) == (400, "FORMAT_ERROR")
        for advice in ("confirmations", "reversals"):
            assert failed(await till.post(f"{path}/{advice}/", about(new_id())))[0] in {400, 404}
    assert (await till.client.get(f"{BASE}/nothing")).status == 404

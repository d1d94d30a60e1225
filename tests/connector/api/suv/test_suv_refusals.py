"""Who is let in, what is well-formed, and how each of the 28 error types is reached."""

import re
from pathlib import Path

import pytest
from retail_till import BASE, Till, about, basic, failed, message, money, new_id, originator

from connector.api import Role, Token
from connector.api.suv.errors import RETAIL_TYPES, VOUCHER_TYPES, ErrorType
from connector.domain.errors import Unavailable
from connector.domain.retail import RetailFault
from connector.domain.voucher import Command, VoucherFault, VoucherState
from connector.flows.vouchers import retail_redemption
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.issue import Wanted, issue

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "retail-vouchers.md"
CLIENTS = (("SHOPS", Token.of("secret", Role.SOURCE, "").sha256),)


async def test_every_fault_has_a_type_and_every_type_is_explained() -> None:
    assert set(VOUCHER_TYPES) == set(VoucherFault)
    assert set(RETAIL_TYPES) == set(RetailFault)
    explained = re.findall(r"^\| `([A-Z_]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(explained) == sorted(ErrorType)
    assert len(ErrorType) == 28


@pytest.fixture
async def guarded(make_client, services) -> Till:
    return Till(await make_client(profile="production", suv_clients=CLIENTS), services)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("SHOPS", "wrong"),
        basic("OTHER", "secret"),
        basic("OTHER", ""),
        {"Authorization": "Basic !!"},
        {"Authorization": "Basic U0hPUFM="},
        {"Authorization": "Bearer secret"},
    ],
)
async def test_without_the_clients_password_nothing_is_done(guarded: Till, headers) -> None:
    asked = message(minor=1000)
    for method, path in (
        ("POST", "/vouchers"),
        ("GET", f"/redemptions/{asked['id']}"),
        ("GET", "/vouchers?voucherCode=1"),
    ):
        answer = await guarded.client.request(
            method, BASE + path, json=asked if method == "POST" else None, headers=headers
        )
        body = await answer.json()
        assert failed((answer.status, body)) == (400, "AUTHENTICATION_ERROR")
    assert (await guarded.post("/vouchers", asked))[0] == 201


async def test_the_user_is_who_the_message_says(guarded: Till, till: Till) -> None:
    for each in (guarded, till):
        status, body = await each.post("/vouchers", message("OTHER", 1000))
        assert failed((status, body)) == (400, "AUTHENTICATION_ERROR")
        assert "originalId" not in body


async def test_production_without_clients_lets_nobody_in(make_client, services) -> None:
    closed = Till(await make_client(profile="production"), services)
    assert failed(await closed.ask("provision", 1000)) == (400, "AUTHENTICATION_ERROR")


async def test_a_sandbox_takes_messages_without_user_as_those_of_one_client(till: Till) -> None:
    asked = message(minor=1000)
    assert (await till.client.post(f"{BASE}/vouchers/", json=asked)).status == 201
    advice = about(asked["id"], tenders=[])
    assert (await till.client.post(f"{BASE}/vouchers/confirmations/", json=advice)).status == 202
    assert failed(await till.confirm("provision", asked["id"]))[0] == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"originator": None}, "originator may not be null"),
        ({"client": {"name": "X"}}, "client.id may not be null"),
        (
            {"thirdPartyIdentifiers": [{"institutionId": "A"}]},
            "thirdPartyIdentifiers[0].transactionIdentifier may not be null",
        ),
        ({"surprise": 1}, "surprise is not a known field"),
        ({"voucher": {"pin": {"type": "CLEAR_PIN"}}}, "voucher.pin.pin may not be null"),
        ({"voucher": {"pin": {}}}, "voucher.pin.type may not be null"),
        ({"id": "7"}, "id: "),
        ({"time": "yesterday"}, "time: "),
        ({"time": "2030-02-30T10:00:00Z"}, "time: "),
        ({"amounts": {"requestAmount": {"amount": 1.5, "currency": "840"}}}, "amounts.requestAmount.amount: "),
        ({"amounts": {"requestAmount": {"amount": True, "currency": "840"}}}, "amounts.requestAmount.amount: "),
    ],
)
async def test_what_is_malformed_is_said_by_its_path(till: Till, change, said) -> None:
    status, body = await till.post("/vouchers", message(minor=1000) | change)
    assert failed((status, body)) == (400, "FORMAT_ERROR")
    assert body["detailMessage"]["formatErrors"][0]["msg"].startswith(said)


async def test_malformed_advices_name_their_request(till: Till) -> None:
    request = new_id()
    for path, missing in (("/redemptions/reversals", "reversalReason"), ("/vouchers/confirmations", "time")):
        advice = about(request, reversalReason="TIMEOUT")
        del advice[missing]
        if "confirmations" in path:
            del advice["reversalReason"]
        status, body = await till.post(path, advice)
        assert failed((status, body)) == (400, "FORMAT_ERROR")
        assert (body["id"], body["originalId"]) == (advice["id"], request)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b'{"id":'])
async def test_what_is_no_message_is_a_format_error(till: Till, content) -> None:
    headers = basic("SHOPS") | {"Content-Type": "application/json"}
    answer = await till.client.post(f"{BASE}/redemptions", data=content, headers=headers)
    assert failed((answer.status, await answer.json())) == (400, "FORMAT_ERROR")


async def test_other_media_and_large_messages_are_refused(till: Till) -> None:
    headers = basic("SHOPS") | {"Content-Type": "text/plain"}
    answer = await till.client.post(f"{BASE}/redemptions", data=b"{}", headers=headers)
    assert failed((answer.status, await answer.json())) == (400, "FORMAT_ERROR")
    headers |= {"Content-Type": "application/json"}
    answer = await till.client.post(f"{BASE}/redemptions", data=b" " * 300_000, headers=headers)
    assert failed((answer.status, await answer.json())) == (413, "FORMAT_ERROR")


async def test_numbers_are_taken_as_texts_nulls_as_absent_and_lists_may_be_left_out(till: Till) -> None:
    asked = message(minor=1000, currency=840, rrn=5, slipData=None)
    del asked["thirdPartyIdentifiers"]
    status, body = await till.post("/vouchers", asked)
    assert (status, body["rrn"], body["amounts"]["requestAmount"]["currency"]) == (201, "5", "840")
    assert (await till.post("/vouchers/confirmations", about(asked["id"])))[0] == 202
    low = message(minor=1000, currency=36)
    assert (await till.post("/vouchers", low))[1]["amounts"]["approvedAmount"]["currency"] == "036"


@pytest.mark.parametrize(
    ("amounts", "error"),
    [
        (None, "INVALID_AMOUNT"),
        ({"requestAmount": money(0)}, "INVALID_AMOUNT"),
        ({"requestAmount": money(-5)}, "INVALID_AMOUNT"),
        ({"requestAmount": money(10**17)}, "INVALID_AMOUNT"),
        ({"requestAmount": money(5, "000")}, "INVALID_AMOUNT"),
    ],
)
async def test_a_voucher_needs_an_amount_that_there_is(till: Till, amounts, error) -> None:
    assert failed(await till.post("/vouchers", message() | {"amounts": amounts})) == (400, error)


async def test_an_unknown_product_cannot_be_routed(till: Till) -> None:
    assert failed(await till.ask("provision", 5, product={"productId": "NONE"})) == (400, "ROUTING_ERROR")


async def test_clients_may_choose_codes_that_nobody_has(till: Till) -> None:
    code = "GIFT-" + "Z" * 35
    sold = await till.sold(1000, voucher={"code": code})
    assert sold["voucher"]["code"] == code
    assert failed(await till.ask("provision", 5, voucher={"code": code})) == (400, "VOUCHER_ALREADY_PROVISIONED")
    await till.redeemed(code)
    assert failed(await till.ask("provision", 5, voucher={"code": "Z" * 41})) == (400, "FORMAT_ERROR")


CLEAR = {"type": "CLEAR_PIN", "pin": "1234"}
HASHED = {"type": "HASHED_PIN", "hash": "03AC674216F3E15C761EE1A5E255F067953623C8B388B4459E13F978D7C846F4"}
ENCRYPTED = {"type": "ENCRYPTED_PIN", "pinBlock": "0123456789ABCDEF"}


@pytest.mark.parametrize(("set_as", "said_as"), [(CLEAR, CLEAR), (CLEAR, HASHED), (HASHED, CLEAR), (HASHED, HASHED)])
async def test_a_pin_is_needed_clear_or_hashed(till: Till, set_as, said_as) -> None:
    sold = await till.sold(1000, voucher={"pin": set_as})
    assert "pin" not in sold["voucher"]
    code = sold["voucher"]["code"]
    assert failed(await till.redeem(code)) == (400, "INVALID_VOUCHER")
    wrong = {"code": code, "pin": CLEAR | {"pin": "4321"}}
    assert failed(await till.ask("redemption", voucher=wrong)) == (400, "INVALID_VOUCHER")
    assert (await till.ask("redemption", voucher={"code": code, "pin": said_as}))[0] == 201


async def test_encrypted_pins_are_not_supported(till: Till) -> None:
    for kind, code in (("provision", None), ("redemption", "1")):
        voucher = {"code": code, "pin": ENCRYPTED}
        assert failed(await till.ask(kind, 5, voucher=voucher)) == (400, "FUNCTION_NOT_SUPPORTED")


async def test_what_is_kept_from_being_redeemed_is_not_honoured(till: Till, clock) -> None:
    for command, error in ((Command.SUSPEND, "DO_NOT_HONOUR"), (Command.CANCEL, "VOUCHER_NOT_REDEEMABLE")):
        sold = await till.sold()
        serial = int(sold["voucher"]["serialNumber"])
        await till.services.store.vouchers.move(command, [serial], actor="test", now=clock())
        assert failed(await till.redeem(sold["voucher"]["code"])) == (400, error)
    expired = await till.sold()
    clock.pass_seconds(91 * 86_400)
    assert failed(await till.redeem(expired["voucher"]["code"])) == (400, "VOUCHER_NOT_REDEEMABLE")


async def test_a_redemption_in_another_currency_is_refused(till: Till) -> None:
    code = (await till.sold())["voucher"]["code"]
    assert failed(await till.redeem(code, 5, currency="710")) == (400, "INVALID_AMOUNT")


async def test_a_refund_names_a_redemption_of_its_voucher(till: Till) -> None:
    one, other = (await till.sold(), await till.sold())
    redeemed = await till.redeemed(one["voucher"]["code"], confirmed=True)
    code = other["voucher"]["code"]
    assert failed(await till.refund(code, redemptionId=redeemed["id"])) == (400, "INVALID_VOUCHER")
    assert failed(await till.refund(code, redemptionId=new_id())) == (400, "VOUCHER_NOT_REDEEMED")
    assert failed(await till.ask("refund", voucher={})) == (400, "FORMAT_ERROR")
    reference = redeemed["thirdPartyIdentifiers"][-1]["transactionIdentifier"]
    other_system = Till(till.client, till.services, "BACKOFFICE")
    assert failed(await other_system.refund(code, receiverTransactionRef=reference)) == (400, "INVALID_VOUCHER")
    status, _ = await other_system.refund(one["voucher"]["code"], receiverTransactionRef=reference)
    assert status == 201


async def test_without_the_store_nothing_is_begun_and_advices_are_to_be_repeated(till: Till, monkeypatch) -> None:
    sold = await till.sold()

    async def gone(*_, **__):
        raise Unavailable("store", "gone")

    monkeypatch.setattr(till.services.store.link, "call_all", gone)
    monkeypatch.setattr(till.services.store.link, "ask_all", gone)
    for answer in (
        await till.ask("provision", 5),
        await till.redeem("1"),
        await till.get("/vouchers", voucherCode="1"),
    ):
        assert failed(answer) == (503, "UPSTREAM_UNAVAILABLE")
    assert failed(await till.reverse("redemption", sold["id"])) == (504, "UPSTREAM_UNAVAILABLE")


async def test_the_outcome_is_unknown_when_the_store_goes_in_between(till: Till, monkeypatch) -> None:
    sold = await till.sold()

    async def gone(*_, **__):
        raise Unavailable("store", "gone")

    monkeypatch.setattr(till.services.store.vouchers, "redeem", gone, raising=False)
    assert failed(await till.redeem(sold["voucher"]["code"])) == (504, "UPSTREAM_UNAVAILABLE")


async def test_a_defect_is_answered_as_an_error_too(till: Till, monkeypatch) -> None:
    async def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(retail_redemption, "by_number", broken)
    status, body = await till.redeem("1")
    assert failed((status, body)) == (500, "GENERAL_ERROR")


async def test_a_programmes_voucher_is_redeemed_under_its_own_policy(till: Till, services) -> None:
    wanted = Wanted("FOOD", "USD", 1000)
    [issued] = await issue(services, Caller("admin", "operator"), "", [wanted], state=VoucherState.ACTIVATED)
    assert failed(await till.redeem(issued.number)) == (400, "INVALID_MERCHANT")
    known = {"originator": originator("KNOWNSHOP000001")}
    assert failed(await till.redeem(issued.number, 5, **known)) == (400, "TRANSACTION_NOT_SUPPORTED")
    status, body = await till.redeem(issued.number, **known)
    assert failed((status, body)) == (504, "VOUCHER_STATUS_UNKNOWN")
    assert failed(await till.redeem(issued.number, **known)) == (400, "VOUCHER_STATUS_UNKNOWN")
    assert failed(await till.reverse("redemption", body["id"])) == (400, "FUNCTION_NOT_SUPPORTED")
    assert failed(await till.refund(issued.number)) == (400, "FUNCTION_NOT_SUPPORTED")

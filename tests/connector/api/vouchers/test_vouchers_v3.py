"""GovStack v3.0 vouchers over HTTP: orders with their callbacks, redemption, status and batches."""

import asyncio
import copy
from dataclasses import replace

import pytest
from voucher_shop import Shop

from connector.api import ApiSettings, application
from connector.api.settings import Role, Token
from connector.domain.directory import SourceBB
from connector.flows.vouchers.secrecy import correspondent, opened_number
from connector.store import CallbackState

BB = "Gov_Stack_BB"
OTHER = "example Gov_Stack_BB"
CALLBACK = "http://localhost:1/callback"
HEADERS = {"X-Callback-URL": CALLBACK, "X-Registering-Institution-ID": BB}
WANTED = [("I1", "FOOD", "USD", 15.21), ("I2", "FOOD", "EUR", "7.5"), ("I3", "FIXED", "USD", 25)]
CREATION = {
    "requestID": "REQ1",
    "batchID": "BATCH1",
    "voucherInstructions": [
        {
            "instructionID": instruction,
            "groupCode": group,
            "currency": currency,
            "amount": amount,
            "payeeFunctionalID": "PERSON1",
            "narration": "Meals",
        }
        for instruction, group, currency, amount in WANTED
    ],
}
TAKEN = {"ResponseCode": "00", "ResponseDescription": "Request successfully received by Pay-BB", "RequestID": "REQ1"}
CANCELLED = {"responseCode": "00", "responseDescription": TAKEN["ResponseDescription"], "requestID": "REQ3"}


def creation(index=None, field="", value=None, **fields):
    body = copy.deepcopy(CREATION) | fields
    if index is not None:
        body["voucherInstructions"][index][field] = value
    return body


def change(*serials, request="REQ2"):
    named = [{"serialNumber": str(serial)} for serial in serials]
    return {"RequestID": request, "BatchID": "BATCH1", "VoucherInstructions": named}


async def create(shop: Shop, body=CREATION, headers=HEADERS):
    return await shop.client.post("/vouchers", json=body, headers=headers)


async def created(shop: Shop) -> list[int]:
    """Create the vouchers; gives their serials, with the callback taken out of the way."""
    assert (await create(shop)).status == 200
    details = (await shop.callback())["body"]["voucherInstructions"]
    await delivered(shop)
    return [int(each["serialNumber"]) for each in details]


async def delivered(shop: Shop) -> None:
    callbacks = shop.services.store.callbacks
    for each in await callbacks.find(CallbackState.PENDING):
        await callbacks.save(replace(each, state=CallbackState.DELIVERED))


async def test_a_creation_is_taken_and_its_details_called_back_with_sealed_numbers(shop):
    answer = await create(shop)
    assert (answer.status, await answer.json()) == (200, TAKEN)
    called = await shop.callback()
    body = called["body"]
    assert (called["url"], body["batchID"], len(body["requestID"])) == (CALLBACK, "BATCH1", 12)
    told = [(each["instructionID"], each["currency"], each["amount"]) for each in body["voucherInstructions"]]
    assert told == [("I1", "USD", 15.21), ("I2", "EUR", 7.5), ("I3", "USD", 25.0)]
    source = correspondent(await shop.services.store.directory.load(), BB)
    for each in body["voucherInstructions"]:
        assert len(each["voucherNumber"]) == 44
        assert each["narration"] == "Meals"
        serial = int(each["serialNumber"])
        number = opened_number(source, serial, each["voucherNumber"])
        assert await shop.services.store.vouchers.serial_of(number) == serial


async def test_the_same_creation_again_makes_nothing_and_calls_back_once(shop):
    for _ in range(2):
        assert await (await create(shop)).json() == TAKEN
    assert len((await shop.callback())["body"]["voucherInstructions"]) == 3
    other = creation(0, "amount", 1)
    assert (await create(shop, other)).status == 400
    assert (await create(shop, {**other, "requestID": "REQ9"})).status == 400
    assert (await create(shop, {**other, "requestID": "REQ9", "batchID": "BATCH9"})).status == 200
    assert (await (await create(shop)).json()) == TAKEN


async def test_the_same_creation_twice_at_once_is_answered_alike(shop):
    answers = await asyncio.gather(*(create(shop) for _ in range(4)))
    assert {answer.status for answer in answers} == {200}
    assert len((await shop.callback())["body"]["voucherInstructions"]) == 3


CREATIONS = [
    (creation(voucherInstructions=[]), "/voucherInstructions"),
    (creation(voucherInstructions=None), "/voucherInstructions"),
    (creation(requestID=None), "/requestID"),
    (creation(requestID="REQUEST000012"), "/requestID"),
    (creation(batchID="B" * 13), "/batchID"),
    (creation(1, "instructionID", "I1"), "/voucherInstructions/1/instructionID"),
    (creation(1, "instructionID", "I" * 17), "/voucherInstructions/1/instructionID"),
    (creation(1, "groupCode", "NONE"), "/voucherInstructions/1"),
    (creation(1, "groupCode", None), "/voucherInstructions/1/groupCode"),
    (creation(2, "amount", 24), "/voucherInstructions/2"),
    (creation(2, "currency", "EUR"), "/voucherInstructions/2"),
    (creation(0, "amount", 1.234), "/voucherInstructions/0/amount"),
    (creation(0, "amount", -1), "/voucherInstructions/0/amount"),
    (creation(0, "currency", "XXQ"), "/voucherInstructions/0/currency"),
    (creation(0, "groupCode", "POOR"), "/voucherInstructions/0"),
    (creation(0, "narration", "n" * 51), "/voucherInstructions/0/narration"),
]


async def test_a_creation_with_anything_wrong_creates_nothing_and_burns_no_id(shop):
    for body, where in CREATIONS:
        answer = await create(shop, body)
        told = await answer.json()
        assert (answer.status, told["responseCode"]) == (400, "01")
        assert told["errors"][0]["where"].startswith(where), told
    assert await shop.services.store.callbacks.find(CallbackState.PENDING) == []
    assert (await create(shop)).status == 200


async def test_who_creates_must_be_known_say_where_to_call_back_and_name_the_groups_own_programme(shop):
    for headers, where in (
        ({"X-Registering-Institution-ID": BB}, "header X-Callback-URL"),
        ({**HEADERS, "X-Callback-URL": "ftp://a/"}, "header X-Callback-URL"),
        ({**HEADERS, "X-Registering-Institution-ID": "nobody"}, ""),
        ({**HEADERS, "X-Program-Id": "PENSIONS"}, "/voucherInstructions/0/groupCode"),
    ):
        answer = await create(shop, headers=headers)
        assert answer.status == 400
        assert (await answer.json())["errors"][0]["where"] == where
    assert (await create(shop, headers={**HEADERS, "X-Program-Id": "SANDBOX"})).status == 200


async def test_callbacks_go_where_the_source_is_known_to_listen_if_no_header_says_otherwise(shop):
    await shop.services.store.directory.save_source(SourceBB(BB, BB, callback_url="http://localhost:2/bb/"))
    headers = {"X-Registering-Institution-ID": BB}
    assert (await create(shop, headers=headers)).status == 200
    assert (await shop.callback())["url"] == "http://localhost:2/bb/voucher-details-return"
    await delivered(shop)
    await shop.client.post("/vouchers?command=cancel", json=change(1), headers=headers)
    assert (await shop.callback())["url"] == "http://localhost:2/bb/vouchers/cancellation/confirmation"
    await delivered(shop)
    await shop.client.put("/vouchers?command=activate", json=change(1), headers=headers)
    assert (await shop.callback())["url"] == "http://localhost:2/bb"


@pytest.mark.parametrize("header", ["X-Callback-URL", "x-callbackurl", "X-Callback_URL"])
async def test_vouchers_are_activated_and_the_failed_cases_called_back(shop, header):
    first, second, third = await created(shop)
    await shop.client.post("/vouchers?command=cancel", json=change(second, request="REQ0"))
    body = change(first, second, "nonsense", 1999999999999999, third, first)
    headers = {header: CALLBACK, "X-Registering-Institution-ID": BB}
    answers = [await shop.client.put("/vouchers?command=activate", json=body, headers=headers) for _ in range(2)]
    assert [await answer.json() for answer in answers] == [{**TAKEN, "RequestID": "REQ2"}] * 2
    assert [await shop.state(serial) for serial in (first, second, third)] == ["activated", "cancelled", "activated"]
    called = await shop.callback()
    assert called["url"] == CALLBACK
    assert called["body"] == {
        "requestID": called["body"]["requestID"],
        "registerRequestID": "REQ2",
        "numberFailedCases": 3,
        "failedCases": [
            {"serialNumber": str(second), "failureReason": "The voucher is already cancelled"},
            {"serialNumber": "nonsense", "failureReason": "There is no such voucher"},
            {"serialNumber": "1999999999999999", "failureReason": "There is no such voucher"},
        ],
    }


async def test_a_request_id_of_a_change_is_for_one_content_only(shop):
    first, second, _ = await created(shop)
    assert (await shop.client.put("/vouchers?command=activate", json=change(first))).status == 200
    answer = await shop.client.put("/vouchers?command=activate", json=change(second))
    assert (answer.status, (await answer.json())["ResponseCode"]) == (400, "01")
    assert await shop.state(second) == "pre-activated"
    assert (await shop.client.put("/vouchers?command=suspend", json=change(first))).status == 200


async def test_vouchers_are_suspended_and_come_back_as_they_were(shop):
    first, second, _ = await created(shop)
    await shop.client.put("/vouchers?command=activate", json=change(first))
    for command, states in (("suspend", ["suspended"] * 2), ("reactivate", ["activated", "pre-activated"])):
        answer = await shop.client.put(f"/vouchers?command={command}", json=change(first, second), headers=HEADERS)
        assert answer.status == 200
        assert [await shop.state(first), await shop.state(second)] == states
        assert (await shop.callback())["body"]["numberFailedCases"] == 0
        await delivered(shop)


async def test_a_cancellation_is_answered_in_camel_case_and_confirmed(shop):
    first, second, _ = await created(shop)
    for _ in range(2):
        answer = await shop.client.post(
            "/vouchers?command=cancel", json=change(first, second, request="REQ3"), headers=HEADERS
        )
        assert (answer.status, await answer.json()) == (200, CANCELLED)
    assert await shop.state(first) == "cancelled"
    assert (await shop.callback())["body"]["failedCases"] == []
    await delivered(shop)
    await shop.client.post("/vouchers?command=cancel", json=change(first, request="REQ4"), headers=HEADERS)
    assert (await shop.callback())["body"]["numberFailedCases"] == 1


async def test_a_cancellation_that_a_crash_interrupted_is_finished_by_the_repeat(shop, monkeypatch):
    first, _, _ = await created(shop)
    body = change(first, request="REQ3")

    async def broken(*_, **__):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(shop.services.store.callbacks, "put", broken)
        assert (await shop.client.post("/vouchers?command=cancel", json=body, headers=HEADERS)).status == 503
    assert (await shop.client.post("/vouchers?command=cancel", json=body, headers=HEADERS)).status == 200
    assert (await shop.callback())["body"]["numberFailedCases"] == 0


async def test_commands_that_do_not_exist_are_refused(shop):
    assert (await shop.client.put("/vouchers", json=change(1))).status == 400
    assert (await shop.client.put("/vouchers?command=redeem", json=change(1))).status == 400
    assert (await shop.client.post("/vouchers?command=activate", json=change(1))).status == 400
    for body in (change(), {}, [], {**change(1), "RequestID": None}, {**change(), "VoucherInstructions": [7]}):
        assert (await shop.client.put("/vouchers?command=activate", json=body)).status == 400
        assert (await shop.client.post("/vouchers?command=cancel", json=body)).status == 400


def presented(voucher, **changed):
    return {
        "requestID": "REQ5",
        "voucherSerialNumber": str(voucher.serial),
        "agentID": "CORNER",
        "voucherSecretNumber": voucher.number,
        **changed,
    }


@pytest.mark.parametrize("command", ["redeem", "cancel"])
async def test_a_redemption_says_what_was_paid_and_again_the_same(shop, command, clock):
    voucher = await shop.voucher()
    request = shop.client.post(f"/vouchers?command={command}", json=presented(voucher), headers=HEADERS)
    answer = await shop.decided(request, voucher.serial)
    body = await answer.json()
    assert (answer.status, len(body["transactionId"])) == (200, 12)
    assert body == {
        "status": 1,
        "message": "Redeemed",
        "serialNumber": str(voucher.serial),
        "value": 15.21,
        "timestamp": "2027-01-15T08:00:00Z",
        "transactionId": body["transactionId"],
    }
    clock.pass_seconds(3600)
    again = await shop.client.post("/vouchers?command=redeem", json=presented(voucher), headers=HEADERS)
    assert await again.json() == body
    other = await shop.client.post("/vouchers?command=redeem", json=presented(voucher, requestID="REQ6"))
    assert {name: (await other.json())[name] for name in ("status", "message", "value")} == {
        "status": 0,
        "message": "Already redeemed",
        "value": 0,
    }


FAILURES = [
    ({}, {"X-Registering-Institution-ID": "nobody"}, "Unknown institution"),
    ({"voucherSerialNumber": "1999999999999999"}, {}, "Invalid voucher"),
    ({"voucherSerialNumber": "nonsense"}, {}, "Invalid voucher"),
    ({"voucherSecretNumber": "1"}, {}, "Invalid voucher"),
    ({"agentID": "NOBODY"}, {}, "Cannot credit agent"),
    ({"agentID": "CASHONLY"}, {}, "Cannot credit agent"),
    ({"agentID": "POORSHOP"}, {}, "Insufficient funds"),
    ({"agentID": "BAKER"}, {}, "Not accepted here"),
]


async def test_a_redemption_that_fails_says_why_with_status_0(shop):
    voucher = await shop.voucher()
    for changed, headers, message in FAILURES:
        body = presented(voucher, **changed)
        answer = await shop.client.post("/vouchers?command=redeem", json=body, headers={**HEADERS, **headers})
        told = await answer.json()
        assert (answer.status, told["status"], told["message"], len(told["message"]) <= 20) == (200, 0, message, True)
    for state, message in (("pre-activated", "Voucher not active"), ("expired", "Voucher expired")):
        answer = await shop.client.post("/vouchers?command=redeem", json=presented(await shop.voucher(state)))
        assert (await answer.json())["message"] == message


async def test_a_redemption_whose_outcome_is_not_known_is_continued_by_the_same_request(shop):
    voucher = await shop.voucher()
    answer = await shop.hasty.post("/vouchers?command=redeem", json=presented(voucher), headers=HEADERS)
    body = await answer.json()
    assert (answer.status, answer.headers["Retry-After"], body["message"]) == (503, "2", "In progress")
    other = await shop.client.post("/vouchers?command=redeem", json=presented(voucher, requestID="REQ6"))
    assert (await other.json())["message"] == "Being redeemed"
    request = shop.client.post("/vouchers?command=redeem", json=presented(voucher), headers=HEADERS)
    told = await (await shop.decided(request, voucher.serial)).json()
    assert (told["status"], told["transactionId"]) == (1, body["transactionId"])


async def test_wrong_numbers_block_the_voucher(shop):
    voucher = await shop.voucher()
    for _ in range(5):
        await shop.client.post("/vouchers?command=redeem", json=presented(voucher, voucherSecretNumber="1"))
    answer = await shop.client.post("/vouchers?command=redeem", json=presented(voucher))
    assert ((await answer.json())["status"], await shop.state(voucher.serial)) == (0, "blocked")


async def test_every_field_of_a_redemption_is_required(shop):
    whole = presented(await shop.voucher())
    for missing in whole:
        body = {name: value for name, value in whole.items() if name != missing}
        assert (await shop.client.post("/vouchers?command=redeem", json=body)).status == 400


STATUSES = {
    "in-stock": 1,
    "pre-activated": 1,
    "activated": 2,
    "redeeming": 2,
    "cancelled": 3,
    "expired": 4,
    "redeemed": 5,
    "suspended": 6,
    "blocked": 6,
}


@pytest.mark.parametrize("path", ["vouchers", "voucher"])
async def test_the_status_of_a_voucher(shop, path):
    for state, status in STATUSES.items() if path == "vouchers" else [("activated", 2)]:
        serial = str((await shop.voucher(state)).serial)
        answer = await shop.client.get(f"/{path}/{serial}?fields=status")
        assert (answer.status, await answer.json()) == (
            200,
            {"status": status, "serialNumber": serial, "value": 15.21},
        )


async def test_the_status_of_what_is_no_voucher_is_9(shop):
    for text in ("1999999999999999", "abc", "%7B%7D", "batches", "1" * 21, "1000000000000001?fields=x"):
        answer = await shop.client.get(f"/vouchers/{text}" if "?" in text else f"/vouchers/{text}?fields=status")
        body = await answer.json()
        assert (answer.status, body["status"], body["value"]) == (400, 9, 0)
        assert body["message"]
    assert (await shop.client.get("/vouchers/1000000000000001")).status == 400


async def test_a_batch_tells_how_many_of_its_vouchers_are_in_which_state(shop):
    first, _, third = await created(shop)
    await shop.client.put("/vouchers?command=activate", json=change(first, third))
    answer = await shop.client.get("/vouchers/batches/BATCH1", headers=HEADERS)
    assert await answer.json() == {
        "requestID": "REQ1",
        "batchID": "BATCH1",
        "total": 3,
        "vouchers": [
            {"status": 2, "state": "activated", "currency": "USD", "number": 2, "amount": 40.21},
            {"status": 1, "state": "pre-activated", "currency": "EUR", "number": 1, "amount": 7.5},
        ],
    }
    for batch, headers in (("BATCH2", HEADERS), ("BATCH1", {"X-Registering-Institution-ID": OTHER})):
        assert (await shop.client.get(f"/vouchers/batches/{batch}", headers=headers)).status == 404


async def test_in_production_the_token_says_who_calls_and_a_key_must_have_been_exchanged(shop, guarded):
    production = await guarded(Token.of("secret", Role.SOURCE, BB))
    bearer = {"Authorization": "Bearer secret", "X-Callback-URL": CALLBACK}
    assert (await create(production, headers={"X-Callback-URL": CALLBACK})).status == 401
    other = {**bearer, "X-Registering-Institution-ID": OTHER}
    assert (await create(production, headers=other)).status == 403
    assert (await production.client.put("/vouchers?command=activate", json=change(1), headers=other)).status == 403
    assert (await create(production, headers=bearer)).status == 200
    store = shop.services.store.directory
    await store.save_defaults(default_programme="", open_sources=False)
    answer = await create(production, {**CREATION, "requestID": "R2", "batchID": "B2"}, bearer)
    assert (answer.status, (await answer.json())["errors"][0]["code"]) == (400, "no_voucher_key")


async def test_lenient_lengths_let_long_ids_in(services, aiohttp_client):
    client = await aiohttp_client(application(services, ApiSettings(lengths_strict=False)))
    body = creation(0, "instructionID", "i" * 36) | {"requestID": "r" * 36, "batchID": "b" * 36}
    answer = await client.post("/vouchers", json=body, headers=HEADERS)
    assert (answer.status, (await answer.json())["RequestID"]) == (200, "r" * 36)

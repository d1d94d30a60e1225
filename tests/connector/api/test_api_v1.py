"""GovStack v1.0 over HTTP: what is good, every kind of bad input, repeats and conflicts."""

import asyncio
import copy

import msgspec
import pytest

PEOPLE = {
    "RequestID": "REQ000000001",
    "SourceBBID": "MINISTRY0001",
    "Beneficiaries": [
        {"PayeeFunctionalID": "PERSON00000000000001", "PaymentModality": "00", "FinancialAddress": "1000000001"}
    ],
}
BATCH = {
    "RequestID": "REQ000000002",
    "SourceBBID": "MINISTRY0001",
    "BatchID": "BATCH0000001",
    "CreditInstructions": [
        {
            "InstructionID": f"INSTR00000000{n:03}",
            "PayeeFunctionalID": f"PERSON00000000000{n:03}",
            "Amount": 150.25,
            "Currency": "USD",
            "Narration": "January",
        }
        for n in range(1, 8)
    ],
}
ONBOARDING = ("/register-beneficiary", "/update-beneficiary-details")
BATCHES = ("/bulk-payment", "/prepayment-validation")
PATHS = (*ONBOARDING, *BATCHES)


def changed(body, where, value):
    """The body with the value at the place (a path of keys) replaced, or removed where it is ``...``."""
    body = copy.deepcopy(body)
    *parents, last = where
    place = body
    for step in parents:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return body


def refused_status(path):
    return 200 if path == "/prepayment-validation" else 400


async def assert_refused(answer, path, says=""):
    body = await answer.json()
    assert answer.status == refused_status(path), body
    assert body["ResponseCode"] == "01"
    assert 0 < len(body["ResponseDescription"]) <= 200
    assert says in body["ResponseDescription"]
    return body


async def test_registering_and_repeating_it_succeeds(client):
    for _ in range(2):
        answer = await client.post("/register-beneficiary", json=PEOPLE)
        assert answer.status == 200
        assert await answer.json() == {
            "ResponseCode": "00",
            "ResponseDescription": "Request successfully received by Pay-BB",
            "RequestID": "REQ000000001",
        }
        assert answer.headers["X-Request-ID"]


async def test_other_data_under_a_registered_id_is_refused(client):
    await client.post("/register-beneficiary", json=PEOPLE)
    other = changed(PEOPLE, ("Beneficiaries", 0, "FinancialAddress"), "1000000002")
    body = await assert_refused(await client.post("/register-beneficiary", json=other), "/register-beneficiary")
    assert body["RequestID"] == "REQ000000001"
    assert "1000000002" not in str(body)


async def test_an_update_with_only_the_functional_id_succeeds(client):
    bare = changed(PEOPLE, ("Beneficiaries",), [{"PayeeFunctionalID": "PERSON00000000000099"}])
    answer = await client.post("/update-beneficiary-details", json=bare)
    assert answer.status == 200


async def test_an_update_of_an_unregistered_person_is_refused(client):
    await assert_refused(await client.post("/update-beneficiary-details", json=PEOPLE), "/update-beneficiary-details")


@pytest.mark.parametrize("path", BATCHES)
async def test_a_batch_and_its_identical_repeat_get_the_same_answer(client, path):
    answers = [await client.post(path, json=BATCH) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert await answers[0].json() == await answers[1].json()
    assert (await answers[0].json())["ResponseCode"] == "00"


async def test_the_same_batch_id_may_be_validated_and_then_paid(client):
    assert (await (await client.post("/prepayment-validation", json=BATCH)).json())["ResponseCode"] == "00"
    assert (await client.post("/bulk-payment", json=BATCH)).status == 200


async def test_a_used_batch_id_with_other_content_is_refused(client):
    await client.post("/bulk-payment", json=BATCH)
    other = changed(BATCH, ("CreditInstructions", 0, "Amount"), 150.26)
    await assert_refused(await client.post("/bulk-payment", json=other), "/bulk-payment", "used before")


async def test_a_refused_request_burns_neither_its_request_id_nor_its_batch_id(client):
    bad = changed(BATCH, ("CreditInstructions", 1, "InstructionID"), "INSTR00000000001")
    await assert_refused(await client.post("/bulk-payment", json=bad), "/bulk-payment", "/CreditInstructions/1")
    assert (await client.post("/bulk-payment", json=BATCH)).status == 200


async def test_spacing_and_order_of_keys_do_not_make_another_batch(client):
    await client.post("/bulk-payment", json=BATCH)
    respelled = msgspec.json.format(msgspec.json.encode(dict(reversed(BATCH.items()))), indent=3)
    answer = await client.post("/bulk-payment", data=respelled, headers={"Content-Type": "application/json"})
    assert answer.status == 200


async def test_unknown_fields_are_ignored(client):
    assert (await client.post("/bulk-payment", json={**BATCH, "Extra": 1})).status == 200


async def test_narration_is_optional_when_paying_and_required_when_validating(client):
    silent = changed(BATCH, ("CreditInstructions", 0, "Narration"), ...)
    assert (await client.post("/bulk-payment", json=silent)).status == 200
    await assert_refused(
        await client.post("/prepayment-validation", json=silent), "/prepayment-validation", "Narration"
    )
    nothing = changed(BATCH, ("CreditInstructions", 0, "Narration"), None)
    assert await client.post("/bulk-payment", json={**nothing, "BatchID": "BATCH0000002", "RequestID": "R" * 12})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[]", b"{}", b"\xff\xfe", b"nan", b'"\\ud800"', b"[" * 100_000, b'{"a":' * 100_000],
)
async def test_a_malformed_body_is_refused(client, path, content):
    answer = await client.post(path, data=content, headers={"Content-Type": "application/json"})
    await assert_refused(answer, path)


@pytest.mark.parametrize("path", PATHS)
async def test_another_content_type_is_refused(client, path):
    answer = await client.post(path, data="a=1", headers={"Content-Type": "text/plain"})
    await assert_refused(answer, path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "value", [..., None, "", "SHORT", "LONGER0000001", 123456789012, [], "BELL\x0700000001"[:12]]
)
@pytest.mark.parametrize("field", ["RequestID", "SourceBBID"])
async def test_a_wrong_id_is_refused(client, path, field, value):
    body = changed(PEOPLE if path in ONBOARDING else BATCH, (field,), value)
    await assert_refused(await client.post(path, json=body), path, field)


@pytest.mark.parametrize("path", BATCHES)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("InstructionID", value) for value in (..., None, "", "X", "X" * 17, 1)],
        *[("PayeeFunctionalID", value) for value in (..., None, "", "X", "X" * 21)],
        *[("Amount", value) for value in (..., None, 0, -1, 0.001, 10**18, 1e400, "1", True, [], "NaN")],
        *[("Currency", value) for value in (..., None, "", "usd", "ZZZ", "XAU", "USDX", 840)],
        *[("Narration", value) for value in ("N" * 51, 1, "a\x00b", "a\ufffeb")],
    ],
)
async def test_a_wrong_instruction_is_refused_naming_the_place(client, path, field, value):
    body = changed(BATCH, ("CreditInstructions", 2, field), value)
    answer = await client.post(
        path, data=msgspec.json.encode(body) if value != 1e400 else encoded_with(body, "1e400"), headers=JSON
    )
    await assert_refused(answer, path, f"/CreditInstructions/2/{field}")


JSON = {"Content-Type": "application/json"}


def encoded_with(body, number):
    """The body with a number that JSON can say and floats cannot."""
    return msgspec.json.encode(changed(body, ("CreditInstructions", 2, "Amount"), 987654)).replace(
        b"987654", number.encode()
    )


@pytest.mark.parametrize(
    "number", ["1e400", "-1e-400", "1" * 30, "1" * 5000, "0." + "1" * 30, "1.000000000000000000000001"]
)
async def test_an_absurd_amount_is_refused(client, number):
    answer = await client.post("/bulk-payment", data=encoded_with(BATCH, number), headers=JSON)
    await assert_refused(answer, "/bulk-payment")


@pytest.mark.parametrize(("currency", "amount"), [("USD", 1.001), ("JPY", 1.5), ("KWD", 1.0001)])
async def test_an_over_precise_amount_is_refused(client, currency, amount):
    body = changed(BATCH, ("CreditInstructions", 0, "Amount"), amount)
    body = changed(body, ("CreditInstructions", 0, "Currency"), currency)
    await assert_refused(await client.post("/bulk-payment", json=body), "/bulk-payment", "decimals")


@pytest.mark.parametrize("value", ["05", "0", "", 0, "000"])
async def test_an_unknown_modality_is_refused(client, value):
    body = changed(PEOPLE, ("Beneficiaries", 0, "PaymentModality"), value)
    await assert_refused(await client.post("/register-beneficiary", json=body), "/register-beneficiary", "Modality")


@pytest.mark.parametrize("path", PATHS)
async def test_an_empty_list_is_refused(client, path):
    body = {**PEOPLE, "Beneficiaries": []} if path in ONBOARDING else {**BATCH, "CreditInstructions": []}
    await assert_refused(await client.post(path, json=body), path)


async def test_an_unknown_source_is_refused_where_sources_are_closed(client, services):
    await services.store.directory.save_defaults(default_programme="SANDBOX", open_sources=False)
    for path in PATHS:
        body = PEOPLE if path in ONBOARDING else BATCH
        await assert_refused(await client.post(path, json=body), path, "not registered")


async def test_a_lenient_deployment_takes_uuids(make_client):
    lenient = await make_client(lengths_strict=False)
    uuid = "0c6ee7e3-5e0c-4c3c-8a39-6f4c9b8f1a11"
    body = changed(BATCH, ("CreditInstructions", 0, "InstructionID"), uuid)
    body |= {"RequestID": uuid, "BatchID": uuid, "SourceBBID": uuid}
    assert (await lenient.post("/bulk-payment", json=body)).status == 200
    await assert_refused(await lenient.post("/bulk-payment", json={**body, "RequestID": "x" * 37}), "/bulk-payment")


async def test_an_oversize_body_is_answered_413(make_client):
    small = await make_client(max_body_bytes=1000)
    answer = await small.post("/bulk-payment", json=BATCH)
    assert answer.status == 413
    assert (await answer.json())["ResponseCode"] == "01"


async def test_a_large_batch_is_parsed_off_the_loop_with_the_same_result(make_client):
    threaded = await make_client(off_loop_bytes=1)
    assert (await threaded.post("/bulk-payment", json=BATCH)).status == 200
    bad = changed(BATCH, ("CreditInstructions", 5, "Amount"), -1)
    await assert_refused(await threaded.post("/bulk-payment", json=bad), "/bulk-payment", "/CreditInstructions/5")


async def test_the_entry_that_failed_is_named_and_the_others_are_stored(client, services):
    assert (await client.post("/register-beneficiary", json=PEOPLE)).status == 200
    known = PEOPLE["Beneficiaries"][0]
    other = {**known, "FinancialAddress": "1000099999"}
    new = {**known, "PayeeFunctionalID": "PERSON00000000009999"}
    answer = await client.post("/register-beneficiary", json={**PEOPLE, "Beneficiaries": [new, other]})
    body = await assert_refused(answer, "/register-beneficiary", "/Beneficiaries/1: ")
    assert "1 of 2 failed" in body["ResponseDescription"]
    found = await services.store.mapper.resolve(PEOPLE["SourceBBID"], [new["PayeeFunctionalID"]])
    assert found[0] is not None


async def test_an_empty_narration_is_refused_where_it_may_be_left_out(client):
    bad = changed(BATCH, ("CreditInstructions", 0, "Narration"), "")
    await assert_refused(await client.post("/bulk-payment", json=bad), "/bulk-payment", "/CreditInstructions/0")


async def test_an_unknown_prevalidation_is_echoed(client):
    question = {"RequestID": "REQ000000002", "Source_BatchID": "BATCH0000009"}
    answer = await client.post("/prepayment-validation-response", json=question)
    assert (answer.status, await answer.json()) == (200, question)


async def test_a_running_prevalidation_has_no_number_of_failed_cases_yet(client):
    await client.post("/prepayment-validation", json=BATCH)
    question = {"RequestID": "REQ000000002", "Source_BatchID": "BATCH0000001"}
    answer = await client.post("/prepayment-validation-response", json=question)
    assert (answer.status, await answer.json()) == (200, question)


async def test_scheduling_headers_reach_the_batch(client, services):
    headers = {"X-Execution-Date": "2030-01-31T08:00:00Z", "X-Priority": "1", "X-Program-Id": "PENSIONS"}
    assert (await client.post("/bulk-payment", json=BATCH, headers=headers)).status == 200
    ref = await services.store.batches.by_sender_id("BATCH0000001")
    batch, _ = await services.store.batches.read(ref)
    assert (batch.execute_at, batch.priority, batch.programme) == (1896076800.0, 1, "PENSIONS")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Execution-Date": "tomorrow"},
        {"X-Priority": "10"},
        {"X-Priority": "high"},
        {"X-Program-Id": "NOSUCH"},
        {"X-Callback-URL": "ftp://x/"},
        {"X-CallbackURL": "/relative"},
        {"X-Callback_URL": "http://user@host/"},
        {"X-Callback-URL": "http://host/" + "x" * 100},
    ],
)
async def test_wrong_headers_are_refused(client, headers):
    await assert_refused(await client.post("/bulk-payment", json=BATCH, headers=headers), "/bulk-payment")


@pytest.mark.parametrize("path", PATHS)
async def test_the_same_request_sent_many_times_at_once_is_answered_alike(client, path):
    body = PEOPLE if path in ONBOARDING else BATCH
    await client.post("/register-beneficiary", json=PEOPLE)
    answers = await asyncio.gather(*(client.post(path, json=body) for _ in range(8)))
    assert {(answer.status, await answer.text()) for answer in answers} == {(200, await answers[0].text())}


async def test_no_error_and_no_log_repeats_what_was_sent(client, caplog):
    secret = "1000000001234567890123456789012345"
    bodies = [
        changed(PEOPLE, ("Beneficiaries", 0, "FinancialAddress"), secret),
        changed(PEOPLE, ("Beneficiaries", 0, "PayeeFunctionalID"), secret),
        changed(PEOPLE, ("Beneficiaries", 0, "PaymentModality"), secret),
        changed(PEOPLE, ("SourceBBID",), secret),
        {**PEOPLE, "RequestID": {secret: secret}},
    ]
    for body in bodies:
        answer = await client.post("/register-beneficiary", json=body)
        assert answer.status == 400
        assert secret not in await answer.text() + caplog.text

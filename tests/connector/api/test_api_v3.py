"""GovStack v3.0 over HTTP: what is good, every kind of bad input, repeats and conflicts."""

import copy
from dataclasses import replace

import pytest

from connector.domain.directory import ChannelKind
from connector.flows import peers

REGISTER = "/identityAccountMapper/beneficiary"
HEADERS = {"X-Callback-URL": "http://localhost:1/callback", "X-Registering-Institution-ID": "MINISTRY0001"}
BATCH_HEADERS = {
    "X-Callback-URL": "http://localhost:1/callback",
    "X-CorrelationID": "CORRELATION1",
    "Platform-TenantId": "MINISTRY0001",
}
LOOKUP = {"X-Callback_URL": "http://a/", "registeringInstitutionId": "MINISTRY0001"}
PEOPLE = {
    "RequestID": "REQ000000001",
    "Beneficiaries": [
        {"payeeIdentity": "PERSON1", "PaymentModality": "00", "FinancialAddress": "1000000001"},
        {"payeeIdentity": "PERSON2", "PaymentModality": "01", "FinancialAddress": "99970000001"},
    ],
}
UPDATE = {
    "requestID": "REQ000000002",
    "sourceBBID": "MINISTRY0001",
    "beneficiaries": [{"payeeIdentity": "PERSON1", "financialAddress": "2000000001"}],
}
BATCH = [
    {
        "requestId": f"TX{n}",
        "creditParty": [{"key": "functionalId", "value": f"PERSON{n}"}],
        "debitParty": [{"key": "programme", "value": "PENSIONS"}],
        "paymentMode": "mojaloop",
        "amount": 10.5,
        "currency": "USD",
        "descriptionText": "January",
    }
    for n in range(1, 6)
]


def with_field(index, field, value):
    body = copy.deepcopy(BATCH)
    if value is ...:
        del body[index][field]
    else:
        body[index][field] = value
    return body


async def send(client, body=BATCH, headers=BATCH_HEADERS, query="?type=raw"):
    return await client.post(f"/batchtransactions{query}", json=body, headers=headers)


async def assert_refused(answer, where="", status=400):
    body = await answer.json()
    assert answer.status == status, body
    assert body["responseCode"] == "01"
    assert body["errors"][0].keys() == {"where", "code", "sentence"}
    assert any(error["where"].startswith(where) for error in body["errors"]), body
    return body


async def test_registering_answers_in_camel_case_and_queues_the_callback(client, services):
    answer = await client.post(REGISTER, json=PEOPLE, headers=HEADERS)
    assert (answer.status, await answer.json()) == (
        200,
        {
            "responseCode": "00",
            "responseDescription": "Request successfully received by Pay-BB",
            "requestID": "REQ000000001",
        },
    )
    assert (await services.store.queue.depth())["callback"] == 1


async def test_a_refused_registration_answers_in_pascal_case(client):
    answer = await client.post(REGISTER, json={**PEOPLE, "Beneficiaries": []}, headers=HEADERS)
    body = await answer.json()
    assert answer.status == 400
    assert (body["ResponseCode"], body["RequestID"]) == ("01", "REQ000000001")


async def test_keys_are_accepted_in_any_case(client):
    people = {
        "requestid": "REQ000000003",
        "BENEFICIARIES": [{"PayeeIdentity": "PERSON9", "paymentModality": "00", "financialaddress": "1000000009"}],
    }
    assert (await client.post(REGISTER, json=people, headers=HEADERS)).status == 200
    answer = await client.get("/beneficiary/?payeeIdentity=PERSON9&requestId=R1", headers=LOOKUP)
    assert (await answer.json())["paymentModalityList"][0]["financialAddress"] == "1000000009"


@pytest.mark.parametrize("missing", list(HEADERS))
async def test_a_missing_header_is_refused_in_strict_mode_only(make_client, missing):
    headers = {name: value for name, value in HEADERS.items() if name != missing}
    answer = await (await make_client()).post(REGISTER, json=PEOPLE, headers=headers)
    assert answer.status == 400
    assert missing in (await answer.json())["ResponseDescription"]
    lenient = await make_client(lengths_strict=False)
    answer = await lenient.post(REGISTER, json={**PEOPLE, "sourceBBID": "MINISTRY0001"}, headers=headers)
    assert answer.status == 200


@pytest.mark.parametrize("name", ["X-Callback-URL", "x-callback-url", "X-CallbackURL", "X-Callback_URL"])
async def test_every_spelling_of_the_callback_header_counts(client, services, name):
    headers = {**BATCH_HEADERS, name: "http://localhost:1/other"}
    if name.lower() != "x-callback-url":
        del headers["X-Callback-URL"]
    answer = await send(client, headers=headers)
    assert answer.status == 202
    batch, _ = await services.store.batches.read((await answer.json())["batchId"])
    assert batch.callback.correlation_id == "CORRELATION1"
    assert batch.callback.url.startswith("http://localhost:1/")


async def test_the_callback_verb_and_spellings_are_configuration(make_client, services):
    client = await make_client(callback_headers=("X-Tell-Me",), callback_verb="PUT")
    headers = {**BATCH_HEADERS, "X-Tell-Me": "http://localhost:1/told"}
    answer = await send(client, headers=headers)
    batch, _ = await services.store.batches.read((await answer.json())["batchId"])
    assert (batch.callback.url, batch.callback.verb) == ("http://localhost:1/told", "PUT")


async def test_update_and_both_lookups_show_where_people_are_paid(client):
    await client.post(REGISTER, json=PEOPLE, headers=HEADERS)
    answer = await client.put(REGISTER, json=UPDATE)
    assert (answer.status, (await answer.json())["requestID"]) == (200, "REQ000000002")
    one = await client.get("/beneficiary/?payeeIdentity=PERSON1&requestId=R1", headers=LOOKUP)
    assert await one.json() == {
        "requestId": "R1",
        "paymentModalityList": [
            {
                "payeeIdentity": "PERSON1",
                "paymentModality": "00",
                "financialAddress": "2000000001",
                "bankingInstitutionCode": "",
            }
        ],
    }
    asked = {"requestId": "R2", "payeePartyIds": ["PERSON2", "NOBODY", "PERSON1"]}
    many = await client.put("/beneficiary", json=asked, headers=LOOKUP)
    assert [each["payeeIdentity"] for each in (await many.json())["paymentModalityList"]] == ["PERSON2", "PERSON1"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("PUT", REGISTER, {}, {**UPDATE, "sourceBBID": None}),
        ("PUT", REGISTER, {}, {**UPDATE, "beneficiaries": [{"payeeIdentity": "P", "status": "2"}]}),
        ("PUT", "/beneficiary", LOOKUP, {"requestId": "R", "payeePartyIds": []}),
        ("PUT", "/beneficiary", LOOKUP, {"requestId": "R", "payeePartyIds": ["P" * 21]}),
        ("PUT", "/beneficiary", {}, {"requestId": "R", "payeePartyIds": ["P"]}),
        ("GET", "/beneficiary/", LOOKUP, None),
        ("GET", "/beneficiary/?payeeIdentity=P", LOOKUP, None),
        ("GET", f"/beneficiary/?requestId=R&payeeIdentity={'P' * 21}", LOOKUP, None),
    ],
)
async def test_bad_onboarding_requests_are_refused(client, method, path, headers, body):
    await assert_refused(await client.request(method, path, json=body, headers=headers))


async def test_a_batch_and_its_identical_repeat_get_the_same_id(client):
    answers = [await send(client) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202]
    assert await answers[0].json() == await answers[1].json()


async def test_a_used_correlation_id_with_other_content_is_refused(client):
    await send(client)
    await assert_refused(await send(client, with_field(0, "amount", 11)))


@pytest.mark.parametrize("missing", ["X-CorrelationID", "Platform-TenantId", "X-Callback-URL"])
async def test_a_batch_without_a_required_header_is_refused(client, missing):
    headers = {name: value for name, value in BATCH_HEADERS.items() if name != missing}
    await assert_refused(await send(client, headers=headers), f"header {missing}")


@pytest.mark.parametrize("query", ["", "?type=", "?type=csv"])
async def test_a_batch_of_another_type_is_refused(client, query):
    await assert_refused(await send(client, query=query), "query type")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("requestId", value) for value in (..., None, "", "X" * 17, 1)],
        *[
            ("creditParty", value)
            for value in (..., None, [], [{"key": "shoeSize", "value": "9"}], [{"key": "msisdn"}])
        ],
        *[("paymentMode", value) for value in (..., None, "", "m" * 21)],
        *[("amount", value) for value in (..., None, 0, -1, 0.001, 10**18, "", "1e", "1_0", " 1", "٣", "NaN", True)],
        *[("currency", value) for value in (..., None, "", "usd", "ZZZ", 840)],
        *[("descriptionText", value) for value in ("N" * 51, 1, "a\x00b")],
    ],
)
async def test_a_wrong_payment_is_refused_naming_the_place(client, field, value):
    await assert_refused(await send(client, with_field(3, field, value)), f"/3/{field}")


async def test_a_repeated_payment_id_is_refused_in_this_contracts_terms(client):
    await assert_refused(await send(client, with_field(3, "requestId", "TX1")), "/3/requestId")


@pytest.mark.parametrize("body", [[], {}, None, "x", [1], [None]])
async def test_what_is_no_batch_is_refused(client, body):
    await assert_refused(await send(client, body))


async def test_amounts_may_be_strings_and_the_debit_party_may_be_missing(client, services):
    answer = await send(client, [{**{k: v for k, v in BATCH[0].items() if k != "debitParty"}, "amount": "10.50"}])
    assert answer.status == 202
    found = await services.store.batches.slice((await answer.json())["batchId"], 0)
    assert found[0].amount_minor == 1050


async def test_a_payee_may_be_named_by_account_or_number(client, services):
    parties = [
        [{"key": "accountNumber", "value": "1000000001"}, {"key": "bankingInstitutionCode", "value": "UNIOXU22"}],
        [{"key": "MSISDN", "value": "99970000001"}],
    ]
    body = [{**BATCH[n], "creditParty": party} for n, party in enumerate(parties)]
    found = await services.store.batches.slice((await (await send(client, body)).json())["batchId"], 0)
    assert [(each.address, each.institution, each.modality) for each in found] == [
        ("1000000001", "UNIOXU22", "00"),
        ("99970000001", "", "01"),
    ]


async def test_the_status_of_a_batch_can_be_asked_with_and_without_a_body(client):
    ref = (await (await send(client)).json())["batchId"]
    for body in (None, {"requestId": "R1", "batchId": ref}, {}):
        answer = await client.post(f"/api/v1/batch?batchId={ref}&X-CorrelationID=R1", json=body)
        stands = await answer.json()
        assert answer.status == 200
        assert (stands["batchId"], stands["TotalTransactions"], stands["ongoing"]) == (ref, 5, 5)
        assert (stands["totalAmount"], stands["ongoing_amount"], stands["currency"]) == (52.5, 52.5, "USD")


async def test_a_batch_in_two_currencies_has_a_status_for_each(client):
    ref = (await (await send(client, with_field(0, "currency", "EUR"))).json())["batchId"]
    answer = await client.post(f"/api/v1/batch?batchId={ref}&X-CorrelationID=R1")
    assert [(each["currency"], each["TotalTransactions"]) for each in await answer.json()] == [("EUR", 1), ("USD", 4)]


@pytest.mark.parametrize("path", ["/api/v1/batch", "/api/v1/batch/detail"])
async def test_an_unknown_batch_is_answered_404(client, path):
    method = "POST" if path == "/api/v1/batch" else "GET"
    for name in ("NOSUCHBATCH", "A" * 20):
        query = f"?batchId={name}&X-CorrelationID=R1"
        await assert_refused(await client.request(method, path + query, headers=BATCH_HEADERS), status=404)


@pytest.mark.parametrize(
    "body",
    [
        {"TotalTransactions": -1},
        {"TotalTransactions": "many"},
        {"batchId": "ANOTHER", "completed": 1},
        {"completed": 1.5},
        [],
    ],
)
async def test_a_wrong_status_push_is_refused(client, body):
    ref = (await (await send(client)).json())["batchId"]
    answer = await client.post(f"/api/v1/batch?batchId={ref}&X-CorrelationID=R1", json=body)
    await assert_refused(answer)


async def test_details_are_paged_and_filtered(client):
    ref = (await (await send(client)).json())["batchId"]

    async def page(query):
        answer = await client.get(f"/api/v1/batch/detail?batchId={ref}{query}", headers=BATCH_HEADERS)
        assert answer.status == 200
        return [each["transactionId"] for each in await answer.json()]

    assert await page("") == ["TX1", "TX2", "TX3", "TX4", "TX5"]
    assert await page("&pageNo=1&pageSize=2") == ["TX3", "TX4"]
    assert await page("&pageNo=9&pageSize=2") == []
    assert await page("&status=RJCT") == []
    assert await page("&status=ongoing&direction=OUTGOING") == ["TX1", "TX2", "TX3", "TX4", "TX5"]
    assert await page("&status=RECEIVED&pageSize=1") == ["TX1"]
    assert await page("&direction=INCOMING") == []


async def test_details_say_the_status_in_the_contracts_word_and_as_the_iso_code(client):
    ref = (await (await send(client)).json())["batchId"]
    answer = await client.get(f"/api/v1/batch/detail?batchId={ref}", headers=BATCH_HEADERS)
    assert {(each["status"], each["statusDetail"]) for each in await answer.json()} == {("RECEIVED", "RCVD")}


@pytest.mark.parametrize("query", ["pageNo=-1", "pageNo=x", "pageSize=0", "pageSize=1001", "status=NONSENSE"])
async def test_wrong_paging_is_refused(client, query):
    ref = (await (await send(client)).json())["batchId"]
    answer = await client.get(f"/api/v1/batch/detail?batchId={ref}&{query}", headers=BATCH_HEADERS)
    await assert_refused(answer)


async def paid_by_json(client, services):
    """Have a batch sent to the payer bank by JSON; give our name of the message, and the bank's."""
    directory = await services.store.directory.load()
    bank = replace(directory.institutions["TREAXU22"], channel=ChannelKind.GOVSTACK_JSON)
    await services.store.directory.save_institution(bank)
    batch_id = (await (await send(client)).json())["batchId"]
    return f"{batch_id}P0"


async def test_a_status_push_needs_not_name_who_speaks(client, services):
    message_id = await paid_by_json(client, services)
    await peers.remember(services, "TREAXU22", "THEIRNAME", message_id)
    counts = {"TotalTransactions": 5, "ongoing": 0, "failed": 0, "completed": 5}
    for name in ("THEIRNAME", message_id):
        answer = await client.post(f"/api/v1/batch?batchId={name}&X-CorrelationID=C1", json=counts)
        body = await assert_refused(answer)
        assert body["errors"][0]["code"] == "unknown_message"  # nothing was sent: there is no worker here
    foreign = await client.post("/api/v1/batch?batchId=NOBODYS&X-CorrelationID=C1", json=counts)
    await assert_refused(foreign)


async def test_a_reused_correlation_id_is_called_by_its_name(client):
    await send(client)
    body = await assert_refused(await send(client, with_field(0, "amount", 11)))
    assert "X-CorrelationID" in body["responseDescription"]

"""Administration over HTTP."""

from dataclasses import replace

import pytest

from connector.store import Callback, CallbackState

from test_api_v1 import BATCH  # isort: skip


async def assert_refused(answer, status=400):
    body = await answer.json()
    assert answer.status == status, body
    assert body["errors"][0].keys() == {"where", "code", "sentence"}


async def got(client, path):
    answer = await client.get(path)
    assert answer.status == 200, await answer.text()
    return await answer.json()


@pytest.fixture
async def ref(client, services):
    assert (await client.post("/bulk-payment", json=BATCH)).status == 200
    return await services.store.batches.by_sender_id("BATCH0000001")


async def test_batches_are_listed_filtered_and_paged(client, ref, clock):
    clock.pass_seconds(1)
    second = {**BATCH, "BatchID": "BATCH0000002", "RequestID": "REQ000000009", "SourceBBID": "MINISTRY0002"}
    assert (await client.post("/bulk-payment", json=second)).status == 200
    newest = await got(client, "/admin/batches?newest=1")
    assert [each["batch_id"] for each in newest["items"]] == ["BATCH0000002"]
    rest = await got(client, f"/admin/batches?newest=5&before={newest['next_before']}")
    assert ([each["ref"] for each in rest["items"]], rest["next_before"]) == ([ref], None)
    mine = await got(client, "/admin/batches?source=MINISTRY0001&state=accepted&programme=SANDBOX")
    assert [each["ref"] for each in mine["items"]] == [ref]
    assert (await got(client, "/admin/batches?state=completed"))["items"] == []


@pytest.mark.parametrize("query", ["state=odd", "newest=0", "newest=x", "before=yesterday", "newest=501"])
async def test_wrong_filters_are_refused(client, query):
    await assert_refused(await client.get(f"/admin/batches?{query}"))


async def test_a_batch_its_payments_and_its_events_are_shown(client, ref):
    batch = await got(client, f"/admin/batches/{ref}")
    assert (batch["payments"], batch["state"]) == (7, "accepted")
    assert batch["totals"]["USD"]["ongoing"] == {"payments": 7, "amount_minor": 105175}
    assert (await got(client, "/admin/batches/BATCH0000001"))["ref"] == ref
    payments = (await got(client, f"/admin/batches/{ref}/instructions?page=1&size=3"))["items"]
    assert [each["instruction_id"] for each in payments] == [f"INSTR00000000{n:03}" for n in (4, 5, 6)]
    assert "address" not in payments[0]
    events = (await got(client, f"/admin/batches/{ref}/events"))["items"]
    assert (events[0]["action"], events[0]["actor"]) == ("batch accepted", "MINISTRY0001")


async def test_a_batch_can_be_cancelled_once_and_its_payments_repeated_as_a_new_batch(client, ref):
    answer = await client.post(f"/admin/batches/{ref}/cancel")
    assert (answer.status, (await answer.json())["state"]) == (200, "cancelled")
    await assert_refused(await client.post(f"/admin/batches/{ref}/cancel"), 409)
    again = await client.post(f"/admin/batches/{ref}/retry")
    body = await again.json()
    assert (again.status, body["retry_of"], body["payments"]) == (202, ref, 7)


async def test_a_running_batch_cannot_be_repeated(client, ref):
    await assert_refused(await client.post(f"/admin/batches/{ref}/retry"), 409)


@pytest.mark.parametrize("path", ["", "/events", "/instructions"])
async def test_an_unknown_batch_is_answered_404(client, path):
    await assert_refused(await client.get(f"/admin/batches/NOSUCH{path}"), 404)


async def test_deposits_count_once_a_reference(client):
    before = (await got(client, "/admin/programmes/PENSIONS/funds"))["USD"]
    deposit = {"currency": "USD", "amount_minor": 500, "reference": "D1"}
    for _ in range(2):
        answer = await client.post("/admin/programmes/PENSIONS/deposits", json=deposit)
        assert answer.status == 200
    after = (await answer.json())["USD"]
    assert (after["budget"], after["available"]) == (before["budget"] + 500, before["available"] + 500)


@pytest.mark.parametrize(
    ("field", "value"),
    [("currency", "ZZZ"), ("amount_minor", 0), ("amount_minor", 1.5), ("amount_minor", 10**18), ("reference", "")],
)
async def test_a_wrong_deposit_is_refused(client, field, value):
    deposit = {"currency": "USD", "amount_minor": 500, "reference": "D1", field: value}
    await assert_refused(await client.post("/admin/programmes/PENSIONS/deposits", json=deposit))


async def test_an_unknown_programme_is_answered_404(client):
    await assert_refused(await client.get("/admin/programmes/NOSUCH/funds"), 404)


async def test_programmes_are_saved_and_shown_without_their_account_number(client):
    programme = {
        "name": "School meals",
        "payer_bank": "TREAXU22",
        "debtor_agent": "TREAXU22",
        "account": "9000000042",
        "account_name": "Ministry of Education",
        "budgets": {"USD": 1000},
    }
    saved = await client.put("/admin/programmes/MEALS", json=programme)
    assert (saved.status, (await saved.json())["account"]) == (200, "********42")
    listed = (await got(client, "/admin/programmes"))["items"]
    assert "MEALS" in [each["id"] for each in listed]
    assert "9000000042" not in str(listed)
    assert (await got(client, "/admin/programmes/MEALS/funds"))["USD"]["available"] == 1000
    for field, value in (("payer_bank", "NOSUCH"), ("budgets", {"ZZZ": 1}), ("route", "air"), ("extra", 1)):
        await assert_refused(await client.put("/admin/programmes/MEALS", json={**programme, field: value}))


async def test_institutions_and_sources_are_saved(client):
    bank = {"name": "New Bank", "kind": "bank", "addresses": [r"77\d{8}"], "url": "http://localhost:1/NEW"}
    assert (await client.put("/admin/institutions/NEWBXU22", json=bank)).status == 200
    assert "NEWBXU22" in [each["code"] for each in (await got(client, "/admin/institutions"))["items"]]
    await assert_refused(await client.put("/admin/institutions/NEWBXU22", json={**bank, "addresses": ["("]}))
    source = {"name": "Ministry", "programme": "PENSIONS"}
    assert (await client.put("/admin/sources/MINISTRY0001", json=source)).status == 200
    assert "MINISTRY0001" in [each["id"] for each in (await got(client, "/admin/sources"))["items"]]
    await assert_refused(await client.put("/admin/sources/MINISTRY0001", json={**source, "programme": "NOSUCH"}))


async def test_a_dead_callback_can_be_delivered_again(client, services):
    dead = Callback(id="final-USD", batch="A" * 20, url="http://localhost:1/cb?key=s3cret", body="{}", attempts=12)
    await services.store.callbacks.put(dead)
    await services.store.callbacks.save(replace(dead, state=CallbackState.DEAD, last_outcome="500"))
    listed = (await got(client, "/admin/callbacks"))["items"]
    assert [(each["id"], each["attempts"], each["last_outcome"]) for each in listed] == [("final-USD", 12, "500")]
    assert "s3cret" not in str(listed)
    answer = await client.post(f"/admin/callbacks/{'A' * 20}/final-USD/redeliver")
    assert (answer.status, (await answer.json())["state"]) == (202, "pending")
    assert (await got(client, "/admin/queue"))["callback"] == 1
    await assert_refused(await client.post(f"/admin/callbacks/{'A' * 20}/final-USD/redeliver"), 409)
    await assert_refused(await client.get("/admin/callbacks/NOSUCH/final-USD"), 404)

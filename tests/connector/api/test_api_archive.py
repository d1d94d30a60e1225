"""Batches in the archive, over HTTP: moved there by an operator, and told of as before."""

import pytest
from test_api_admin import assert_refused, got

from connector.store import Store

from test_api_v1 import BATCH  # isort: skip


@pytest.fixture
async def store(store, store_url, keyring, clock, tmp_path):
    opened = await Store.connect(store_url, keys=keyring, clock=clock, archive=tmp_path / "archive")
    yield opened
    await opened.close()


@pytest.fixture
async def ref(client, services):
    """A cancelled batch."""
    assert (await client.post("/bulk-payment", json=BATCH)).status == 200
    found = await services.store.batches.by_sender_id("BATCH0000001")
    assert (await client.post(f"/admin/batches/{found}/cancel")).status == 200
    return found


async def shown(client, ref):
    batch = await got(client, f"/admin/batches/{ref}")
    pages = [await got(client, f"/admin/batches/{ref}/instructions?page={page}&size=3") for page in range(4)]
    return {**batch, "archived_at": None}, pages, await got(client, "/admin/batches?state=cancelled")


async def test_an_archived_batch_is_shown_as_before_and_says_when_it_was_archived(client, ref):
    batch, pages, _ = await shown(client, ref)
    answer = await client.post("/admin/batches/BATCH0000001/archive")
    assert answer.status == 200
    archived_at = (await answer.json())["archived_at"]
    assert archived_at.startswith("2027-01-15T")
    after, pages_after, listed = await shown(client, ref)
    assert (after, pages_after) == (batch, pages)
    assert [each["archived_at"] for each in listed["items"]] == [archived_at]
    actions = [each["action"] for each in (await got(client, f"/admin/batches/{ref}/events"))["items"]]
    assert actions == ["batch accepted", "batch cancelled", "archived"]
    assert (await client.post(f"/admin/batches/{ref}/archive")).status == 200
    assert [each["action"] for each in (await got(client, f"/admin/batches/{ref}/events"))["items"]] == actions


async def test_a_repeat_of_an_archived_batch_and_a_conflict_with_it_are_told_as_before(client, ref):
    assert (await client.post(f"/admin/batches/{ref}/archive")).status == 200
    again = await client.post("/bulk-payment", json=BATCH)
    assert (again.status, (await again.json())["ResponseCode"]) == (200, "00")
    other = {**BATCH, "RequestID": "REQ000000009", "CreditInstructions": BATCH["CreditInstructions"][:1]}
    assert (await client.post("/bulk-payment", json=other)).status == 400


async def test_a_batch_that_is_not_finished_and_one_that_there_is_not_are_refused(client, services):
    await client.post("/bulk-payment", json=BATCH)
    await assert_refused(await client.post("/admin/batches/BATCH0000001/archive"), 409)
    await assert_refused(await client.post("/admin/batches/BATCH0000009/archive"), 404)
    await assert_refused(await client.post("/admin/batches/..%2F..%2Fetc/archive"), 404)


async def test_a_lost_file_is_an_error_and_no_empty_list(client, ref, services, tmp_path, caplog):
    await client.post(f"/admin/batches/{ref}/archive")
    [file] = (tmp_path / "archive").rglob("*.archive")
    file.unlink()
    assert (await client.get(f"/admin/batches/{ref}")).status == 200
    assert (await client.get(f"/admin/batches/{ref}/instructions")).status == 500
    assert file.name in caplog.text
    (tmp_path / "archive").rename(tmp_path / "unmounted")
    assert (await client.get(f"/admin/batches/{ref}/instructions")).status == 503

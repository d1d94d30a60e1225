"""Asking for payments back over HTTP."""

import pytest

from test_api_v1 import BATCH  # isort: skip

ORDER = {"reason": "DUPL", "information": "Paid twice"}


@pytest.fixture
async def ref(client, services):
    assert (await client.post("/bulk-payment", json=BATCH)).status == 200
    return await services.store.batches.by_sender_id("BATCH0000001")


async def test_a_batch_that_has_not_started_is_cancelled(client, ref):
    answer = await client.post(f"/admin/batches/{ref}/recall", json=ORDER)
    assert (answer.status, await answer.json()) == (202, {"ref": ref, "asked": 0, "cancelled": 7, "left": 0})
    assert (await (await client.get(f"/admin/batches/{ref}")).json())["state"] == "cancelled"
    assert (await client.post(f"/admin/batches/{ref}/recall", json=ORDER)).status == 409


async def test_single_payments_of_a_batch_that_has_not_started_are_not_recalled(client, ref):
    order = {**ORDER, "instructions": ["INSTR00000000001"]}
    assert (await client.post(f"/admin/batches/{ref}/recall", json=order)).status == 409


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "dupl"},
        {"reason": "XXXX"},
        {"reason": None},
        {"information": "x" * 106},
        {"information": "\x00"},
        {"instructions": [""]},
        {"instructions": "all"},
        {"message_id": "x" * 36},
        {"other": 1},
    ],
)
async def test_a_wrong_order_is_refused(client, ref, change):
    answer = await client.post(f"/admin/batches/{ref}/recall", json={**ORDER, **change})
    assert answer.status == 400, await answer.text()
    assert (await (await client.get(f"/admin/batches/{ref}")).json())["state"] == "accepted"


async def test_there_are_no_recalls_at_first(client, ref):
    answer = await client.get(f"/admin/batches/{ref}/recalls?state=asked&page=0&size=5")
    assert (answer.status, (await answer.json())["items"]) == (200, [])
    assert (await client.get(f"/admin/batches/{ref}/recalls?state=lost")).status == 400


async def test_nothing_open_is_asked_about(client, ref):
    answer = await client.post(f"/admin/batches/{ref}/inquire")
    assert (answer.status, await answer.json()) == (202, {"ref": ref, "messages": 0})


@pytest.mark.parametrize(("method", "path"), [("POST", "recall"), ("GET", "recalls"), ("POST", "inquire")])
async def test_an_unknown_batch_is_answered_404(client, method, path):
    answer = await client.request(method, f"/admin/batches/NOSUCH/{path}", json=ORDER)
    assert answer.status == 404

"""Batches of several megabytes over HTTP: nothing of one that is not taken stays behind."""

import asyncio
import gzip
import io
import json
from dataclasses import replace

import pytest
from test_api_v3 import BATCH_HEADERS

from connector.api import ApiSettings, application
from connector.flows.intake import reference

COUNT = 12_000
JSON = {"Content-Type": "application/json"}


def payment(number: int, **changes) -> dict:
    return {
        "requestId": f"TX{number}",
        "creditParty": [{"key": "functionalId", "value": f"PERSON{number}"}],
        "paymentMode": "mojaloop",
        "amount": 10.5,
        "currency": "USD",
        "descriptionText": "January " * 6,
    } | changes


def order(number: int) -> dict:
    ids = {"InstructionID": f"INSTR{number:011d}", "PayeeFunctionalID": f"PERSON{number:014d}"}
    return ids | {"Amount": 1 + number % 9, "Currency": "USD", "Narration": "n" * 50}


PAYMENTS = [payment(number) for number in range(COUNT)]
BODY = json.dumps(PAYMENTS).encode()


@pytest.fixture
async def large(services, aiohttp_client):
    """A client of an API with slices of an ordinary size."""
    ordinary = replace(services, settings=replace(services.settings, slice_size=1000))
    return await aiohttp_client(application(ordinary, ApiSettings()))


async def keys(services, pattern: str) -> int:
    return len(await services.store.link.ask("KEYS", pattern))


async def send(client, body, headers=BATCH_HEADERS):
    data = io.BytesIO(body) if isinstance(body, bytes) else body
    answer = await client.post("/batchtransactions?type=raw", data=data, headers={**JSON, **headers})
    return answer.status, await answer.json()


async def parts(body: bytes):
    for start in range(0, len(body), 100_000):
        yield body[start : start + 100_000]


async def test_a_batch_of_many_pieces_is_taken_whole_and_repeated(large, services):
    status, answer = await send(large, BODY)
    assert status == 202, answer
    batch, _ = await services.store.batches.read(answer["batchId"])
    assert (batch.count, batch.slices, batch.expected["USD"].minor) == (COUNT, 12, COUNT * 1050)
    first = await services.store.batches.slice(batch.ref, 7)
    assert first[0].instruction_id == "TX7000"
    assert await send(large, parts(json.dumps(PAYMENTS, indent=1).encode())) == (status, answer)
    packed = {**BATCH_HEADERS, "Content-Encoding": "gzip"}
    assert await send(large, gzip.compress(BODY), packed) == (status, answer)
    assert (await send(large, json.dumps(PAYMENTS[:-1]).encode()))[0] == 400
    assert await keys(services, "*:staged:*") == 0


@pytest.mark.parametrize(
    ("end", "where", "code"),
    [
        (payment(0, requestId="x" * 17), f"/{COUNT}/requestId", "string_too_long"),
        (payment(0, amount=0), f"/{COUNT}/amount", "AM01"),
        (payment(0), f"/{COUNT}/requestId", "AM05"),
    ],
)
async def test_what_is_wrong_at_the_end_is_named_and_nothing_stays(large, services, end, where, code):
    status, answer = await send(large, json.dumps([*PAYMENTS, end]).encode())
    assert status == 400
    assert [(error["where"], error["code"]) for error in answer["errors"]] == [(where, code)]
    assert await keys(services, "*:batch:*") == 0


async def test_a_body_that_breaks_off_leaves_nothing(large, services):
    status, answer = await send(large, BODY[:-1])
    assert (status, answer["errors"][0]["code"]) == (400, "malformed")
    assert await keys(services, "*:batch:*") == 0


async def test_a_sender_who_goes_away_leaves_nothing(large, services):
    _, writer = await asyncio.open_connection(large.host, large.port)
    names = "".join(f"{name}: {value}\r\n" for name, value in {**BATCH_HEADERS, **JSON}.items())
    head = f"POST /batchtransactions?type=raw HTTP/1.1\r\nHost: x\r\n{names}Content-Length: {len(BODY)}\r\n\r\n"
    writer.write(head.encode() + BODY[: len(BODY) * 3 // 4])
    await until(lambda: keys(services, "*:staged:*"), at_least=3)
    writer.close()
    await until(lambda: keys(services, "*:staged:*"), at_least=0)
    assert await keys(services, "*:batch:*") == 0


async def until(count, at_least: int) -> None:
    async with asyncio.timeout(10):
        while (found := await count()) < at_least or (found and not at_least):  # noqa: ASYNC110 - it is in the store
            await asyncio.sleep(0.01)


async def test_a_body_above_the_limit_is_refused_and_leaves_nothing(services, aiohttp_client):
    client = await aiohttp_client(application(services, ApiSettings(max_body_bytes=2_000_000)))
    status, _ = await send(client, BODY)
    assert status == 413
    status, _ = await send(client, parts(BODY))
    assert status == 413
    assert await keys(services, "*:batch:*") == 0


async def test_parameters_are_refused_before_the_body_is_judged(large, services):
    status, answer = await send(large, BODY[:-1], {**BATCH_HEADERS, "X-CorrelationID": "x" * 21})
    assert (status, answer["errors"][0]["where"]) == (400, "header X-CorrelationID")
    assert await keys(services, "*:batch:*") == 0


@pytest.mark.parametrize("last", [True, False])
async def test_ids_may_stand_before_or_behind_the_instructions(large, services, last):
    ids = {"RequestID": "REQ000000001", "SourceBBID": "MINISTRY0001", "BatchID": "BATCH0000001"}
    array = {"CreditInstructions": [order(number) for number in range(COUNT)]}
    body = json.dumps(array | ids if last else ids | array).encode()
    answer = await large.post("/bulk-payment", data=io.BytesIO(body), headers=JSON)
    assert (answer.status, (await answer.json())["RequestID"]) == (200, "REQ000000001")
    ref = await services.store.batches.by_sender_id("BATCH0000001")
    batch, _ = await services.store.batches.read(ref)
    assert (batch.count, batch.slices) == (COUNT, 12)
    assert ref == reference("govstack-v1", batch.kind, "MINISTRY0001", "BATCH0000001")
    refused = await large.post("/bulk-payment", data=io.BytesIO(body), headers={**JSON, "X-Priority": "x"})
    assert (refused.status, (await refused.json())["RequestID"]) == (400, "REQ000000001")

"""Voucher files over HTTP, and the keys of both sides."""

import base64
import json
from dataclasses import replace

import pytest

from connector.api import ApiSettings, application
from connector.api.settings import Role, Token
from connector.domain.voucher import VoucherGroup
from connector.flows.vouchers import envelope
from connector.flows.vouchers.exchange_keys import FileExchange, KeyHolder, fresh

OURS, THEIRS = (KeyHolder.of_text(json.dumps(fresh())) for _ in range(2))
VOUCHER_KEY = base64.b64encode(bytes(range(64))).decode()
JOSE = {"Content-Type": "application/jose"}


@pytest.fixture
async def desk(services, aiohttp_client):
    """A client of an API that takes files, and the same in production."""
    services = replace(services, files=FileExchange(OURS, lines_at_once=1))
    await services.store.directory.save_group(VoucherGroup("FOOD", "Food", "SANDBOX"))

    async def make(**settings):
        return await aiohttp_client(application(services, ApiSettings(**settings)))

    return make


async def registered(client, source="MINISTRY"):
    body = {"name": source, "public_key": json.dumps(THEIRS.public()), "voucher_key": VOUCHER_KEY}
    return await client.put(f"/admin/sources/{source}", json=body, headers={"Authorization": "Bearer root"})


def file(clock, *numbers, iss="MINISTRY"):
    lines = [{"instructionID": f"I{n}", "groupCode": "FOOD", "currency": "USD", "amount": 1.5} for n in numbers]
    claims = {"iss": iss, "aud": OURS.encrypting().thumbprint(), "iat": int(clock()), "requestID": "R1"}
    return envelope.seal(json.dumps({**claims, "instructions": lines}).encode(), envelope.BATCH, THEIRS, OURS)


async def test_the_keys_of_a_building_block_are_registered_and_never_shown(desk):
    client = await desk()
    answer = await registered(client)
    shown = await answer.json()
    assert answer.status == 200
    assert shown["public_keys"] == [key["kid"] for key in THEIRS.public()["keys"]]
    assert len(shown["voucher_key_id"]) == 16
    again = await client.put("/admin/sources/MINISTRY", json={"name": "Ministry of Pensions"})
    assert (await again.json()) == {**shown, "name": "Ministry of Pensions"}
    listed = await (await client.get("/admin/sources")).text()
    assert VOUCHER_KEY not in listed + json.dumps(shown)
    without = await client.put("/admin/sources/MINISTRY", json={"name": "x", "voucher_key": "", "public_key": ""})
    assert (await without.json())["public_keys"] == []


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"voucher_key": "short"}, "/voucher_key"),
        ({"voucher_key": "é" * 44}, "/voucher_key"),
        ({"public_key": "no key"}, "/public_key"),
        ({"public_key": json.dumps(fresh())}, "/public_key"),
    ],
)
async def test_keys_that_are_none_are_refused(desk, keys, where):
    answer = await (await desk()).put("/admin/sources/MINISTRY", json={"name": "x", **keys})
    assert answer.status == 400
    assert (await answer.json())["errors"][0]["where"] == where


async def test_our_public_keys_are_published(desk):
    answer = await (await desk()).get("/.well-known/jwks.json")
    assert answer.content_type == "application/jwk-set+json"
    assert await answer.json(content_type=None) == OURS.public()


async def test_a_file_is_answered_sealed(desk, clock):
    client = await desk()
    await registered(client)
    answer = await client.post("/vouchers/batches", data=file(clock, 1), headers=JOSE)
    assert (answer.status, answer.content_type) == (200, "application/jose")
    signed = envelope.opened(await answer.read(), THEIRS)
    ours = [envelope.Candidate("isogate", OURS.signing())]
    told = json.loads(envelope.verified(signed, envelope.RESPONSE, lambda _: ours).content)
    assert told["issued"] == 1


async def test_a_large_file_is_answered_later(desk, clock):
    client = await desk()
    await registered(client)
    answer = await client.post("/vouchers/batches", data=file(clock, 1, 2), headers=JOSE)
    assert answer.status == 202
    where = answer.headers["Location"]
    assert (await answer.json())["response"] == where
    assert (await client.get(where)).status == 202
    assert (await client.get("/vouchers/batches/7Q3QZ4XWZ2V5YJ6K3L2A/response")).status == 404


async def test_a_refusal_is_signed(desk):
    answer = await (await desk()).post("/vouchers/batches", data=b"rubbish", headers=JOSE)
    assert (answer.status, answer.content_type) == (400, "application/jose")
    ours = [envelope.Candidate("isogate", OURS.signing())]
    assert envelope.verified(await answer.read(), envelope.REFUSAL, lambda _: ours)


async def test_only_jose_of_a_fair_size_is_read(desk):
    client = await desk()
    assert (await client.post("/vouchers/batches", json={})).status == 415
    assert (await client.get("/vouchers/batches/x/response")).status == 404


async def test_in_production_one_speaks_and_fetches_for_oneself(desk, clock):
    tokens = (
        Token.of("root", Role.ADMIN, "operator"),
        Token.of("mine", Role.SOURCE, "MINISTRY"),
        Token.of("other", Role.SOURCE, "OTHER"),
    )
    client = await desk(profile="production", tokens=tokens)
    await registered(client)
    mine, other = ({**JOSE, "Authorization": f"Bearer {name}"} for name in ("mine", "other"))
    assert (await client.post("/vouchers/batches", data=file(clock, 1, 2), headers=JOSE)).status == 401
    assert (await client.post("/vouchers/batches", data=file(clock, 1, 2), headers=other)).status == 400
    taken = await client.post("/vouchers/batches", data=file(clock, 1, 2), headers=mine)
    assert taken.status == 202
    assert (await client.get(taken.headers["Location"], headers=other)).status == 404
    assert (await client.get(taken.headers["Location"], headers=mine)).status == 202


async def test_without_keys_no_files_are_taken(client):
    assert (await client.post("/vouchers/batches", data=b"x", headers=JOSE)).status == 503
    assert await (await client.get("/.well-known/jwks.json")).json(content_type=None) == {"keys": []}

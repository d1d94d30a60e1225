"""Hostile XML at the door of the institutions: each is refused in plain JSON, and the door stays open."""

import io

import pytest
from hostile_messages import BOMBS, FLOODS, STATUS, cut_off, report

XML = {"Content-Type": "application/xml"}
DOOR = "/fsp/TREAXU22/iso20022"
THROUGH_THE_DOOR = (
    "a million siblings",
    "100,000 attributes",
    "100 MB of one text",
    "60 MB of one text",
    "100,000 wrong statuses",
    "wrong statuses in an envelope",
)


async def refused(client, body: bytes) -> str:
    answer = await client.post(DOOR, data=io.BytesIO(body), headers=XML)
    said = await answer.json()
    assert answer.status in {400, 413}, said
    assert said["errors"]
    assert all(error.keys() == {"where", "code", "sentence"} for error in said["errors"])
    return str(said)


@pytest.mark.parametrize("name", BOMBS)
async def test_bombs_are_refused(client, name):
    assert "root:" not in await refused(client, BOMBS[name])


@pytest.mark.parametrize("name", THROUGH_THE_DOOR)
async def test_floods_are_refused(client, name):
    await refused(client, FLOODS[name]())
    assert (await client.get("/healthcheck")).status == 200


async def test_a_report_cut_off_anywhere_is_refused(client):
    for part in cut_off(report(STATUS % b"ACSC")):
        await refused(client, part)


async def test_a_whole_report_of_an_unknown_message_is_refused_for_that_alone(client):
    assert "OrgnlMsgId" in await refused(client, report(STATUS % b"ACSC"))

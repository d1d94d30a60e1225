"""Institutions answer in the version they were asked in, and in the scheme that they were told to speak."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from simulators_sandbox import NOW, PAYER, SWITCH, UNION, Sandbox, order, transfer

from connector.domain.messages import PaymentReturn, Rejection, StatusReport
from connector.iso20022.engine import Engine
from simulators.server import application
from simulators.settings import SimulatorSettings
from simulators.versions import REPORTS

GOOD = transfer(1, "1012345678")
INSTANT = "instant-africa"


@pytest.mark.parametrize(("asked", "reported"), [pair for pair in REPORTS.items() if pair[0].startswith("pain.001")])
async def test_an_order_is_reported_in_its_own_version(sandbox: Sandbox, asked: str, reported: str) -> None:
    _, answer = await sandbox.send(PAYER, asked, order([GOOD, transfer(2, "1012349921")]))
    assert isinstance(answer, StatusReport)
    assert answer.message == reported
    await sandbox.advance()
    await sandbox.advance(days=1)
    report, given = sandbox.connector.messages()
    assert isinstance(report, StatusReport)
    assert (report.message, report.original_message) == (reported, asked)
    assert isinstance(given, PaymentReturn)
    await sandbox.proof()


@pytest.mark.parametrize(("asked", "reported"), [pair for pair in REPORTS.items() if pair[0].startswith("pacs.008")])
async def test_a_transfer_is_reported_in_its_own_version(sandbox: Sandbox, asked: str, reported: str) -> None:
    message = order([GOOD._replace(transaction_id="T1")], debtor_account="9000000002")
    _, answer = await sandbox.send(SWITCH, asked, message)
    assert isinstance(answer, StatusReport)
    assert answer.message == reported
    await sandbox.advance()
    (report,) = sandbox.connector.messages()
    assert isinstance(report, StatusReport)
    assert (report.message, report.group_status) == (reported, "ACCC")


async def test_a_chosen_scheme_is_spoken_and_kept(sandbox: Sandbox) -> None:
    assert await sandbox.admin("GET", f"{SWITCH}/scheme") == {"scheme": "generic"}
    assert await sandbox.admin("PUT", f"{SWITCH}/scheme", {"scheme": INSTANT}) == {"scheme": INSTANT}
    listed = await sandbox.admin("GET", "institutions")
    assert {one["code"]: one["scheme"] for one in listed}[SWITCH] == INSTANT
    await sandbox.admin("POST", "reset")
    assert await sandbox.admin("GET", f"{SWITCH}/scheme") == {"scheme": "generic"}


@pytest.mark.parametrize(("body", "status"), [('{"scheme": "martian"}', 404), ("{}", 400), ("[", 400)])
async def test_a_scheme_that_is_not_there_is_refused(sandbox: Sandbox, body: str, status: int) -> None:
    async with sandbox.http.put(f"{sandbox.url}/sim/{SWITCH}/scheme", data=body) as response:
        assert response.status == status


async def test_a_switch_with_an_envelope_answers_in_it(sandbox: Sandbox) -> None:
    await sandbox.admin("PUT", f"{SWITCH}/scheme", {"scheme": INSTANT})
    message = order([transfer(2, "1012349920")._replace(transaction_id="T2")])
    body = sandbox.engine.compose(INSTANT, "pacs.008.001.10", message, sender=PAYER, receiver=SWITCH).body
    async with sandbox.http.post(f"{sandbox.url}/{SWITCH}/iso20022", data=body) as response:
        assert response.status == 200
        answer = sandbox.engine.read(await response.read(), profile=INSTANT)
    assert answer.message == "pacs.002.001.12"
    await sandbox.advance()
    await sandbox.advance(days=3)
    report, given = (sandbox.engine.read(body, profile=INSTANT) for _, body in sandbox.connector.pushed)
    assert (report.message, given.message) == ("pacs.002.001.12", "pacs.004.001.11")
    await sandbox.proof()


@pytest.mark.parametrize("body", [b"<FPEnvelope>", b"", b"<a><BizMsgIdr>BAD1</BizMsgIdr></a>", b"\x00"])
async def test_what_cannot_be_read_is_rejected_in_the_envelope(sandbox: Sandbox, body: bytes) -> None:
    await sandbox.admin("PUT", f"{SWITCH}/scheme", {"scheme": INSTANT})
    async with sandbox.http.post(f"{sandbox.url}/{SWITCH}/iso20022", data=body) as response:
        assert response.status == 200
        rejection = sandbox.engine.read(await response.read(), profile=INSTANT).value
    assert isinstance(rejection, Rejection)
    assert rejection.reference == ("BAD1" if b"BAD1" in body else "NOTPROVIDED")


async def test_settings_name_the_scheme_at_first(tmp_path: Path, bank_engine: Engine, aiohttp_server: Any) -> None:
    port = unused_port()
    schemes = {SWITCH: INSTANT}
    settings = SimulatorSettings(tmp_path, port=port, clock=NOW.timestamp, schemes=schemes)
    await aiohttp_server(application(settings, bank_engine), port=port)
    async with aiohttp.ClientSession() as http:
        for code, scheme in ((SWITCH, INSTANT), (UNION, "generic")):
            async with http.get(f"{settings.url}/sim/{code}/scheme") as response:
                assert await response.json() == {"scheme": scheme}

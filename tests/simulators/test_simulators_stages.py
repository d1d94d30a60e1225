"""What the institutions' work costs is told by stage, and who validates what."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import unused_port
from simulators_sandbox import HARBOUR, KASH, NOW, PAYER, SWITCH, UNION, Sandbox, order, transfer

from connector.domain.errors import Refused
from connector.domain.stages import Stages
from connector.iso20022.engine import Engine
from simulators.admin import PLAYERS
from simulators.doors import INSTITUTION
from simulators.server import application
from simulators.settings import SimulatorSettings

ELSEWHERE = "http://127.0.0.1:1"


async def test_stages_count_the_payments_that_went_through_them(sandbox: Sandbox) -> None:
    await sandbox.pay(order([transfer(1, "1012345678"), transfer(2, "99970123456", 700, KASH)], creditor_agent=""))
    await sandbox.advance()
    spent: dict[str, Any] = await sandbox.admin("GET", "stages")
    payments = {stage: one["payments"] for stage, one in spent.items()}
    assert payments == {"book orders": 2, "forward": 2, "book credits": 2, "book answers": 2, "report": 2}
    assert all(one["cpu_seconds"] > 0 for one in spent.values())


async def test_the_engine_adds_its_stages_to_those_of_the_institutions(
    tmp_path: Path, bank_engine: Engine, aiohttp_client: Any
) -> None:
    stages = Stages(lambda: 0.0)
    stages.add("extract pain.001", 3, 0.5)
    client = await aiohttp_client(application(SimulatorSettings(tmp_path), bank_engine, stages))
    told = await (await client.get("/sim/stages")).json()
    assert told == {"extract pain.001": {"payments": 3, "cpu_seconds": 0.5}}


@pytest.mark.parametrize(("receiver", "validated"), [(UNION, False), (HARBOUR, True)])
async def test_only_what_leaves_the_process_is_validated_by_its_sender(
    tmp_path: Path, bank_engine: Engine, receiver: str, validated: bool
) -> None:
    peers = {HARBOUR: ELSEWHERE}
    settings = SimulatorSettings(tmp_path, port=unused_port(), peers=peers, clock=NOW.timestamp)
    players = application(settings, bank_engine)[PLAYERS]
    payer, payee = (players[code][INSTITUTION] for code in (PAYER, UNION))
    message = replace(order([transfer(1, "1012345678")], "X" * 36), instructed_agent=SWITCH)
    if validated:
        with pytest.raises(Refused):
            payer.house.to(receiver, "pacs.008.001.08", message)
    else:
        body = payer.house.to(receiver, "pacs.008.001.08", message).body
        with pytest.raises(Refused):
            payee.receive(body, PAYER)

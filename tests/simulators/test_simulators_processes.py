"""Institutions in different processes find one another, and what an institution does not take is given back."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from simulators_sandbox import HARBOUR, KASH, NOW, PAYER, SWITCH, UNION, Listener, Sandbox, order, statuses, transfer

from connector.domain.errors import Misconfigured
from connector.iso20022.engine import Engine
from simulators.server import application
from simulators.settings import SimulatorSettings

PLAYED_HERE = (PAYER, SWITCH, HARBOUR)
PLAYED_THERE = (UNION,)


async def test_institutions_in_two_processes_and_one_that_refuses(
    tmp_path: Path, engine: Engine, bank_engine: Engine, aiohttp_server: Any
) -> None:
    listener = Listener(engine)
    connector = await aiohttp_server(listener.app())
    closed = await aiohttp_server(web.Application())
    here, there = (f"http://127.0.0.1:{unused_port()}" for _ in range(2))
    peers = {**dict.fromkeys(PLAYED_HERE, here), **dict.fromkeys(PLAYED_THERE, there)}
    peers[KASH] = str(closed.make_url("/"))
    for url, played in ((here, PLAYED_HERE), (there, PLAYED_THERE)):
        port = int(url.rpartition(":")[2])
        folder = tmp_path / str(port)
        where = str(connector.make_url("/"))
        settings = SimulatorSettings(folder, where, "127.0.0.1", port, played, peers, NOW.timestamp)
        await aiohttp_server(application(settings, bank_engine), port=port)
    transfers = [transfer(1, "1012345678"), transfer(2, "99970123456", 700, KASH)]
    async with aiohttp.ClientSession() as http:
        sandbox = Sandbox(here, http, engine, listener, where)
        await sandbox.pay(order(transfers, creditor_agent=""))
        await sandbox.advance()
        (report,) = listener.messages()
        assert statuses(report) == {"E1": ("ACCC", ""), "E2": ("RJCT", "NARR")}
        assert await sandbox.balance(PAYER, "9000000001") == 10_000_000_000_000 - 1000
        assert await sandbox.balance(SWITCH, UNION) == 1000


def test_an_institution_that_is_not_in_the_world_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="NOBKXU22"):
        application(SimulatorSettings(tmp_path, institutions=("NOBKXU22",)))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "127.0.0.1"])
def test_a_wildcard_address_is_reached_on_this_machine(tmp_path: Path, host: str) -> None:
    assert SimulatorSettings(tmp_path, host=host, port=1).url_of(PAYER) == "http://127.0.0.1:1/TREAXU22"

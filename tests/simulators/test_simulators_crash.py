"""A simulator process is killed again and again while it is paid through; afterwards the books are right."""

import asyncio
import random
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.test_utils import unused_port
from simulators_sandbox import HARBOUR, NOW, PAYER, Listener, Sandbox, order, transfer

from connector.iso20022.engine import Engine

CRASHES = 4
ORDERS = 12
SIZE = 150
SCRIPT = Path(__file__).with_name("serve_simulators.py")
ROOT = Path(__file__).parents[2]


async def _start(
    folder: Path, port: int, connector_url: str, http: aiohttp.ClientSession
) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), str(folder), str(port), connector_url, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    )
    async with asyncio.timeout(20):
        while True:
            try:
                async with http.get(f"http://127.0.0.1:{port}/healthcheck") as response:
                    if response.status == 200:
                        return process
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)


async def _pay_until_taken(sandbox: Sandbox, body: bytes) -> None:
    while True:
        try:
            status, _ = await sandbox.post(PAYER, body)
        except aiohttp.ClientError:
            status = 0
        if status in {200, 202}:
            return
        await asyncio.sleep(0.02)


async def test_no_kill_loses_or_doubles_a_payment(tmp_path: Path, engine: Engine, aiohttp_server: Any) -> None:
    chance = random.Random(20260302)
    listener = Listener(engine)
    server = await aiohttp_server(listener.app())
    url, port = str(server.make_url("/")).rstrip("/"), unused_port()
    bodies = [_body(engine, number) for number in range(ORDERS)]
    async with aiohttp.ClientSession() as http:
        sandbox = Sandbox(f"http://127.0.0.1:{port}", http, engine, listener, url)
        process = await _start(tmp_path, port, url, http)
        payments = asyncio.gather(*(_pay_until_taken(sandbox, body) for body in bodies))
        for _ in range(CRASHES):
            await asyncio.sleep(chance.uniform(0.02, 0.25))
            process.send_signal(signal.SIGKILL)
            await process.wait()
            process = await _start(tmp_path, port, url, http)
        try:
            await payments
            await sandbox.advance(seconds=60)
            await _check(sandbox)
        finally:
            process.terminate()
            await process.wait()


def _body(engine: Engine, number: int) -> bytes:
    transfers = [transfer(position, f"20{number:04}{position:04}", 100, HARBOUR) for position in range(SIZE)]
    return engine.write("generic", "pain.001.001.09", order(transfers, f"AAAAAAAAAAAAAAAAAAAAP{number}", created=NOW))


async def _check(sandbox: Sandbox) -> None:
    rows = await sandbox.admin("GET", f"{HARBOUR}/balances?limit=10000")
    customers = [row["minor"] for row in rows if row["account"].startswith("20")]
    assert customers == [100] * (ORDERS * SIZE)
    reported = {message.original_message_id for message in sandbox.connector.messages()}  # type: ignore[union-attr]
    assert len(reported) == ORDERS
    await sandbox.proof()

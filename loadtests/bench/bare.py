"""A bare aiohttp JSON handler in a process of its own: what the framework alone takes, measured beside IsoGate.

``python -m loadtests.bench.bare PORT``: reads a JSON body and answers one, without access log, on IsoGate's own
event loop.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from connector.cli.instance import answers, free_ports
from connector.cli.process import SUPERVISOR, loaded, run, until_stopped
from connector.domain.errors import Unavailable

PATIENCE_SECONDS: Final = 20.0
_LOOK_EVERY_SECONDS: Final = 0.02


@asynccontextmanager
async def bare_handler() -> AsyncIterator[tuple[int, int]]:
    """Start one and give its port and process id; it ends with the block. Raises ``Unavailable``."""
    port = free_ports(1)[0]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtests.bench.bare", str(port), env={**os.environ, SUPERVISOR: str(os.getpid())}
    )  # fmt: skip
    try:
        late = time.monotonic() + PATIENCE_SECONDS
        while not await answers(f"http://127.0.0.1:{port}/"):
            if time.monotonic() > late:
                raise Unavailable("bare handler", "did not come up in time")
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        yield port, process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answer(request: web.Request) -> web.Response:
    asked = await request.json()
    return web.json_response({"result_status": "Voucher redeemed", "fields": len(asked)})


async def _ready(request: web.Request) -> web.Response:
    del request
    return web.json_response({"status": "ready"})


async def _serve(stop: asyncio.Event) -> None:
    application = web.Application()
    application.router.add_post("/", _answer)
    application.router.add_get("/", _ready)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    loaded()
    try:
        await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]), backlog=1024).start()
        await stop.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    run(until_stopped(_serve))

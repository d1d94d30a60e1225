"""A small server of the benchmarks' own, in a process of its own: started with a block, and ended with it."""

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
async def started(module: str, path: str) -> AsyncIterator[tuple[int, int]]:
    """Run ``python -m module PORT`` and give its port and process id, once it answers a GET of ``path``.

    Raises ``Unavailable``.
    """
    port = free_ports(1)[0]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, str(port), env={**os.environ, SUPERVISOR: str(os.getpid())}
    )  # fmt: skip
    try:
        late = time.monotonic() + PATIENCE_SECONDS
        while not await answers(f"http://127.0.0.1:{port}{path}"):
            if time.monotonic() > late:
                raise Unavailable(module, "did not come up in time")
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        yield port, process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def serve(application: web.Application) -> None:
    """Serve at the port that is the program's argument until told to stop, on IsoGate's own event loop."""

    async def until(stop: asyncio.Event) -> None:
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        loaded()
        try:
            await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]), backlog=1024).start()
            await stop.wait()
        finally:
            await runner.cleanup()

    run(until_stopped(until))

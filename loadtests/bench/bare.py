"""A bare aiohttp JSON handler in a process of its own: what the framework alone takes, measured beside IsoGate.

``python -m loadtests.bench.bare PORT``: reads a JSON body and answers one, without access log, on IsoGate's own
event loop.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from loadtests.bench.served import serve, started


@asynccontextmanager
async def bare_handler() -> AsyncIterator[tuple[int, int]]:
    """Start one and give its port and process id; it ends with the block. Raises ``Unavailable``."""
    async with started("loadtests.bench.bare", "/") as handler:
        yield handler


async def _answer(request: web.Request) -> web.Response:
    asked = await request.json()
    return web.json_response({"result_status": "Voucher redeemed", "fields": len(asked)})


async def _ready(request: web.Request) -> web.Response:
    del request
    return web.json_response({"status": "ready"})


def application() -> web.Application:
    """Build its one door."""
    made = web.Application()
    made.router.add_post("/", _answer)
    made.router.add_get("/", _ready)
    return made


if __name__ == "__main__":
    serve(application())

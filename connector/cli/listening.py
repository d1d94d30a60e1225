"""Serve an application until told to stop, and let what is under way then come to its end."""

import asyncio
from ssl import SSLContext
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from connector.cli.process import loaded
from connector.domain.errors import Unavailable

GRACE_SECONDS: Final = 10.0
"""So long requests that were under way when it was time to stop may take; bodies that still come in included."""

_LAST_SECONDS: Final = 2.0
"""The same for what began later, on connections that were open."""


class UnderWay:
    """The requests that are being answered.

    When aiohttp shuts down it takes in nothing more, also no rest of a body: a handler that reads one would wait in
    vain, and its sender with it. So such requests are waited for beforehand.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._ends: set[asyncio.Future[None]] = set()

    def watch(self, application: web.Application) -> None:
        """Know of all requests to an application; before it is set up."""

        @web.middleware
        async def watched(request: web.Request, handler: Handler) -> web.StreamResponse:
            end = asyncio.get_running_loop().create_future()
            self._ends.add(end)
            try:
                return await handler(request)
            finally:
                self._ends.discard(end)
                end.set_result(None)

        application.middlewares.insert(0, watched)

    async def ended(self, seconds: float) -> None:
        """Wait for those that are under way now, and no longer than so many seconds."""
        if self._ends:
            await asyncio.wait(tuple(self._ends), timeout=seconds)


async def serve_until(
    stop: asyncio.Event,
    application: web.Application,
    host: str,
    port: int,
    tls: SSLContext | None = None,
    *,
    shared: bool = False,
    grace_seconds: float = GRACE_SECONDS,
) -> None:
    """Serve until told to stop; requests that are under way are answered first.

    shared: other processes listen on the same port, and the kernel gives each new connection to one of them.
    Raises ``Unavailable`` where the port cannot be listened on.
    """
    under_way = UnderWay()
    under_way.watch(application)
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=_LAST_SECONDS)
    await runner.setup()
    loaded()
    try:
        site = web.TCPSite(
            runner, host, port, ssl_context=tls, backlog=1024, reuse_address=True, reuse_port=shared or None
        )
        await site.start()
        await stop.wait()
        await site.stop()
        await under_way.ended(grace_seconds)
    except OSError as error:
        raise Unavailable(f"{host}:{port}", f"cannot be listened on: {error.strerror}") from error
    finally:
        await runner.cleanup()

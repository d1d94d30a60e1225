"""The sandbox's way to the simulators: /sim/* is passed on as it is."""

from collections.abc import AsyncIterator
from typing import Final

import aiohttp
from aiohttp import hdrs, web

from connector.api.shapes import Failure, plain
from connector.domain.errors import Fault

_SESSION: Final = web.AppKey("simulators_session", aiohttp.ClientSession)
_PASSED: Final = (hdrs.CONTENT_TYPE, hdrs.ACCEPT)
_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


def pass_on(application: web.Application, simulators_url: str) -> None:
    """Route /sim/* of the application to the simulators."""
    base = simulators_url.rstrip("/")

    async def forward(request: web.Request) -> web.StreamResponse:
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        if ".." in request.path.split("/"):
            raise web.HTTPNotFound
        content = await request.read()
        try:
            async with request.app[_SESSION].request(
                request.method, f"{base}{request.rel_url.raw_path_qs}", data=content or None, headers=headers
            ) as answer:
                body = await answer.read()
                media = answer.headers.get(hdrs.CONTENT_TYPE, "application/octet-stream")
                return web.Response(status=answer.status, body=body, headers={hdrs.CONTENT_TYPE: media})
        except (aiohttp.ClientError, TimeoutError):
            fault = Fault("", "unavailable", "The simulators do not answer.")
            return plain(Failure(503, (fault,), headers={hdrs.RETRY_AFTER: "1"}))

    application.router.add_route("*", "/sim/{path:.*}", forward)
    application.cleanup_ctx.append(_session)


async def _session(application: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(timeout=_TIMEOUT, auto_decompress=True) as session:
        application[_SESSION] = session
        yield

"""One process that plays many institutions, each at ``/{CODE}/...``, with one admin API at ``/sim/...``."""

from aiohttp import web

from simulators.settings import SimulatorSettings


def application(settings: SimulatorSettings) -> web.Application:
    """Build the web application; the state lives in ``settings.data`` and survives the end of the process."""
    app = web.Application(client_max_size=512 * 1024**2)
    app[SETTINGS] = settings
    app.router.add_get("/healthcheck", _healthcheck)
    return app


SETTINGS = web.AppKey("settings", SimulatorSettings)


async def _healthcheck(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})

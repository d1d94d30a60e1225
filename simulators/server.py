"""One process that plays many institutions, each at ``/{CODE}/...``, with one admin API at ``/sim/...``."""

from pathlib import Path
from typing import Final

from aiohttp import web

from connector.domain.errors import Misconfigured
from connector.iso20022.engine import Engine
from iso20022_schemas.catalogue import Catalogue
from simulators import admin
from simulators.clock import VirtualClock
from simulators.doors import errors
from simulators.player import LARGEST_BODY, play
from simulators.settings import SimulatorSettings
from simulators.world import WORLD

PROFILES: Final = (Path(__file__).parent / "profiles", Path(__file__).parent / "interbank")
"""What institutions say to the connector, and what they say to one another beyond that."""


def application(settings: SimulatorSettings, engine: Engine | None = None) -> web.Application:
    """Build the web application; the state lives in ``settings.data`` and survives the end of the process.

    Raises ``Misconfigured`` for a code that the sandbox world does not have, or for a profile that cannot be used.
    """
    codes = settings.institutions or tuple(WORLD)
    unknown = [code for code in codes if code not in WORLD]
    if unknown:
        raise Misconfigured(
            "settings", 0, "institutions", f"There is no institution {unknown[0]} in the sandbox world."
        )
    settings.data.mkdir(parents=True, exist_ok=True)
    engine = engine or Engine(Catalogue(), *PROFILES)
    clock = VirtualClock(settings.clock, settings.data / "clock.json")
    app = web.Application(middlewares=[errors], client_max_size=LARGEST_BODY)
    players = {code: play(code, settings, clock, engine) for code in codes}
    for code, player in players.items():
        app.add_subapp(f"/{code}", player)
    admin.routes(app, players, clock)
    app.router.add_get("/healthcheck", _healthcheck)
    return app


async def _healthcheck(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})

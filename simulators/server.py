"""One process that plays many institutions, each at ``/{CODE}/...``, with one admin API at ``/sim/...``."""

import time
from pathlib import Path
from typing import Final

from aiohttp import web

from connector.domain.errors import Misconfigured
from connector.domain.stages import Stages
from connector.iso20022.engine import Engine
from iso20022_schemas.catalogue import Catalogue
from simulators import admin
from simulators.clock import VirtualClock
from simulators.desk import Desk
from simulators.doors import errors
from simulators.player import LARGEST_BODY, Shared, play
from simulators.settings import SimulatorSettings
from simulators.world import WORLD

PROFILES: Final = (Path(__file__).parent / "profiles", Path(__file__).parent / "interbank")
"""What institutions say to the connector, and what they say to one another beyond that."""


def application(
    settings: SimulatorSettings, engine: Engine | None = None, stages: Stages | None = None
) -> web.Application:
    """Build the web application; the state lives in ``settings.data`` and survives the end of the process.

    stages: where the engine adds up what its work costs; what the institutions do besides is added there.
    Raises ``Misconfigured`` for a code that the sandbox world does not have, or for a profile that cannot be used.
    """
    codes = settings.institutions or tuple(WORLD)
    unknown = [code for code in codes if code not in WORLD]
    if unknown:
        raise Misconfigured(
            "settings", 0, "institutions", f"There is no institution {unknown[0]} in the sandbox world."
        )
    settings.data.mkdir(parents=True, exist_ok=True)
    stages = stages or Stages(time.thread_time)
    engine = engine or Engine(Catalogue(), *PROFILES, stages=stages)
    clock = VirtualClock(settings.clock, settings.data / "clock.json")
    shared = Shared(settings, clock, engine, Desk(settings.threads), stages)
    app = web.Application(middlewares=[errors], client_max_size=LARGEST_BODY)
    players = {code: play(code, shared) for code in codes}
    for code, player in players.items():
        app.add_subapp(f"/{code}", player)
    admin.routes(app, players, shared)
    app.on_cleanup.append(_leave)
    app.router.add_get("/healthcheck", _healthcheck)
    return app


async def _leave(app: web.Application) -> None:
    """Close the desk, after the institutions have stopped working at it."""
    app[admin.DESK].close()


async def _healthcheck(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})

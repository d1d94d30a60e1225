"""An institution at work: its own web application, and the courier that does its jobs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Final, NamedTuple

import aiohttp
from aiohttp import web

from connector.domain.directory import InstitutionKind
from connector.domain.stages import Stages
from connector.iso20022.engine import Engine
from simulators import details, faults, inbox, ledger, outbox, speaking
from simulators.bank.api import routes as bank_routes
from simulators.bank.app import Bank
from simulators.clock import VirtualClock
from simulators.database import Database
from simulators.desk import BULKY_BYTES, Desk
from simulators.doors import COURIER, INSTITUTION, errors
from simulators.faults import Faults
from simulators.house import House, Institution
from simulators.mobile_money.api import routes as mobile_money_routes
from simulators.mobile_money.app import MobileMoney
from simulators.outbox import AGAIN, DEAD, DONE, Courier, Job, Outcome
from simulators.settings import SimulatorSettings
from simulators.speaking import Speaking
from simulators.switch.api import routes as switch_routes
from simulators.switch.app import Switch
from simulators.world import WORLD

USUAL_SCHEME: Final = "generic"
TIMEOUT_SECONDS: Final = 60.0
CONNECTIONS: Final = 64
LARGEST_BODY: Final = 512 * 1024**2
_RETRIED: Final = frozenset({408, 425, 429})
_KINDS: Final[dict[InstitutionKind, tuple[Callable[[House], Institution], Callable[[web.Application], None]]]] = {
    InstitutionKind.BANK: (Bank, bank_routes),
    InstitutionKind.MOBILE_MONEY: (MobileMoney, mobile_money_routes),
    InstitutionKind.SWITCH: (Switch, switch_routes),
}


class Dispatcher:
    """Does an institution's jobs over HTTP."""

    def __init__(self, institution: Institution) -> None:
        """Take the institution; the session comes with ``open``."""
        self._institution = institution
        self._do = institution.house.desk.do
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the HTTP session; inside the event loop."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=CONNECTIONS))

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def perform(self, job: Job) -> Outcome:
        """Send what a job stands for and take the answer in."""
        outgoing = await self._do(self._institution.compose, job, bulky=job.bulky, begins=job.begins)
        if outgoing is None or self._session is None:
            return Outcome(DONE if outgoing is None else AGAIN)
        try:
            async with self._session.post(outgoing.url, data=outgoing.body, headers=outgoing.headers) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            return Outcome(AGAIN, type(fault).__name__)
        return await self._judge(job, response.status, body)

    async def _judge(self, job: Job, status: int, body: bytes) -> Outcome:
        if status < 300:
            await self._do(self._institution.delivered, job, body, bulky=len(body) > BULKY_BYTES)
            return Outcome(DONE, str(status))
        if status >= 500 or status in _RETRIED:
            return Outcome(AGAIN, str(status))
        await self._do(self._institution.undeliverable, job, status)
        return Outcome(DEAD, str(status))


class Shared(NamedTuple):
    """What all institutions of a process have in common."""

    settings: SimulatorSettings
    clock: VirtualClock
    engine: Engine
    desk: Desk
    stages: Stages


def play(code: str, shared: Shared) -> web.Application:
    """Build the application of one institution; raises ``KeyError`` for a code that is not in the world."""
    settings, clock, engine, desk, stages = shared
    player = WORLD[code]
    modules = (ledger, details, inbox, outbox, faults, speaking)
    database = Database(settings.data / f"{code}.sqlite", *(module.SCHEMA for module in modules))
    with database.transaction() as link:
        inbox.upgrade(link)
        outbox.upgrade(link)
        speech = Speaking(link, engine, settings.schemes.get(code, USUAL_SCHEME))
        house = House(player, settings, clock, engine, database, Faults(link), speech, desk, stages)
    make, add_routes = _KINDS[player.kind]
    app = web.Application(middlewares=[errors], client_max_size=LARGEST_BODY)
    app[INSTITUTION] = institution = make(house)
    dispatcher = Dispatcher(institution)
    app[COURIER] = Courier(database, desk, clock, dispatcher.perform)
    app[DISPATCHER] = dispatcher
    add_routes(app)
    app.cleanup_ctx.append(_working)
    return app


DISPATCHER: Final = web.AppKey("dispatcher", Dispatcher)


async def _working(app: web.Application) -> AsyncIterator[None]:
    """Keep the courier at work while the application runs."""
    await app[DISPATCHER].open()
    work = asyncio.create_task(app[COURIER].run())
    yield
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    await app[DISPATCHER].close()
    app[INSTITUTION].house.database.close()

"""The admin API of a simulator process: what is in the books, which rules hold, what time it is."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from aiohttp import web

from connector.domain.errors import NotFound, Refused
from connector.domain.stages import Stages
from simulators import faults, inbox, ledger, outbox
from simulators.clock import VirtualClock
from simulators.desk import Desk
from simulators.doors import COURIER, INSTITUTION, number, plain, statement
from simulators.house import House
from simulators.player import Shared
from simulators.proof import proof

CLOCK: Final = web.AppKey("clock", VirtualClock)
DESK: Final = web.AppKey("desk", Desk)
STAGES: Final = web.AppKey("stages", Stages)
PLAYERS: Final = web.AppKey("players", Mapping[str, web.Application])
LONGEST_LIST: Final = 10_000
PATIENCE_SECONDS: Final = 60.0
_LOOK_EVERY_SECONDS: Final = 0.005


class Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the clock is to be advanced."""

    seconds: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0
    days: Annotated[float, msgspec.Meta(ge=0, le=10_000)] = 0.0


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The scheme that an institution is to speak."""

    scheme: str


def routes(app: web.Application, players: Mapping[str, web.Application], shared: Shared) -> None:
    """Add the admin API."""
    app[PLAYERS] = players
    app[CLOCK] = shared.clock
    app[DESK] = shared.desk
    app[STAGES] = shared.stages
    add = app.router.add_route
    add("GET", "/sim/institutions", _institutions)
    add("GET", "/sim/clock", _clock)
    add("POST", "/sim/clock", _advance)
    add("POST", "/sim/reset", _reset)
    add("GET", "/sim/ledger", _ledger)
    add("GET", "/sim/stages", _stages)
    add("GET", "/sim/{code}/balances", _balances)
    add("GET", "/sim/{code}/statements/{account}", _statement)
    add("GET", "/sim/{code}/messages", _messages)
    add("GET", "/sim/{code}/jobs", _jobs)
    add("GET", "/sim/{code}/rules", _rules)
    add("PUT", "/sim/{code}/rules", _set_rules)
    add("GET", "/sim/{code}/scheme", _scheme)
    add("PUT", "/sim/{code}/scheme", _choose_scheme)
    add("DELETE", "/sim/{code}/rules", _drop_rules)


async def _institutions(request: web.Request) -> web.Response:
    houses = [app[INSTITUTION].house for app in request.app[PLAYERS].values()]
    return web.json_response(
        [
            {
                "code": house.code,
                "name": house.player.name,
                "kind": house.player.kind,
                "accounts": house.player.accounts,
                "scheme": house.towards("").scheme.name,
                "url": house.settings.url_of(house.code),
            }
            for house in houses
        ]
    )


async def _clock(request: web.Request) -> web.Response:
    return web.json_response(_time(request.app[CLOCK]))


async def _advance(request: web.Request) -> web.Response:
    """Advance the clock, and answer when everything that fell due by it has been done."""
    try:
        step = msgspec.json.decode(await request.read(), type=Advance)
    except msgspec.MsgspecError as fault:
        raise Refused.because("/", "malformed", str(fault)) from fault
    clock = request.app[CLOCK]
    clock.advance(step.seconds + step.days * 86_400)
    quiet = await _settle_down(request.app[PLAYERS])
    return web.json_response({**_time(clock), "quiet": quiet})


async def _reset(request: web.Request) -> web.Response:
    """Forget everything that happened; the world is as at its first start."""
    await _settle_down(request.app[PLAYERS])
    for app in request.app[PLAYERS].values():
        await request.app[DESK].do(app[INSTITUTION].house.erase)
    request.app[CLOCK].reset()
    return web.json_response({"status": "reset"})


async def _ledger(request: web.Request) -> web.Response:
    houses = [app[INSTITUTION].house for app in request.app[PLAYERS].values()]
    return web.json_response(await request.app[DESK].do(proof, houses))


async def _stages(request: web.Request) -> web.Response:
    """Tell where the processor time of the institutions' work went so far, by stage."""
    spent = request.app[STAGES].spent()
    return web.json_response({stage: one._asdict() for stage, one in spent.items()})


async def _balances(request: web.Request) -> web.Response:
    house = _house(request)
    limit = _limit(request)
    with house.database.transaction() as link:
        rows = ledger.balances(link, limit, request.query.get("after", ""))
    return web.json_response(
        [{"account": account, "currency": currency, "minor": minor} for account, currency, minor in rows]
    )


async def _statement(request: web.Request) -> web.Response:
    """The movements as JSON, or with ``?kind=`` the institution's own statement as XML."""
    if "kind" in request.query:
        code = _house(request).code
        return plain(await statement(request, request.app[PLAYERS][code][INSTITUTION]))
    house = _house(request)
    with house.database.transaction() as link:
        movements = ledger.statement(link, request.match_info["account"], _limit(request))
    return web.json_response([movement._asdict() for movement in movements])


async def _messages(request: web.Request) -> web.Response:
    house = _house(request)
    with house.database.transaction() as link:
        rows = inbox.overview(link, _limit(request))
    names = ("sender", "message", "message_id", "state", "received_at")
    return web.json_response([dict(zip(names, row, strict=True)) for row in rows])


async def _jobs(request: web.Request) -> web.Response:
    with _house(request).database.transaction() as link:
        return web.json_response(outbox.counts(link))


async def _rules(request: web.Request) -> web.Response:
    return web.json_response(msgspec.to_builtins(_house(request).faults.rules()))


async def _set_rules(request: web.Request) -> web.Response:
    house = _house(request)
    try:
        rules = faults.parse(await request.read())
    except (msgspec.MsgspecError, ValueError) as fault:
        raise Refused.because("/", "malformed", str(fault)) from fault
    with house.database.transaction() as link:
        house.faults.replace(link, rules)
    return web.json_response(msgspec.to_builtins(rules))


async def _drop_rules(request: web.Request) -> web.Response:
    house = _house(request)
    with house.database.transaction() as link:
        house.faults.replace(link, ())
    return web.Response(status=204)


async def _scheme(request: web.Request) -> web.Response:
    return web.json_response({"scheme": _house(request).towards("").scheme.name})


async def _choose_scheme(request: web.Request) -> web.Response:
    """Let an institution speak another scheme with the connector from now on."""
    house = _house(request)
    try:
        choice = msgspec.json.decode(await request.read(), type=Choice)
    except msgspec.MsgspecError as fault:
        raise Refused.because("/", "malformed", str(fault)) from fault
    with house.database.transaction() as link:
        house.speaking.choose(link, choice.scheme)
    return await _scheme(request)


async def _settle_down(players: Mapping[str, web.Application]) -> bool:
    """Wait until no institution has anything due; twice in a row, since one's answer is another's job."""
    quiet_looks = 0
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while quiet_looks < 2:
                for app in players.values():
                    app[COURIER].wake()
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
                idle = [await app[COURIER].idle() for app in players.values()]
                quiet_looks = quiet_looks + 1 if all(idle) else 0
    except TimeoutError:
        return False
    return True


def _house(request: web.Request) -> House:
    code = request.match_info["code"]
    players = request.app[PLAYERS]
    if code not in players:
        raise NotFound("institution", code)
    return players[code][INSTITUTION].house


def _limit(request: web.Request) -> int:
    return min(number(request, "limit", 1000), LONGEST_LIST)


def _time(clock: VirtualClock) -> dict[str, Any]:
    now = clock()
    return {
        "now": datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z"),
        "unix_seconds": now,
        "offset_seconds": clock.offset_seconds,
    }

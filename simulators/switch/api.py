"""The switch's HTTP interface: ISO 20022, and the settlement notes of its participants."""

import msgspec
from aiohttp import web

from connector.domain.errors import Refused
from simulators.doors import add_iso20022, owner, required
from simulators.house import PARTICIPANT_HEADER
from simulators.settling import Settlement
from simulators.switch.app import Switch
from simulators.world import WORLD


def routes(app: web.Application) -> None:
    """Add the switch's routes to its application."""
    add_iso20022(app)
    app.router.add_post("/settlements", _settle)


async def _settle(request: web.Request) -> web.Response:
    """Only the payer's institution may give the note, and only in favour of another participant."""
    switch = owner(request, Switch)
    sender = required(request, PARTICIPANT_HEADER)
    note = _note(await request.read())
    if note.payer != sender or note.payee not in WORLD or note.payee == note.payer or note.minor <= 0:
        raise Refused.because("/", "AM02", "A settlement moves money from its sender to another participant.")
    fresh = await switch.house.desk.do(switch.book.settle, note, sender)
    return web.json_response({"status": "processed" if fresh else "repeated"})


def _note(body: bytes) -> Settlement:
    try:
        return msgspec.json.decode(body, type=Settlement)
    except msgspec.MsgspecError as fault:
        raise Refused.because("/", "malformed", "This is no settlement note.") from fault

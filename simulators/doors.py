"""What the HTTP interfaces of all institutions share: the ISO 20022 door, error answers, waking the courier."""

import re
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from aiohttp import web

from connector.domain.errors import IsoGateError, NotFound, Refused, Unavailable
from simulators.desk import BULKY_BYTES
from simulators.house import PARTICIPANT_HEADER, Answer, Institution, problem
from simulators.outbox import Courier

INSTITUTION: Final = web.AppKey("institution", Institution)
COURIER: Final = web.AppKey("courier", Courier)

_MESSAGE_ID: Final = re.compile(rb"<(?:\w+:)?(?:BizMsgIdr|MsgId)>([A-Za-z0-9./-]{1,35})<")

Kind = TypeVar("Kind")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_iso20022(app: web.Application) -> None:
    """Add the routes by which messages come in and reports are asked for."""
    app.router.add_post("/iso20022", _receive)
    app.router.add_get("/iso20022/reports/{message_id}", _report)
    app.router.add_get("/iso20022/statements/{account}", _statements)


def owner(request: web.Request, kind: type[Kind]) -> Kind:
    """Give the institution whose application this is; ``TypeError`` where it is of another kind."""
    institution = request.app[INSTITUTION]
    if not isinstance(institution, kind):
        raise TypeError(f"{institution.house.code} is no {kind.__name__}")
    return institution


def required(request: web.Request, header: str) -> str:
    """Read a header; raises ``Refused`` where it is missing."""
    value = request.headers.get(header, "").strip()
    if not value:
        raise Refused.because(f"header {header}", "missing", "This header is required.")
    return value


def number(request: web.Request, name: str, usual: int) -> int:
    """Read a whole number from the query; raises ``Refused`` where it is none."""
    text = request.query.get(name, str(usual))
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise Refused.because(f"query {name}", "malformed", "A whole number is expected.")
    return int(text)


def given(request: web.Request, answer: Answer) -> web.Response:
    """Send an institution's answer, and let the courier look for what is to be done now."""
    request.app[COURIER].wake()
    return plain(answer)


def plain(answer: Answer) -> web.Response:
    """Send an answer after which there is nothing to be done."""
    if not answer.body:
        return web.Response(status=answer.status)
    return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into a plain JSON answer with the status that fits."""
    try:
        return await handler(request)
    except IsoGateError as fault:
        return web.Response(status=_status(fault), body=problem(fault), content_type="application/json")


def _status(fault: IsoGateError) -> int:
    if isinstance(fault, NotFound):
        return 404
    return 503 if isinstance(fault, Unavailable) else 400


async def _receive(request: web.Request) -> web.Response:
    institution = request.app[INSTITUTION]
    sender = request.headers.get(PARTICIPANT_HEADER, "")
    body = await request.read()
    try:
        answer = await institution.house.desk.do(
            institution.receive, body, sender, bulky=len(body) > BULKY_BYTES, begins=not sender
        )
    except Refused as fault:
        rejection = institution.house.rejection(_reference(body), fault, sender)
        if rejection is None:
            raise
        answer = rejection
    return given(request, answer)


def _reference(body: bytes) -> str:
    """The id of a message that could not be read, as far as it can be made out."""
    found = _MESSAGE_ID.search(body)
    return found[1].decode() if found else "NOTPROVIDED"


async def _statements(request: web.Request) -> web.Response:
    return plain(await statement(request, request.app[INSTITUTION]))


async def statement(request: web.Request, institution: Institution) -> Answer:
    """Give the statement that a request asks for; raises ``Refused``."""
    asked = request.query
    kind, first, last = asked.get("kind", "camt.053"), asked.get("from", ""), asked.get("to", "")
    account = request.match_info["account"]
    return await institution.house.desk.do(institution.statement, account, kind, first, last)


async def _report(request: web.Request) -> web.Response:
    institution = request.app[INSTITUTION]
    sender = request.headers.get(PARTICIPANT_HEADER, "")
    answer = await institution.house.desk.do(institution.report, request.match_info["message_id"], sender)
    return given(request, answer)

"""A bank's HTTP interface: ISO 20022, the GovStack JSON calls to a payer bank, and the switch's advices."""

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

import msgspec
from aiohttp import web

from connector.domain.errors import NotFound, Refused
from simulators import inbox, outbox, reporting
from simulators.bank import wire
from simulators.bank.app import Bank
from simulators.doors import add_iso20022, given, number, owner, required
from simulators.house import Answer
from simulators.orders import Reply
from simulators.outbox import Job
from simulators.reporting import transfers_of
from simulators.settling import Advice

LARGEST_PAGE: Final = 10_000


def routes(app: web.Application) -> None:
    """Add a bank's routes to its application."""
    add_iso20022(app)
    app.router.add_post("/beneficiaries", _validate)
    app.router.add_post("/batches/{batch_id}", _authorise)
    app.router.add_post("/batchtransactions", _raw)
    app.router.add_get("/api/v1/batch/detail", _detail)
    app.router.add_post("/advices", _advice)


async def _validate(request: web.Request) -> web.Response:
    bank = owner(request, Bank)
    correlation = required(request, "X-Client-Correlation-ID")
    callback = required(request, "X-Callback-URL")
    body = await request.read()
    question, batch_id = wire.verification(body, key=f"{correlation}|{callback}", now=bank.house.clock.now())
    reply = Reply(callback, correlation, batch_id)
    return given(request, await bank.house.desk.do(bank.verifying.ask, question, wire.VALIDATE, "", reply))


async def _authorise(request: web.Request) -> web.Response:
    bank = owner(request, Bank)
    correlation = required(request, "X-Client-Correlation-ID")
    callback = required(request, "X-Callback-URL")
    account, currency, minor = wire.authorisation(await request.read())
    await bank.house.desk.do(_decide, bank, (account, currency, minor), callback, correlation)
    return given(request, Answer(202, b'{"message": "Authorisation is being processed."}', "application/json"))


def _decide(bank: Bank, asked: tuple[str, str, int], callback: str, correlation: str) -> None:
    with bank.house.database.transaction() as link:
        objection = bank.objection(link, *asked)
        reason = objection.information or objection.reason if objection else ""
        answer = wire.authorisation_answer(correlation, reason)
        payload = json.dumps([callback, answer]).encode()
        outbox.put(link, Job(f"authorisation-{correlation}", "authorisation", payload=payload))


async def _raw(request: web.Request) -> web.Response:
    bank = owner(request, Bank)
    correlation = required(request, "X-CorrelationID")
    body = await request.read()
    answer = await bank.house.desk.do(_order, bank, body, correlation)
    return given(request, answer)


def _order(bank: Bank, body: bytes, correlation: str) -> Answer:
    order = wire.raw_order(body, code=bank.house.code, message_id=correlation, now=bank.house.clock.now())
    base = bank.house.settings.connector_url.rstrip("/")
    url = f"{base}/api/v1/batch?batchId={correlation}&X-CorrelationID={correlation[:12]}"
    bank.forwarding.order(order, wire.RAW, "", Reply(url, correlation, correlation))
    return Answer(202, json.dumps({"batchId": correlation}).encode(), "application/json")


async def _detail(request: web.Request) -> web.Response:
    bank = owner(request, Bank)
    known_as = (request.query.get("batchId", ""), request.query.get("X-CorrelationID", ""))
    size = min(max(number(request, "pageSize", 1000), 1), LARGEST_PAGE)
    first = number(request, "pageNo", 0) * size
    rows = await bank.house.desk.do(_details, bank, known_as)
    return web.json_response(rows[first : first + size])


def _details(bank: Bank, known_as: Sequence[str]) -> list[dict[str, Any]]:
    """A batch is known by the id that the bank gave it, or by the correlation id under which it came."""
    with bank.house.database.transaction() as link:
        found = (inbox.find(link, "", wire.RAW, name) for name in known_as)
        kept = next((one for one in found if one), None)
        if kept is None:
            raise NotFound("batch", known_as[0])
        legs = inbox.legs(link, kept.number)
    transfers = chain.from_iterable(transfers_of(leg) for leg in legs if leg.result)
    return wire.detail(kept.facts, zip(transfers, reporting.each(legs), strict=True))


async def _advice(request: web.Request) -> web.Response:
    bank = owner(request, Bank)
    try:
        advice = msgspec.json.decode(await request.read(), type=Advice)
    except msgspec.MsgspecError as fault:
        raise Refused.because("/", "malformed", "This is no settlement advice.") from fault
    fresh = await bank.house.desk.do(bank.book.advise, advice)
    return web.json_response({"status": "processed" if fresh else "repeated"})

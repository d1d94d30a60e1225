"""A bank's HTTP interface: ISO 20022, the GovStack JSON calls to a payer bank, and the switch's advices."""

import asyncio
import json
from itertools import chain

import msgspec
from aiohttp import web

from connector.domain.errors import NotFound, Refused
from simulators import inbox, outbox, reporting
from simulators.bank import wire
from simulators.bank.app import Bank
from simulators.doors import add_iso20022, given, owner, required
from simulators.forwarding import Reply
from simulators.house import Answer
from simulators.outbox import Job
from simulators.reporting import transfers_of
from simulators.settling import Advice


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
    question, batch_id = wire.verification(body, message_id=correlation, now=bank.house.clock.now())
    reply = Reply(callback, correlation, batch_id)
    return given(request, await asyncio.to_thread(bank.verifying.ask, question, wire.VALIDATE, "", reply))


async def _authorise(request: web.Request) -> web.Response:
    bank = owner(request, Bank)
    correlation = required(request, "X-Client-Correlation-ID")
    callback = required(request, "X-Callback-URL")
    account, currency, minor = wire.authorisation(await request.read())
    await asyncio.to_thread(_decide, bank, (account, currency, minor), callback, correlation)
    return given(request, Answer(202, b'{"message": "Authorisation is being processed."}', "application/json"))


def _decide(bank: Bank, asked: tuple[str, str, int], callback: str, correlation: str) -> None:
    with bank.house.database.transaction() as link:
        objection = bank.book.shortage(link, *asked)
        answer = wire.authorisation_answer(correlation, objection.information if objection else "")
        payload = json.dumps([callback, answer]).encode()
        outbox.put(link, Job(f"authorisation-{correlation}", "authorisation", payload=payload))


async def _raw(request: web.Request) -> web.Response:
    bank = owner(request, Bank)
    correlation = required(request, "X-CorrelationID")
    body = await request.read()
    answer = await asyncio.to_thread(_order, bank, body, correlation)
    return given(request, answer)


def _order(bank: Bank, body: bytes, correlation: str) -> Answer:
    order = wire.raw_order(body, code=bank.house.code, message_id=correlation, now=bank.house.clock.now())
    base = bank.house.settings.connector_url.rstrip("/")
    url = f"{base}/api/v1/batch?batchId={correlation}&X-CorrelationID={correlation[:12]}"
    bank.forwarding.order(order, wire.RAW, "", Reply(url, correlation, correlation))
    return Answer(202, json.dumps({"batchId": correlation}).encode(), "application/json")


async def _detail(request: web.Request) -> web.Response:
    bank = owner(request, Bank)
    rows = await asyncio.to_thread(_details, bank, request.query.get("batchId", ""))
    size = min(max(int(request.query.get("pageSize", "1000")), 1), 10_000)
    first = max(int(request.query.get("pageNo", "0")), 0) * size
    return web.json_response(rows[first : first + size])


def _details(bank: Bank, batch_id: str) -> list[dict[str, object]]:
    with bank.house.database.transaction() as link:
        kept = inbox.find(link, "", wire.RAW, batch_id)
        if kept is None:
            raise NotFound("batch", batch_id)
        legs = inbox.legs(link, kept.number)
    transfers = chain.from_iterable(transfers_of(leg) for leg in legs if leg.result)
    return wire.detail(kept.facts, zip(transfers, reporting.each(legs), strict=True))


async def _advice(request: web.Request) -> web.Response:
    bank = owner(request, Bank)
    try:
        advice = msgspec.json.decode(await request.read(), type=Advice)
    except msgspec.MsgspecError as fault:
        raise Refused.because("/", "malformed", "This is no settlement advice.") from fault
    fresh = await asyncio.to_thread(bank.book.advise, advice)
    return web.json_response({"status": "processed" if fresh else "repeated"})

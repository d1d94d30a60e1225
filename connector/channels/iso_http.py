"""ISO 20022 messages over HTTP.

``POST {url}/iso20022`` hands over a message and answers 200 with the message that answers it, or 202;
``GET {url}/iso20022/reports/{id}`` answers 200 with the latest report, 204 while there is none, 404 for a message
that never came. ``GET {url}/iso20022/statements/{account}?from=&to=&kind=`` answers 200 with a statement.
"""

import asyncio
from collections.abc import Collection
from typing import Final
from urllib.parse import quote, urlencode

from connector.channels.answer import (
    Accepted,
    Answer,
    Asked,
    Declined,
    NotKnown,
    Reported,
    Resolved,
    Silent,
    StatementAnswer,
    Told,
)
from connector.channels.channel import AuthorisationRequest, Noted, Outgoing, StatementRequest, nobody
from connector.channels.govstack_json import GovStackJson
from connector.channels.wire import HttpAnswer, Wire
from connector.domain.directory import Institution
from connector.domain.errors import Refused
from connector.domain.messages import (
    PaymentReturn,
    RecallAnswer,
    Rejection,
    Statement,
    StatusInquiry,
    StatusReport,
    VerificationReport,
)
from connector.iso20022.engine import Engine

DEFINITE_REFUSALS: Final = frozenset({400, 413, 415, 422})
"""Only these say "I read it and I do not take it"; every other failure leaves the fate of the message open."""


class IsoHttp:
    """The ISO 20022 channel. ISO 20022 has no message that asks for a batch's authorisation, so that goes by JSON."""

    def __init__(self, wire: Wire, engine: Engine, json: GovStackJson) -> None:
        self._wire = wire
        self._engine = engine
        self._json = json

    def check(self, to: Institution, message: str, value: Outgoing) -> None:
        """Write the message as ``send`` would, and throw it away."""
        self._engine.compose(to.profile, message, value, receiver=to.code)

    async def send(self, to: Institution, message: str, value: Outgoing, noted: Noted = nobody) -> Answer:
        """Write the message with the institution's profile, validate it and hand it over."""
        written = await asyncio.to_thread(self._engine.compose, to.profile, message, value, receiver=to.code)
        if written.notes:
            await noted(written.notes)
        headers = {"Content-Type": "application/xml", "X-Message-Name": message}
        answer = await self._wire.exchange(to, "POST", f"{to.url}/iso20022", headers=headers, body=written.body)
        if answer.status == 200 and answer.body:
            return await self._read(to, answer.body, _ids(value))
        if answer.status in (200, 202, 204):
            return Asked() if isinstance(value, StatusInquiry) else Accepted()
        if answer.status in DEFINITE_REFUSALS:
            return await self._declined(to, answer, _ids(value))
        return _silence(to, answer)

    async def _declined(self, to: Institution, answer: HttpAnswer, about: Collection[str]) -> Answer:
        """A refusal may come with an admi.002 that says why."""
        told = await self._read(to, answer.body, about) if answer.body.lstrip().startswith(b"<") else None
        if isinstance(told, Declined):
            return told
        return Declined(f"{to.code} refused the message with HTTP status {answer.status}")

    async def inquire(self, to: Institution, message_id: str) -> Answer:
        """Fetch the latest report on a message."""
        answer = await self._wire.exchange(to, "GET", f"{to.url}/iso20022/reports/{quote(message_id, safe='')}")
        if answer.status == 200:
            return await self._read(to, answer.body, (message_id,))
        if answer.status == 204:
            return Accepted()
        return NotKnown() if answer.status == 404 else _silence(to, answer)

    async def authorise(self, to: Institution, request: AuthorisationRequest) -> Answer:
        """Ask by the GovStack call."""
        return await self._json.authorise(to, request)

    async def statement(self, to: Institution, request: StatementRequest) -> StatementAnswer:
        """Fetch statements: 200 with a camt.05x, 204 where there are none, 404 where the institution offers none."""
        query = {"from": request.first.isoformat(), "to": request.last.isoformat(), "kind": request.kind}
        where = f"{to.url}/iso20022/statements/{quote(request.account, safe='')}?{urlencode(query)}"
        answer = await self._wire.exchange(to, "GET", where)
        if answer.status == 204:
            return Accepted()
        if answer.status in {404, 405, 501}:
            return NotKnown()
        if answer.status != 200:
            return _silence(to, answer)
        try:
            received = await asyncio.to_thread(self._engine.read, answer.body, profile=to.profile, signer=to.signer)
        except Refused as refused:
            return Silent(f"{to.code} gave a statement that cannot be read: {refused}")
        if isinstance(received.value, Statement):
            return Told(received.value)
        return Silent(f"{to.code} gave a {received.message} for a statement")

    async def _read(self, to: Institution, body: bytes, about: Collection[str]) -> Answer:
        """Read an answer; one that cannot be read, or reports on another message, tells nothing about ours."""
        try:
            received = await asyncio.to_thread(self._engine.read, body, profile=to.profile, signer=to.signer)
        except Refused as refused:
            return Silent(f"{to.code} sent an answer that cannot be read: {refused}")
        match received.value:
            case StatusReport() | VerificationReport() | PaymentReturn() as report:
                if report.original_message_id in about:
                    return Reported(report)
                return Silent(f"{to.code} answered with a report on another message")
            case RecallAnswer() as resolution:
                return Resolved(resolution)
            case Rejection(reason=reason, description=description):
                return Declined(f"{to.code} rejected the message: {reason} {description}".strip(), reason)
        return Silent(f"{to.code} answered with a {received.message}, which is no answer")


def _ids(value: Outgoing) -> Collection[str]:
    """What a report that answers a message may name as its original."""
    return (value.message_id, value.original_message_id) if isinstance(value, StatusInquiry) else (value.message_id,)


def _silence(to: Institution, answer: HttpAnswer) -> Silent:
    return Silent(f"{to.code}: {answer.problem or f'HTTP status {answer.status}'}")

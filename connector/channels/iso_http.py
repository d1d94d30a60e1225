"""ISO 20022 messages over HTTP.

``POST {url}/iso20022`` hands over a message and answers 200 with a report or 202; ``GET {url}/iso20022/reports/{id}``
answers 200 with the latest report, 204 while there is none, 404 for a message that never came.
"""

import asyncio
from typing import Final
from urllib.parse import quote

from connector.channels.answer import Accepted, Answer, Declined, NotKnown, Reported, Silent
from connector.channels.channel import AuthorisationRequest
from connector.channels.govstack_json import GovStackJson
from connector.channels.wire import HttpAnswer, Wire
from connector.domain.directory import Institution
from connector.domain.errors import Refused
from connector.domain.messages import (
    CreditTransfer,
    PaymentReturn,
    StatusReport,
    VerificationReport,
    VerificationRequest,
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

    def check(self, to: Institution, message: str, value: CreditTransfer | VerificationRequest) -> None:
        """Write the message as ``send`` would, and throw it away."""
        self._engine.write(to.profile, message, value)

    async def send(self, to: Institution, message: str, value: CreditTransfer | VerificationRequest) -> Answer:
        """Write the message with the institution's profile, validate it and hand it over."""
        body = await asyncio.to_thread(self._engine.write, to.profile, message, value)
        headers = {"Content-Type": "application/xml", "X-Message-Name": message}
        answer = await self._wire.exchange("POST", f"{to.url}/iso20022", headers=headers, body=body)
        if answer.status == 200 and answer.body:
            return await self._read(to, answer.body, value.message_id)
        if answer.status in (200, 202, 204):
            return Accepted()
        if answer.status in DEFINITE_REFUSALS:
            return Declined(f"{to.code} refused the message with HTTP status {answer.status}")
        return _silence(to, answer)

    async def inquire(self, to: Institution, message_id: str) -> Answer:
        """Fetch the latest report on a message."""
        answer = await self._wire.exchange("GET", f"{to.url}/iso20022/reports/{quote(message_id, safe='')}")
        if answer.status == 200:
            return await self._read(to, answer.body, message_id)
        if answer.status == 204:
            return Accepted()
        return NotKnown() if answer.status == 404 else _silence(to, answer)

    async def authorise(self, to: Institution, request: AuthorisationRequest) -> Answer:
        """Ask by the GovStack call."""
        return await self._json.authorise(to, request)

    async def _read(self, to: Institution, body: bytes, message_id: str) -> Answer:
        """Read a report; one that cannot be read, or is on another message, tells nothing about ours."""
        try:
            received = await asyncio.to_thread(self._engine.read, body, profile=to.profile)
        except Refused as refused:
            return Silent(f"{to.code} sent a report that cannot be read: {refused}")
        report = received.value
        if not isinstance(report, StatusReport | VerificationReport | PaymentReturn):
            return Silent(f"{to.code} answered with a {received.message}, which is no report")
        if report.original_message_id != message_id:
            return Silent(f"{to.code} answered with a report on another message")
        return Reported(report)


def _silence(to: Institution, answer: HttpAnswer) -> Silent:
    return Silent(f"{to.code}: {answer.problem or f'HTTP status {answer.status}'}")

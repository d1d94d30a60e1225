"""The GovStack v3.0 JSON calls from the Payments BB to a payer bank.

Sources: BulkValidateAccountRequest, GetAuthorizationRequest, v1_0_1_fixed_BulkPayment, BatchDetails.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from connector.channels.answer import Accepted, Answer, Declined, NotKnown, Reported, Silent
from connector.channels.channel import AuthorisationRequest
from connector.channels.wire import HttpAnswer, Wire
from connector.domain.directory import Institution
from connector.domain.messages import CreditTransfer, VerificationRequest


class GovStackJson:
    """The GovStack JSON channel."""

    def __init__(self, wire: Wire, connector_url: str) -> None:
        self._wire = wire
        self._connector_url = connector_url.rstrip("/")

    async def send(self, to: Institution, message: str, value: CreditTransfer | VerificationRequest) -> Answer:
        raise NotImplementedError

    async def inquire(self, to: Institution, message_id: str) -> Answer:
        raise NotImplementedError

    async def authorise(self, to: Institution, request: AuthorisationRequest) -> Answer:
        raise NotImplementedError

"""The GovStack v3.0 JSON calls from the Payments BB to a payer bank.

Sources: BulkValidateAccountRequest, GetAuthorizationRequest, v1_0_1_fixed_BulkPayment, BatchDetails.
The contract's limits on ids are tighter than ISO 20022's: a correlation id has 20 characters, so that of a chunk is
derived from its message id; the FSP gives the batch an id of its own.
"""

import hashlib
from base64 import b32encode
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

import msgspec

from connector.channels.answer import Accepted, Answer, Declined, NotKnown, Reported, Silent, StatementAnswer
from connector.channels.channel import AuthorisationRequest, Noted, Outgoing, StatementRequest, nobody
from connector.channels.wire import HttpAnswer, Wire
from connector.domain.directory import Institution
from connector.domain.ids import REFERENCE_LENGTH, chunk_of_message
from connector.domain.messages import (
    CreditTransfer,
    Recall,
    StatusInquiry,
    StatusReport,
    TransactionStatus,
    Transfer,
    VerificationRequest,
)
from connector.domain.money import decimal_amount

DEFINITE_REFUSALS: Final = frozenset({400, 413, 415, 422})
MAXIMUM_DESCRIPTION: Final = 50
PAGE: Final = 1000
MOST_PAGES: Final = 100

_STATUS_OF_WORD: Final = {"COMPLETED": "ACSC", "SUCCESS": "ACSC", "FAILED": "RJCT", "IN_PROGRESS": "PDNG"}
"""Other words than ISO codes that a BatchDetails answer may use for a transaction's status."""

_JSON = msgspec.json.Encoder(decimal_format="number")


class _BatchAnswer(msgspec.Struct):
    """What 202 to a bulk payment may carry."""

    batch_id: str = msgspec.field(default="", name="batchId")


class _Detail(msgspec.Struct):
    """One item of a BatchDetails answer, as far as it is of use here."""

    transaction_id: str = msgspec.field(name="transactionId")
    status: str
    information: str | None = msgspec.field(default=None, name="statusDetail")


class GovStackJson:
    """The GovStack JSON channel."""

    def __init__(self, wire: Wire, connector_url: str) -> None:
        self._wire = wire
        self._connector_url = connector_url.rstrip("/")

    def check(self, to: Institution, message: str, value: Outgoing) -> None:
        """Nothing to refuse: JSON can carry any text."""

    async def send(self, to: Institution, message: str, value: Outgoing, noted: Noted = nobody) -> Answer:
        """Hand over a chunk: as a bulk payment, or as a bulk validation of accounts. ``message`` does not matter.

        An inquiry fetches the details; a recall is declined, for the contract has none.
        """
        del message, noted
        match value:
            case VerificationRequest():
                return await self._validate(to, value)
            case StatusInquiry():
                return await self.inquire(to, value.original_message_id)
            case Recall():
                return Declined(f"{to.code} cannot be asked for money back by its JSON channel")
            case CreditTransfer():
                return await self._pay(to, value)

    async def _pay(self, to: Institution, value: CreditTransfer) -> Answer:
        headers = {
            **_headers(correlation_of(value.message_id), "X-CorrelationID"),
            "X-Callback-URL": f"{self._connector_url}/api/v1/batch",
            "Platform-TenantId": to.code,
        }
        body = [_instruction(value, transfer) for transfer in value.transfers]
        answer = await self._post(to, f"{to.url}/batchtransactions?type=raw", headers, body)
        return _judged(to, answer, _peer_id(answer.body))

    async def inquire(self, to: Institution, message_id: str) -> Answer:
        """Fetch the details of a bulk payment, page by page."""
        details: list[_Detail] = []
        for page in range(MOST_PAGES):
            asked = {
                "batchId": message_id,
                "X-CorrelationID": correlation_of(message_id),
                "pageNo": page,
                "pageSize": PAGE,
            }
            url = f"{to.url}/api/v1/batch/detail?{urlencode(asked)}"
            answer = await self._wire.exchange(to, "GET", url, headers={"Platform-TenantId": to.code})
            if answer.status != 200:
                return _missing(to, answer)
            try:
                found = msgspec.json.decode(answer.body, type=list[_Detail])
            except msgspec.DecodeError:
                return Silent(f"{to.code} answered with unreadable batch details")
            details += found
            if len(found) < PAGE:
                break
        return Reported(_report(message_id, details)) if details else Accepted()

    async def authorise(self, to: Institution, request: AuthorisationRequest) -> Answer:
        """Ask for a batch's funds; the callback's path names the batch and the request's number."""
        callback = f"{self._connector_url}/fsp/{to.code}/callbacks/authorisation/{request.batch}/{request.number}"
        headers = {**_headers(request.batch, "X-Client-Correlation-ID"), "X-Callback-URL": callback}
        body = {
            "batchID": request.batch,
            "payerIdentifier": request.account,
            "currency": request.currency,
            "amount": decimal_amount(request.amount_minor, request.currency),
        }
        return _judged(to, await self._post(to, f"{to.url}/batches/{request.batch}?command=authorize", headers, body))

    async def statement(self, to: Institution, request: StatementRequest) -> StatementAnswer:
        """The contract has no call for statements; an institution may push them as ISO 20022 all the same."""
        del to, request
        return NotKnown()

    async def _validate(self, to: Institution, value: VerificationRequest) -> Answer:
        chunk = chunk_of_message(value.message_id)
        number = chunk.number if chunk else 0
        ref = value.message_id[:REFERENCE_LENGTH]
        headers = {
            **_headers(ref, "X-Client-Correlation-ID"),
            "X-Registering-Institution-ID": to.code,
            "X-Callback-URL": f"{self._connector_url}/fsp/{to.code}/callbacks/validation/{ref}/{number}",
        }
        body = {
            "batchId": value.message_id,
            "destinationDFSPID": value.agent,
            "creditInstructions": [
                {"instructionID": account.id, "financialAddress": account.account} for account in value.accounts
            ],
        }
        return _judged(to, await self._post(to, f"{to.url}/beneficiaries?command=validate", headers, body))

    async def _post(self, to: Institution, url: str, headers: dict[str, str], body: object) -> HttpAnswer:
        return await self._wire.exchange(to, "POST", url, headers=headers, body=_JSON.encode(body))


def _headers(correlation_id: str, name: str) -> dict[str, str]:
    return {"Content-Type": "application/json", name: correlation_id}


def correlation_of(message_id: str) -> str:
    """Derive the correlation id of a chunk's message; the same on every repetition."""
    return b32encode(hashlib.sha256(message_id.encode()).digest()[:13]).decode()[:REFERENCE_LENGTH]


def _instruction(value: CreditTransfer, transfer: Transfer) -> dict[str, object]:
    """One instruction of a bulk payment; the payee is named by account and institution."""
    payee = {"accountNumber": transfer.creditor_account, "bankingInstitutionCode": transfer.creditor_agent}
    return {
        "requestId": transfer.end_to_end_id,
        "creditParty": [{"key": key, "value": name} for key, name in payee.items()],
        "debitParty": [{"key": "accountNumber", "value": value.debtor_account}],
        "paymentMode": value.modality,
        "amount": decimal_amount(transfer.amount_minor, value.currency),
        "currency": value.currency,
        "descriptionText": transfer.remittance[:MAXIMUM_DESCRIPTION],
    }


def _peer_id(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_BatchAnswer).batch_id
    except msgspec.DecodeError:
        return ""


def _judged(to: Institution, answer: HttpAnswer, peer_id: str = "") -> Answer:
    if answer.status in (200, 202, 204):
        return Accepted(peer_id)
    if answer.status in DEFINITE_REFUSALS:
        return Declined(f"{to.code} refused the message with HTTP status {answer.status}")
    return _silence(to, answer)


def _missing(to: Institution, answer: HttpAnswer) -> Answer:
    if answer.status == 204:
        return Accepted()
    return NotKnown() if answer.status == 404 else _silence(to, answer)


def _silence(to: Institution, answer: HttpAnswer) -> Silent:
    return Silent(f"{to.code}: {answer.problem or f'HTTP status {answer.status}'}")


def _report(message_id: str, details: list[_Detail]) -> StatusReport:
    """Batch details as a status report; words that are no ISO code and not known say nothing."""
    return StatusReport(
        message="govstack.batch.details",
        message_id=message_id,
        created=datetime.now(UTC),
        original_message_id=message_id,
        original_message="govstack.bulk.payment",
        transactions=[
            TransactionStatus(
                "",
                detail.transaction_id,
                "",
                _STATUS_OF_WORD.get(detail.status.upper(), detail.status.upper()),
                information=detail.information or "",
            )
            for detail in details
        ],
    )

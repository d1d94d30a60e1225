"""GovStack Payments v3.0, batches: pay one, ask how it stands or push its status, list its payments."""

from dataclasses import replace
from typing import Any, Final

from aiohttp import web
from pydantic import TypeAdapter

from connector.api import models_v3 as v3
from connector.api.batch_lookup import reference
from connector.api.govstack_v3_terms import (
    CALLBACK,
    CONTRACT,
    GROUP,
    REFUSED,
    REGISTERING,
    SOURCES,
    TENANT,
    source_of,
)
from connector.api.moments import moment
from connector.api.operation import Answer, BatchForms, Body, Call, Operation, Parameter
from connector.api.settings import Role
from connector.api.shapes import govstack_v3, json_answer
from connector.api.submission import PROGRAMME, SCHEDULING, Handover, submit
from connector.domain.batch import BatchKind
from connector.domain.directory import ChannelKind
from connector.domain.errors import Conflict, Fault, NotFound, Refused
from connector.domain.ids import chunk_of_message
from connector.domain.money import decimal_amount
from connector.flows import collect, intake, peers, status
from connector.flows.bodies import status_body
from connector.iso20022.codes import load_status_table

MAXIMUM_PAGE: Final = 1000

_STATUSES: Final = load_status_table()

_CORRELATION: Final = Parameter(
    "X-CorrelationID",
    "header",
    "The sender's own id of this request.",
    required=True,
    max_length=20,
    alternatives=("X-Client-Correlation-ID",),
    example="CORRELATION00000001",
)
_BATCH_ID: Final = Parameter(
    "batchId", "query", "As /batchtransactions answered it, or BatchID of v1.0.", required=True, max_length=50,
    example="7Q3QZ4XWZ2V5YJ6K3L2A",
)  # fmt: skip

_REQUEST_CORRELATION: Final = replace(_CORRELATION, place="query", alternatives=())
_PAYER: Final = Parameter(
    "X-PayerFI-Id",
    "header",
    "On a status push: the institution that speaks, if it is not told by its token or its batch id.",
    max_length=20,
    alternatives=("PayerFI-Id",),
    example="TREAXU22",
)
_PLACES: Final = {
    "/SourceBBID": f"header {REGISTERING.name}",
    "/programme": f"header {PROGRAMME.name}",
}


async def batch_transactions(call: Call) -> web.Response:
    """Take a batch to be paid."""
    request_id = call.parameters[_CORRELATION.name]
    handover = Handover(CONTRACT, BatchKind.DISBURSEMENT, source_of(call), request_id, "")
    try:
        batch = await submit(call, handover)
    except Refused as error:
        raise Refused(_replaced(fault) for fault in error.faults) from None
    except Conflict as error:
        raise Conflict(_CORRELATION.name, error.identifier) from None
    return json_answer({"batchId": batch.batch_id or batch.ref}, 202)


def _address(call: Call) -> str:
    """Derive the reference that the batch of this call will have."""
    return intake.reference(CONTRACT, BatchKind.DISBURSEMENT, source_of(call), call.parameters[_CORRELATION.name])


def _replaced(fault: Fault) -> Fault:
    """Say in this contract's terms where a fault of the batch is; the flows speak v1.0."""
    where = fault.where.replace("/InstructionID", "/requestId").removeprefix("/CreditInstructions")
    return fault._replace(where=_PLACES.get(where, where))


async def batch_status(call: Call) -> web.Response:
    """Tell how a batch stands, or take the payer bank's word on it, depending on the body."""
    said: v3.StatusPushV3 | None = call.body
    if said and not said.asks:
        return await _status_push(call, said)
    ref = await reference(call, call.parameters[_BATCH_ID.name])
    summary = await status.summary(call.services, ref)
    batch, now = summary.batch, call.services.clock()
    bodies = [status_body(batch, summary.progress, currency, now) for currency in sorted(batch.expected)]
    return json_answer(bodies[0] if len(bodies) == 1 else bodies)


async def _status_push(call: Call, said: v3.StatusPushV3) -> web.Response:
    batch_id = call.parameters[_BATCH_ID.name]
    if said.batchId and said.batchId != batch_id:
        raise Refused.because("/batchId", "mismatch", "The batch in the body is not the one in the query.")
    institution = call.parameters[_PAYER.name] or await _speaker(call, batch_id)
    if call.identity and call.identity.role is not Role.ADMIN:
        institution = call.identity.name
        if call.identity.role is not Role.INSTITUTION:
            raise web.HTTPForbidden
    await collect.status_push(call.services, institution, batch_id, said.model_dump(exclude_none=True))
    return json_answer({"message": "Status updated successfully."})


async def _speaker(call: Call, batch_id: str) -> str:
    """Find the institution that calls a batch of ours so: the contract has no field in which it names itself."""
    directory = await call.services.store.directory.load()
    for code, place in directory.institutions.items():
        if place.channel is ChannelKind.GOVSTACK_JSON:
            own = await peers.own_name(call.services, code, batch_id)
            if own != batch_id or await _executes(call, code, own):
                return code
    return ""


async def _executes(call: Call, institution: str, message_id: str) -> bool:
    """Tell whether a message of ours went to this institution."""
    chunk = chunk_of_message(message_id)
    try:
        batch = (await status.summary(call.services, chunk.batch)).batch if chunk else None
    except NotFound:
        return False
    directory = await call.services.store.directory.load()
    return batch is not None and directory.programmes[batch.programme].payer_bank == institution


async def batch_detail(call: Call) -> web.Response:
    """Give a page of a batch's payments."""
    if call.parameters["direction"].upper() not in {"", "OUTGOING"}:
        return json_answer([])
    ref = await reference(call, call.parameters[_BATCH_ID.name])
    batch = (await status.summary(call.services, ref)).batch
    page, size = call.number("pageNo"), call.number("pageSize")
    wanted = call.parameters["status"]
    if wanted.lower() not in status.OUTCOMES:
        wanted = _STATUSES.codes(wanted) or wanted
    records = await status.details(call.services, ref, page=page, size=size, status=wanted)
    return json_answer([_payment(batch.batch_id or ref, ref, record) for record in records])


def _payment(batch_id: str, ref: str, record: status.PaymentRecord) -> dict[str, Any]:
    times = {"startedAt": moment(record.started_at), "completedAt": moment(record.completed_at)}
    return {
        **{name: time for name, time in times.items() if time},
        "workflowInstanceKey": record.message_id or ref,
        "transactionId": record.instruction_id,
        "status": _STATUSES.contract(record.status, record.reason).status,
        "statusDetail": record.status,
        "payeeDfspId": record.institution,
        "payeePartyId": record.payee_functional_id,
        "payeePartyIdType": "FUNCTIONAL_ID" if record.payee_functional_id else "",
        "amount": decimal_amount(record.amount_minor, record.currency),
        "currency": record.currency,
        "direction": "OUTGOING",
        "errorInformation": " ".join(part for part in (record.reason, record.information) if part),
        "batchId": batch_id,
    }


_ONE: Final = [
    {
        "requestId": "INSTR00000000001",
        "creditParty": [{"key": "functionalId", "value": "PERSON00000000000001"}],
        "debitParty": [{"key": "programme", "value": "PENSIONS"}],
        "paymentMode": "mojaloop",
        "amount": 150.25,
        "currency": "USD",
        "descriptionText": "January pension",
    }
]
_STATUS: Final = {
    "requestId": "REQ000000003",
    "batchId": "7Q3QZ4XWZ2V5YJ6K3L2A",
    "TotalTransactions": 1,
    "ongoing": 0,
    "failed": 0,
    "completed": 1,
    "currency": "USD",
    "totalAmount": 150.25,
    "completed_amount": 150.25,
    "ongoing_amount": 0,
    "failed_amount": 0,
    "result_file": None,
    "resultGeneratedAt": "2030-01-31T08:00:00Z",
    "note": "completed",
}
_STRICT: Final = v3.form(v3.TransactionV3, v3.BatchV3)
_LENIENT: Final = v3.form(v3.LenientTransactionV3, v3.LenientBatchV3)
_BATCH: Final = Body(
    _STRICT.whole, _LENIENT.whole, v3.instructions, _ONE, batch=BatchForms(_STRICT, _LENIENT, _address)
)
_UNKNOWN: Final = Answer(404, "No such batch.", v3.ErrorV3)

OPERATIONS: Final = (
    Operation(
        "POST",
        "/batchtransactions",
        batch_transactions,
        "Pay a batch",
        GROUP,
        govstack_v3,
        (Answer(202, "Accepted.", v3.AcceptedBatchV3, {"batchId": "7Q3QZ4XWZ2V5YJ6K3L2A"}), REFUSED),
        roles=SOURCES,
        parameters=(
            Parameter("type", "query", "Always raw.", required=True, choices=("raw",), example="raw"),
            _CORRELATION,
            TENANT,
            REGISTERING,
            CALLBACK,
            *SCHEDULING,
        ),
        body=_BATCH,
        description="An identical repeat gets the first answer; a used X-CorrelationID with other content does not.",
    ),
    Operation(
        "POST",
        "/api/v1/batch",
        batch_status,
        "Ask how a batch stands, or push its status",
        GROUP,
        govstack_v3,
        (
            Answer(
                200,
                "The status (a list, where the batch has several currencies), or a message on a push.",
                v3.BatchStatusV3 | list[v3.BatchStatusV3] | v3.PushedV3,
                _STATUS,
            ),
            REFUSED,
            _UNKNOWN,
        ),
        roles=SOURCES | {Role.INSTITUTION},
        parameters=(_BATCH_ID, _REQUEST_CORRELATION, replace(CALLBACK, required=False), _PAYER),
        body=Body(
            TypeAdapter(v3.StatusPushV3),
            TypeAdapter(v3.StatusPushV3),
            lambda body: body,
            {"requestId": "REQ000000003", "batchId": "7Q3QZ4XWZ2V5YJ6K3L2A"},
            required=False,
        ),
        description="With no body, or one without counts, it asks; with the counts it is the payer bank's report.",
    ),
    Operation(
        "GET",
        "/api/v1/batch/detail",
        batch_detail,
        "List the payments of a batch",
        GROUP,
        govstack_v3,
        (Answer(200, "A page of payments.", list[v3.PaymentV3]), REFUSED, _UNKNOWN),
        roles=SOURCES,
        parameters=(
            _BATCH_ID,
            Parameter("direction", "query", "Only OUTGOING exists.", max_length=12, example="OUTGOING"),
            Parameter("pageNo", "query", "Page, from 0.", kind="integer", maximum=10**7, default="0"),
            Parameter(
                "pageSize",
                "query",
                "Payments a page.",
                kind="integer",
                minimum=1,
                maximum=MAXIMUM_PAGE,
                default="100",
            ),
            replace(_REQUEST_CORRELATION, required=False),
            Parameter(
                "status",
                "query",
                "An ISO 20022 status, a status as answered, or ongoing, completed, failed, returned.",
            ),
            TENANT,
        ),
    ),
)

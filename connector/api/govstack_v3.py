"""GovStack Payments v3.0: camelCase, asynchronous with callbacks; the current specification."""

from dataclasses import replace
from typing import Any, Final

from aiohttp import web
from pydantic import TypeAdapter

from connector.api import models_v3 as v3
from connector.api.batch_lookup import reference
from connector.api.models_v1 import AnswerV1, Onboarding
from connector.api.moments import moment
from connector.api.operation import Answer, Body, Call, Operation, Parameter
from connector.api.settings import Role
from connector.api.shapes import ACKNOWLEDGED, govstack_v1, govstack_v3, json_answer
from connector.api.submission import PROGRAMME, SCHEDULING, Handover, submit
from connector.domain.batch import BatchKind
from connector.domain.beneficiary import Beneficiary
from connector.domain.errors import Fault, Refused
from connector.domain.money import decimal_amount
from connector.flows import collect, onboarding, status
from connector.flows.bodies import status_body

CONTRACT: Final = "govstack-v3"
GROUP: Final = "GovStack v3.0"
MAXIMUM_PAGE: Final = 1000

_SOURCES: Final = frozenset({Role.SOURCE})
_CALLBACK: Final = Parameter(
    "X-Callback-URL",
    "header",
    "Where the outcome is reported.",
    required=True,
    strict_only=True,
    max_length=100,
    example="http://localhost:9000/callback",
)
_REGISTERING: Final = Parameter(
    "X-Registering-Institution-ID",
    "header",
    "The ministry or organisation on whose behalf this is.",
    max_length=20,
    alternatives=("registeringInstitutionId",),
    example="MINISTRY0001",
)
_REQUIRED_REGISTERING: Final = replace(_REGISTERING, required=True, strict_only=True)
_TENANT: Final = Parameter(
    "Platform-TenantId",
    "header",
    "The tenant; stands for the source where no registering institution is named.",
    required=True,
    strict_only=True,
    max_length=20,
    alternatives=("X-Platform-TenantId",),
    example="MINISTRY0001",
)
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
    "On a status push: the institution that speaks; with a token it is the token's owner.",
    max_length=20,
    alternatives=("PayerFI-Id",),
    example="TREAXU22",
)
_PLACES: Final = {
    "/SourceBBID": f"header {_REGISTERING.name}",
    "/programme": f"header {PROGRAMME.name}",
}


def _source(call: Call) -> str:
    """The registering institution, else the tenant, else the caller's own identity."""
    named = call.parameters.get(_REGISTERING.name, "") or call.parameters.get(_TENANT.name, "")
    return call.act_for(named)


def _acknowledge(request_id: str) -> web.Response:
    return json_answer({"responseCode": "00", "responseDescription": ACKNOWLEDGED, "requestID": request_id})


async def register(call: Call) -> web.Response:
    """Register people; failed cases come by callback."""
    asked: Onboarding = call.body
    source = call.act_for(call.parameters[_REGISTERING.name] or asked.source)
    await onboarding.register(
        call.services,
        source,
        asked.entries,
        request_id=asked.request_id,
        callback=call.callback(),
        origin=call.origin,
    )
    return _acknowledge(asked.request_id)


async def update(call: Call) -> web.Response:
    """Change where people are paid; failed cases come by callback, where one is named."""
    asked: Onboarding = call.body
    await onboarding.update(
        call.services,
        call.act_for(asked.source),
        asked.entries,
        request_id=asked.request_id,
        callback=call.callback(),
        origin=call.origin,
    )
    return _acknowledge(asked.request_id)


async def look_up_one(call: Call) -> web.Response:
    """Tell where one person is paid."""
    wanted = call.parameters["payeeIdentity"]
    found = await onboarding.lookup(call.services, _source(call), [wanted])
    return _addresses(call.parameters["requestId"], found)


async def look_up_many(call: Call) -> web.Response:
    """Tell where people are paid."""
    asked: v3.LookupV3 = call.body
    found = await onboarding.lookup(call.services, _source(call), asked.payeePartyIds)
    return _addresses(asked.requestId, found)


def _addresses(request_id: str, found: list[Beneficiary | None]) -> web.Response:
    listed = [
        {
            "payeeIdentity": entry.functional_id,
            "paymentModality": entry.modality,
            "financialAddress": entry.address,
            "bankingInstitutionCode": entry.institution,
        }
        for entry in found
        if entry
    ]
    return json_answer({"requestId": request_id, "paymentModalityList": listed})


async def batch_transactions(call: Call) -> web.Response:
    """Take a batch to be paid."""
    request_id = call.parameters[_CORRELATION.name]
    handover = Handover(CONTRACT, BatchKind.DISBURSEMENT, _source(call), request_id, "", call.body)
    try:
        batch = await submit(call, handover)
    except Refused as error:
        raise Refused(_replaced(fault) for fault in error.faults) from None
    return json_answer({"batchId": batch.batch_id or batch.ref}, 202)


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
    institution = call.parameters[_PAYER.name]
    if call.identity and call.identity.role is not Role.ADMIN:
        institution = call.identity.name
        if call.identity.role is not Role.INSTITUTION:
            raise web.HTTPForbidden
    await collect.status_push(call.services, institution, batch_id, said.model_dump(exclude_none=True))
    return json_answer({"message": "Status updated successfully."})


async def batch_detail(call: Call) -> web.Response:
    """Give a page of a batch's payments."""
    if call.parameters["direction"].upper() not in {"", "OUTGOING"}:
        return json_answer([])
    ref = await reference(call, call.parameters[_BATCH_ID.name])
    batch = (await status.summary(call.services, ref)).batch
    page, size = call.number("pageNo"), call.number("pageSize")
    records = await status.details(call.services, ref, page=page, size=size, status=call.parameters["status"])
    return json_answer([_payment(batch.batch_id or ref, ref, record) for record in records])


def _payment(batch_id: str, ref: str, record: status.PaymentRecord) -> dict[str, Any]:
    times = {"startedAt": moment(record.started_at), "completedAt": moment(record.completed_at)}
    return {
        **{name: time for name, time in times.items() if time},
        "workflowInstanceKey": record.message_id or ref,
        "transactionId": record.instruction_id,
        "status": record.status,
        "statusDetail": record.outcome,
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
_REGISTRATION: Final = {
    "RequestID": "REQ000000001",
    "Beneficiaries": [
        {
            "payeeIdentity": "PERSON00000000000001",
            "bankingInstitutionCode": "UNIOXU22",
            "PaymentModality": "00",
            "FinancialAddress": "1000000001",
        }
    ],
}
_CHANGE: Final = {
    "requestID": "REQ000000002",
    "sourceBBID": "MINISTRY0001",
    "beneficiaries": [
        {"payeeIdentity": "PERSON00000000000001", "paymentModality": "01", "financialAddress": "99970000001"}
    ],
}
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
_GOOD: Final = {"responseCode": "00", "responseDescription": ACKNOWLEDGED, "requestID": "REQ000000001"}
_RECEIVED: Final = Answer(200, "Received.", v3.AnswerV3, _GOOD)
_BAD: Final = {
    "responseCode": "01",
    "responseDescription": "Request not acknowledged by Pay-BB: /0/currency: The currency is not in ISO 4217.",
    "errors": [{"where": "/0/currency", "code": "AM03", "sentence": "The currency is not in ISO 4217."}],
}
_REFUSED: Final = Answer(400, "Refused; nothing was changed.", v3.ErrorV3, _BAD)
_REFUSED_IN_PASCAL_CASE: Final = Answer(
    400,
    "Refused; nothing was changed. In PascalCase, as the contract's file has it.",
    AnswerV1,
    {"ResponseCode": "01", "ResponseDescription": "Request not acknowledged by Pay-BB", "RequestID": "REQ000000001"},
)
_UNKNOWN: Final = Answer(404, "No such batch.", v3.ErrorV3)
_ADDRESSES: Final = Answer(200, "Where they are paid; unknown people are left out.", v3.AddressesV3)

OPERATIONS: Final = (
    Operation(
        "POST",
        "/identityAccountMapper/beneficiary",
        register,
        "Register beneficiaries",
        GROUP,
        govstack_v1,
        (_RECEIVED, _REFUSED_IN_PASCAL_CASE),
        roles=_SOURCES,
        parameters=(_CALLBACK, _REQUIRED_REGISTERING),
        body=Body(TypeAdapter(v3.OnboardingV3), TypeAdapter(v3.LenientOnboardingV3), v3.onboarding, _REGISTRATION),
        description="Keys are accepted in any case. Failed cases are reported to the callback URL.",
    ),
    Operation(
        "PUT",
        "/identityAccountMapper/beneficiary",
        update,
        "Update beneficiaries",
        GROUP,
        govstack_v3,
        (_RECEIVED, _REFUSED),
        roles=_SOURCES,
        parameters=(replace(_CALLBACK, required=False),),
        body=Body(TypeAdapter(v3.UpdateV3), TypeAdapter(v3.LenientUpdateV3), v3.onboarding, _CHANGE),
        description="What is left out stays as it is; status 0 switches an entry off, 1 on again.",
    ),
    Operation(
        "GET",
        "/beneficiary/",
        look_up_one,
        "Look up where a person is paid",
        GROUP,
        govstack_v3,
        (_ADDRESSES, _REFUSED),
        roles=_SOURCES,
        parameters=(
            Parameter(
                "payeeIdentity",
                "query",
                "The person's functional id.",
                required=True,
                max_length=20,
                example="PERSON00000000000001",
            ),
            Parameter("requestId", "query", "Echoed.", required=True, max_length=12, example="REQ000000004"),
            _CALLBACK,
            _REQUIRED_REGISTERING,
        ),
    ),
    Operation(
        "PUT",
        "/beneficiary",
        look_up_many,
        "Look up where people are paid",
        GROUP,
        govstack_v3,
        (_ADDRESSES, _REFUSED),
        roles=_SOURCES,
        parameters=(_CALLBACK, _REQUIRED_REGISTERING),
        body=Body(
            TypeAdapter(v3.LookupV3),
            TypeAdapter(v3.LenientLookupV3),
            lambda body: body,
            {"requestId": "REQ000000005", "payeePartyIds": ["PERSON00000000000001"]},
        ),
    ),
    Operation(
        "POST",
        "/batchtransactions",
        batch_transactions,
        "Pay a batch",
        GROUP,
        govstack_v3,
        (Answer(202, "Accepted.", v3.AcceptedBatchV3, {"batchId": "7Q3QZ4XWZ2V5YJ6K3L2A"}), _REFUSED),
        roles=_SOURCES,
        parameters=(
            Parameter("type", "query", "Always raw.", required=True, choices=("raw",), example="raw"),
            _CORRELATION,
            _TENANT,
            _REGISTERING,
            _CALLBACK,
            *SCHEDULING,
        ),
        body=Body(TypeAdapter(v3.BatchV3), TypeAdapter(v3.LenientBatchV3), v3.instructions, _ONE),
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
            _REFUSED,
            _UNKNOWN,
        ),
        roles=_SOURCES | {Role.INSTITUTION},
        parameters=(_BATCH_ID, _REQUEST_CORRELATION, replace(_CALLBACK, required=False), _PAYER),
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
        (Answer(200, "A page of payments.", list[v3.PaymentV3]), _REFUSED, _UNKNOWN),
        roles=_SOURCES,
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
            Parameter("status", "query", "An ISO 20022 status, or ongoing, completed, failed, returned."),
            _TENANT,
        ),
    ),
)

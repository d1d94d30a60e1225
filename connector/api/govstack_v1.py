"""GovStack Payments v1.0: PascalCase, synchronous; the contract that the official compliance tests exercise."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web
from pydantic import TypeAdapter

from connector.api import models_v1 as v1
from connector.api.batch_body import Form
from connector.api.operation import Answer, BatchForms, Body, Call, Operation, Parameter
from connector.api.settings import Role
from connector.api.shapes import ACKNOWLEDGED, govstack_v1, govstack_v1_prevalidation, json_answer
from connector.api.submission import SCHEDULING, Handover, submit
from connector.domain.batch import BatchKind, CallbackTarget
from connector.domain.beneficiary import Beneficiary, FailedCase
from connector.domain.errors import Fault, Refused
from connector.flows import onboarding, prevalidation

CONTRACT: Final = "govstack-v1"
GROUP: Final = "GovStack v1.0"

MOST_NAMED: Final = 3
"""Failed entries that are named in an answer; it has 200 characters."""

_SOURCES: Final = frozenset({Role.SOURCE})
_GOOD: Final = {"ResponseCode": "00", "ResponseDescription": ACKNOWLEDGED, "RequestID": "REQ000000001"}
_BAD: Final = {
    "ResponseCode": "01",
    "ResponseDescription": "Request not acknowledged by Pay-BB: /SourceBBID: Field required.",
    "RequestID": "REQ000000001",
}
_BENEFICIARIES: Final = {
    "RequestID": "REQ000000001",
    "SourceBBID": "MINISTRY0001",
    "Beneficiaries": [
        {"PayeeFunctionalID": "PERSON00000000000001", "PaymentModality": "00", "FinancialAddress": "1000000001"}
    ],
}
_INSTRUCTIONS: Final = {
    "RequestID": "REQ000000002",
    "SourceBBID": "MINISTRY0001",
    "BatchID": "BATCH0000001",
    "CreditInstructions": [
        {
            "InstructionID": "INSTR00000000001",
            "PayeeFunctionalID": "PERSON00000000000001",
            "Amount": 150.25,
            "Currency": "USD",
            "Narration": "January pension",
        }
    ],
}
_CALLBACK: Final = Parameter(
    "X-Callback-URL", "header", "Where to report the outcome; optional in v1.0.", max_length=2048
)
_ACCEPTED: Final = Answer(200, "Received.", v1.AnswerV1, _GOOD)
_REFUSED: Final = Answer(400, "Refused; nothing was changed.", v1.AnswerV1, _BAD)
_FAILED_CASES: Final = Answer(400, "Refused; or some entries failed and the others are stored.", v1.AnswerV1, _BAD)


def _acknowledge(request_id: str) -> web.Response:
    return json_answer({"ResponseCode": "00", "ResponseDescription": ACKNOWLEDGED, "RequestID": request_id})


def _check(failed: list[FailedCase], entries: Sequence[Beneficiary]) -> None:
    """v1.0 has one code for the whole request: refuse it where a case failed, and say which ones."""
    if failed:
        place = {entry.functional_id: index for index, entry in enumerate(entries)}
        cases = [f"/Beneficiaries/{place[case.functional_id]}: {case.reason}" for case in failed[:MOST_NAMED]]
        more = ["..."] if len(failed) > MOST_NAMED else []
        sentence = f"{len(failed)} of {len(entries)} failed, the others are stored. {'; '.join(cases + more)}"
        raise Refused((Fault("", "failed_cases", sentence),))


async def register_beneficiary(call: Call) -> web.Response:
    """Register people in the account mapper."""
    asked: v1.Onboarding = call.body
    failed = await onboarding.register(
        call.services,
        call.act_for(asked.source),
        asked.entries,
        request_id=asked.request_id,
        callback=CallbackTarget(),
        origin=call.origin,
    )
    _check(failed, asked.entries)
    return _acknowledge(asked.request_id)


async def update_beneficiary(call: Call) -> web.Response:
    """Change where people are paid; an entry that carries only the functional id changes nothing and succeeds."""
    asked: v1.Onboarding = call.body
    source = call.act_for(asked.source)
    changes = [entry for entry in asked.entries if entry.modality or entry.address]
    if changes:
        failed = await onboarding.update(
            call.services,
            source,
            changes,
            request_id=asked.request_id,
            callback=CallbackTarget(),
            origin=call.origin,
        )
        _check(failed, asked.entries)
    return _acknowledge(asked.request_id)


async def prepayment_validation(call: Call) -> web.Response:
    """Take a batch that asks whether it could be paid."""
    return await _take(call, BatchKind.PREVALIDATION)


async def bulk_payment(call: Call) -> web.Response:
    """Take a batch to be paid."""
    return await _take(call, BatchKind.DISBURSEMENT)


async def _take(call: Call, kind: BatchKind) -> web.Response:
    ids: v1.BatchIds | v1.LenientBatchIds = call.body
    await submit(call, Handover(CONTRACT, kind, call.act_for(ids.SourceBBID), ids.RequestID, ids.BatchID))
    return _acknowledge(ids.RequestID)


async def prepayment_validation_response(call: Call) -> web.Response:
    """Tell what a prevalidation found; an unknown one is echoed, as the compliance tests have it."""
    asked: v1.PrevalidationQuestionV1 = call.body
    own = call.identity.name if call.identity and call.identity.role is Role.SOURCE else ""
    found = await prevalidation.result(call.services, own, asked.RequestID, asked.Source_BatchID)
    answer: dict[str, Any] = asked.model_dump()
    if found and found.finished:
        answer["NumberFailedCases"] = len(found.failed)
        answer["FailedAccounts"] = [
            {"InstructionID": instruction, "FailureReason": reason[:100]} for instruction, reason in found.failed
        ]
    return json_answer(answer)


def _batch(strict: Form, lenient: Form) -> Body:
    return Body(strict.whole, lenient.whole, v1.order, _INSTRUCTIONS, batch=BatchForms(strict, lenient))


_ONBOARDING: Final = Body(
    TypeAdapter(v1.OnboardingV1), TypeAdapter(v1.LenientOnboardingV1), v1.onboarding, _BENEFICIARIES
)
_BULK: Final = _batch(
    v1.form(v1.InstructionV1, v1.BulkPaymentV1, v1.BatchIds),
    v1.form(v1.LenientInstructionV1, v1.LenientBulkPaymentV1, v1.LenientBatchIds),
)
_PREVALIDATION: Final = _batch(
    v1.form(v1.NarratedInstructionV1, v1.PrevalidationV1, v1.BatchIds),
    v1.form(v1.LenientNarratedInstructionV1, v1.LenientPrevalidationV1, v1.LenientBatchIds),
)
_QUESTION: Final = Body(
    TypeAdapter(v1.PrevalidationQuestionV1),
    TypeAdapter(v1.PrevalidationQuestionV1),
    lambda body: body,
    {"RequestID": "REQ000000002", "Source_BatchID": "BATCH0000001"},
)

OPERATIONS: Final = (
    Operation(
        "POST",
        "/register-beneficiary",
        register_beneficiary,
        "Register beneficiaries",
        GROUP,
        govstack_v1,
        (_ACCEPTED, _FAILED_CASES),
        roles=_SOURCES,
        body=_ONBOARDING,
        description="The same data again is fine; other data under a registered id is refused.",
    ),
    Operation(
        "POST",
        "/update-beneficiary-details",
        update_beneficiary,
        "Update beneficiaries",
        GROUP,
        govstack_v1,
        (_ACCEPTED, _FAILED_CASES),
        roles=_SOURCES,
        body=_ONBOARDING,
        description="What is left out stays as it is.",
    ),
    Operation(
        "POST",
        "/prepayment-validation",
        prepayment_validation,
        "Check a batch before it is paid",
        GROUP,
        govstack_v1_prevalidation,
        (Answer(200, "Received, or refused with ResponseCode 01.", v1.AnswerV1, _GOOD),),
        roles=_SOURCES,
        parameters=(*SCHEDULING, _CALLBACK),
        body=_PREVALIDATION,
        description="Always HTTP 200; a refusal has ResponseCode 01.",
    ),
    Operation(
        "POST",
        "/prepayment-validation-response",
        prepayment_validation_response,
        "Ask what a prevalidation found",
        GROUP,
        govstack_v1,
        (
            Answer(
                200,
                "The failed accounts; without NumberFailedCases while the check is running.",
                v1.PrevalidationResultV1,
                {"RequestID": "REQ000000002", "Source_BatchID": "BATCH0000001", "NumberFailedCases": 0},
            ),
            _REFUSED,
        ),
        roles=_SOURCES,
        body=_QUESTION,
    ),
    Operation(
        "POST",
        "/bulk-payment",
        bulk_payment,
        "Pay a batch",
        GROUP,
        govstack_v1,
        (_ACCEPTED, _REFUSED),
        roles=_SOURCES,
        parameters=(*SCHEDULING, _CALLBACK),
        body=_BULK,
        description="An identical repeat gets the first answer; other content under a used BatchID is refused.",
    ),
)

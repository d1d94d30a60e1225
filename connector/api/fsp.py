"""The FSPs' side: ISO 20022 reports in, and the callbacks of the JSON channel."""

from typing import Final

from aiohttp import web
from pydantic import TypeAdapter

from connector.api import models_fsp as models
from connector.api.operation import Answer, Body, Call, Operation, Parameter
from connector.api.settings import Role
from connector.api.shapes import json_answer, plain
from connector.domain.errors import NotFound, Refused
from connector.flows import collect, inbound

GROUP: Final = "FSP"

_INSTITUTIONS: Final = frozenset({Role.INSTITUTION})
_XML: Final = frozenset({"application/xml", "text/xml"})
_CODE: Final = Parameter("code", "path", "The institution.", required=True, max_length=20, example="TREAXU22")
_REFERENCE: Final = Parameter("ref", "path", "The batch's reference.", required=True, max_length=20)
_NUMBER: Final = Parameter("number", "path", "The chunk's number.", required=True, kind="integer", maximum=10**9)
_NAME: Final = Parameter("X-Message-Name", "header", "The message's name; the namespace decides.", max_length=40)


async def _institution(call: Call) -> str:
    """Check that the caller speaks for itself, and that the institution exists."""
    code = call.parameters[_CODE.name]
    if call.identity and not call.identity.may_speak_as(code):
        raise web.HTTPForbidden
    directory = await call.services.store.directory.load()
    if code not in directory.institutions:
        raise NotFound("institution", code)
    return code


async def report(call: Call) -> web.Response:
    """Take a report, return, recall's answer, statement or rejection; answers only when its outcome is durable."""
    institution = await _institution(call)
    if call.request.content_type not in _XML and not call.request.content_type.endswith("+xml"):
        raise web.HTTPUnsupportedMediaType
    content = await _xml(call)
    taken = await inbound.message(call.services, institution, content)
    return json_answer({"messageId": taken.message_id, "message": taken.message, "status": taken.status})


async def _xml(call: Call) -> bytes:
    ceiling = call.settings.max_report_bytes
    content = await call.request.read()
    if len(content) > ceiling:
        raise web.HTTPRequestEntityTooLarge(max_size=ceiling, actual_size=len(content))
    if not content.strip():
        raise Refused.because("", "empty", "The request needs an XML body.")
    return content


async def validation(call: Call) -> web.Response:
    """Take the payer bank's answer to Bulk_ValidateAccount."""
    institution = await _institution(call)
    answer: models.ValidationAnswer = call.body
    failed = {each.instructionID: each.failureReason or "" for each in answer.failedAccountLookups or ()}
    if len(failed) != answer.numberOfFailedCases:
        raise Refused.because("/numberOfFailedCases", "AM18", "It is not the number of failed lookups listed.")
    await collect.validation_answer(
        call.services, institution, call.parameters[_REFERENCE.name], call.number(_NUMBER.name), failed
    )
    return _processed()


async def authorisation(call: Call) -> web.Response:
    """Take the payer bank's word on a batch."""
    institution = await _institution(call)
    answer: models.AuthorisationAnswer = call.body
    await collect.authorisation_answer(
        call.services,
        institution,
        call.parameters[_REFERENCE.name],
        answer.status == "Y",
        answer.reason or "",
        call.number(_NUMBER.name),
    )
    return _processed()


def _processed() -> web.Response:
    return json_answer({"message": "Response has been processed."})


def _as_is(body: object) -> object:
    return body


_REFUSED: Final = Answer(
    400,
    "Refused; nothing was changed.",
    models.Errors,
    {
        "errors": [
            {
                "where": "CstmrPmtStsRpt/OrgnlGrpInfAndSts/OrgnlMsgId",
                "code": "unknown_message",
                "sentence": "No message of ours has this id.",
            }
        ]
    },
)
_UNKNOWN: Final = Answer(404, "No such institution or batch.", models.Errors)
_TAKEN: Final = Answer(200, "Taken.", models.Taken, {"message": "Response has been processed."})

OPERATIONS: Final = (
    Operation(
        "POST",
        "/fsp/{code}/iso20022",
        report,
        "Report on payments (ISO 20022)",
        GROUP,
        plain,
        (
            Answer(
                200,
                "Taken; status is repeated where it changed nothing.",
                models.ReportTaken,
                {"messageId": "TREA20300131000001", "message": "pain.002.001.10", "status": "processed"},
            ),
            _REFUSED,
            _UNKNOWN,
            Answer(415, "Not XML.", models.Errors),
        ),
        roles=_INSTITUTIONS,
        parameters=(_CODE, _NAME),
        description="pain.002, pacs.002, acmt.024, pacs.004, camt.029, camt.05x or admi.002. Answered when durable.",
        media=("application/xml",),
        raw_example='<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">...</Document>',
    ),
    Operation(
        "POST",
        "/fsp/{code}/callbacks/validation/{ref}/{number}",
        validation,
        "Answer Bulk_ValidateAccount",
        GROUP,
        plain,
        (_TAKEN, _REFUSED, _UNKNOWN),
        roles=_INSTITUTIONS,
        parameters=(_CODE, _REFERENCE, _NUMBER),
        body=Body(
            TypeAdapter(models.ValidationAnswer),
            TypeAdapter(models.LenientValidationAnswer),
            _as_is,
            {"clientCorrelationId": "CORR00000001", "batchId": "7Q3QZ4XWZ2V5YJ6K3L2A", "numberOfFailedCases": 0},
        ),
    ),
    Operation(
        "POST",
        "/fsp/{code}/callbacks/authorisation/{ref}/{number}",
        authorisation,
        "Answer getAuthorization",
        GROUP,
        plain,
        (_TAKEN, _REFUSED, _UNKNOWN),
        roles=_INSTITUTIONS,
        parameters=(_CODE, _REFERENCE, _NUMBER),
        body=Body(
            TypeAdapter(models.AuthorisationAnswer),
            TypeAdapter(models.AuthorisationAnswer),
            _as_is,
            {"clientCorrelationId": "CORR00000001", "status": "Y"},
        ),
    ),
)

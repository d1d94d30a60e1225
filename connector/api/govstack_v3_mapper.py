"""GovStack Payments v3.0, the account mapper: register, update and look up where people are paid."""

from dataclasses import replace
from typing import Final

from aiohttp import web
from pydantic import TypeAdapter

from connector.api import models_v3 as v3
from connector.api.govstack_v3_terms import (
    CALLBACK,
    GROUP,
    REFUSED,
    REGISTERING,
    REQUIRED_REGISTERING,
    SOURCES,
    source_of,
)
from connector.api.models_v1 import AnswerV1, Onboarding
from connector.api.operation import Answer, Body, Call, Operation, Parameter
from connector.api.shapes import ACKNOWLEDGED, govstack_v1, govstack_v3, json_answer
from connector.domain.beneficiary import Beneficiary
from connector.flows import onboarding


def _acknowledge(request_id: str) -> web.Response:
    return json_answer({"responseCode": "00", "responseDescription": ACKNOWLEDGED, "requestID": request_id})


async def register(call: Call) -> web.Response:
    """Register people; failed cases come by callback."""
    asked: Onboarding = call.body
    source = call.act_for(call.parameters[REGISTERING.name] or asked.source)
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
    found = await onboarding.lookup(call.services, source_of(call), [wanted])
    return _addresses(call.parameters["requestId"], found)


async def look_up_many(call: Call) -> web.Response:
    """Tell where people are paid."""
    asked: v3.LookupV3 = call.body
    found = await onboarding.lookup(call.services, source_of(call), asked.payeePartyIds)
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
_GOOD: Final = {"responseCode": "00", "responseDescription": ACKNOWLEDGED, "requestID": "REQ000000001"}
_RECEIVED: Final = Answer(200, "Received.", v3.AnswerV3, _GOOD)
_REFUSED_IN_PASCAL_CASE: Final = Answer(
    400,
    "Refused; nothing was changed. In PascalCase, as the contract's file has it.",
    AnswerV1,
    {"ResponseCode": "01", "ResponseDescription": "Request not acknowledged by Pay-BB", "RequestID": "REQ000000001"},
)
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
        roles=SOURCES,
        parameters=(CALLBACK, REQUIRED_REGISTERING),
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
        (_RECEIVED, REFUSED),
        roles=SOURCES,
        parameters=(replace(CALLBACK, required=False),),
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
        (_ADDRESSES, REFUSED),
        roles=SOURCES,
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
            CALLBACK,
            REQUIRED_REGISTERING,
        ),
    ),
    Operation(
        "PUT",
        "/beneficiary",
        look_up_many,
        "Look up where people are paid",
        GROUP,
        govstack_v3,
        (_ADDRESSES, REFUSED),
        roles=SOURCES,
        parameters=(CALLBACK, REQUIRED_REGISTERING),
        body=Body(
            TypeAdapter(v3.LookupV3),
            TypeAdapter(v3.LenientLookupV3),
            lambda body: body,
            {"requestId": "REQ000000005", "payeePartyIds": ["PERSON00000000000001"]},
        ),
    ),
)

"""What the operations of GovStack Payments v3.0 share: headers, the source that is meant, and refusals."""

from dataclasses import replace
from typing import Final

from connector.api import models_v3 as v3
from connector.api.operation import Answer, Call, Parameter
from connector.api.settings import Role

CONTRACT: Final = "govstack-v3"
GROUP: Final = "GovStack v3.0"

SOURCES: Final = frozenset({Role.SOURCE})
CALLBACK: Final = Parameter(
    "X-Callback-URL",
    "header",
    "Where the outcome is reported.",
    required=True,
    strict_only=True,
    max_length=100,
    example="http://localhost:9000/callback",
)
REGISTERING: Final = Parameter(
    "X-Registering-Institution-ID",
    "header",
    "The ministry or organisation on whose behalf this is.",
    max_length=20,
    alternatives=("registeringInstitutionId",),
    example="MINISTRY0001",
)
REQUIRED_REGISTERING: Final = replace(REGISTERING, required=True, strict_only=True)
TENANT: Final = Parameter(
    "Platform-TenantId",
    "header",
    "The tenant; stands for the source where no registering institution is named.",
    required=True,
    strict_only=True,
    max_length=20,
    alternatives=("X-Platform-TenantId",),
    example="MINISTRY0001",
)
_BAD: Final = {
    "responseCode": "01",
    "responseDescription": "Request not acknowledged by Pay-BB: /0/currency: The currency is not in ISO 4217.",
    "errors": [{"where": "/0/currency", "code": "AM03", "sentence": "The currency is not in ISO 4217."}],
}
REFUSED: Final = Answer(400, "Refused; nothing was changed.", v3.ErrorV3, _BAD)


def source_of(call: Call) -> str:
    """The registering institution, else the tenant, else the caller's own identity."""
    named = call.parameters.get(REGISTERING.name, "") or call.parameters.get(TENANT.name, "")
    return call.act_for(named)

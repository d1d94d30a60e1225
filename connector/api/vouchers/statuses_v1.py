"""How GovStack v1.0 words what is wrong with a voucher request: a status and a message, by operation."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

from connector.api.operation import Answer
from connector.api.shapes import Failure, Shape, json_answer
from connector.api.vouchers.models_v1 import MessageV1
from connector.domain.voucher import VoucherFault

RETRY_SECONDS: Final = 2
"""After which a redemption whose outcome is not known yet should be asked about again."""

ALREADY_CANCELLED: Final = "already_cancelled"

PHRASES: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "Invalid request",
        452: "Invalid amount",
        453: "Invalid currency",
        454: "Invalid voucher group",
        455: "Voucher group exhausted",
        456: "Invalid voucher serial number",
        458: "Voucher number already used",
        459: "Voucher has expired",
        460: "Gov Stack Building Block does not exist",
        461: "Invalid voucher number",
        462: "Insufficient funds in funding account",
        464: "Voucher is already cancelled",
        500: "Internal server error",
        503: "Service unavailable",
    }
)

Statuses = Mapping[str, int]
"""From what is wrong (mostly a ``VoucherFault``) to the HTTP status."""

PREACTIVATION: Final[Statuses] = MappingProxyType(
    {
        VoucherFault.AMOUNT: 452,
        VoucherFault.CURRENCY: 453,
        VoucherFault.UNKNOWN_GROUP: 454,
        VoucherFault.EXHAUSTED: 455,
        VoucherFault.BUDGET: 455,
        VoucherFault.UNKNOWN_CALLER: 460,
    }
)
ACTIVATION: Final[Statuses] = MappingProxyType(
    {
        VoucherFault.UNKNOWN_SERIAL: 456,
        VoucherFault.STATE: 456,
        VoucherFault.EXPIRED: 456,
        VoucherFault.USED: 456,
        VoucherFault.IN_PROGRESS: 456,
        VoucherFault.UNKNOWN_CALLER: 460,
    }
)
REDEMPTION: Final[Statuses] = MappingProxyType(
    {
        VoucherFault.USED: 458,
        VoucherFault.UNKNOWN_CALLER: 460,
        VoucherFault.UNKNOWN_NUMBER: 461,
        VoucherFault.WRONG_NUMBER: 461,
        VoucherFault.STATE: 461,
        VoucherFault.EXPIRED: 461,
        VoucherFault.FUNDING: 462,
        VoucherFault.MERCHANT: 463,
        VoucherFault.WRONG_GROUP: 463,
        VoucherFault.IN_PROGRESS: 503,
        VoucherFault.TOO_MANY_TRIES: 503,
    }
)
STATUS: Final[Statuses] = MappingProxyType(
    {VoucherFault.UNKNOWN_SERIAL: 456, VoucherFault.USED: 458, VoucherFault.EXPIRED: 459}
)
CANCELLATION: Final[Statuses] = MappingProxyType(
    {
        VoucherFault.UNKNOWN_SERIAL: 463,
        VoucherFault.UNKNOWN_CALLER: 463,
        VoucherFault.STATE: 463,
        VoucherFault.EXPIRED: 463,
        VoucherFault.USED: 463,
        VoucherFault.IN_PROGRESS: 463,
        ALREADY_CANCELLED: 464,
    }
)


def worded(statuses: Statuses, invalid: str) -> Shape:
    """Make the shape of an operation's refusals; invalid: what its 463 means."""
    phrases = {**PHRASES, 463: invalid}

    def shape(failure: Failure) -> web.Response:
        status = statuses.get(failure.faults[0].code, failure.status) if failure.status == 400 else failure.status
        status = 400 if status in {409, 415} else status
        said = "; ".join(f"{each.where}: {each.sentence}" if each.where else each.sentence for each in failure.faults)
        phrase = phrases.get(status)
        wait = {str(hdrs.RETRY_AFTER): str(RETRY_SECONDS)} if status == 503 else {}
        return json_answer({"message": f"{phrase}: {said}" if phrase else said}, status, {**wait, **failure.headers})

    return shape


def answers(statuses: Statuses, invalid: str) -> tuple[Answer, ...]:
    """Describe the refusals of an operation."""
    phrases = {**PHRASES, 463: invalid}
    return tuple(
        Answer(status, f"{phrases[status]}.", MessageV1, {"message": f"{phrases[status]}: ..."})
        for status in sorted({400, 500, 503, *statuses.values()})
    )

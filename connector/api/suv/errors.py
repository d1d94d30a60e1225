"""What is wrong, in the words of the Single Use Voucher interface: ErrorDetail and its 28 types."""
# ruff: noqa: N815 - the fields of ErrorDetail have the contract's names

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, StringConstraints

from connector.api.shapes import Failure, json_answer
from connector.domain.errors import Conflict, NotFound, Refused, Unavailable
from connector.domain.retail import RetailFault, RetailKind, RetailRefused, Undecided
from connector.domain.voucher import VoucherFault, VoucherRefused, VoucherState

LONGEST_MESSAGE: Final = 80
NIL: Final = "00000000-0000-0000-0000-000000000000"
"""Stands for the id of a message that has none, or cannot be read."""


class ErrorType(StrEnum):
    """The types of the interface; how each is reached is told in docs/how-to/retail-vouchers.md."""

    DUPLICATE_RECORD = "DUPLICATE_RECORD"
    FORMAT_ERROR = "FORMAT_ERROR"
    FUNCTION_NOT_SUPPORTED = "FUNCTION_NOT_SUPPORTED"
    GENERAL_ERROR = "GENERAL_ERROR"
    INVALID_AMOUNT = "INVALID_AMOUNT"
    ROUTING_ERROR = "ROUTING_ERROR"
    TRANSACTION_NOT_SUPPORTED = "TRANSACTION_NOT_SUPPORTED"
    UNABLE_TO_LOCATE_RECORD = "UNABLE_TO_LOCATE_RECORD"
    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    VOUCHER_ALREADY_REDEEMED = "VOUCHER_ALREADY_REDEEMED"
    VOUCHER_ALREADY_PROVISIONED = "VOUCHER_ALREADY_PROVISIONED"
    VOUCHER_ALREADY_CONFIRMED = "VOUCHER_ALREADY_CONFIRMED"
    VOUCHER_ALREADY_REVERSED = "VOUCHER_ALREADY_REVERSED"
    VOUCHER_ALREADY_REFUNDED = "VOUCHER_ALREADY_REFUNDED"
    VOUCHER_NOT_REFUNDED = "VOUCHER_NOT_REFUNDED"
    VOUCHER_NOT_REDEEMABLE = "VOUCHER_NOT_REDEEMABLE"
    VOUCHER_NOT_REDEEMED = "VOUCHER_NOT_REDEEMED"
    VOUCHER_STATUS_UNKNOWN = "VOUCHER_STATUS_UNKNOWN"
    REDEMPTION_ALREADY_CONFIRMED = "REDEMPTION_ALREADY_CONFIRMED"
    REDEMPTION_NOT_CONFIRMED = "REDEMPTION_NOT_CONFIRMED"
    REDEMPTION_ALREADY_REVERSED = "REDEMPTION_ALREADY_REVERSED"
    REFUND_ALREADY_CONFIRMED = "REFUND_ALREADY_CONFIRMED"
    REFUND_ALREADY_REVERSED = "REFUND_ALREADY_REVERSED"
    INVALID_MERCHANT = "INVALID_MERCHANT"
    INVALID_VOUCHER = "INVALID_VOUCHER"
    AUTHENTICATION_ERROR = "AUTHENTICATION_ERROR"
    INSUFFICIENT_AMOUNT = "INSUFFICIENT_AMOUNT"
    DO_NOT_HONOUR = "DO_NOT_HONOUR"


class ErrorDetail(BaseModel):
    """Why a message failed. id: the message's; originalId: of the request that it is about."""

    model_config = ConfigDict(extra="forbid")

    id: str
    originalId: str | None = None
    errorType: ErrorType
    errorMessage: Annotated[str, StringConstraints(max_length=LONGEST_MESSAGE)]
    providerErrorCode: str | None = None
    providerErrorMessage: str | None = None
    detailMessage: dict[str, Any] | None = None


_E = ErrorType
_F = VoucherFault

VOUCHER_TYPES: Final[Mapping[VoucherFault, ErrorType]] = MappingProxyType(
    {
        _F.UNKNOWN_CALLER: _E.AUTHENTICATION_ERROR,
        _F.UNKNOWN_GROUP: _E.ROUTING_ERROR,
        _F.EXHAUSTED: _E.DO_NOT_HONOUR,
        _F.BUDGET: _E.DO_NOT_HONOUR,
        _F.AMOUNT: _E.INVALID_AMOUNT,
        _F.CURRENCY: _E.INVALID_AMOUNT,
        _F.UNKNOWN_SERIAL: _E.UNABLE_TO_LOCATE_RECORD,
        _F.UNKNOWN_NUMBER: _E.VOUCHER_NOT_REDEEMABLE,  # to a refund: INVALID_VOUCHER
        _F.WRONG_NUMBER: _E.INVALID_VOUCHER,
        _F.WRONG_PIN: _E.INVALID_VOUCHER,
        _F.WRONG_GROUP: _E.INVALID_MERCHANT,
        _F.MERCHANT: _E.INVALID_MERCHANT,
        _F.FUNDING: _E.DO_NOT_HONOUR,
        _F.STATE: _E.VOUCHER_NOT_REDEEMABLE,  # suspended or blocked: DO_NOT_HONOUR
        _F.EXPIRED: _E.VOUCHER_NOT_REDEEMABLE,
        _F.USED: _E.VOUCHER_ALREADY_REDEEMED,
        _F.IN_PROGRESS: _E.VOUCHER_STATUS_UNKNOWN,
        _F.PARTIAL: _E.TRANSACTION_NOT_SUPPORTED,
        _F.INSUFFICIENT: _E.INSUFFICIENT_AMOUNT,
        _F.REVERSAL: _E.FUNCTION_NOT_SUPPORTED,
        _F.REFUND: _E.FUNCTION_NOT_SUPPORTED,
        _F.TOO_MANY_TRIES: _E.DO_NOT_HONOUR,
        _F.DUPLICATE: _E.DUPLICATE_RECORD,
        _F.NUMBER_TAKEN: _E.VOUCHER_ALREADY_PROVISIONED,
    }
)
"""Every fault of the voucher engine."""

RETAIL_TYPES: Final[Mapping[RetailFault, ErrorType | Mapping[RetailKind, ErrorType]]] = MappingProxyType(
    {
        RetailFault.NOT_BEGUN: _E.UPSTREAM_UNAVAILABLE,
        RetailFault.DUPLICATE: _E.DUPLICATE_RECORD,
        RetailFault.UNKNOWN_REQUEST: _E.UNABLE_TO_LOCATE_RECORD,
        RetailFault.NOT_CONFIRMED: _E.REDEMPTION_NOT_CONFIRMED,
        RetailFault.CONFIRMED: MappingProxyType(
            {
                RetailKind.PROVISION: _E.VOUCHER_ALREADY_CONFIRMED,
                RetailKind.REDEMPTION: _E.REDEMPTION_ALREADY_CONFIRMED,
                RetailKind.REFUND: _E.REFUND_ALREADY_CONFIRMED,
            }
        ),
        RetailFault.REVERSED: MappingProxyType(
            {
                RetailKind.PROVISION: _E.VOUCHER_ALREADY_REVERSED,
                RetailKind.REDEMPTION: _E.REDEMPTION_ALREADY_REVERSED,
                RetailKind.REFUND: _E.REFUND_ALREADY_REVERSED,
            }
        ),
        RetailFault.NOT_REDEEMED: _E.VOUCHER_NOT_REDEEMED,
        RetailFault.NOT_REFUNDED: _E.VOUCHER_NOT_REFUNDED,
        RetailFault.REFUNDED: _E.VOUCHER_ALREADY_REFUNDED,
        RetailFault.CODE: _E.FUNCTION_NOT_SUPPORTED,
        RetailFault.PIN: _E.FUNCTION_NOT_SUPPORTED,
        RetailFault.PARTIAL: _E.FUNCTION_NOT_SUPPORTED,
        RetailFault.AMOUNT: _E.INVALID_AMOUNT,
        RetailFault.VOUCHER: _E.INVALID_VOUCHER,
        RetailFault.NOT_YOURS: _E.UNABLE_TO_LOCATE_RECORD,
        RetailFault.LAPSED: _E.GENERAL_ERROR,
    }
)
"""Every fault of the flow of messages."""

_KEPT_OUT: Final = frozenset({VoucherState.SUSPENDED, VoucherState.BLOCKED})
_STATUSES: Final = MappingProxyType({RetailFault.NOT_BEGUN: 503, RetailFault.UNKNOWN_REQUEST: 404})


@dataclass(frozen=True, slots=True)
class Subject:
    """Which message failed: its id, for an advice its request's, and what kind of request that is.

    begun: something may have been done when a part of IsoGate does not answer.
    """

    id: str = NIL
    original: str = ""
    kind: RetailKind | None = None
    begun: bool = False


def type_of(error: VoucherRefused | RetailRefused, kind: RetailKind | None = None) -> ErrorType:
    """Choose the type. kind: of the request that was made, where it is known."""
    if isinstance(error, RetailRefused):
        found = RETAIL_TYPES[error.fault]
        return found if isinstance(found, ErrorType) else found[error.kind]
    if error.fault is VoucherFault.STATE and error.state in _KEPT_OUT:
        return ErrorType.DO_NOT_HONOUR
    if error.fault is VoucherFault.UNKNOWN_NUMBER and kind is RetailKind.REFUND:
        return ErrorType.INVALID_VOUCHER
    return VOUCHER_TYPES[error.fault]


def answer_error(error: Exception, subject: Subject, detail: Mapping[str, Any] | None = None) -> web.Response | None:
    """Answer an error that was raised on purpose; ``None`` for any other. detail: for ``detailMessage``."""
    match error:
        case RetailRefused():
            return _declined(error, replace(subject, original=subject.original or error.other), detail)
        case VoucherRefused():
            return _declined(error, subject, detail)
        case Refused():
            return _malformed(error, subject)
    return _answer_state(error, subject)


def _answer_state(error: Exception, subject: Subject) -> web.Response | None:
    match error:
        case Conflict():
            return _error(400, ErrorType.DUPLICATE_RECORD, "This id was used before.", subject)
        case NotFound():
            return _error(404, ErrorType.UNABLE_TO_LOCATE_RECORD, f"There is no such {error.what}.", subject)
        case Undecided():
            return _error(504, ErrorType.VOUCHER_STATUS_UNKNOWN, "The outcome is not known yet.", subject)
        case Unavailable() | ConnectionError() | TimeoutError():
            status = 504 if subject.begun else 503
            return _error(status, ErrorType.UPSTREAM_UNAVAILABLE, "A part of IsoGate does not answer.", subject)
    return None


def defect(subject: Subject) -> web.Response:
    """Answer an error that nobody meant."""
    return _error(500, ErrorType.GENERAL_ERROR, "Something went wrong here; it has been logged.", subject)


def suv(failure: Failure) -> web.Response:
    """Shape what fails before a message is read: ErrorDetail with the nil UUID, 400 for what HTTP has 415 for."""
    sentence = failure.faults[0].sentence
    if failure.status >= 500:
        return _error(failure.status, ErrorType.UPSTREAM_UNAVAILABLE, sentence, Subject())
    messages = [f"{fault.where}: {fault.sentence}" if fault.where else fault.sentence for fault in failure.faults]
    status = 400 if failure.status == web.HTTPUnsupportedMediaType.status_code else failure.status
    return _error(status, ErrorType.FORMAT_ERROR, sentence, Subject(), _format_errors(messages))


def _declined(
    error: VoucherRefused | RetailRefused, subject: Subject, detail: Mapping[str, Any] | None
) -> web.Response:
    status = _STATUSES.get(error.fault, 400) if isinstance(error, RetailRefused) else 400
    code = {"providerErrorCode": error.fault.value}
    return _error(status, type_of(error, subject.kind), error.faults[0].sentence, subject, detail, code)


def _malformed(error: Refused, subject: Subject) -> web.Response:
    messages = [fault.sentence for fault in error.faults]
    return _error(400, ErrorType.FORMAT_ERROR, messages[0], subject, _format_errors(messages))


def _format_errors(messages: Sequence[str]) -> dict[str, Any]:
    return {"formatErrors": [{"msg": message} for message in messages]}


def _error(
    status: int,
    kind: ErrorType,
    sentence: str,
    subject: Subject,
    detail: Mapping[str, Any] | None = None,
    more: Mapping[str, str] | None = None,
) -> web.Response:
    """Write an ErrorDetail; a sentence that is too long for it goes whole into providerErrorMessage."""
    long = len(sentence) > LONGEST_MESSAGE
    body = {
        "id": subject.id,
        **({"originalId": subject.original} if subject.original else {}),
        "errorType": kind,
        "errorMessage": f"{sentence[: LONGEST_MESSAGE - 3]}..." if long else sentence,
        **(more or {}),
        **({"providerErrorMessage": sentence} if long else {}),
        **({"detailMessage": detail} if detail else {}),
    }
    return json_answer(body, status, {hdrs.RETRY_AFTER: "1"} if status >= 500 else None)

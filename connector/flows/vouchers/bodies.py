"""The bodies of callbacks about vouchers, as GovStack v3.0 has them. Pure.

Sources: VoucherCreationResponse.yml (B8: successes only), VoucherActivateResponse.yml (B10),
VoucherCancellationResponse.yml (B14).
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from connector.domain.money import decimal_amount
from connector.domain.voucher import Issued, Moved, VoucherFault, VoucherState

MAXIMUM_REASON: Final = 100

_JSON: Final = msgspec.json.Encoder(decimal_format="number")
_REASONS: Final = {
    VoucherFault.UNKNOWN_CALLER: "The voucher is not yours",
    VoucherFault.UNKNOWN_SERIAL: "There is no such voucher",
    VoucherFault.EXPIRED: "The voucher has expired",
    VoucherFault.USED: "The voucher has been redeemed",
    VoucherFault.IN_PROGRESS: "The voucher is being redeemed",
}


class FailedVoucher(NamedTuple):
    """A voucher to which a command could not be applied; serial as the sender wrote it."""

    serial: str
    reason: str


def creation_body(callback_id: str, batch_id: str, issued: Iterable[tuple[Issued, str]]) -> str:
    """Write the details of created vouchers, each with its sealed number (see ``secrecy``)."""
    listed = [
        {
            "instructionID": voucher.instruction_id,
            "serialNumber": str(voucher.serial),
            "voucherNumber": sealed,
            "currency": voucher.currency,
            "amount": decimal_amount(voucher.amount_minor, voucher.currency),
            "narration": voucher.narration,
        }
        for voucher, sealed in issued
    ]
    return _JSON.encode({"requestID": callback_id, "batchID": batch_id, "voucherInstructions": listed}).decode()


def confirmation_body(callback_id: str, request_id: str, failed: Iterable[FailedVoucher]) -> str:
    """Write to which vouchers an activation, suspension or cancellation could not be applied."""
    cases = [{"serialNumber": each.serial[:20], "failureReason": each.reason[:MAXIMUM_REASON]} for each in failed]
    body = {
        "requestID": callback_id,
        "registerRequestID": request_id,
        "numberFailedCases": len(cases),
        "failedCases": cases,
    }
    return _JSON.encode(body).decode()


def reason_of(moved: Moved) -> str:
    """Say why a command could not be applied to a voucher; "" where it was."""
    if moved.fault is None:
        return ""
    if moved.fault in _REASONS:
        return _REASONS[moved.fault]
    already = "already " if moved.state is VoucherState.CANCELLED else ""
    return f"The voucher is {already}{moved.state}" if moved.state else "This cannot be done to the voucher"

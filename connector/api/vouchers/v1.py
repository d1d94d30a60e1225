"""Vouchers in GovStack Payments v1.0: synchronous, with statuses 45x and 46x of its own.

Where the contract leaves it open: a voucher that is not in a state for what is asked is an invalid one (456, 461 or
463); what is redeemable only elsewhere cannot be credited to this merchant (463); a redemption whose outcome is not
known in time answers 503, and the same request again continues it (599 is left to gateways that lose us).
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from aiohttp import web
from pydantic import TypeAdapter

from connector.api.govstack_v1 import GROUP
from connector.api.moments import moment
from connector.api.operation import Answer, Body, Call, Operation, Parameter
from connector.api.settings import Role
from connector.api.shapes import json_answer
from connector.api.vouchers import models_v1 as v1
from connector.api.vouchers import statuses_v1 as statuses
from connector.api.vouchers.asker import asker
from connector.api.vouchers.serial import serial_of
from connector.domain.errors import Refused
from connector.domain.money import decimal_amount
from connector.domain.voucher import (
    Command,
    Moved,
    RedemptionState,
    VoucherFault,
    VoucherRefused,
    VoucherState,
)
from connector.flows.vouchers import issue, lifecycle, queries, redemption
from connector.flows.vouchers.bodies import reason_of
from connector.flows.vouchers.caller import GOVSTACK_V1, Caller

_SOURCES: Final = frozenset({Role.SOURCE})
_PRESENTABLE: Final = re.compile(r"[\w.-]+", re.ASCII)
_WORDS: Final = {
    VoucherState.IN_STOCK: "Not Pre-Activated",
    VoucherState.PRE_ACTIVATED: "Pre-Activated",
    VoucherState.ACTIVATED: "Activated",
    VoucherState.REDEEMING: "Activated",  # nothing is consumed before the merchant has the money
    VoucherState.SUSPENDED: "Suspended",
    VoucherState.BLOCKED: "Blocked",
    VoucherState.CANCELLED: "Blocked",  # the contract has no word for it
    VoucherState.PURGED: "Purged",
}


async def preactivate(call: Call) -> web.Response:
    """Hand a voucher out. What is wrong is told in this order: amount, currency, group, calling building block."""
    asked: v1.Preactivation = call.body
    wanted = asked.wanted(await call.services.store.directory.load())
    issued = await issue.pre_activate(call.services, _caller(call, asked.caller), wanted)
    return json_answer(
        {
            "voucher_number": issued.number,
            "voucher_serial_number": str(issued.serial),
            "expiry_date_time": moment(issued.expires_at),
        }
    )


async def activate(call: Call) -> web.Response:
    """Activate a voucher; one that is active already stays so."""
    asked: v1.ActivationV1 = call.body
    caller, serial = _caller(call, asked.Gov_Stack_BB), serial_of(asked.voucher_serial_number)
    _check(await lifecycle.change(call.services, caller, Command.ACTIVATE, [serial]))
    return json_answer({"result_status": "Voucher activated"})


async def redeem(call: Call) -> web.Response:
    """Pay a voucher's whole amount to a merchant; it is consumed only when the merchant has been credited."""
    asked: v1.RedemptionV1 = call.body
    presented = redemption.Presentation(
        asked.voucher_number,
        merchant_name=asked.merchant_name,
        merchant_account=asked.merchant_bank_details,
        merchant_group=asked.merchant_voucher_group,
        override=asked.override,
        correlation=call.parameters[_CORRELATION.name],
        receipt=call.callback(),
    )
    redeemed = await redemption.redeem(call.services, _caller(call, asked.Gov_Stack_BB), presented)
    if redeemed.state is RedemptionState.PAYING:
        sentence = "The merchant's payment is in progress. The same request again continues it."
        raise VoucherRefused(VoucherFault.IN_PROGRESS, sentence)
    return json_answer({"result_status": "Voucher redeemed"})


async def status(call: Call) -> web.Response:
    """Tell how a voucher stands."""
    serial, who = serial_of(_presentable(call)), asker(call, GOVSTACK_V1)
    voucher = await queries.voucher(call.services, serial, facts=False, asker=who)
    if voucher.state is VoucherState.REDEEMED:
        raise VoucherRefused(VoucherFault.USED, "It was redeemed.")
    if voucher.state is VoucherState.EXPIRED:
        raise VoucherRefused(VoucherFault.EXPIRED, "It can no longer be redeemed.")
    amount = decimal_amount(voucher.amount_minor, voucher.currency) if voucher.currency else Decimal(0)
    return json_answer({"voucher_status": _WORDS[voucher.state], "voucher_amount": format(amount, "f")})


async def cancel(call: Call) -> web.Response:
    """Cancel a voucher that was not redeemed."""
    asked: v1.CancellationV1 = call.body
    named, serial = serial_of(asked.voucherserialnumber), serial_of(_presentable(call))
    if named != serial:
        await queries.voucher(call.services, named)
        await queries.voucher(call.services, serial)
        raise Refused.because("/voucherserialnumber", "mismatch", "It is not the voucher that the path names.")
    moved = await lifecycle.change(call.services, _caller(call, asked.Gov_Stack_BB), Command.CANCEL, [serial])
    if moved[0].fault and moved[0].state is VoucherState.CANCELLED:
        raise Refused.because("", statuses.ALREADY_CANCELLED, "Nothing was changed.")
    _check(moved)
    return json_answer({"message": "Voucher cancelled"})


def _caller(call: Call, name: str) -> Caller:
    """Name the caller; raises aiohttp's ``HTTPForbidden`` for a token of somebody else. The flows know who exists."""
    return Caller(GOVSTACK_V1, call.act_for(name) if name else "", call.origin)


def _presentable(call: Call) -> str:
    """Take the serial number of the path; raises ``Refused`` for what is not even a word."""
    text = call.parameters[_SERIAL.name]
    if not _PRESENTABLE.fullmatch(text):
        raise Refused.because("path voucherserialnumber", "malformed", "A serial number is expected.")
    return text


def _check(moved: list[Moved]) -> None:
    """Raise ``VoucherRefused`` where the command could not be applied."""
    for each in moved:
        if each.fault:
            raise VoucherRefused(each.fault, f"{reason_of(each)}.", state=each.state)


_BB: Final = "bb-digital-registries"
_SERIAL_EXAMPLE: Final = "9000000000000201"  # the examples are of the demo data, so that they work in a sandbox
_SERIAL: Final = Parameter(
    "voucherserialnumber", "path", "The serial number.", required=True, example=_SERIAL_EXAMPLE
)
_CORRELATION: Final = Parameter(
    "X-CorrelationID", "header", "An id by which a retry within a second is told from another redemption."
)
_RECEIPT: Final = Parameter(
    "X-Callback-URL", "header", "Where the receipt is sent, once it is known whether the merchant was paid."
)
_OTHER_HEADERS: Final = "The contract's other optional headers are accepted and not used."
_PREACTIVATION: Final = {
    "voucher_amount": "25.00",
    "voucher_currency": "USD",
    "voucher_group": "FOOD",
    "Gov_Stack_BB": _BB,
    "voucher_comment": "School meals",
}
_ACTIVATION: Final = {"voucher_serial_number": int(_SERIAL_EXAMPLE), "Gov_Stack_BB": _BB}
_REDEMPTION: Final = {
    "voucher_number": 3333333333330001,
    "Gov_Stack_BB": _BB,
    "merchant_name": "Corner Grocery",
    "merchant_bank_details": "+99970006004",
    "merchant_voucher_group": "FOOD",
    "override": False,
}
_CANCELLATION: Final = {"voucherserialnumber": _SERIAL_EXAMPLE, "Gov_Stack_BB": _BB}
_STATUS_PATH: Final = "/vouchers/voucherstatuscheck/{voucherserialnumber}"
_REDEMPTION_WORDED: Final = (statuses.REDEMPTION, "Cannot credit merchant")
_CANCELLATION_WORDED: Final = (statuses.CANCELLATION, "Invalid voucher")


def _body(adapter: TypeAdapter[Any], example: object, read: Callable[[Any], Any] = lambda body: body) -> Body:
    """The contract gives no id lengths that could be strict."""
    return Body(adapter, adapter, read, example)


def _redemption(path: str, summary: str, description: str) -> Operation:
    return Operation(
        "POST",
        path,
        redeem,
        summary,
        GROUP,
        statuses.worded(*_REDEMPTION_WORDED),
        (
            Answer(200, "Redeemed.", v1.ResultV1, {"result_status": "Voucher redeemed"}),
            *statuses.answers(*_REDEMPTION_WORDED),
        ),
        roles=_SOURCES,
        errors=v1.MessageV1,
        parameters=(_CORRELATION, _RECEIPT),
        body=_body(TypeAdapter(v1.RedemptionV1), _REDEMPTION),
        description=description,
    )


OPERATIONS: Final = (
    Operation(
        "POST",
        "/vouchers/voucher_preactivation",
        preactivate,
        "Hand out a voucher",
        GROUP,
        statuses.worded(statuses.PREACTIVATION, ""),
        (
            Answer(
                200,
                "The voucher, worth nothing until it is activated.",
                v1.PreactivatedV1,
                {
                    "voucher_number": "1234567890123456",
                    "voucher_serial_number": _SERIAL_EXAMPLE,
                    "expiry_date_time": "2030-04-30T08:00:00Z",
                },
            ),
            *statuses.answers(statuses.PREACTIVATION, ""),
        ),
        roles=_SOURCES,
        errors=v1.MessageV1,
        body=_body(TypeAdapter(v1.SentPreactivation), _PREACTIVATION, v1.preactivation),
        description=f"Currencies are those of ISO 4217 as of today. {_OTHER_HEADERS}",
    ),
    Operation(
        "PATCH",
        "/vouchers/voucher_activation",
        activate,
        "Activate a voucher",
        GROUP,
        statuses.worded(statuses.ACTIVATION, ""),
        (
            Answer(200, "Activated.", v1.ResultV1, {"result_status": "Voucher activated"}),
            *statuses.answers(statuses.ACTIVATION, ""),
        ),
        roles=_SOURCES,
        errors=v1.MessageV1,
        body=_body(TypeAdapter(v1.ActivationV1), _ACTIVATION),
        description=f"Again is fine. {_OTHER_HEADERS}",
    ),
    _redemption(
        "/vouchers/voucher_redemption",
        "Redeem a voucher",
        "The whole amount goes to the merchant. 503: the payment's outcome is not known yet; the same request again "
        f"continues it. {_OTHER_HEADERS}",
    ),
    _redemption(
        "/vouchers/voucher_redeemption",
        "Redeem a voucher (as the contract's file spells it)",
        "The same as `/vouchers/voucher_redemption`.",
    ),
    Operation(
        "GET",
        _STATUS_PATH,
        status,
        "Tell how a voucher stands",
        GROUP,
        statuses.worded(statuses.STATUS, ""),
        (
            Answer(
                200,
                "Its status and amount; a cancelled one is Blocked.",
                v1.StatusV1,
                {"voucher_status": "Activated", "voucher_amount": "25.00"},
            ),
            *statuses.answers(statuses.STATUS, ""),
        ),
        roles=_SOURCES,
        errors=v1.MessageV1,
        parameters=(_SERIAL,),
        description=f"458: it was redeemed; 459: it has expired. {_OTHER_HEADERS}",
    ),
    Operation(
        "PATCH",
        _STATUS_PATH,
        cancel,
        "Cancel a voucher",
        GROUP,
        statuses.worded(*_CANCELLATION_WORDED),
        (
            Answer(200, "Cancelled.", v1.MessageV1, {"message": "Voucher cancelled"}),
            *statuses.answers(*_CANCELLATION_WORDED),
        ),
        roles=_SOURCES,
        errors=v1.MessageV1,
        parameters=(_SERIAL,),
        body=_body(TypeAdapter(v1.CancellationV1), _CANCELLATION),
        description=f"463: the voucher or the building block is unknown, or it is too late. {_OTHER_HEADERS}",
    ),
)

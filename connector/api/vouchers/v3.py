"""Vouchers in GovStack Payments v3.0: create, change and cancel many with callbacks, redeem and ask for one.

Where the contract leaves it open: a redemption answers 200 with status 1 or 0, but 503 while its outcome is not
known, and the same requestID again continues it; in the sandbox a caller who names no registering institution is the
first Source BB of the directory, since the files of the changes have no place to name one.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from aiohttp import hdrs, web
from pydantic import TypeAdapter, ValidationError

from connector.api.govstack_v3_terms import CALLBACK, REGISTERING
from connector.api.json_body import refusal
from connector.api.moments import moment
from connector.api.operation import Call, Parameter
from connector.api.shapes import ACKNOWLEDGED, Failure, json_answer
from connector.api.submission import PROGRAMME
from connector.api.vouchers import models_v3 as v3
from connector.api.vouchers.asker import asker
from connector.api.vouchers.serial import serial_of
from connector.api.vouchers.statuses_v1 import RETRY_SECONDS
from connector.domain.batch import CallbackTarget
from connector.domain.directory import Directory
from connector.domain.errors import Fault, Refused
from connector.domain.money import decimal_amount
from connector.domain.voucher import (
    Command,
    Redemption,
    RedemptionState,
    VoucherFault,
    VoucherRefused,
    VoucherState,
)
from connector.flows.bodies import derived_request_id
from connector.flows.vouchers import orders, queries, redemption
from connector.flows.vouchers.caller import GOVSTACK_V3, Caller

NO_STATUS: Final = 9
MAXIMUM_SERIAL: Final = 20

_STATUSES: Final = {
    VoucherState.IN_STOCK: 1,
    VoucherState.PRE_ACTIVATED: 1,
    VoucherState.ACTIVATED: 2,
    VoucherState.REDEEMING: 2,  # nothing is utilised before the agent has the money
    VoucherState.CANCELLED: 3,
    VoucherState.EXPIRED: 4,
    VoucherState.REDEEMED: 5,
    VoucherState.SUSPENDED: 6,
    VoucherState.BLOCKED: 6,  # the contract has no number for it
}
_FAILURES: Final = {
    VoucherFault.UNKNOWN_CALLER: "Unknown institution",
    VoucherFault.UNKNOWN_SERIAL: "Invalid voucher",
    VoucherFault.UNKNOWN_NUMBER: "Invalid voucher",
    VoucherFault.WRONG_NUMBER: "Invalid voucher",
    VoucherFault.MERCHANT: "Cannot credit agent",
    VoucherFault.FUNDING: "Insufficient funds",
    VoucherFault.WRONG_GROUP: "Not accepted here",
    VoucherFault.STATE: "Voucher not active",
    VoucherFault.EXPIRED: "Voucher expired",
    VoucherFault.USED: "Already redeemed",
    VoucherFault.IN_PROGRESS: "Being redeemed",
    VoucherFault.TOO_MANY_TRIES: "Too many tries",
    VoucherFault.DUPLICATE: "Duplicate requestID",
}
COMMANDS: Final = {
    "activate": Command.ACTIVATE,
    "suspend": Command.SUSPEND,
    "reactivate": Command.REACTIVATE,
}
POST_COMMAND: Final = Parameter(
    "command",
    "query",
    "Without it, vouchers are created. A redemption is also taken under cancel, as its official file has it.",
    choices=("redeem", "cancel"),
)
PUT_COMMAND: Final = Parameter(
    "command", "query", "What is to be done.", required=True, choices=tuple(COMMANDS), example="activate"
)
SERIAL: Final = Parameter(
    "serialNumber", "path", "The serial number.", required=True, max_length=20, example="1000000000000001"
)
OF_GROUP: Final = Parameter("groupCode", "query", "The group that it should be of.", max_length=36, example="FOOD")
BATCH: Final = Parameter(
    "batchID", "path", "As the creation named it.", required=True, max_length=36, example="BATCH0000001"
)


class _Form(NamedTuple):
    """How one of the commands on a path is read."""

    strict: TypeAdapter[Any]
    lenient: TypeAdapter[Any]
    read: Callable[[Any], Any]

    async def taken(self, call: Call) -> Any:  # noqa: ANN401 (what ``read`` makes of it)
        """Validate the body, in a thread where it is large; raises ``Refused``."""
        if (call.request.content_length or 0) < call.settings.off_loop_bytes:
            return self._validated(call)
        return await asyncio.to_thread(self._validated, call)

    def _validated(self, call: Call) -> object:
        adapter = self.strict if call.settings.lengths_strict else self.lenient
        try:
            return self.read(adapter.validate_python(call.body))
        except ValidationError as error:
            raise refusal(error) from None


_CREATION: Final = _Form(TypeAdapter(v3.CreateVouchersV3), TypeAdapter(v3.LenientCreateVouchersV3), v3.creation)
_CHANGE: Final = _Form(TypeAdapter(v3.ChangeVouchersV3), TypeAdapter(v3.LenientChangeVouchersV3), v3.change)
_REDEMPTION: Final = _Form(TypeAdapter(v3.RedeemVoucherV3), TypeAdapter(v3.LenientRedeemVoucherV3), lambda body: body)


async def post(call: Call) -> web.Response:
    """Create vouchers, or redeem one, or cancel some, by command."""
    command = call.parameters[POST_COMMAND.name]
    if not command:
        return await _create(call, await _CREATION.taken(call))
    if command == "redeem" or v3.redeems(call.body):
        return await _redeem(call, await _REDEMPTION.taken(call))
    asked: v3.Change = await _CHANGE.taken(call)
    caller = await _caller(call)
    target = await _target(call, caller, "/vouchers/cancellation/confirmation")
    await orders.change(call.services, caller, Command.CANCEL, asked.request_id, asked.serials, target)
    return json_answer({"responseCode": "00", "responseDescription": ACKNOWLEDGED, "requestID": asked.request_id})


async def put(call: Call) -> web.Response:
    """Activate, suspend or reactivate vouchers; failed cases come by callback, where one is named."""
    asked: v3.Change = call.body
    caller = await _caller(call)
    command = COMMANDS[call.parameters[PUT_COMMAND.name]]
    target = await _target(call, caller, "")
    await orders.change(call.services, caller, command, asked.request_id, asked.serials, target)
    return _taken(asked.request_id)


async def status(call: Call) -> web.Response:
    """Tell how a voucher stands; 9 where there is no such voucher."""
    text = call.parameters[SERIAL.name]
    try:
        voucher = await queries.voucher(call.services, serial_of(text), facts=False, asker=asker(call, GOVSTACK_V3))
    except VoucherRefused as error:
        return _no_status(error.faults[0].sentence, 400, text)
    code = _STATUSES.get(voucher.state)
    if code is None:
        return _no_status("The voucher is in the archive.", 400, text)
    value = decimal_amount(voucher.amount_minor, voucher.currency)
    return json_answer({"status": code, "serialNumber": text, "value": value})


async def validity(call: Call) -> web.Response:
    """Tell whether a voucher can be redeemed now, and is of the group, where one is named."""
    text, group = call.parameters[SERIAL.name], call.parameters[OF_GROUP.name]
    try:
        voucher = await queries.voucher(call.services, serial_of(text), facts=False, asker=asker(call, GOVSTACK_V3))
    except VoucherRefused:
        return json_answer({"serialNumber": text, "isValid": False})
    valid = voucher.state is VoucherState.ACTIVATED and group in {"", voucher.group}
    return json_answer({"serialNumber": text, "isValid": valid})


async def batch(call: Call) -> web.Response:
    """Tell how many vouchers of a batch are in which state."""
    name = call.parameters[BATCH.name]
    found = await orders.batch(call.services, await _caller(call), name)
    tallies = [
        {
            "status": _STATUSES.get(state, NO_STATUS),
            "state": state,
            "currency": currency,
            "number": tally.payments,
            "amount": decimal_amount(tally.minor, currency) if currency else 0,
        }
        for (state, currency), tally in sorted(found.tallies.items())
    ]
    return json_answer({"requestID": found.request_id, "batchID": name, "total": found.total, "vouchers": tallies})


async def _create(call: Call, asked: v3.Creation) -> web.Response:
    caller = await _caller(call)
    _check_programme(call, await call.services.store.directory.load(), asked)
    target = await _target(call, caller, "/voucher-details-return")
    if not target.url:
        raise Refused.because(f"header {CALLBACK.name}", "missing", "The vouchers' numbers come by callback only.")
    try:
        await orders.create(call.services, caller, asked.request_id, asked.batch_id, asked.wanted, target)
    except VoucherRefused as error:
        raise Refused(_replaced(fault) for fault in error.faults) from None
    return _taken(asked.request_id)


def _check_programme(call: Call, directory: Directory, asked: v3.Creation) -> None:
    """The group says who pays; whoever names another programme is mistaken about one of the two."""
    named = call.parameters[PROGRAMME.name]
    for index, each in enumerate(asked.wanted) if named else ():
        group = directory.groups.get(each.group)
        if group and group.programme != named:
            sentence = f"Vouchers of group {group.code} are paid by another programme."
            raise Refused.because(f"/voucherInstructions/{index}/groupCode", "programme", sentence)


def _replaced(fault: Fault) -> Fault:
    """Say in this contract's terms where a fault is; the flows count vouchers."""
    return fault._replace(where=f"/voucherInstructions{fault.where}") if fault.where else fault


async def _redeem(call: Call, asked: v3.RedeemVoucherV3) -> web.Response:
    caller, text = await _caller(call), asked.voucherSerialNumber
    try:
        presented = redemption.Presentation(
            asked.voucherSecretNumber,
            serial_of(text),
            asked.agentID,
            request=asked.requestID,
            receipt=call.callback(),
        )
        redeemed = await redemption.redeem(call.services, caller, presented)
    except VoucherRefused as error:
        answer = {"status": 0, "message": _FAILURES.get(error.fault, "Refused"), "value": 0}
        return json_answer(
            {**answer, "serialNumber": text[:MAXIMUM_SERIAL], "timestamp": moment(call.services.clock())}
        )
    if redeemed.state is RedemptionState.PAYING:
        wait = {str(hdrs.RETRY_AFTER): str(RETRY_SECONDS)}
        return json_answer(_redemption(redeemed, 0, "In progress"), 503, wait)
    return json_answer(_redemption(redeemed, 1, "Redeemed"))


def _redemption(redeemed: Redemption, code: int, message: str) -> dict[str, Any]:
    return {
        "status": code,
        "message": message,
        "serialNumber": str(redeemed.serial),
        "value": decimal_amount(redeemed.amount_minor, redeemed.currency),
        "timestamp": moment(redeemed.at),
        "transactionId": derived_request_id("voucher redemption", redeemed.id),
    }


async def _caller(call: Call) -> Caller:
    """Name the caller: the registering institution, else the token's owner, else in the sandbox the first source."""
    named = call.parameters[REGISTERING.name]
    if not named and call.identity is None:
        named = next(iter((await call.services.store.directory.load()).sources), "")
    return Caller(GOVSTACK_V3, call.act_for(named), call.origin)


async def _target(call: Call, caller: Caller, path: str) -> CallbackTarget:
    """Take the callback URL of the header, else the one that the source is known by, with the contract's path."""
    target = call.callback()
    source = (await call.services.store.directory.load()).sources.get(caller.name)
    if target.url or source is None or not source.callback_url:
        return target
    return replace(target, url=f"{source.callback_url.rstrip('/')}{path}")


def _taken(request_id: str) -> web.Response:
    return json_answer({"ResponseCode": "00", "ResponseDescription": ACKNOWLEDGED, "RequestID": request_id})


def _no_status(message: str, http_status: int, serial: str = "") -> web.Response:
    body = {"status": NO_STATUS, "message": message, "serialNumber": serial[:MAXIMUM_SERIAL], "value": 0}
    return json_answer(body, http_status)


def status_refused(failure: Failure) -> web.Response:
    """{status 9, message, serialNumber, value}."""
    answer = _no_status(failure.sentence, failure.status)
    answer.headers.update(failure.headers)
    return answer

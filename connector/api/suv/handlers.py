"""The operations of the Single Use Voucher interface, from checked messages to answers."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from connector.api.frame import log_defect
from connector.api.operation import Call, Handler
from connector.api.shapes import json_answer
from connector.api.suv import models
from connector.api.suv.answers import (
    echo,
    issued_voucher,
    lookup_answer,
    provision_answer,
    redemption_answer,
    refund_answer,
)
from connector.api.suv.basic import client_of
from connector.api.suv.errors import NIL, Subject, answer_error, defect
from connector.api.suv.pins import pin_text
from connector.api.suv.received import Received
from connector.domain.errors import Fault, Refused
from connector.domain.money import currency_of_number
from connector.domain.retail import RetailFault, RetailKind, RetailRefused
from connector.domain.voucher import LARGEST_AMOUNT, VoucherFault, VoucherRefused, is_serial
from connector.flows.vouchers import retail_lookup, retail_provision, retail_redemption, retail_refund
from connector.flows.vouchers.caller import SUV, Caller
from connector.flows.vouchers.plan import Wanted
from connector.flows.vouchers.redemption import Presentation
from connector.flows.vouchers.retail_messages import Advice, Asked
from connector.flows.vouchers.retail_refund import RefundOrder
from connector.store.vouchers.messages import MessageId

CREATED: Final = 201
ACCEPTED: Final = 202

Request = Callable[[Call, Caller, Any], Awaitable[dict[str, Any]]]
Settle = Callable[..., Awaitable[None]]


def request(kind: RetailKind, act: Request) -> Handler:
    """Make the handler of a request: it is checked, done at most once, and answered 201."""

    async def work(call: Call, received: Received) -> web.Response:
        message = _message(received)
        caller = _caller(call, message.client.id)
        return json_answer(await act(call, caller, message), CREATED)

    async def handle(call: Call) -> web.StreamResponse:
        received: Received = call.body
        return await _told(call, work(call, received), Subject(received.id, "", kind, begun=True))

    return handle


def advice(kind: RetailKind, act: Settle) -> Handler:
    """Make the handler of an advice: it is checked, carried out, and answered 202 with itself."""

    async def work(call: Call, received: Received) -> web.Response:
        message = _message(received)
        await act(call.services, _caller(call), _advice(message))
        return json_answer(message.model_dump(exclude_none=True), ACCEPTED)

    async def handle(call: Call) -> web.StreamResponse:
        received: Received = call.body
        return await _told(call, work(call, received), Subject(received.id, received.original, kind, begun=True))

    return handle


async def provision(call: Call, caller: Caller, message: models.ProvisionRequest) -> dict[str, Any]:
    """Make a voucher of a product."""
    amount, currency = _wanted_amount(message.amounts)
    code, pin = (message.voucher.code, message.voucher.pin) if message.voucher else (None, None)
    wanted = Wanted(
        group=message.product.productId if message.product else call.settings.suv_product,
        currency=currency,
        amount_minor=amount,
        number=code or "",
        pin=pin_text(pin, RetailKind.PROVISION),
    )
    asked = Asked(message.id, echo(message, call.settings))
    issued = await retail_provision.provision(call.services, caller, asked, wanted)
    return provision_answer(asked.echo, issued, _reference(caller, message.id))


async def redeem(call: Call, caller: Caller, message: models.RedemptionRequest) -> dict[str, Any]:
    """Redeem a voucher, in part or whole."""
    amount, currency = _optional_amount(message.amounts)
    presentation = Presentation(
        number=_code(message.voucher),
        merchant=message.originator.merchant.merchantId.strip(),
        amount_minor=amount,
        currency=currency,
        pin=pin_text(message.voucher.pin, RetailKind.REDEMPTION),
    )
    asked = Asked(message.id, echo(message, call.settings))
    approval = await retail_redemption.redeem(call.services, caller, asked, presentation)
    return redemption_answer(asked.echo, approval, _reference(caller, message.id))


async def refund(call: Call, caller: Caller, message: models.RefundRequest) -> dict[str, Any]:
    """Refund a redemption of a voucher."""
    amount, currency = _optional_amount(message.amounts)
    order = RefundOrder(
        number=(message.voucher.code or "") if message.redemptionId else _code(message.voucher),
        merchant=message.originator.merchant.merchantId.strip(),
        request=message.redemptionId or "",
        reference=message.receiverTransactionRef or "",
        amount_minor=amount,
        currency=currency,
    )
    asked = Asked(message.id, echo(message, call.settings))
    approval = await retail_refund.refund(call.services, caller, asked, order)
    return refund_answer(asked.echo, approval, _reference(caller, message.id))


async def lookup_voucher(call: Call) -> web.StreamResponse:
    """Tell what a voucher is worth, by its code, serial number or provision; nothing is changed."""
    return await _told(call, _looked_up(call), Subject(call.parameters["provisionRequestId"] or NIL))


async def lookup_redemption(call: Call) -> web.StreamResponse:
    """Give the answer to a redemption again, whatever it was."""
    return await _told(call, _recalled(call), Subject(call.parameters["requestId"], "", RetailKind.REDEMPTION))


async def _told(call: Call, work: Awaitable[web.Response], subject: Subject) -> web.StreamResponse:
    """Give what the work comes to; every failure is an ErrorDetail about its message."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - a client repeats what it gets no ErrorDetail for
        answer = answer_error(error, subject, await _detail(call, error))
        if answer is None:
            log_defect(call.request, error)
        return answer or defect(subject)


async def _detail(call: Call, error: Exception) -> dict[str, Any] | None:
    """Show the voucher that a repeated provision made the first time."""
    if not isinstance(error, RetailRefused) or not error.serial or error.kind is not RetailKind.PROVISION:
        return None
    return {"voucher": issued_voucher(await retail_provision.provisioned(call.services, error.serial))}


async def _looked_up(call: Call) -> web.Response:
    caller, asked = _caller(call), call.parameters
    if not (asked["voucherCode"] or asked["voucherSerialNumber"] or asked["provisionRequestId"]):
        raise Refused([Fault("", "missing", "voucherCode may not be null")])
    serial = asked["voucherSerialNumber"]
    if serial and not is_serial(serial):
        raise retail_lookup.unknown_voucher()
    voucher = await retail_lookup.voucher(
        call.services,
        caller,
        number=asked["voucherCode"],
        serial=int(serial or 0),
        request=asked["provisionRequestId"],
    )
    routing = {"settlementEntity": asked["settlementEntityInstId"], "receiver": asked["receiverInstId"]}
    return json_answer(lookup_answer(voucher, routing, call.settings))


async def _recalled(call: Call) -> web.Response:
    caller, request_id = _caller(call), call.parameters["requestId"]
    try:
        kept = await retail_redemption.recall(call.services, caller, request_id)
    except RetailRefused as refused:
        if refused.fault is RetailFault.NOT_YOURS:
            return web.Response(status=web.HTTPForbidden.status_code)
        return web.Response(status=web.HTTPNotFound.status_code)
    if kept.approval:
        return json_answer(redemption_answer(kept.echo, kept.approval, _reference(caller, request_id)))
    subject = Subject(request_id, "", RetailKind.REDEMPTION)
    return (kept.decline and answer_error(kept.decline.error(), subject)) or defect(subject)


def _caller(call: Call, claimed: str = "") -> Caller:
    return Caller(SUV, client_of(call.request, call.settings, claimed), call.origin)


def _message(received: Received) -> Any:  # noqa: ANN401 (whatever the operation's body is)
    if received.refusal:
        raise received.refusal
    return received.message


def _advice(message: models.BasicAdvice) -> Advice:
    final = message.amounts.approvedAmount if message.amounts else None
    if final is None:
        return Advice(message.id, message.requestId)
    return Advice(message.id, message.requestId, _bounded(final.amount, least=0), _currency(final.currency))


def _code(voucher: models.SuvVoucher) -> str:
    if not voucher.code:
        raise Refused([Fault("/voucher/code", "missing", "voucher.code may not be null")])
    return voucher.code


def _wanted_amount(amounts: models.SuvAmounts | None) -> tuple[int, str]:
    """What a provision asks for: an amount, or the price of the product (0)."""
    said = amounts and (amounts.requestAmount or amounts.approvedAmount)
    return (_bounded(said.amount, least=1), _currency(said.currency)) if said else (0, "")


def _optional_amount(amounts: models.SuvAmounts | None) -> tuple[int, str]:
    """What is to be redeemed or refunded: 0 for all there is."""
    said = amounts and amounts.requestAmount
    return (_bounded(said.amount, least=1), _currency(said.currency)) if said else (0, "")


def _bounded(minor: int, *, least: int) -> int:
    if not least <= minor <= LARGEST_AMOUNT:
        raise VoucherRefused(VoucherFault.AMOUNT, f"The amount must be between {least} and {LARGEST_AMOUNT}.")
    return minor


def _currency(number: str) -> str:
    code = currency_of_number(number)
    if code is None:
        raise VoucherRefused(VoucherFault.CURRENCY, "There is no such currency in ISO 4217.")
    return code


def _reference(caller: Caller, request_id: str) -> str:
    """Name a request for the settlement entity: unique, also where two clients use the same id."""
    return MessageId(caller.name, request_id).token

"""Single Use Voucher interface 1.14: its eleven operations, with or without a slash at the end of the path."""

from typing import Any, Final

from pydantic import TypeAdapter

from connector.api.operation import Answer, Body, Handler, Operation, Parameter
from connector.api.suv import examples, handlers, models
from connector.api.suv.errors import ErrorDetail, suv
from connector.api.suv.received import parse
from connector.domain.retail import RetailKind
from connector.flows.vouchers import retail_provision, retail_redemption, retail_refund

GROUP: Final = "Retail vouchers (SUV)"
BASE: Final = "/suv/v1"
LARGEST: Final = 256 * 1024
"""Bytes of a message; slip lines make up most of a large one."""

_REFUSED: Final = Answer(400, "Declined; nothing was changed. Also for wrong credentials.", ErrorDetail)
_UNKNOWN: Final = Answer(404, "There is no such request; for a reversal: nothing to undo.", ErrorDetail)
_LARGE: Final = Answer(413, "The message is too large.", ErrorDetail)
_FAILED: Final = (
    Answer(500, "A defect; the outcome is not known.", ErrorDetail),
    Answer(503, "A part of IsoGate does not answer; nothing was done.", ErrorDetail),
    Answer(504, "The outcome is not known: reverse, or ask again.", ErrorDetail),
)

_REQUEST_ID: Final = Parameter(
    "requestId", "path", "The redemption's id.", required=True, example=examples.REDEMPTION["id"]
)
_QUERY: Final = (
    Parameter("voucherCode", "query", "The voucher's code; one of the first three is needed.", max_length=40),
    Parameter("provisionRequestId", "query", "The id of the request that made it.", max_length=36),
    Parameter("voucherSerialNumber", "query", "Its serial number.", max_length=40, example="1000000000000000"),
    Parameter("receiverInstId", "query", "Routing hint, given back.", max_length=40),
    Parameter("settlementEntityInstId", "query", "Routing hint, given back.", max_length=40),
)


def _same(body: object) -> object:
    return body


def _body(
    model: Any,  # noqa: ANN401 (any model)
    example: object,
) -> Body:
    adapter: TypeAdapter[Any] = TypeAdapter(model)
    return Body(adapter, adapter, _same, example, parse=parse, max_bytes=LARGEST)


def _posting(path: str, handler: Handler, summary: str, body: Body, answers: tuple[Answer, ...]) -> Operation:
    return Operation(
        "POST",
        f"{BASE}{path}",
        handler,
        summary,
        GROUP,
        suv,
        (*answers, _REFUSED, _LARGE, *_FAILED),
        body=body,
        description=f"{summary}.",
        errors=ErrorDetail,
        basic=True,
        also=(f"{BASE}{path}/",),
    )


def _requesting(
    path: str, kind: RetailKind, act: handlers.Request, models_: tuple[object, object], example: object
) -> Operation:
    request, answer = models_
    done = Answer(201, "Done, and approved.", answer)
    return _posting(path, handlers.request(kind, act), f"Request a {kind}", _body(request, example), (done,))


def _advising(path: str, kind: RetailKind, act: handlers.Settle, model: object, example: object) -> Operation:
    verb = "Reverse" if model is models.BasicReversal else "Confirm"
    accepted = Answer(202, "Accepted; the advice is given back.", model)
    handler = handlers.advice(kind, act)
    return _posting(path, handler, f"{verb} a {kind}", _body(model, example), (accepted, _UNKNOWN))


def _asking(
    path: str, handler: Handler, summary: str, parameters: tuple[Parameter, ...], *found: Answer
) -> Operation:
    return Operation(
        "GET",
        f"{BASE}{path}",
        handler,
        summary,
        GROUP,
        suv,
        (*found, _REFUSED, *_FAILED),
        parameters=parameters,
        errors=ErrorDetail,
        basic=True,
        also=(f"{BASE}{path}/",),
    )


_PROVISION, _REDEMPTION, _REFUND = RetailKind.PROVISION, RetailKind.REDEMPTION, RetailKind.REFUND

OPERATIONS: Final = (
    _requesting(
        "/vouchers", _PROVISION, handlers.provision, (models.ProvisionRequest, models.ProvisionResponse),
        examples.PROVISION,
    ),
    _advising(
        "/vouchers/confirmations", _PROVISION, retail_provision.confirm, models.TenderAdvice,
        examples.TENDER,
    ),
    _advising(
        "/vouchers/reversals", _PROVISION, retail_provision.reverse, models.BasicReversal,
        examples.reversal(examples.PROVISION),
    ),
    _asking(
        "/vouchers", handlers.lookup_voucher, "Look a voucher up", _QUERY,
        Answer(200, "What is known of it; the code is not.", models.VoucherLookupResponse), _UNKNOWN,
    ),
    _requesting(
        "/redemptions", _REDEMPTION, handlers.redeem, (models.RedemptionRequest, models.RedemptionResponse),
        examples.REDEMPTION,
    ),
    _advising(
        "/redemptions/confirmations", _REDEMPTION, retail_redemption.confirm, models.BasicAdvice,
        examples.advice(examples.REDEMPTION),
    ),
    _advising(
        "/redemptions/reversals", _REDEMPTION, retail_redemption.reverse, models.BasicReversal,
        examples.reversal(examples.REDEMPTION),
    ),
    _asking(
        "/redemptions/{requestId}", handlers.lookup_redemption, "Look a redemption up", (_REQUEST_ID,),
        Answer(200, "It was approved: the answer again.", models.RedemptionResponse),
        Answer(403, "It is another client's."),
        Answer(404, "It was never received."),
    ),
    _requesting(
        "/refunds", _REFUND, handlers.refund, (models.RefundRequest, models.RefundResponse), examples.REFUND,
    ),
    _advising(
        "/refunds/confirmations", _REFUND, retail_refund.confirm, models.BasicAdvice,
        examples.advice(examples.REFUND),
    ),
    _advising(
        "/refunds/reversals", _REFUND, retail_refund.reverse, models.BasicReversal,
        examples.reversal(examples.REFUND),
    ),
)  # fmt: skip

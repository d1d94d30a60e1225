"""The operations of vouchers in GovStack Payments v3.0, with their models, examples and answers."""

from dataclasses import replace
from typing import Final

from pydantic import TypeAdapter

from connector.api.govstack_v3_terms import CALLBACK, GROUP, REFUSED, REGISTERING, SOURCES
from connector.api.models_v1 import AnswerV1
from connector.api.models_v3 import AnswerV3, ErrorV3
from connector.api.operation import Answer, Body, Handler, Operation, Parameter
from connector.api.shapes import ACKNOWLEDGED, govstack_v1, govstack_v3
from connector.api.submission import PROGRAMME
from connector.api.vouchers import models_v3 as models
from connector.api.vouchers import v3

_CALLBACK: Final = replace(
    CALLBACK,
    required=False,
    description="Where the outcome is reported; a creation needs it, unless a URL of the source is known here.",
)
_CREATION: Final = {
    "requestID": "REQ000000006",
    "batchID": "BATCH0000006",
    "voucherInstructions": [
        {
            "instructionID": "INSTR00000000001",
            "groupCode": "FOOD",
            "currency": "USD",
            "amount": 15.25,
            "payeeFunctionalID": "PERSON00000000000001",
            "narration": "School meals",
        }
    ],
}
_CHANGE: Final = {
    "RequestID": "REQ000000007",
    "BatchID": "BATCH0000006",
    "VoucherInstructions": [{"serialNumber": "1000000000000001"}],
}
_REDEEMED: Final = {
    "status": 1,
    "message": "Redeemed",
    "serialNumber": "1000000000000001",
    "value": 15.25,
    "timestamp": "2030-01-31T08:00:00Z",
    "transactionId": "MZXW6YTBOI5A",
}
_TAKEN: Final = {"ResponseCode": "00", "ResponseDescription": ACKNOWLEDGED, "RequestID": "REQ000000006"}
_STATUS: Final = {"status": 2, "serialNumber": "1000000000000001", "value": 15.25}
_NO_STATUS: Final = {
    "status": 9,
    "message": "There is no such voucher.",
    "serialNumber": "1000000000000009",
    "value": 0,
}
_BATCH: Final = {
    "requestID": "REQ000000006",
    "batchID": "BATCH0000006",
    "total": 1,
    "vouchers": [{"status": 2, "state": "activated", "currency": "USD", "number": 1, "amount": 15.25}],
}


def _status(path: str, summary: str) -> Operation:
    handler: Handler = v3.status
    return Operation(
        "GET",
        path,
        handler,
        summary,
        GROUP,
        v3.status_refused,
        (
            Answer(200, "Its status and amount.", models.VoucherStatusV3, _STATUS),
            Answer(400, "There is no such voucher, or it is in the archive.", models.NoVoucherStatusV3, _NO_STATUS),
        ),
        roles=SOURCES,
        errors=models.NoVoucherStatusV3,
        parameters=(
            v3.SERIAL,
            Parameter("fields", "query", "Always status.", required=True, choices=("status",), example="status"),
        ),
        description="1 inactive, 2 active, 3 cancelled, 4 expired, 5 utilised, 6 suspended or blocked.",
    )


OPERATIONS: Final = (
    Operation(
        "POST",
        "/vouchers",
        v3.post,
        "Create vouchers; redeem one; cancel some",
        GROUP,
        govstack_v3,
        (
            Answer(
                200,
                "A creation or cancellation was taken, or what became of a redemption.",
                models.TakenV3 | AnswerV3 | models.RedeemedV3,
                _TAKEN,
            ),
            REFUSED,
            Answer(
                503,
                "The outcome of the redemption is not known yet: the same request again continues it. Or a part of "
                "IsoGate does not answer.",
                models.RedeemedV3 | ErrorV3,
                {**_REDEEMED, "status": 0, "message": "In progress"},
            ),
        ),
        roles=SOURCES,
        parameters=(v3.POST_COMMAND, PROGRAMME, REGISTERING, _CALLBACK),
        body=Body(TypeAdapter(models.Posted), TypeAdapter(models.LenientPosted), lambda body: body, _CREATION),
        description=(
            "All vouchers of a creation are made or none; their numbers come by callback only, sealed. An identical "
            "repeat gets the first answer; a used requestID or batchID with other content is refused."
        ),
    ),
    Operation(
        "PUT",
        "/vouchers",
        v3.put,
        "Activate, suspend or reactivate vouchers",
        GROUP,
        govstack_v1,
        (
            Answer(200, "Taken.", models.TakenV3, {**_TAKEN, "RequestID": "REQ000000007"}),
            Answer(400, "Refused; nothing was changed.", AnswerV1),
        ),
        roles=SOURCES,
        parameters=(v3.PUT_COMMAND, REGISTERING, _CALLBACK),
        body=Body(
            TypeAdapter(models.ChangeVouchersV3),
            TypeAdapter(models.LenientChangeVouchersV3),
            models.change,
            _CHANGE,
        ),
        description="Each voucher for itself; the failed cases are reported to the callback URL.",
    ),
    Operation(
        "GET",
        "/vouchers/batches/{batchID}",
        v3.batch,
        "Tell how the vouchers of a batch stand",
        GROUP,
        govstack_v3,
        (
            Answer(200, "How many are in which state.", models.VoucherBatchV3, _BATCH),
            REFUSED,
            Answer(404, "No such batch.", ErrorV3),
        ),
        roles=SOURCES,
        parameters=(v3.BATCH, REGISTERING),
        description="An extension of the contract.",
    ),
    _status("/vouchers/{serialNumber}", "Tell how a voucher stands"),
    _status("/voucher/{serialNumber}", "Tell how a voucher stands (path of Payment Hub EE)"),
)

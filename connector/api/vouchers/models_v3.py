"""Request and answer bodies of the vouchers of GovStack Payments v3.0.

Source: VoucherPreactivationRequest.yml, VoucherActivate.yml, VoucherRedemption.yml, VoucherStatus.yml,
VoucherCancellation.yml (branch main). Keys are accepted in any case. The files limit serial numbers to 6, 10 or 20
characters and the secret number to 6, while v1.0 demands at least 16 of both, which is what they have here.
"""
# ruff: noqa: N815 - the fields have the contract's names

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple, NotRequired

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WrapValidator, model_validator
from typing_extensions import TypedDict

from connector.api.model_types import (
    AmountOrText,
    CurrencyCode,
    Several,
    Upto12,
    Upto16,
    Upto20,
    Upto36,
    Upto50,
    any_case,
    minor,
    refuse,
)
from connector.api.vouchers.models_v1 import Digits
from connector.domain.errors import Fault
from connector.flows.vouchers.issue import Wanted

_KEYS: Final = any_case(
    "requestID",
    "batchID",
    "voucherInstructions",
    "instructionID",
    "groupCode",
    "currency",
    "amount",
    "payeeFunctionalID",
    "narration",
    "serialNumber",
    "voucherSerialNumber",
    "agentID",
    "voucherSecretNumber",
)
AnyCase = BeforeValidator(_KEYS)


class VoucherInstructionV3(TypedDict):
    """One voucher that is wanted. groupCode: the file allows 3 characters, groups here may have more."""

    instructionID: Upto16
    groupCode: Upto36
    currency: CurrencyCode
    amount: AmountOrText
    payeeFunctionalID: NotRequired[Upto20 | None]
    narration: NotRequired[Upto50 | None]


class LenientVoucherInstructionV3(VoucherInstructionV3):
    """As ``VoucherInstructionV3`` with free id lengths."""

    instructionID: Upto36
    payeeFunctionalID: NotRequired[Upto36 | None]


class VoucherNamedV3(TypedDict):
    """One voucher, named by its serial number."""

    serialNumber: Digits


class _AnyCase(BaseModel):
    @model_validator(mode="before")
    @classmethod
    def _spelled(cls, value: object) -> object:
        return _KEYS(value)


class CreateVouchersV3(_AnyCase):
    """Vouchers to be created, of any groups and currencies."""

    requestID: Upto12
    batchID: Upto12 | None = None
    voucherInstructions: Several[Annotated[VoucherInstructionV3, AnyCase]]


class LenientCreateVouchersV3(_AnyCase):
    """As ``CreateVouchersV3`` with free id lengths."""

    model_config = ConfigDict(title="CreateVouchersV3")
    requestID: Upto36
    batchID: Upto36 | None = None
    voucherInstructions: Several[Annotated[LenientVoucherInstructionV3, AnyCase]]


class ChangeVouchersV3(_AnyCase):
    """Vouchers to be activated, suspended, reactivated or cancelled."""

    requestID: Upto12
    batchID: Upto12 | None = None
    voucherInstructions: Several[Annotated[VoucherNamedV3, AnyCase]]


class LenientChangeVouchersV3(ChangeVouchersV3):
    """As ``ChangeVouchersV3`` with free id lengths."""

    model_config = ConfigDict(title="ChangeVouchersV3")
    requestID: Upto36
    batchID: Upto36 | None = None


class RedeemVoucherV3(_AnyCase):
    """A voucher to be redeemed, and at whose place."""

    requestID: Upto12
    voucherSerialNumber: Digits
    agentID: Upto36
    voucherSecretNumber: Digits


class LenientRedeemVoucherV3(RedeemVoucherV3):
    """As ``RedeemVoucherV3`` with a free id length."""

    model_config = ConfigDict(title="RedeemVoucherV3")
    requestID: Upto36


def _later(value: object, _: object) -> object:
    """Let the handler validate, which knows the command."""
    return value


Posted = Annotated[CreateVouchersV3 | ChangeVouchersV3 | RedeemVoucherV3, WrapValidator(_later)]
LenientPosted = Annotated[
    LenientCreateVouchersV3 | LenientChangeVouchersV3 | LenientRedeemVoucherV3, WrapValidator(_later)
]


class TakenV3(BaseModel):
    """That a creation or a change of state was taken, in the case of its file."""

    ResponseCode: str = Field(max_length=2, examples=["00"])
    ResponseDescription: str = Field(max_length=200, examples=["Request successfully received by Pay-BB"])
    RequestID: str = Field(max_length=36, examples=["REQ000000001"])


class RedeemedV3(BaseModel):
    """What became of a redemption: status 1 for success, 0 for failure."""

    status: int = Field(ge=0, le=1)
    message: str = Field(max_length=20)
    serialNumber: str = Field(max_length=20)
    value: Decimal = Field(json_schema_extra={"type": "number"})
    timestamp: str
    transactionId: str | None = Field(default=None, max_length=12)


class VoucherStatusV3(BaseModel):
    """How a voucher stands: 1 inactive, 2 active, 3 cancelled, 4 expired, 5 utilised, 6 suspended."""

    status: int = Field(ge=1, le=6)
    serialNumber: str = Field(max_length=20)
    value: Decimal = Field(json_schema_extra={"type": "number"})


class NoVoucherStatusV3(BaseModel):
    """Why there is no status."""

    status: int = Field(examples=[9])
    message: str
    serialNumber: str = Field(max_length=20)
    value: Decimal = Field(json_schema_extra={"type": "number"})


class VoucherTallyV3(BaseModel):
    """How many vouchers of a batch are in a state, and what they are worth."""

    status: int
    state: str
    currency: str
    number: int
    amount: Decimal = Field(json_schema_extra={"type": "number"})


class VoucherBatchV3(BaseModel):
    """How the vouchers of a batch stand."""

    requestID: str
    batchID: str
    total: int
    vouchers: list[VoucherTallyV3]


class Creation(NamedTuple):
    """Vouchers that are wanted, as the flows take them."""

    request_id: str
    batch_id: str
    wanted: Sequence[Wanted]


class Change(NamedTuple):
    """Vouchers to be changed, by serial number as it was written."""

    request_id: str
    serials: Sequence[str]


def creation(body: CreateVouchersV3 | LenientCreateVouchersV3) -> Creation:
    """Read a creation; raises ``Refused`` for amounts and currencies that cannot be, and ids that come twice."""
    faults: list[Fault] = []
    wanted = [_wanted(index, each, faults) for index, each in enumerate(body.voucherInstructions)]
    seen: set[str] = set()
    for index, each in enumerate(wanted):
        if each.instruction_id in seen:
            faults.append(Fault(f"{_place(index)}/instructionID", "AM05", "This instruction id came before."))
        seen.add(each.instruction_id)
    refuse(faults)
    return Creation(body.requestID, body.batchID or "", wanted)


def change(body: ChangeVouchersV3) -> Change:
    """Read a change of state; a voucher that is named twice is meant once."""
    return Change(body.requestID, list(dict.fromkeys(each["serialNumber"] for each in body.voucherInstructions)))


def redeems(body: object) -> bool:
    """Tell whether a body can only be a redemption; its official file has the command of a cancellation."""
    keys = {str(key).lower() for key in body} if isinstance(body, Mapping) else set()
    return "vouchersecretnumber" in keys and "voucherinstructions" not in keys


def _wanted(index: int, each: Mapping[str, Any], faults: list[Fault]) -> Wanted:
    currency = each["currency"]
    return Wanted(
        each["groupCode"],
        currency,
        minor(each["amount"], currency, _place(index), ("amount", "currency"), faults),
        each["instructionID"],
        each.get("payeeFunctionalID") or "",
        each.get("narration") or "",
    )


def _place(index: int) -> str:
    return f"/voucherInstructions/{index}"

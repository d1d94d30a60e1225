"""Request and answer bodies of the vouchers of GovStack Payments v1.0.

Source: VoucherAPIS.json (branch 1.0-QA) and the rules of the compliance tests: serial and voucher numbers arrive as
JSON numbers or strings, ``override`` as a boolean or "true" / "false", and what is wrong with a pre-activation has a
status of its own, so that it is checked field by field. The file's list of currencies is older than ISO 4217 of
today; it is the latter that counts. Unknown fields are ignored.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema, WrapValidator
from pydantic_core import PydanticCustomError

from connector.domain.directory import Directory
from connector.domain.errors import Refused
from connector.domain.money import is_currency, minor_units
from connector.domain.voucher import LARGEST_AMOUNT, VoucherFault, VoucherRefused
from connector.flows.vouchers.issue import Wanted

AMOUNT: Final = r"^([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[0-9])?$"
LONGEST_NUMBER: Final = 25

_AMOUNT: Final = re.compile(AMOUNT)
_SWITCHES: Final = {"true": True, "false": False}


def _digits(value: object) -> str:
    """Take a number as JSON number or as text; whether there is such a number is a later question."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value.strip()
    raise PydanticCustomError("number", "A number is expected, as JSON number or string.")


def _switch(value: object) -> bool:
    found = _SWITCHES.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise PydanticCustomError("boolean", "Either true or false.")
    return found


Digits = Annotated[
    str,
    PlainValidator(_digits),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "format": "int64", "minimum": 0}, {"type": "string", "maxLength": 36}]}
    ),
]
Switch = Annotated[
    bool,
    PlainValidator(_switch),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}]}),
]
Text = Annotated[str, Field(max_length=256)]


class PreactivationV1(BaseModel):
    """A voucher that is wanted."""

    voucher_amount: str = Field(min_length=1, max_length=23, pattern=AMOUNT, examples=["15.21"])
    voucher_currency: str = Field(pattern="^[A-Z]{3}$", examples=["USD"])
    voucher_group: str = Field(min_length=1)
    Gov_Stack_BB: str = Field(min_length=1)
    voucher_comment: str | None = None


class ActivationV1(BaseModel):
    """A voucher to be activated."""

    voucher_serial_number: Digits
    Gov_Stack_BB: Text


class RedemptionV1(BaseModel):
    """A voucher to be redeemed, and who is credited."""

    voucher_number: Digits
    Gov_Stack_BB: Text
    merchant_name: Text
    merchant_bank_details: Text
    merchant_voucher_group: Text
    override: Switch


class CancellationV1(BaseModel):
    """A voucher to be cancelled."""

    voucherserialnumber: Digits
    Gov_Stack_BB: Text


class MessageV1(BaseModel):
    """What a person can read: the body of every refusal."""

    message: str


class PreactivatedV1(BaseModel):
    """A voucher that was handed out. The expiry is what it would be if the voucher were activated now."""

    voucher_number: str = Field(min_length=16, max_length=25)
    voucher_serial_number: str = Field(min_length=16, max_length=25)
    expiry_date_time: str


class ResultV1(BaseModel):
    """That it was done."""

    result_status: str


class StatusV1(BaseModel):
    """How a voucher stands, and what it is worth."""

    voucher_status: Literal[
        "Not Pre-Activated", "Pre-Activated", "Activated", "Suspended", "Blocked", "Purged", "Not Existing"
    ]
    voucher_amount: str


class Preactivation(NamedTuple):
    """A pre-activation as it was sent, nothing of it checked."""

    amount: object
    currency: object
    group: object
    caller: str
    comment: str

    def wanted(self, directory: Directory) -> Wanted:
        """Check amount, currency and group, in this order; raises ``VoucherRefused`` for the first that is wrong."""
        amount = _amount(self.amount)
        currency = self.currency if isinstance(self.currency, str) else ""
        if not is_currency(currency):
            raise VoucherRefused(VoucherFault.CURRENCY, "It is not in ISO 4217.", where="/voucher_currency")
        minor = _minor(amount, currency)
        if not isinstance(self.group, str) or self.group not in directory.groups:
            raise VoucherRefused(VoucherFault.UNKNOWN_GROUP, "There is no such group.", where="/voucher_group")
        return Wanted(self.group, currency, minor, narration=self.comment)


def _amount(sent: object) -> Decimal:
    """Take the amount from a string, as the contract has it, or from a JSON number."""
    text = format(sent, "f") if isinstance(sent, int | Decimal) and not isinstance(sent, bool) else sent
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise VoucherRefused(VoucherFault.AMOUNT, "A positive decimal number, as a string.", where="/voucher_amount")
    return Decimal(text)


def _minor(amount: Decimal, currency: str) -> int:
    try:
        minor = minor_units(amount, currency)
    except Refused as error:
        raise VoucherRefused(VoucherFault.AMOUNT, error.faults[0].sentence, where="/voucher_amount") from None
    if minor > LARGEST_AMOUNT:
        raise VoucherRefused(VoucherFault.AMOUNT, "It is too large.", where="/voucher_amount")
    return minor


def _object(value: object, _: object) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not value:
        raise PydanticCustomError("empty", "A JSON object with the voucher's amount, currency and group is expected.")
    return value


SentPreactivation = Annotated[PreactivationV1, WrapValidator(_object)]
"""Documented as the contract has it, but not validated at once."""


def preactivation(body: Mapping[str, Any]) -> Preactivation:
    """Take the fields of a pre-activation; what is not there is ``None`` or ""."""
    caller, comment = body.get("Gov_Stack_BB"), body.get("voucher_comment")
    return Preactivation(
        body.get("voucher_amount"),
        body.get("voucher_currency"),
        body.get("voucher_group"),
        caller if isinstance(caller, str) else "",
        comment[:50] if isinstance(comment, str) else "",
    )

"""Messages of the Single Use Voucher interface.

Source: suv swagger 1.14.0 and the behaviour of its test server: unknown fields are refused, numbers are taken as
texts, null is the same as absent, and nulls are never sent. ``thirdPartyIdentifiers`` and ``tenders`` may be
left out.
"""
# ruff: noqa: N815 - the fields have the contract's names

import re
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

UUID: Final = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)
LONGEST: Final = 256


def _moment(text: str) -> str:
    """Insist on RFC 3339; the text is kept as it came, since it goes back that way."""
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:
        text = ""
    if not _MOMENT.fullmatch(text):
        raise PydanticCustomError("moment", "must be a date and time as in RFC 3339")
    return text


def _numeric_currency(value: object) -> object:
    """Give a currency that arrives as a number its leading zeros back."""
    return f"{value:03d}" if isinstance(value, int) and not isinstance(value, bool) else value


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise PydanticCustomError("number", "must be a number")
    return value


Text = Annotated[str, StringConstraints(max_length=LONGEST)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
Upto2 = Annotated[str, StringConstraints(max_length=2)]
Upto13 = Annotated[str, StringConstraints(max_length=13)]
Upto20 = Annotated[str, StringConstraints(max_length=20)]
Upto23 = Annotated[str, StringConstraints(max_length=23)]
Upto30 = Annotated[str, StringConstraints(max_length=30)]
Upto40 = Annotated[str, StringConstraints(max_length=40)]
Exactly8 = Annotated[str, StringConstraints(min_length=8, max_length=8)]
Exactly15 = Annotated[str, StringConstraints(min_length=15, max_length=15)]
MessageUuid = Annotated[str, StringConstraints(pattern=UUID)]
Moment = Annotated[str, AfterValidator(_moment), Field(json_schema_extra={"format": "date-time"})]
MinorUnits = Annotated[int, BeforeValidator(_number), Field(ge=-(2**63), lt=2**63)]
Integer = Annotated[int, BeforeValidator(_number), Field(ge=-(2**31), lt=2**31)]
NumericCurrency = Annotated[
    str, BeforeValidator(_numeric_currency), StringConstraints(pattern=r"^[0-9]{3}$"), Field(examples=["710"])
]
CardNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}[0-9*]{0,13}$")]
AccountType = Literal[
    "DEFAULT", "SAVINGS", "CHEQUE", "CREDIT", "UNIVERSAL", "ELECTRONIC_PURSE", "GIFT_CARD", "STORED_VALUE"
]
TransactionType = Literal[
    "GOODS_AND_SERVICES", "CASH_WITHDRAWAL", "DEBIT_ADJUSTMENT", "GOODS_AND_SERVICES_WITH_CASH_BACK", "NON_CASH",
    "RETURNS", "DEPOSIT", "CREDIT_ADJUSTMENT", "GENERAL_CREDIT", "AVAILABLE_FUNDS_INQUIRY", "BALANCE_INQUIRY",
    "GENERAL_INQUIRY", "CARD_VERIFICATION_INQUIRY", "CARDHOLDER_ACCOUNTS_TRANSFER", "GENERAL_TRANSFER",
    "PAYMENT_FROM_ACCOUNT", "GENERAL_PAYMENT", "PAYMENT_TO_ACCOUNT", "PAYMENT_FROM_ACCOUNT_TO_ACCOUNT",
    "PLACE_HOLD_ON_CARD", "GENERAL_ADMIN", "CHANGE_PIN", "CARD_HOLDER_INQUIRY", "POINTS_INQUIRY",
]  # fmt: skip
PosCondition = Literal[
    "NORMAL_PRESENTMENT", "CUSTOMER_NOT_PRESENT", "CUSTOMER_PRESENT_AND_CARD_NOT_PRESENT",
    "CUSTOMER_IDENTITY_VERIFIED", "PUBLIC_UTILITY_TERMINAL", "CUSTOMER_TERMINAL", "MANUAL_REVERSAL",
    "UNATTENDED_TERMINAL_AND_CARD_CAN_BE_RETAINED", "UNATTENDED_TERMINAL_AND_CARD_CANNOT_BE_RETAINED",
]  # fmt: skip
PanEntry = Literal[
    "UNKNOWN", "MANUAL", "MAGSTRIPE_NO_CVV", "BARCODE", "OCR", "ICC_CVV", "CONTACTLESS_ICC", "MAGSTRIPE_CVV",
    "CONTACTLESS_MAGSTRIPE", "ICC_NO_CVV", "ORIG_MODE", "FALLBACK",
]  # fmt: skip
TenderKind = Literal[
    "CASH", "CHEQUE", "CREDIT_CARD", "DEBIT_CARD", "WALLET", "ROUNDING", "GIFT_CARD", "LOYALTY_CARD", "OTHER"
]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


class SuvInstitution(_Exact):
    """Somebody who takes part."""

    id: Name
    name: Upto40


class SuvMerchantName(_Exact):
    """A merchant's name and place."""

    name: Upto23
    city: Upto13
    region: Upto2
    country: Upto2


class SuvMerchant(_Exact):
    """A merchant: category code, card acceptor id, name."""

    merchantType: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
    merchantId: Exactly15
    merchantName: SuvMerchantName


class SuvOriginator(_Exact):
    """Where the request started."""

    institution: SuvInstitution
    terminalId: Exactly8
    merchant: SuvMerchant
    operatorId: Upto30 | None = None


class SuvThirdPartyIdentifier(_Exact):
    """One party's own reference of the transaction."""

    institutionId: Name
    transactionIdentifier: Name


class SuvBarcode(_Exact):
    """A barcode to print."""

    data: Text
    encoding: Text


class SuvSlipLine(_Exact):
    """A line to print."""

    barcode: SuvBarcode | None = None
    text: Text
    fontWidthScaleFactor: float | None = None
    fontHeightScaleFactor: float | None = None
    line: bool | None = None
    cut: bool | None = None


class SuvSlipData(_Exact):
    """What to print for the customer."""

    messageLines: list[SuvSlipLine] | None = None
    slipWidth: Integer | None = None
    issuerReference: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,40}$")] | None = None


class SuvAmount(_Exact):
    """Minor units of a currency by its ISO 4217 number."""

    amount: MinorUnits
    currency: NumericCurrency
    ledgerIndicator: Literal["DEBIT", "CREDIT"] | None = None


class SuvAmounts(_Exact):
    """The amounts of a transaction."""

    requestAmount: SuvAmount | None = None
    approvedAmount: SuvAmount | None = None
    feeAmount: SuvAmount | None = None
    balanceAmount: SuvAmount | None = None
    additionalAmounts: dict[str, SuvAmount] | None = None


class SuvTender(_Exact):
    """How the customer paid."""

    accountType: (
        Literal["DEFAULT", "SAVINGS", "CHEQUE", "CREDIT", "UNIVERSAL", "ELECTRONIC_PURSE", "STORED_VALUE"] | None
    ) = None
    amount: SuvAmount
    cardNumber: CardNumber | None = Field(None, repr=False)
    reference: Upto40 | None = None
    tenderType: TenderKind


class SuvPinClear(_Exact):
    """A PIN as it was keyed in."""

    type: Literal["CLEAR_PIN"]
    pin: Upto20 = Field(repr=False)


class SuvHashParameters(_Exact):
    """How a PIN was hashed; SHA-256 if it is not said."""

    name: Upto20


class SuvPinHashed(_Exact):
    """A hashed PIN in hexadecimal digits."""

    type: Literal["HASHED_PIN"]
    hash: Annotated[str, StringConstraints(pattern=r"^[0-9,A-Fa-f]{1,512}$")] = Field(repr=False)
    hashedPinParameters: SuvHashParameters | None = None


class SuvEncryptionParameters(_Exact):
    """How a PIN block was made."""

    pinBlockFormat: Literal["ISO_9564_FORMAT_0", "ISO_9564_FORMAT_1", "ISO_9564_FORMAT_3"] | None = None
    accountNumber: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")] = Field(repr=False)
    keyIndex: Integer | None = None


class SuvPinEncrypted(_Exact):
    """An encrypted PIN block, which is understood but not supported."""

    type: Literal["ENCRYPTED_PIN"]
    pinBlock: Annotated[str, StringConstraints(pattern=r"^[a-fA-F0-9]{16}$")] = Field(repr=False)
    encryptionParameters: SuvEncryptionParameters | None = None


SuvPin = Annotated[SuvPinClear | SuvPinHashed | SuvPinEncrypted, Field(discriminator="type")]


class SuvVoucher(_Exact):
    """A voucher. code and pin are secrets; only the answer to a provision carries the code."""

    code: Upto40 | None = Field(None, repr=False)
    expiryDate: Moment | None = None
    redeemInstructions: list[Text] | None = None
    serialNumber: Upto40 | None = None
    pin: SuvPin | None = Field(None, repr=False)


class SuvProduct(_Exact):
    """A product: a voucher group."""

    productId: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,20}$")]
    barcode: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,13}$")] | None = None
    name: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None


class SuvPosEntryMode(_Exact):
    """How the voucher was captured."""

    panEntryMode: PanEntry
    pinEntryCapability: Literal["UNKNOWN", "CAN_ACCEPT", "CANNOT_ACCEPT"]


class SuvPosInfo(_Exact):
    """The circumstances at the point of sale."""

    entryMode: SuvPosEntryMode | None = None
    posConditionCode: PosCondition | None = None


class SuvTransaction(_Exact):
    """What all requests and their answers have."""

    id: MessageUuid
    time: Moment
    originator: SuvOriginator
    client: SuvInstitution
    settlementEntity: SuvInstitution | None = None
    receiver: SuvInstitution | None = None
    thirdPartyIdentifiers: list[SuvThirdPartyIdentifier] = Field(default_factory=list)
    slipData: SuvSlipData | None = None
    basketRef: Text | None = None
    tranType: TransactionType | None = None
    srcAccType: AccountType | None = None
    destAccType: AccountType | None = None
    stan: Text | None = None
    rrn: Text | None = None
    amounts: SuvAmounts | None = None
    posInfo: SuvPosInfo | None = None


class ProvisionRequest(SuvTransaction):
    """A voucher is wanted. amounts.requestAmount: its value, unless the product has a fixed price."""

    tenders: list[SuvTender] | None = None
    voucher: SuvVoucher | None = None
    product: SuvProduct | None = None


class ProvisionResponse(SuvTransaction):
    """The voucher that was made, with its code."""

    voucher: SuvVoucher
    product: SuvProduct | None = None


class RedemptionRequest(SuvTransaction):
    """A voucher is redeemed. amounts.requestAmount: for how much; absent: for all that is left."""

    voucher: SuvVoucher


class RedemptionResponse(SuvTransaction):
    """What was redeemed (approvedAmount), and what is left (balanceAmount)."""

    voucher: SuvVoucher | None = None


class RefundRequest(SuvTransaction):
    """A redemption is refunded. amounts.requestAmount: for how much; absent: for all of it."""

    voucher: SuvVoucher
    redemptionId: Text | None = None
    receiverTransactionRef: Text | None = None


class RefundResponse(SuvTransaction):
    """What will be refunded once it is confirmed."""

    voucher: SuvVoucher | None = None


class VoucherLookupResponse(_Exact):
    """What is known of a voucher; approvedAmount: what can be redeemed now."""

    posInfo: SuvPosInfo | None = None
    settlementEntity: SuvInstitution | None = None
    receiver: SuvInstitution | None = None
    amounts: SuvAmounts | None = None
    voucher: SuvVoucher
    product: SuvProduct | None = None


class BasicAdvice(_Exact):
    """A confirmation. amounts.approvedAmount: the final amount; absent: as approved."""

    id: MessageUuid
    requestId: MessageUuid
    time: Moment
    thirdPartyIdentifiers: list[SuvThirdPartyIdentifier] = Field(default_factory=list)
    stan: Text | None = None
    rrn: Text | None = None
    amounts: SuvAmounts | None = None


class TenderAdvice(BasicAdvice):
    """The confirmation of a provision, and how the customer paid."""

    tenders: list[SuvTender] = Field(default_factory=list)


class BasicReversal(BasicAdvice):
    """A reversal. amounts.approvedAmount: what stands nevertheless; absent: nothing."""

    reversalReason: Literal["TIMEOUT", "CANCELLED", "RESPONSE_NOT_FINAL"]

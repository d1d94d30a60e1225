"""Bodies of the administration of vouchers. Amounts are minor units; account numbers are masked on the way out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict

from connector.api.model_types import PRINTABLE, CurrencyCode, Upto36, Upto100
from connector.domain.voucher import FIRST_SERIAL, LARGEST_AMOUNT, MerchantKind, VoucherState

MOST_AT_ONCE = 100_000
"""Vouchers provisioned by one request."""

Names = Annotated[list[Upto36], Field(max_length=100)]
Whole = Annotated[int, Strict(), Field(ge=0, lt=2**53)]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PolicyBody(_Exact):
    """What a group's vouchers allow. GovStack: the default."""

    partial: Annotated[bool, Strict()] = False
    reversal: Annotated[bool, Strict()] = False
    refund: Annotated[bool, Strict()] = False
    pays_merchant: Annotated[bool, Strict(), Field(description="A redemption credits the merchant at once")] = True


class GroupBody(_Exact):
    """A voucher group."""

    name: Upto100
    programme: Upto36
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3})?$", description="Empty: any")] = ""
    amount_minor: Annotated[int, Strict(), Field(ge=0, le=LARGEST_AMOUNT, description="0: any")] = 0
    validity_seconds: Annotated[int, Strict(), Field(ge=1, le=100 * 366 * 86_400)] = 90 * 86_400
    policy: PolicyBody = Field(default_factory=PolicyBody)
    on_demand: Annotated[bool, Strict()] = True
    limit: Annotated[Whole, Field(description="Most vouchers that may be out; 0: no limit")] = 0
    restock_threshold: Annotated[Whole, Field(description="Least stock without a notice; 0: never one")] = 0
    restock_url: Annotated[str, Field(max_length=2048, pattern=r"^(https?://[!-~]+)?$")] = ""
    accepted_at: Names = Field(default_factory=list)


class SavedGroup(GroupBody):
    """A voucher group."""

    code: str


class MerchantBody(_Exact):
    """A merchant or agent, and where it is credited."""

    name: Upto100
    kind: MerchantKind = MerchantKind.MERCHANT
    groups: Names = Field(default_factory=lambda: ["*"])
    institution: Annotated[str, Field(max_length=11, description="Empty: found from the address")] = ""
    address: Annotated[str, Field(max_length=34, pattern=PRINTABLE, description="Empty: cannot be credited")] = ""
    modality: Annotated[str, Field(pattern=r"^(00|01|03|04)?$")] = ""
    programme: Annotated[str, Field(max_length=36)] = ""
    active: Annotated[bool, Strict()] = True


class SavedMerchant(MerchantBody):
    """A merchant or agent; the address is masked."""

    id: str


class ProvisionBody(_Exact):
    """Vouchers to be put into stock. reference: the operator's own id of this; a repeat under it makes no more."""

    currency: CurrencyCode
    amount_minor: Annotated[int, Strict(), Field(ge=0, le=LARGEST_AMOUNT, description="0: the fixed price")] = 0
    count: Annotated[int, Strict(), Field(ge=1, le=MOST_AT_ONCE)]
    reference: Upto36


class ProvisionedBody(BaseModel):
    """What was put into stock: consecutive serial numbers."""

    lot: str
    first_serial: str
    last_serial: str
    count: int


class SerialsBody(_Exact):
    """The vouchers that something is to be done to."""

    serials: Annotated[
        list[Annotated[str, Field(pattern=r"^[1-9][0-9]{0,15}$", examples=[str(FIRST_SERIAL)])]],
        Field(min_length=1, max_length=10_000),
    ]
    reason: Annotated[str, Field(max_length=200, pattern=PRINTABLE)] = ""


class ChangedBody(BaseModel):
    """What became of one voucher; fault: why it could not be done, "" where it is done (or was so already)."""

    serial: str
    state: VoucherState | None
    fault: str
    repeated: bool


class ChangedList(BaseModel):
    """What became of each voucher, in the order asked."""

    done: int
    items: list[ChangedBody]


class VoucherBody(BaseModel):
    """A voucher; its number is never shown."""

    serial: str
    group: str
    programme: str
    state: VoucherState
    before: VoucherState | None
    currency: str
    amount_minor: int
    balance_minor: int
    created_at: str | None
    activated_at: str | None
    expires_at: str | None
    wrong_tries: int
    redemptions: int
    source: str
    lot: str
    instruction_id: str
    payee_functional_id: str
    narration: str


class VoucherEventBody(BaseModel):
    """A line of a voucher's history."""

    at: str | None
    actor: str
    action: str
    before: str
    after: str
    amount_minor: int
    detail: str


class RedemptionBody(BaseModel):
    """A redemption; batch: reference of the batch that pays the merchant."""

    id: str
    serial: str
    state: str
    amount_minor: int
    currency: str
    merchant: str
    dialect: str
    request: str
    at: str | None
    decided_at: str | None
    reason: str
    batch: str


class StockBody(BaseModel):
    """How many vouchers of a group are in a state, and their face value."""

    group: str
    state: VoucherState
    currency: str
    count: int
    face_minor: int


class PurgeBody(_Exact):
    """Which vouchers go into the archive."""

    older_than_days: Annotated[float, Field(ge=0, le=36_500, description="Redeemed, cancelled or expired so long")]
    most: Annotated[int, Strict(), Field(ge=1, le=1_000_000)] = 100_000


class PurgedBody(BaseModel):
    """How many vouchers went into how many files of the archive."""

    vouchers: int
    files: int


class MoneyBody(BaseModel):
    """A programme's vouchers in one currency. outstanding: what may still be redeemed of those that are out."""

    programme: str
    currency: str
    vouchers: int
    face_minor: int
    in_stock_minor: int
    outstanding_minor: int
    redeemed_minor: int
    ended_minor: int
    budget_minor: int
    reserved_minor: int
    spent_minor: int
    available_minor: int


class ReportBody(BaseModel):
    """Vouchers and budgets, in sums, and by group and state."""

    sums: list[MoneyBody]
    groups: list[StockBody]


class ResetBody(BaseModel):
    """What the sandbox was filled with."""

    sources: int
    programmes: int
    groups: int
    merchants: int
    beneficiaries: int
    vouchers: int
    created: int

"""The file format of demo data (docs/demo-data.md); its JSON schema is generated from here."""

from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from connector.domain.beneficiary import PaymentModality
from connector.domain.directory import ChannelKind, Inquiry, InstitutionKind, RecallPolicy, Route, Unanswered
from connector.domain.errors import Misconfigured
from connector.domain.voucher import MerchantKind

LARGEST_FILE_BYTES: Final = 64 * 1024 * 1024

_Id = Annotated[str, Field(min_length=1, max_length=36, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Name = Annotated[str, Field(max_length=100)]
_Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
_CurrencyOrAny = Annotated[str, Field(pattern=r"^([A-Z]{3})?$")]


def _exact(value: object) -> object:
    """Let amounts be texts or whole numbers: a JSON number with a fraction has lost its exactness already."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError('write the amount as a text, for example "15.21"')  # noqa: TRY004 - pydantic wants it
    return Decimal(value)


_Amount = Annotated[
    Decimal,
    BeforeValidator(_exact, json_schema_input_type=int | Annotated[str, Field(pattern=r"^\d{1,15}(\.\d{1,4})?$")]),
    Field(ge=0, max_digits=18),
]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DemoSource(_Exact):
    """A calling building block."""

    id: _Id
    name: _Name = ""
    programme: Annotated[str, Field(description="What it pays from unless it names another")] = ""
    callback_url: str = ""


class DemoProgramme(_Exact):
    """A programme and its money."""

    id: _Id
    name: _Name
    payer_bank: str = "TREAXU22"
    debtor_agent: str = "TREAXU22"
    account: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,34}$")] = "9000000001"
    account_name: _Name = "Ministry"
    route: Route = Route.PAYER_BANK
    budgets: Annotated[
        dict[_Currency, _Amount], Field(description="Amount by currency; 0 or none: the funding account is empty")
    ] = Field(default_factory=dict)
    open_budget: bool = False
    recall: RecallPolicy = RecallPolicy.BEFORE_SETTLEMENT


class DemoInstitution(_Exact):
    """A bank or mobile-money operator beside those of the sandbox."""

    code: Annotated[str, Field(min_length=1, max_length=11)]
    name: _Name
    kind: InstitutionKind
    addresses: Annotated[
        list[str], Field(description="Regular expressions of the account numbers that belong to it")
    ] = Field(default_factory=list)
    url: str = ""
    channel: ChannelKind = ChannelKind.ISO20022
    profile: str = "generic"
    inquiry: Inquiry = Inquiry.MESSAGE
    unanswered: Unanswered = Unanswered.HOLD


class DemoPolicy(StrEnum):
    """What a group's vouchers allow."""

    GOVSTACK = "govstack"  # the whole amount at once, no reversal, no refund; the merchant is credited
    RETAIL = "retail"  # in parts, with reversal and refund; somebody else settles with the merchant


class DemoGroup(_Exact):
    """A voucher group (SUV: a product)."""

    code: _Id
    name: _Name = ""
    programme: _Id
    currency: Annotated[_CurrencyOrAny, Field(description="Empty: any")] = ""
    amount: Annotated[_Amount, Field(description="The fixed price; 0: any")] = Decimal(0)
    validity_days: Annotated[int, Field(ge=1, le=36_500, description="From activation")] = 90
    policy: DemoPolicy = DemoPolicy.GOVSTACK
    on_demand: Annotated[bool, Field(description="Vouchers are made when the stock is empty")] = True
    limit: Annotated[int, Field(ge=0, description="Most vouchers that may be out; 0: no limit")] = 0
    restock_threshold: Annotated[int, Field(ge=0)] = 0
    restock_url: str = ""
    accepted_at: Annotated[list[str], Field(description="Merchant groups that take it, beside its own")] = Field(
        default_factory=list
    )


class DemoMerchant(_Exact):
    """A merchant, or an agent who pays out cash."""

    id: _Id
    name: _Name
    kind: MerchantKind = MerchantKind.MERCHANT
    groups: Annotated[list[str], Field(description="Voucher groups that it takes; *: all")] = Field(
        default_factory=lambda: ["*"]
    )
    institution: Annotated[str, Field(description="Empty: found from the address")] = ""
    address: Annotated[
        str, Field(max_length=34, description="Account or mobile-money number; empty: it cannot be credited")
    ] = ""
    modality: Annotated[str, Field(pattern=r"^(0[0-4])?$")] = ""
    programme: Annotated[
        str, Field(description="Out of whose account it is paid; empty: the voucher's programme")
    ] = ""
    active: bool = True


class DemoState(StrEnum):
    """The state that a voucher is brought to."""

    IN_STOCK = "in-stock"
    PRE_ACTIVATED = "pre-activated"
    ACTIVATED = "activated"
    REDEEMED = "redeemed"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"
    EXPIRED = "expired"
    PURGED = "purged"


class DemoVoucher(_Exact):
    """A voucher whose number and serial number are known beforehand."""

    number: Annotated[str, Field(pattern=r"^[1-9]\d{0,15}$", description="The secret number, at most 16 digits")]
    serial: Annotated[
        int,
        Field(gt=0, lt=2**53, description="The serial number; IsoGate's own begin at 1000000000000000"),
    ]
    group: _Id
    amount: _Amount
    currency: _Currency = "USD"
    state: DemoState = DemoState.ACTIVATED
    merchant: Annotated[str, Field(description="Who redeemed it, where it is redeemed")] = ""
    redeemed: Annotated[
        _Amount, Field(description="What is used up already of one that can be redeemed in parts")
    ] = Decimal(0)


class DemoBeneficiary(_Exact):
    """Somebody who is known to the account mapper."""

    source: _Id
    functional_id: Annotated[str, Field(min_length=1, max_length=36)]
    modality: PaymentModality = PaymentModality.BANK_ACCOUNT
    institution: str = ""
    address: Annotated[str, Field(max_length=34)] = ""
    name: _Name = ""


class DemoData(_Exact):
    """Everything that a file of demo data may have; every part may be left out."""

    description: str = ""
    sources: list[DemoSource] = Field(default_factory=list)
    programmes: list[DemoProgramme] = Field(default_factory=list)
    institutions: list[DemoInstitution] = Field(default_factory=list)
    groups: list[DemoGroup] = Field(default_factory=list)
    merchants: list[DemoMerchant] = Field(default_factory=list)
    vouchers: list[DemoVoucher] = Field(default_factory=list)
    beneficiaries: list[DemoBeneficiary] = Field(default_factory=list)


def read(path: Path) -> DemoData:
    """Read a file of demo data. Raises ``Misconfigured`` naming the place that is wrong, without its content."""
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise Misconfigured(str(path), 0, "", "is larger than 64 MiB")
        return _parsed(str(path), path.read_bytes())
    except OSError as error:
        raise Misconfigured(str(path), 0, "", error.strerror or "cannot be read") from None


@cache
def default() -> DemoData:
    """Give the demo data that come with the package: what the official GovStack tests and the pages here use."""
    return _parsed("default demo data", resources.files(__package__).joinpath("default.json").read_bytes())


def schema() -> dict[str, Any]:
    """Give the JSON schema of the format."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **DemoData.model_json_schema()}


def _parsed(name: str, content: bytes) -> DemoData:
    try:
        return DemoData.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        path = "/" + "/".join(str(part) for part in fault["loc"])
        raise Misconfigured(name, 0, path, fault["msg"]) from None

"""Bodies of the administration API. Amounts are minor units; account numbers are masked on the way out."""

from typing import Annotated, Generic, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict

from connector.api.model_types import CurrencyCode, Item, Upto11, Upto36, Upto100
from connector.domain.directory import ChannelKind, Inquiry, InstitutionKind, RecallPolicy, Route, Unanswered

MinorUnits = Annotated[int, Strict(), Field(gt=0, lt=10**18)]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Deposit(_Exact):
    """Money for a programme. reference: the operator's own id of the deposit; a repeat under it adds nothing."""

    currency: CurrencyCode
    amount_minor: MinorUnits
    reference: Upto36


class ProgrammeBody(_Exact):
    """A programme's rules."""

    name: Upto100
    payer_bank: Upto11
    debtor_agent: Upto11
    account: Annotated[str, Field(min_length=1, max_length=34, pattern=r"^[A-Za-z0-9]+$")]
    account_name: Upto100
    route: Route = Route.PAYER_BANK
    budgets: dict[CurrencyCode, Annotated[int, Strict(), Field(ge=0, lt=10**18)]] = Field(default_factory=dict)
    open_budget: Annotated[bool, Strict()] = False
    authorisation: Annotated[bool, Strict()] = False
    priority: Annotated[int, Strict(), Field(ge=0, le=9)] = 5
    sources: list[Upto36] = Field(default_factory=list, max_length=1000)
    recall: RecallPolicy = RecallPolicy.BEFORE_SETTLEMENT
    town: Annotated[str, Field(max_length=35)] = ""
    country: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = ""
    voucher_group: Annotated[str, Field(max_length=36)] = ""


class InstitutionBody(_Exact):
    """An institution and how it is reached."""

    name: Upto100
    kind: InstitutionKind
    addresses: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list, max_length=20)
    url: Annotated[str, Field(max_length=200, pattern=r"^(https?://[!-~]+)?$")] = ""
    channel: ChannelKind = ChannelKind.ISO20022
    profile: Annotated[str, Field(max_length=60, pattern=r"^[A-Za-z0-9_.-]+$")] = "generic"
    in_flight: Annotated[int, Strict(), Field(ge=1, le=1000)] = 4
    chunk_size: Annotated[int, Strict(), Field(ge=1, le=100_000)] = 2000
    answer_within_seconds: Annotated[float, Field(ge=0, le=7 * 86400)] = 0.0
    inquiries: Annotated[int, Strict(), Field(ge=0, le=1000)] = 0
    inquiry: Inquiry = Inquiry.MESSAGE
    unanswered: Unanswered = Unanswered.HOLD
    signer: Annotated[str, Field(max_length=500)] = ""


class SourceBody(_Exact):
    """A Source BB."""

    name: Upto100
    programme: Annotated[str, Field(max_length=36)] = ""
    callback_url: Annotated[str, Field(max_length=2048, pattern=r"^(https?://[!-~]+)?$")] = ""


class SourceKeysBody(SourceBody):
    """A Source BB with its keys; left out: those that it has stay, "": it has none any more.

    voucher_key: 64 bytes in base64, under which it is told voucher numbers; public_key: JWK, JWK set or PEM text.
    """

    voucher_key: Annotated[str, Field(max_length=88)] | None = None
    public_key: Annotated[str, Field(max_length=32_768)] | None = None


class TallyBody(BaseModel):
    """How many payments, and their sum in minor units."""

    payments: int
    amount_minor: int


class BatchBody(BaseModel):
    """A batch and how far it is."""

    ref: str
    kind: str
    contract: str
    source: str
    request_id: str
    batch_id: str
    programme: str
    state: str
    reason: str
    payments: int
    expected: dict[str, TallyBody]
    totals: dict[str, dict[str, TallyBody]]
    slices: int
    slices_resolved: int
    priority: int
    accepted_at: str
    execute_at: str | None
    finished_at: str | None
    archived_at: str | None
    retry_of: str


class PaymentBody(BaseModel):
    """The transaction record of a payment; there is no account number in it."""

    instruction_id: str
    payee_functional_id: str
    institution: str
    modality: str
    amount_minor: int
    currency: str
    status: str
    outcome: str
    reason: str
    information: str
    started_at: str | None
    completed_at: str | None
    message_id: str


class EventBody(BaseModel):
    """A line of the event log: who did what, when, from where, and how it went."""

    at: str
    actor: str
    action: str
    origin: str
    outcome: str
    detail: str


class CallbackBody(BaseModel):
    """A callback to a Source BB and how it stands."""

    id: str
    batch: str
    url: str
    verb: str
    attempts: int
    state: Literal["pending", "delivered", "dead"]
    last_outcome: str
    changed_at: str | None


class BalanceBody(BaseModel):
    """A programme's money in one currency, in minor units."""

    budget: int
    reserved: int
    spent: int
    available: int


class Page(BaseModel, Generic[Item]):
    """A page of things; next_before: what to give as ``before`` for the next page, where there may be one."""

    items: list[Item]
    next_before: float | None = None


class SavedProgramme(ProgrammeBody):
    """A programme; the account number is masked."""

    id: str
    account: str


class SavedInstitution(InstitutionBody):
    """An institution."""

    code: str


class SavedSource(SourceBody):
    """A Source BB; voucher_key_id: beginning of its voucher key's SHA-256; public_keys: ids of its keys for files."""

    id: str
    voucher_key_id: str
    public_keys: list[str]

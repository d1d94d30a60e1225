"""Request and answer bodies of GovStack Payments v3.0.

Source: RegisterBeneficiaryRequest.yml, UpdateBeneficiaryRequest.yml, v1_0_1_fixed_BulkPayment.yml,
v1_0_1_fixed_BulkPaymentStatusUpdate.yml, AccountLookup.yml, BulkAccountLookup.yml, BatchDetails.yml (branch main).
The files disagree on the case of their keys, so all keys are accepted in any case. Unknown fields are ignored.
"""
# ruff: noqa: N815 - the fields have the contract's names

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NamedTuple, NotRequired

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator
from typing_extensions import TypedDict

from connector.api.batch_body import Form
from connector.api.model_types import (
    Address,
    AmountOrText,
    CurrencyCode,
    Modality,
    Several,
    Upto11,
    Upto12,
    Upto16,
    Upto20,
    Upto36,
    Upto50,
    any_case,
    minor,
    refuse,
)
from connector.api.models_v1 import Onboarding
from connector.api.quick import Quick
from connector.domain.beneficiary import Beneficiary, PaymentModality
from connector.domain.errors import Fault
from connector.domain.instruction import CreditInstruction
from connector.domain.money import ordinary_minor_units

_ONBOARDING: Final = any_case(
    "requestID",
    "sourceBBID",
    "beneficiaries",
    "payeeIdentity",
    "paymentModality",
    "financialAddress",
    "bankingInstitutionCode",
    "status",
    payeefunctionalid="payeeIdentity",
)
_BATCH: Final = any_case(
    "requestId",
    "creditParty",
    "debitParty",
    "paymentMode",
    "amount",
    "currency",
    "descriptionText",
    "key",
    "value",
)
_LOOKUP: Final = any_case("requestId", "payeePartyIds")

AnyCaseOnboarding = BeforeValidator(_ONBOARDING)
AnyCaseBatch = BeforeValidator(_BATCH)


class BeneficiaryV3(TypedDict):
    """A person and where to pay them; status "1" registers, "0" switches the entry off."""

    payeeIdentity: Upto20
    bankingInstitutionCode: NotRequired[Upto11 | None]
    paymentModality: NotRequired[Modality | None]
    financialAddress: NotRequired[Address | None]
    status: NotRequired[Literal["0", "1"] | None]


class LenientBeneficiaryV3(TypedDict):
    """As ``BeneficiaryV3`` with a free id length."""

    payeeIdentity: Upto36
    bankingInstitutionCode: NotRequired[Upto11 | None]
    paymentModality: NotRequired[Modality | None]
    financialAddress: NotRequired[Address | None]
    status: NotRequired[Literal["0", "1"] | None]


class _AnyCase(BaseModel):
    @model_validator(mode="before")
    @classmethod
    def _spelled(cls, value: object) -> object:
        return _ONBOARDING(value)


class OnboardingV3(_AnyCase):
    """Beneficiaries to be registered."""

    requestID: Upto12
    sourceBBID: Upto12 | None = None
    beneficiaries: Several[Annotated[BeneficiaryV3, AnyCaseOnboarding]]


class LenientOnboardingV3(_AnyCase):
    """As ``OnboardingV3`` with free id lengths."""

    model_config = ConfigDict(title="OnboardingV3")
    requestID: Upto36
    sourceBBID: Upto36 | None = None
    beneficiaries: Several[Annotated[LenientBeneficiaryV3, AnyCaseOnboarding]]


class UpdateV3(OnboardingV3):
    """Beneficiaries to be updated; here the source is required."""

    sourceBBID: Upto12


class LenientUpdateV3(LenientOnboardingV3):
    """As ``UpdateV3`` with free id lengths."""

    model_config = ConfigDict(title="UpdateV3")
    sourceBBID: Upto36


class PartyV3(TypedDict):
    """One identification of a party, for example key ``functionalId``, ``accountNumber`` or ``msisdn``."""

    key: Upto36
    value: Upto36


Parties = Annotated[list[Annotated[PartyV3, AnyCaseBatch]], Field(min_length=1, max_length=10)]


class TransactionV3(TypedDict):
    """One payment of a batch."""

    requestId: Upto16
    creditParty: Parties
    debitParty: NotRequired[Annotated[list[Annotated[PartyV3, AnyCaseBatch]], Field(max_length=10)] | None]
    paymentMode: Upto20
    amount: AmountOrText
    currency: CurrencyCode
    descriptionText: NotRequired[Upto50 | None]


class LenientTransactionV3(TransactionV3):
    """As ``TransactionV3`` with a free id length."""

    requestId: Upto36


BatchV3 = Several[Annotated[TransactionV3, AnyCaseBatch]]
LenientBatchV3 = Several[Annotated[LenientTransactionV3, AnyCaseBatch]]


class LookupV3(BaseModel):
    """Whose financial addresses are asked for."""

    requestId: Upto12
    payeePartyIds: Annotated[list[Upto20], Field(min_length=1, max_length=10_000)]

    @model_validator(mode="before")
    @classmethod
    def _spelled(cls, value: object) -> object:
        return _LOOKUP(value)


class LenientLookupV3(LookupV3):
    """As ``LookupV3`` with free id lengths."""

    model_config = ConfigDict(title="LookupV3")
    requestId: Upto36
    payeePartyIds: Annotated[list[Upto36], Field(min_length=1, max_length=10_000)]


class StatusPushV3(BaseModel):
    """What the payer bank says of a batch; a body without the counts asks for the status instead."""

    model_config = ConfigDict(extra="allow")
    requestId: Upto36 | None = None
    batchId: Upto50 | None = None
    TotalTransactions: Annotated[int, Field(ge=0)] | None = None
    ongoing: Annotated[int, Field(ge=0)] | None = None
    failed: Annotated[int, Field(ge=0)] | None = None
    completed: Annotated[int, Field(ge=0)] | None = None
    currency: CurrencyCode | None = None

    @property
    def asks(self) -> bool:
        """Whether this is a question, not a report."""
        return self.TotalTransactions is None and self.completed is None and self.failed is None


class AnswerV3(BaseModel):
    """The answer to onboarding requests."""

    responseCode: str = Field(max_length=2, examples=["00"])
    responseDescription: str = Field(max_length=200, examples=["Request successfully received by Pay-BB"])
    requestID: str = Field(max_length=36, examples=["REQ000000001"])


class AcceptedBatchV3(BaseModel):
    """The id under which the batch can be asked about."""

    batchId: str = Field(max_length=50, examples=["7Q3QZ4XWZ2V5YJ6K3L2A"])


class AddressV3(BaseModel):
    """Where one person is paid."""

    payeeIdentity: str
    paymentModality: str
    financialAddress: str
    bankingInstitutionCode: str


class AddressesV3(BaseModel):
    """Where people are paid; those that are not registered are left out."""

    requestId: str
    paymentModalityList: list[AddressV3]


class PaymentV3(BaseModel):
    """One payment of a batch as it stands; times that have not come are left out.

    status: a word of ``mappings/govstack/status.yaml``; statusDetail: the ISO 20022 code.
    """

    workflowInstanceKey: str
    transactionId: str
    startedAt: str | None = None
    completedAt: str | None = None
    status: str
    statusDetail: str
    payeeDfspId: str
    payeePartyId: str
    payeePartyIdType: str
    amount: Decimal = Field(json_schema_extra={"type": "number"})
    currency: str
    direction: str
    errorInformation: str
    batchId: str


class BatchStatusV3(BaseModel):
    """A batch as it stands, in one currency."""

    requestId: str
    batchId: str
    TotalTransactions: int
    ongoing: int
    failed: int
    completed: int
    currency: str
    totalAmount: float
    completed_amount: float
    ongoing_amount: float
    failed_amount: float
    result_file: str | None
    resultGeneratedAt: str
    note: str


class PushedV3(BaseModel):
    """That a status push was taken."""

    message: str = Field(examples=["Status updated successfully."])


class ErrorV3(BaseModel):
    """Why a request was refused."""

    class Item(BaseModel):
        """One fault: a JSON pointer or the name of a header, a code, a sentence."""

        where: str
        code: str
        sentence: str

    responseCode: str
    responseDescription: str = Field(max_length=200)
    requestID: str | None = None
    errors: list[Item]


class Party(NamedTuple):
    """A payee, found in the key-value list that v3.0 calls a party."""

    functional_id: str = ""
    address: str = ""
    modality: str = ""
    institution: str = ""


_USUAL_KEYS: Final = frozenset({"functionalId", "payeeFunctionalID", "payeeIdentity"})
"""How the contract's examples name a payee; spelled like this it needs no searching."""

_FUNCTIONAL: Final = frozenset({"functionalid", "payeefunctionalid", "payeeidentity", "payeeid"})
_INSTITUTION: Final = frozenset({"bankingInstitutionCode".lower(), "institution", "bic", "bankcode", "fspid"})
_MODALITIES: Final[Mapping[str, PaymentModality]] = {
    "accountnumber": PaymentModality.BANK_ACCOUNT,
    "accountid": PaymentModality.BANK_ACCOUNT,
    "iban": PaymentModality.BANK_ACCOUNT,
    "msisdn": PaymentModality.MOBILE_MONEY,
    "mobilenumber": PaymentModality.MOBILE_MONEY,
    "walletid": PaymentModality.DIGITAL_WALLET,
}


def onboarding(body: OnboardingV3 | LenientOnboardingV3) -> Onboarding:
    """Read beneficiaries out of a validated body."""
    entries = [
        Beneficiary(
            each["payeeIdentity"],
            modality=each.get("paymentModality") or "",
            institution=each.get("bankingInstitutionCode") or "",
            address=each.get("financialAddress") or "",
            active=each.get("status") != "0",
        )
        for each in body.beneficiaries
    ]
    return Onboarding(body.requestID, body.sourceBBID or "", entries)


def instructions(body: list[TransactionV3]) -> list[CreditInstruction]:
    """Read payments out of a validated body; raises ``Refused`` for what cannot be paid."""
    faults: list[Fault] = []
    found = [instruction(index, each, faults) for index, each in enumerate(body)]
    refuse(faults)
    return found


def instruction(index: int, each: TransactionV3, faults: list[Fault]) -> CreditInstruction:
    """Read one payment out of a validated body, noting what of it cannot be paid."""
    currency, payee = each["currency"], party([(pair["key"], pair["value"]) for pair in each["creditParty"]])
    if not payee.functional_id and not payee.address:
        faults.append(Fault(f"/{index}/creditParty", "unknown_party", "Name functionalId, accountNumber or msisdn."))
    return CreditInstruction(
        each["requestId"],
        payee.functional_id,
        minor(each["amount"], currency, f"/{index}", ("amount", "currency"), faults),
        currency,
        each.get("descriptionText") or "",
        payee.address,
        payee.institution,
        payee.modality,
    )


def usual(each: Any) -> CreditInstruction | None:  # noqa: ANN401 - a struct with the fields of TransactionV3
    """Read one payment that was read the fast way; ``None`` where it has to be looked at more closely."""
    amount = bytes(each.amount)
    if amount.startswith(b'"'):
        amount = amount[1:-1]
    minor_units, pairs = ordinary_minor_units(amount, each.currency), each.creditParty
    if not minor_units:
        return None
    if len(pairs) == 1 and pairs[0].key in _USUAL_KEYS:
        return CreditInstruction(
            each.requestId, pairs[0].value, minor_units, each.currency, each.descriptionText or ""
        )
    payee = party([(pair.key, pair.value) for pair in pairs])
    if not payee.functional_id and not payee.address:
        return None
    return CreditInstruction(
        each.requestId,
        payee.functional_id,
        minor_units,
        each.currency,
        each.descriptionText or "",
        payee.address,
        payee.institution,
        payee.modality,
    )


def party(pairs: Sequence[tuple[str, str]]) -> Party:
    """Find out who is meant, by key and value; keys are read without regard to case, dashes and underscores."""
    found = Party()
    for name, value in pairs:
        key = name.lower().replace("_", "").replace("-", "")
        if key in _FUNCTIONAL:
            found = found._replace(functional_id=value)
        elif key in _INSTITUTION:
            found = found._replace(institution=value)
        elif key in _MODALITIES:
            found = found._replace(address=value, modality=_MODALITIES[key])
    return found


def form(instruction_model: type[Any], whole: Any) -> Form:  # noqa: ANN401 - an annotated list of the model
    """Say how batches of this model are read."""
    adapter: TypeAdapter[Any] = TypeAdapter(whole)
    return Form("", "amount", Quick(instruction_model, "amount"), adapter, adapter, None, instruction, usual)

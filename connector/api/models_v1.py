"""Request and answer bodies of GovStack Payments v1.0.

Source: Registerbeneficiary.yaml, UpdateBeneficiary.yaml, Prepaymentvalidation.yaml, bulkpayment.yaml (branch 1.0-QA);
/prepayment-validation-response is known from the compliance tests only. Unknown fields are ignored, as there.
Each body exists twice: with the contract's exact id lengths, and lenient with ids up to 36 characters.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NotRequired

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from connector.api.batch_body import Form
from connector.api.model_types import (
    Address,
    Amount,
    CurrencyCode,
    Exactly12,
    Exactly16,
    Exactly20,
    From1To50,
    Modality,
    Several,
    Upto36,
    Upto50,
    minor,
    refuse,
)
from connector.api.quick import Quick
from connector.domain.beneficiary import Beneficiary
from connector.domain.errors import Fault
from connector.domain.instruction import CreditInstruction
from connector.domain.money import ordinary_minor_units


class BeneficiaryV1(TypedDict):
    """A person and where to pay them; what is left out of an update stays as it is."""

    PayeeFunctionalID: Exactly20
    PaymentModality: NotRequired[Modality | None]
    FinancialAddress: NotRequired[Address | None]


class LenientBeneficiaryV1(TypedDict):
    """As ``BeneficiaryV1`` with a free id length."""

    PayeeFunctionalID: Upto36
    PaymentModality: NotRequired[Modality | None]
    FinancialAddress: NotRequired[Address | None]


class InstructionV1(TypedDict):
    """One payment."""

    InstructionID: Exactly16
    PayeeFunctionalID: Exactly20
    Amount: Amount
    Currency: CurrencyCode
    Narration: NotRequired[From1To50 | None]


class LenientInstructionV1(TypedDict):
    """As ``InstructionV1`` with free id lengths."""

    InstructionID: Upto36
    PayeeFunctionalID: Upto36
    Amount: Amount
    Currency: CurrencyCode
    Narration: NotRequired[Upto50 | None]


class NarratedInstructionV1(InstructionV1):
    """One payment to be checked; here the narration is required."""

    Narration: Upto50  # type: ignore[misc]  # narrows NotRequired to required, which the contract does


class LenientNarratedInstructionV1(LenientInstructionV1):
    """As ``NarratedInstructionV1`` with free id lengths."""

    Narration: Upto50  # type: ignore[misc]  # as above


class OnboardingV1(BaseModel):
    """Beneficiaries to be registered or updated."""

    model_config = ConfigDict(title="BeneficiariesV1")
    RequestID: Exactly12
    SourceBBID: Exactly12
    Beneficiaries: Several[BeneficiaryV1]


class LenientOnboardingV1(BaseModel):
    """As ``OnboardingV1`` with free id lengths."""

    model_config = ConfigDict(title="BeneficiariesV1")
    RequestID: Upto36
    SourceBBID: Upto36
    Beneficiaries: Several[LenientBeneficiaryV1]


class BatchIds(BaseModel):
    """What a batch says beside its instructions."""

    RequestID: Exactly12
    SourceBBID: Exactly12
    BatchID: Exactly12


class LenientBatchIds(BaseModel):
    """As ``BatchIds`` with free id lengths."""

    RequestID: Upto36
    SourceBBID: Upto36
    BatchID: Upto36


class BulkPaymentV1(BatchIds):
    """A batch to be paid."""

    CreditInstructions: Several[InstructionV1]


class LenientBulkPaymentV1(LenientBatchIds):
    """As ``BulkPaymentV1`` with free id lengths."""

    model_config = ConfigDict(title="BulkPaymentV1")
    CreditInstructions: Several[LenientInstructionV1]


class PrevalidationV1(BatchIds):
    """A batch to be checked."""

    CreditInstructions: Several[NarratedInstructionV1]


class LenientPrevalidationV1(LenientBatchIds):
    """As ``PrevalidationV1`` with free id lengths."""

    model_config = ConfigDict(title="PrevalidationV1")
    CreditInstructions: Several[LenientNarratedInstructionV1]


class PrevalidationQuestionV1(BaseModel):
    """Which prevalidation is asked about. Lengths are left open: no contract file describes this body."""

    RequestID: Upto36
    Source_BatchID: Upto36


class AnswerV1(BaseModel):
    """The answer to most v1.0 requests; the request id is left out where the request had none to echo."""

    ResponseCode: str = Field(min_length=2, max_length=2, pattern="^0[01]$", examples=["00"])
    ResponseDescription: str = Field(max_length=200, examples=["Request successfully received by Pay-BB"])
    RequestID: str | None = Field(default=None, examples=["REQ000000001"])


class FailedAccountV1(BaseModel):
    """A payment that could not be made, and why."""

    InstructionID: str
    FailureReason: str = Field(max_length=100)


class PrevalidationResultV1(BaseModel):
    """What a prevalidation found; without NumberFailedCases while it is still running."""

    RequestID: str
    Source_BatchID: str
    NumberFailedCases: int | None = None
    FailedAccounts: list[FailedAccountV1] | None = None


class Onboarding(NamedTuple):
    """Beneficiaries as the flows take them; source "" where the request did not name it."""

    request_id: str
    source: str
    entries: Sequence[Beneficiary]


class Order(NamedTuple):
    """A batch as the flows take it."""

    request_id: str
    source: str
    batch_id: str
    instructions: Sequence[CreditInstruction]


def onboarding(body: OnboardingV1 | LenientOnboardingV1) -> Onboarding:
    """Read beneficiaries out of a validated body."""
    entries = [
        Beneficiary(
            each["PayeeFunctionalID"],
            modality=each.get("PaymentModality") or "",
            address=each.get("FinancialAddress") or "",
        )
        for each in body.Beneficiaries
    ]
    return Onboarding(body.RequestID, body.SourceBBID, entries)


def order(body: BulkPaymentV1 | LenientBulkPaymentV1 | PrevalidationV1 | LenientPrevalidationV1) -> Order:
    """Read a batch out of a validated body; raises ``Refused`` for amounts and currencies that cannot be paid."""
    faults: list[Fault] = []
    instructions = [instruction(index, each, faults) for index, each in enumerate(body.CreditInstructions)]
    refuse(faults)
    return Order(body.RequestID, body.SourceBBID, body.BatchID, instructions)


def instruction(index: int, each: Mapping[str, Any], faults: list[Fault]) -> CreditInstruction:
    """Read one payment out of a validated body, noting what of it cannot be paid."""
    currency = each["Currency"]
    place = f"/CreditInstructions/{index}"
    return CreditInstruction(
        each["InstructionID"],
        each["PayeeFunctionalID"],
        minor(each["Amount"], currency, place, ("Amount", "Currency"), faults),
        currency,
        each.get("Narration") or "",
    )


def usual(each: Any) -> CreditInstruction | None:  # noqa: ANN401 - a struct with the fields of InstructionV1
    """Read one payment that was read the fast way; ``None`` where it has to be looked at more closely."""
    minor_units = ordinary_minor_units(bytes(each.Amount), each.Currency)
    if not minor_units:
        return None
    return CreditInstruction(
        each.InstructionID, each.PayeeFunctionalID, minor_units, each.Currency, each.Narration or ""
    )


def form(instruction_model: type[Any], whole: type[BaseModel], cover: type[BaseModel]) -> Form:
    """Say how batches of these models are read."""
    return Form(
        array="CreditInstructions",
        amount="Amount",
        quick=Quick(instruction_model, "Amount"),
        items=TypeAdapter(Several[instruction_model]),  # type: ignore[valid-type]  # a type, but not at check time
        whole=TypeAdapter(whole),
        cover=TypeAdapter(cover),
        instruction=instruction,
        usual=usual,
    )

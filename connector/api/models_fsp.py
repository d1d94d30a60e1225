"""Bodies of the FSPs' side.

Source: BulkValidateAccountResponse.yml and GetAuthorizationResponse.yml of GovStack Payments v3.0. The correlation id
is an echo of ours, so it may be longer here than the contract's 12 characters.
"""
# ruff: noqa: N815 - the fields have the contract's names

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict

from connector.api.model_types import Upto16, Upto36, Upto50, Upto100


class FailedLookup(BaseModel):
    """A payment whose account was not found good."""

    instructionID: Upto16
    failureReason: Upto100 | None = None


class LenientFailedLookup(FailedLookup):
    """As ``FailedLookup`` with a free id length."""

    instructionID: Upto36


class ValidationAnswer(BaseModel):
    """What the payer bank found about the accounts of a chunk."""

    clientCorrelationId: Upto36
    batchId: Upto50
    numberOfFailedCases: Annotated[int, Strict(), Field(ge=0)]
    failedAccountLookups: list[FailedLookup] | None = None


class LenientValidationAnswer(BaseModel):
    """As ``ValidationAnswer`` with free id lengths."""

    model_config = ConfigDict(title="ValidationAnswer")
    clientCorrelationId: Upto36
    batchId: Upto50
    numberOfFailedCases: Annotated[int, Strict(), Field(ge=0)]
    failedAccountLookups: list[LenientFailedLookup] | None = None


class AuthorisationAnswer(BaseModel):
    """Whether the payer bank lets a batch be paid."""

    clientCorrelationId: Upto36
    status: Literal["Y", "N"]
    reason: Upto100 | None = None


class ReportTaken(BaseModel):
    """That a report was taken."""

    messageId: str
    message: str
    status: Literal["processed", "repeated"]


class Taken(BaseModel):
    """That a callback was taken."""

    message: str


class ErrorItem(BaseModel):
    """One fault: a JSON pointer, an element path or the name of a header; a code; a sentence."""

    where: str
    code: str
    sentence: str


class Errors(BaseModel):
    """Why a request was refused."""

    errors: list[ErrorItem]

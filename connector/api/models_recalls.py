"""Bodies about asking for payments back, and about asking what became of them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from connector.api.model_types import PRINTABLE, Upto36

MOST_INSTRUCTIONS = 10_000


class RecallOrder(BaseModel):
    """What to ask back, and why: single instructions, else a message's, else all of the batch.

    reason: a code of ISO's ExternalCancellationReason1Code, such as DUPL, CUST, TECH or FRAD.
    """

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{2}$")]
    information: Annotated[str, StringConstraints(max_length=105, pattern=PRINTABLE)] = ""
    instructions: list[Upto36] = Field(default_factory=list, max_length=MOST_INSTRUCTIONS)
    message_id: Annotated[str, StringConstraints(max_length=35, pattern=PRINTABLE)] = ""


class RecallOrderTaken(BaseModel):
    """What an order came to, in numbers of payments.

    asked: are asked back now, or were before; cancelled: had not been sent yet; left: cannot be asked back.
    """

    ref: str
    asked: int
    cancelled: int
    left: int


class RecallBody(BaseModel):
    """How asking for one payment back goes.

    state: asked, pending, accepted (cancelled, or to be returned), refused, or overtaken (the payment failed by
    itself); answer: the institution's reason code; status: the payment's own.
    """

    instruction_id: str
    case_id: str
    message_id: str
    institution: str
    state: str
    reason: str
    information: str
    answer: str
    answer_information: str
    asked_by: str
    asked_at: str | None
    sent_at: str | None
    amount_minor: int
    currency: str
    status: str


class InquiryTaken(BaseModel):
    """How many messages are asked about."""

    ref: str
    messages: int

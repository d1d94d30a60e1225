"""Bodies about reconciliations. Amounts are minor units; nothing here has an account number."""

import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from connector.api.model_types import PRINTABLE


class ReconciliationOrder(BaseModel):
    """Which programme's account, and which days (UTC), both included."""

    model_config = ConfigDict(extra="forbid")

    programme: Annotated[str, StringConstraints(min_length=1, max_length=36, pattern=PRINTABLE)]
    first: Annotated[datetime.date, Field(alias="from", strict=False)]
    last: Annotated[datetime.date, Field(alias="to", strict=False)]


class TotalBody(BaseModel):
    """What findings of a kind add up to: by our records, and by the statement (what left the account)."""

    kind: str
    currency: str
    findings: int
    payments: int
    amount_minor: int
    statement_minor: int


class DayBody(BaseModel):
    """One day. statements: those that it rests on; fetched: what came of asking the institution for them."""

    day: datetime.date
    fetched: str
    statements: list[str]
    totals: list[TotalBody]


class FindingBody(BaseModel):
    """One result.

    kind: matched, missing (paid by our records, not on the statement), unexpected (the reverse) or differing; by:
    what matched; difference: amount, currency, status, twice, or returned (only the statement says that the money
    came back); payments: how many the finding is about, where the statement gives one sum for a whole message.
    """

    kind: str
    sentence: str
    by: str
    difference: str
    programme: str
    institution: str
    batch: str
    message_id: str
    instruction_id: str
    end_to_end_id: str
    status: str
    amount_minor: int
    currency: str
    paid_on: datetime.date | None
    statement_minor: int
    statement_currency: str
    booked_on: datetime.date | None
    statement: str
    reference: str
    reason: str
    payments: int


class ReconciliationSummary(BaseModel):
    """A reconciliation. state: running or finished; programmes: all that pay from the account."""

    id: str
    state: str
    programme: str
    programmes: list[str]
    institution: str
    first: Annotated[datetime.date, Field(alias="from")]
    last: Annotated[datetime.date, Field(alias="to")]
    tolerance_days: int
    requested_at: str | None
    requested_by: str
    totals: list[TotalBody]


class ReconciliationBody(ReconciliationSummary):
    """The same with its days and a page of its findings."""

    days: list[DayBody]
    findings: list[FindingBody]
    next_page: int | None

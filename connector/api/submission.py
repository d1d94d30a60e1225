"""From a checked batch to what the flows take: digest, scheduling and priority, alike in both contracts."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

from connector.api.operation import Call, Parameter
from connector.domain.batch import Batch, BatchKind
from connector.domain.errors import Refused
from connector.flows import intake
from connector.flows.draft import Draft

PROGRAMME: Final = Parameter(
    "X-Program-Id",
    "header",
    "The programme that pays; without it the source's own.",
    max_length=20,
    example="PENSIONS",
)
EXECUTION_DATE: Final = Parameter(
    "X-Execution-Date",
    "header",
    "When to pay: ISO 8601 with time zone, or a date (midnight UTC). An extension of the contract.",
    example="2030-01-31T08:00:00Z",
)
PRIORITY: Final = Parameter(
    "X-Priority",
    "header",
    "0 (first) to 9 (last); without it the programme's. An extension of the contract.",
    kind="integer",
    maximum=9,
    example="5",
)
SCHEDULING: Final = (PROGRAMME, EXECUTION_DATE, PRIORITY)


@dataclass(frozen=True, slots=True)
class Handover:
    """What a contract's adapter found in a request, beside the instructions.

    batch_id "": the derived reference is the batch's id (v3.0).
    """

    contract: str
    kind: BatchKind
    source: str
    request_id: str
    batch_id: str


async def submit(call: Call, handover: Handover) -> Batch:
    """Hand the call's draft over to the flows as a batch; raises what ``intake.accept`` raises."""
    programme, execute_at = call.parameters[PROGRAMME.name], execution_time(call.parameters[EXECUTION_DATE.name])
    terms = (handover.kind, handover.batch_id, programme, execute_at, call.parameters[PRIORITY.name])
    draft = cast("Draft", call.draft)  # there is one wherever an operation's body is a batch
    await draft.finish()
    cover = intake.Cover(
        contract=handover.contract,
        kind=handover.kind,
        source=handover.source,
        request_id=handover.request_id,
        batch_id=handover.batch_id,
        digest=draft.digest(terms),
        programme=programme,
        callback=call.callback(),
        execute_at=execute_at,
        priority=call.number(PRIORITY.name) if call.parameters[PRIORITY.name] else None,
        origin=call.origin,
    )
    return await intake.accept(call.services, draft, cover)


def execution_time(text: str) -> float:
    """Read an execution date as Unix seconds, "" as 0; raises ``Refused`` for what is no date."""
    if not text:
        return 0.0
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise Refused.because(f"header {EXECUTION_DATE.name}", "date", "An ISO 8601 date or date-time.") from None

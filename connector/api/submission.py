"""From a checked batch to a submission for the flows: digest, scheduling and priority, alike in both contracts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

import msgspec

from connector.api.operation import Call, Parameter
from connector.domain.batch import Batch, BatchKind
from connector.domain.errors import Refused
from connector.domain.instruction import CreditInstruction
from connector.flows import intake

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

LARGE: Final = 500
"""Instructions from which on the digest is taken in a thread."""


@dataclass(frozen=True, slots=True)
class Handover:
    """What a contract's adapter found in a request. batch_id "": the derived reference is the batch's id (v3.0)."""

    contract: str
    kind: BatchKind
    source: str
    request_id: str
    batch_id: str
    instructions: Sequence[CreditInstruction]


async def submit(call: Call, handover: Handover) -> Batch:
    """Hand a batch over to the flows; raises what ``intake.submit`` raises."""
    programme, execute_at = call.parameters[PROGRAMME.name], execution_time(call.parameters[EXECUTION_DATE.name])
    terms = (handover.kind, handover.batch_id, programme, execute_at, call.parameters[PRIORITY.name])
    return await intake.submit(
        call.services,
        intake.Submission(
            contract=handover.contract,
            kind=handover.kind,
            source=handover.source,
            request_id=handover.request_id,
            batch_id=handover.batch_id,
            instructions=handover.instructions,
            digest=await _digest(terms, handover.instructions),
            programme=programme,
            callback=call.callback(),
            execute_at=execute_at,
            priority=call.number(PRIORITY.name) if call.parameters[PRIORITY.name] else None,
            origin=call.origin,
        ),
    )


def execution_time(text: str) -> float:
    """Read an execution date as Unix seconds, "" as 0; raises ``Refused`` for what is no date."""
    if not text:
        return 0.0
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise Refused.because(f"header {EXECUTION_DATE.name}", "date", "An ISO 8601 date or date-time.") from None


async def _digest(terms: tuple[object, ...], instructions: Sequence[CreditInstruction]) -> str:
    if len(instructions) < LARGE:
        return digest(terms, instructions)
    return await asyncio.to_thread(digest, terms, instructions)


def digest(terms: tuple[object, ...], instructions: Sequence[CreditInstruction]) -> str:
    """Condense what a batch says, whatever the spelling and spacing of the JSON it came in."""
    return sha256(msgspec.msgpack.encode((terms, instructions))).hexdigest()

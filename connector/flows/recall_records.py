"""What became of asking for payments back; O(chunks), and only those with recalls are read whole."""

from collections.abc import Iterator
from dataclasses import dataclass

from connector.domain import clawback
from connector.domain.batch import Batch
from connector.domain.chunk import Chunk, ChunkStatus
from connector.domain.instruction import Reason
from connector.domain.recall import RecallState
from connector.flows import questions
from connector.flows.compose import chunk_message_id
from connector.flows.services import Services


@dataclass(frozen=True, slots=True)
class RecallRecord:
    """One payment's recall. asked_at and sent_at: Unix seconds, 0 where the institution does not have it yet.

    reason and information: what the institution was told; answer and answer_information: what it said.
    status: the payment's own, as an ISO 20022 code.
    """

    instruction_id: str
    case_id: str
    message_id: str
    institution: str
    state: RecallState
    reason: str
    information: str
    answer: str
    answer_information: str
    asked_by: str
    asked_at: float
    sent_at: float
    amount_minor: int
    currency: str
    status: str


async def records(services: Services, ref: str, *, page: int, size: int, state: str = "") -> list[RecallRecord]:
    """Give a page (from 0) of a batch's recalls, by chunk and case; state: "" for all. Raises ``NotFound``."""
    batch, _ = await services.store.batches.read(ref)
    skip, found = page * size, list[RecallRecord]()
    for number in await services.store.batches.chunk_numbers(ref):
        status = await services.store.batches.chunk_status(ref, number)
        if not status.recalls:
            continue
        chunk, status = await services.store.batches.chunk(ref, number)
        matching = [record for record in _records(batch, chunk, status) if state in {"", record.state}]
        found += matching[skip:]
        skip = max(0, skip - len(matching))
        if len(found) >= size:
            break
    return found[:size]


def _records(batch: Batch, chunk: Chunk, status: ChunkStatus) -> Iterator[RecallRecord]:
    none = Reason("")
    for case in status.recalls:
        for position, state in case.by_position().items():
            credit, answer = chunk.credits[position], case.answers.get(position, none)
            yield RecallRecord(
                credit.instruction_id,
                questions.recall_id(chunk, case),
                chunk_message_id(batch.kind, chunk.id),
                chunk.institution,
                clawback.shown_state(status, position, state),
                case.reason,
                case.information,
                answer.code,
                answer.information,
                case.actor,
                case.asked_at,
                case.delivered_at,
                credit.amount_minor,
                chunk.currency,
                status.status(position).value,
            )

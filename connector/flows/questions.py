"""What is asked about a chunk that was sent: what became of it, or for its money back. Pure.

The same question has the same ids every time, so that an institution recognises a repetition.
"""

from datetime import UTC, datetime

from connector.domain.batch import Batch
from connector.domain.chunk import Chunk, ChunkStatus
from connector.domain.ids import MessageKind, message_id
from connector.domain.instruction import Credit
from connector.domain.messages import Recall, RecalledTransfer, StatusInquiry
from connector.domain.recall import RecallCase
from connector.flows.compose import chunk_message_id, transaction_id
from connector.flows.routing import Way
from connector.iso20022.scheme import Scheme


def inquiry(batch: Batch, chunk: Chunk, way: Way, scheme: Scheme, number: int, now: float) -> StatusInquiry:
    """Ask what became of a chunk as a whole, for the ``number``-th time."""
    return StatusInquiry(
        message_id=message_id(MessageKind.INQUIRY, chunk.id, number),
        created=_moment(now),
        original_message_id=chunk_message_id(batch.kind, chunk.id),
        original_message=scheme.message(way.job),
        instructing_agent=way.programme.debtor_agent if way.switched else "",
        instructed_agent=chunk.institution if way.switched else way.executor.code,
        initiating_party="" if way.switched else way.programme.account_name,
    )


def recall_id(chunk: Chunk, case: RecallCase) -> str:
    """Name a case and its message."""
    return message_id(MessageKind.RECALL, chunk.id, case.number)


def recall(batch: Batch, chunk: Chunk, status: ChunkStatus, case: RecallCase, way: Way, scheme: Scheme) -> Recall:
    """Ask for a case's payments back: for the whole message where they are all that it carried."""
    name, original = recall_id(chunk, case), chunk_message_id(batch.kind, chunk.id)
    whole = len(case.positions) == len(chunk.credits) - len(status.unsent)
    sent = max(_moment(status.composed_at or status.sent_at), _moment(batch.execute_at))
    return Recall(
        message_id=name,
        created=_moment(case.asked_at),
        case_id=name,
        assigner=way.programme.debtor_agent if way.switched else way.programme.account_name,
        assignee=chunk.institution if way.switched else way.executor.code,
        original_message_id=original,
        original_message=scheme.message(way.job),
        currency=chunk.currency,
        original_date=sent.date(),
        payment_information_id="" if whole or way.switched else original,
        reason=case.reason if whole else "",
        information=case.information if whole else "",
        transfers=() if whole else [_recalled(chunk, case, chunk.credits[index], way) for index in case.positions],
    )


def _recalled(chunk: Chunk, case: RecallCase, credit: Credit, way: Way) -> RecalledTransfer:
    return RecalledTransfer(
        recall_id=f"{chunk.id.batch}{MessageKind.RECALL}{credit.position}-{case.number}",
        instruction_id=credit.end_to_end_id,
        end_to_end_id=credit.end_to_end_id,
        transaction_id=transaction_id(chunk.id, credit) if way.switched else "",
        amount_minor=credit.amount_minor,
        reason=case.reason,
        information=case.information,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)

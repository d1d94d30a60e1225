"""Every message that an institution pushes: read once, and handed to the flow that it is for."""

import asyncio
from functools import partial
from typing import Final

from connector.domain import clawback
from connector.domain.batch import BatchKind
from connector.domain.chunk import ChunkStatus, Dispatch, advance_all, moved
from connector.domain.errors import Refused
from connector.domain.event import Event
from connector.domain.ids import MessageKind, OwnMessage, own_message
from connector.domain.instruction import Reason
from connector.domain.messages import (
    PaymentReturn,
    RecallAnswer,
    Rejection,
    Statement,
    StatusReport,
    VerificationReport,
)
from connector.domain.recall import RecallState, RecallVerdict
from connector.domain.status import InstructionStatus
from connector.flows import alerts, collect, reconciliation_intake
from connector.flows.answers import verdicts
from connector.flows.change import change
from connector.flows.collect import Collected, Sent
from connector.flows.compose import chunk_message_id
from connector.flows.reconcile import information, reason_code
from connector.flows.refusals import batch_named_in, refusals_noted
from connector.flows.services import Services
from connector.iso20022.engine import Received

_UNDERWAY: Final = frozenset({Dispatch.SENDING, Dispatch.SENT})


async def message(services: Services, institution: str, body: bytes) -> Collected:
    """Take a pain.002, pacs.002, acmt.024, pacs.004, camt.029, camt.05x or admi.002 that an institution pushed.

    Raises ``Refused``: unreadable or invalid XML, wrong sums, an unknown message id or transaction, a foreign chunk.
    """
    place = await collect.sender(services, institution)
    async with refusals_noted(services, institution, partial(batch_named_in, body)):
        read = partial(services.engine.read, body, profile=place.profile, signer=place.signer)
        received = await asyncio.to_thread(read)
        return await _handed_on(services, institution, received)


async def _handed_on(services: Services, institution: str, received: Received) -> Collected:
    match received.value:
        case StatusReport() | VerificationReport() | PaymentReturn() as report:
            return await collect.take(services, institution, report, received.message)
        case RecallAnswer() as answer:
            changed = await recall_answer(services, institution, answer)
            name = answer.message_id
        case Rejection() as rejection:
            changed = await rejected(services, institution, rejection)
            name = rejection.reference
        case Statement() as statement:
            changed = await reconciliation_intake.take(services, institution, statement)
            name = statement.message_id
        case _:
            raise Refused.because("/", "unexpected_message", f"A {received.message} is not expected here.")
    return Collected(name, received.message, "processed" if changed else "repeated")


async def recall_answer(services: Services, institution: str, answer: RecallAnswer) -> bool:
    """Take what an institution does about a recall; tells whether that changed anything.

    It is found by its case, else by the message whose payments were asked back. Raises ``Refused`` for an answer to
    something that was never asked.
    """
    case = own_message(answer.case_id)
    if case is None or case.kind is not MessageKind.RECALL:
        case = None
        sent = await collect.sent_to(services, institution, answer.original_message_id, BatchKind.DISBURSEMENT)
    else:
        original = chunk_message_id(BatchKind.DISBURSEMENT, case.chunk)
        sent = await collect.sent_to(services, institution, original, BatchKind.DISBURSEMENT)
    number = case.number if case else None
    asked = [one for one in sent.status.recalls if number in {None, one.number}]
    if not asked:
        raise Refused.because("RslvdCase/Id", "unknown_case", "No payments were asked back under this case.")
    now = services.clock()
    news = verdicts(answer, sent.chunk, [position for one in asked for position in one.positions])
    detail = f"chunk {sent.chunk.id.number}, {len(news)} payments"
    event = Event(now, institution, "recall answered", "push", answer.confirmation or "ok", detail)
    alter = partial(clawback.answered, verdicts=news, now=now, number=number)
    _, changed = await change(services, sent.batch, sent.chunk, sent.status, alter, event=event)
    return changed


async def rejected(services: Services, institution: str, rejection: Rejection) -> bool:
    """Take the word that a message of ours was refused before it was processed; tells whether that changed anything.

    A payment message ends its chunk, unless the institution has said something of its payments before; a recall is
    refused; an inquiry brings no answer. Raises ``Refused`` for a message that is not ours.
    """
    own = own_message(rejection.reference)
    if own is None:
        raise Refused.because("RltdRef/Ref", "unknown_message", "No message with this id was sent.")
    kind = BatchKind.PREVALIDATION if own.kind is MessageKind.VERIFICATION else BatchKind.DISBURSEMENT
    sent = await collect.sent_to(services, institution, chunk_message_id(kind, own.chunk), kind)
    words = f"{rejection.reason} {rejection.description} {rejection.location}".strip()
    reason = Reason(reason_code(rejection.reason), information(words))
    event = Event(
        services.clock(), institution, "message rejected", "push", information(words), f"chunk {own.chunk.number}"
    )
    match own.kind:
        case MessageKind.INQUIRY:
            await services.store.events.add(sent.batch.ref, event)
            return False
        case MessageKind.RECALL:
            return await _recall_refused(services, sent, own, reason, event)
        case _:
            return await _chunk_refused(services, sent, reason, event)


async def _recall_refused(services: Services, sent: Sent, own: OwnMessage, reason: Reason, event: Event) -> bool:
    news = [
        RecallVerdict(position, RecallState.REFUSED, reason)
        for case in sent.status.recalls
        if case.number == own.number
        for position in case.positions
    ]
    alter = partial(clawback.answered, verdicts=news, now=event.at, number=own.number)
    _, changed = await change(services, sent.batch, sent.chunk, sent.status, alter, event=event)
    return changed


async def _chunk_refused(services: Services, sent: Sent, reason: Reason, event: Event) -> bool:
    """Reject the whole chunk if nothing of it was processed; what contradicts earlier reports is for the operator."""

    def close(status: ChunkStatus) -> ChunkStatus:
        if status.dispatch not in _UNDERWAY or not status.unanswered:
            return status
        return moved(advance_all(status, InstructionStatus.RJCT, reason, event.at), Dispatch.CLOSED, event.at)

    after, changed = await change(services, sent.batch, sent.chunk, sent.status, close, event=event)
    if not changed and after.dispatch is not Dispatch.CLOSED:
        await alerts.raise_alert(
            services, sent.batch.ref, event._replace(outcome="ignored: payments were reported on")
        )
    return changed

"""Step 5: read what an FSP reports and move instructions forward. Answers only when that is durable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from connector.channels.answer import Report
from connector.domain.batch import Batch, BatchKind, BatchState
from connector.domain.chunk import Chunk, ChunkStatus, Update
from connector.domain.directory import Institution
from connector.domain.errors import NotFound, Refused
from connector.domain.event import Event
from connector.domain.ids import ChunkId, chunk_of_message
from connector.domain.instruction import Reason
from connector.domain.messages import VerificationReport
from connector.domain.status import InstructionStatus
from connector.flows import admit, alerts, peers, tasks
from connector.flows.change import change
from connector.flows.compose import chunk_message_id
from connector.flows.exchange import arrived
from connector.flows.reconcile import (
    VERIFIED,
    Positions,
    about_payments,
    contradicted,
    information,
    refused_as_duplicate,
    updates,
)
from connector.flows.refusals import refusals_noted
from connector.flows.routing import way_of
from connector.flows.services import Services
from connector.store import Task


@dataclass(frozen=True, slots=True)
class Collected:
    """A report that was taken; status: "processed", or "repeated" where it changed nothing."""

    message_id: str
    message: str
    status: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A chunk that an institution may speak about, as it was just read."""

    batch: Batch
    chunk: Chunk
    status: ChunkStatus


async def take(services: Services, institution: str, report: Report, message: str) -> Collected:
    """Take a report or return that an institution pushed.

    Raises ``Refused``: wrong sums, an unknown message id or transaction, a foreign chunk.
    """
    report = about_payments(report)
    sent = await sent_to(services, institution, report.original_message_id, _kind_of(report))
    if sent.status.attempts > 1 and refused_as_duplicate(report):
        changed = await _doubt(services, sent, institution)
    else:
        with services.stages.measure("take report", len(sent.chunk.credits)):
            news = updates(report, sent.chunk, sent.status.unsent)
        changed = await _apply(services, sent, news, institution, message)
    return Collected(report.message_id, message, "processed" if changed else "repeated")


async def validation_answer(
    services: Services, institution: str, ref: str, chunk: int, failed: Mapping[str, str]
) -> None:
    """Take the payer bank's answer to Bulk_ValidateAccount; failed: reason by instruction id.

    Raises ``Refused`` for a chunk that was not sent to this institution, or an instruction that was not in it.
    """
    name = chunk_message_id(BatchKind.PREVALIDATION, ChunkId(ref, chunk))
    async with refusals_noted(services, institution, lambda: ref):
        sent = await sent_to(services, institution, name, BatchKind.PREVALIDATION)
        positions = Positions(sent.chunk)
        bad = {positions.of(name): Reason("NARR", information(reason)) for name, reason in failed.items()}
    news = [
        Update(index, InstructionStatus.RJCT, bad[index]) if index in bad else Update(index, VERIFIED)
        for index in range(len(sent.chunk.credits))
    ]
    await _apply(services, sent, news, institution, "account validation")


async def authorisation_answer(
    services: Services, institution: str, ref: str, granted: bool, reason: str, number: int = 0
) -> None:
    """Take the payer bank's word on a batch; number: which of the batch's currencies it is about (the callback's).

    A word that comes twice, or after the batch was cancelled, changes nothing. Raises ``Refused`` for a batch that
    this institution was not asked about.
    """
    batch = await _batch(services, institution, ref)
    _, progress = await services.store.batches.read(ref)
    if not 0 <= number < len(batch.expected):
        raise Refused.because("/", "unknown_request", "The batch has no such authorisation request.")
    if progress.state is not BatchState.AWAITING_AUTHORISATION:
        return
    word = Event(services.clock(), institution, "authorisation", "push", "Y" if granted else "N")
    await services.store.events.add(ref, word)
    if granted:
        await admit.grant(services, batch, number)
    else:
        sentence = f"AG01 The payer bank did not authorise the batch: {information(reason)[:100]}"
        await admit.refuse(services, batch, progress.state, sentence)


async def status_push(services: Services, institution: str, batch_id: str, body: Mapping[str, Any]) -> None:
    """Take a v3.0 BulkPayment_StatusPush about a chunk that went out by JSON.

    It only counts, so it decides where all payments fared alike; where they did not, the institution is asked at once
    for the details. Raises ``Refused`` for a foreign or unknown batch id, and for counts that do not fit.
    """
    name = await peers.own_name(services, institution, batch_id)
    identifier = chunk_of_message(name)
    async with refusals_noted(services, institution, lambda: identifier.batch if identifier else ""):
        sent = await sent_to(services, institution, name, BatchKind.DISBURSEMENT)
        size = len(sent.chunk.credits)
        counts = [_count(body, field) for field in ("completed", "failed", "ongoing")]
        if _count(body, "TotalTransactions") != size or sum(counts) != size:
            raise Refused.because("/TotalTransactions", "AM19", f"The batch had {size} transactions.")
    if size in counts[:2]:
        status = InstructionStatus.ACSC if counts[0] else InstructionStatus.RJCT
        reason = None if counts[0] else Reason("NARR", information(str(body.get("note") or "")))
        news = [Update(index, status, reason) for index in range(size)]
        await _apply(services, sent, news, institution, "status push")
    elif counts[2] != size:
        await services.store.queue.put([tasks.inquire(sent.batch, sent.chunk.id.number, due_at=0.0)])


def _count(body: Mapping[str, Any], field: str) -> int:
    value = body.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Refused.because(f"/{field}", "invalid", "Expected a count.")
    return value


def _kind_of(report: Report) -> BatchKind:
    return BatchKind.PREVALIDATION if isinstance(report, VerificationReport) else BatchKind.DISBURSEMENT


async def sender(services: Services, institution: str) -> Institution:
    """The institution that pushes a message; raises ``Refused`` for an unknown one."""
    place = (await services.store.directory.load()).institutions.get(institution)
    if place is None:
        raise Refused.because("/", "unknown_institution", "There is no such institution.")
    return place


async def sent_to(services: Services, institution: str, original: str, kind: BatchKind) -> Sent:
    """Find the chunk that a message id means; raises ``Refused`` unless it went to this institution."""
    identifier = chunk_of_message(original)
    if identifier is None or chunk_message_id(kind, identifier) != original:
        raise _unknown_message()
    try:
        chunk, status = await services.store.batches.chunk(*identifier)
    except NotFound:
        raise _unknown_message() from None
    batch = await _batch(services, institution, identifier.batch, status.executor)
    if batch.kind is not kind or status.attempts == 0:
        raise _unknown_message()
    return Sent(batch, chunk, status)


async def _batch(services: Services, institution: str, ref: str, executor: str = "") -> Batch:
    """Read a batch; raises ``Refused`` where it, or the chunk that has an executor, is another institution's."""
    try:
        batch, _ = await services.store.batches.read(ref)
    except NotFound:
        raise _unknown_message() from None
    way = way_of(await services.store.directory.load(), batch.programme, batch.kind, executor)
    if way.executor.code != institution:
        raise Refused.because("OrgnlMsgId", "foreign_chunk", f"The message was not sent to {institution}.")
    return batch


def _unknown_message() -> Refused:
    return Refused.because("OrgnlMsgId", "unknown_message", "No message with this id was sent.")


async def _doubt(services: Services, sent: Sent, institution: str) -> bool:
    """A repetition was seen as a duplicate: that says nothing of the first message, so that is asked about."""
    event = Event(services.clock(), institution, "repetition refused", "push", "ok", f"chunk {sent.chunk.id.number}")
    await services.store.events.add(sent.batch.ref, event)
    await services.store.queue.put([tasks.inquire(sent.batch, sent.chunk.id.number, due_at=0.0)])
    return False


async def _apply(services: Services, sent: Sent, news: Sequence[Update], institution: str, what: str) -> bool:
    """Commit what the report says; tells whether it changed anything."""
    now = services.clock()
    event = Event(now, institution, "report taken", "push", "ok", f"chunk {sent.chunk.id.number}, {what}")
    returned = any(update.status is InstructionStatus.RTND for update in news)

    def then(status: ChunkStatus) -> Sequence[Task]:
        occasion = f"returned-{sent.chunk.id.number}-{status.version}"
        return tasks.notify(sent.batch, occasion) if returned else ()

    if wrong := contradicted(sent.status, news):  # final stays final, but somebody has to look into it
        sentence = f"{wrong} payments have ended otherwise; their first ending stands"
        doubt = Event(
            now, institution, "report contradicts", "push", sentence, f"chunk {sent.chunk.id.number}, {what}"
        )
        await alerts.raise_alert(services, sent.batch.ref, doubt)
    alter = partial(arrived, updates=news, now=now)
    _, changed = await change(services, sent.batch, sent.chunk, sent.status, alter, event=event, then=then)
    return changed

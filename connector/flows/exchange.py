"""Step 4: one chunk's talk with the institution that executes it.

The intent is durable before the message leaves. Whoever finds that somebody else has changed the chunk meanwhile
never just goes: what is still to be done about the chunk comes again by a timer.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final

from connector.channels import Accepted, Answer, Asked, Declined, NotKnown, Reported, Resolved, Silent
from connector.channels.answer import Report
from connector.domain.batch import Batch, BatchKind
from connector.domain.chunk import (
    Chunk,
    ChunkStatus,
    Dispatch,
    Update,
    advance,
    advance_all,
    carried,
    hold_back,
    moved,
)
from connector.domain.directory import ChannelKind, Inquiry
from connector.domain.errors import OutOfTurn, Refused
from connector.domain.event import Event
from connector.domain.instruction import Reason
from connector.domain.messages import CreditTransfer, VerificationRequest
from connector.domain.status import InstructionStatus
from connector.flows import alerts, peers, questions, tasks
from connector.flows.change import Alteration, change
from connector.flows.compose import chunk_message_id, outgoing
from connector.flows.reconcile import (
    MAXIMUM_INFORMATION,
    about_payments,
    never_received,
    reason_code,
    refused_as_duplicate,
    updates,
)
from connector.flows.routing import Terms, Way, way_of
from connector.flows.services import Services
from connector.flows.times import attempt_of, backoff
from connector.flows.unwritable import unwritable
from connector.iso20022.scheme import Job
from connector.store import Entry, Task

RESEND_AT_MOST_SECONDS: Final = 60.0
ASK_AT_MOST_SECONDS: Final = 3600.0
DOUBTING: Final = 20_000
"""The number of the inquiry that follows a refused repetition."""

MOST_NOTES: Final = 20
"""So many of the notes on one message are written down one by one."""

_NO_FAULTS: Final[Mapping[int, Reason]] = MappingProxyType({})


class Exchange:
    """One chunk's talk with the institution that executes it, in the hands of the worker that has ``entry``."""

    def __init__(self, services: Services, batch: Batch, chunk: Chunk, way: Way, entry: Entry) -> None:
        self.services = services
        self.batch = batch
        self.chunk = chunk
        self.way = way
        self.entry = entry
        self.message_id = chunk_message_id(batch.kind, chunk.id)

    @classmethod
    async def of(cls, services: Services, entry: Entry) -> tuple["Exchange", ChunkStatus]:
        """Read all that the entry's chunk needs."""
        batches, task = services.store.batches, entry.task
        batch, _ = await batches.read(task.batch)
        chunk, status = await batches.chunk(task.batch, task.number)
        way = way_of(await services.store.directory.load(), batch.programme, batch.kind, status.executor)
        return cls(services, batch, chunk, way, entry), status

    @property
    def harmless(self) -> bool:
        """Whether the message may be repeated without asking: it moves no money, and nothing can ask about it."""
        iso = self.way.executor.channel is ChannelKind.ISO20022
        return iso and self.batch.kind is BatchKind.PREVALIDATION and self.way.executor.inquiry is Inquiry.MESSAGE

    @property
    def terms(self) -> Terms:
        """On which terms the institution is spoken to."""
        return self.services.terms(self.way.executor)

    @property
    def message(self) -> str:
        """The name of the chunk's message in the institution's scheme."""
        return self.terms.scheme.message(self.way.job)

    async def ask(self, number: int) -> Answer:
        """Ask what became of the message, for the ``number``-th time, by the means that the institution offers."""
        executor = self.way.executor
        if executor.channel is ChannelKind.GOVSTACK_JSON:
            name = await peers.name_at(self.services, executor.code, self.message_id)
            return await self.services.channels.inquire(executor, name)
        if self.harmless:
            return Silent("There is no message that asks about a verification.")
        if self.batch.kind is BatchKind.PREVALIDATION or executor.inquiry is Inquiry.FETCH:
            return await self.services.channels.inquire(executor, self.message_id)
        answer = await self._inquire(number)
        if executor.inquiry is Inquiry.MESSAGE or isinstance(answer, Reported | NotKnown):
            return answer
        return await self.services.channels.inquire(executor, self.message_id)

    async def _inquire(self, number: int) -> Answer:
        """Send the inquiry; one that the institution declines to read says nothing about the payments."""
        scheme, now = self.terms.scheme, self.services.clock()
        value = questions.inquiry(self.batch, self.chunk, self.way, scheme, number, now)
        message = scheme.message(Job.INQUIRY)
        try:
            answer = await self.services.channels.send(self.way.executor, message, value, self.noted)
        except Refused as refused:
            return Silent(f"The inquiry cannot be written: {refused}")
        match answer:
            case Declined(sentence):
                return Silent(sentence)
            case Reported(report):
                return NotKnown() if never_received(report) else Reported(about_payments(report))
        return answer

    async def noted(self, notes: Sequence[str]) -> None:
        """Write down what a message could not carry as it stands."""
        for note in notes[:MOST_NOTES]:
            await self.services.store.events.add(self.batch.ref, self.event("text changed", note))
        if len(notes) > MOST_NOTES:
            more = f"{len(notes) - MOST_NOTES} more notes"
            await self.services.store.events.add(self.batch.ref, self.event("text changed", more))

    def may_be_on_its_way(self, status: ChunkStatus) -> bool:
        """Whether another worker may be sending at this moment; one that put the entry off itself is done with it."""
        own = self.entry.deliveries == 1 and attempt_of(self.entry) > 0
        return not own and self.services.clock() < self._given_up_at(status)

    async def send(self, status: ChunkStatus) -> None:
        """Note that the message leaves, send it, and note the answer; gives way to whoever noted it before."""
        now, executor, before = self.services.clock(), self.way.executor.code, status
        leaving = self._unless_overtaken(
            status, lambda current: replace(moved(current, Dispatch.SENDING, now), executor=executor)
        )
        event = self.event("chunk sending", "ok")
        status, mine = await change(self.services, self.batch, self.chunk, status, leaving, event=event)
        if not mine:
            return await self.hand_on(status)
        try:
            value = self._value(carried(self.chunk, status), status)
            answer = await self.services.channels.send(self.way.executor, self.message, value, self.noted)
        except Refused as refused:  # our own message cannot be written: nothing was sent
            return await self._send_what_can_be_written(status, refused)
        except OutOfTurn:
            await self._take_back(status, before)
            raise
        return await self.note(await self._believed(answer, status), status)

    async def note(self, answer: Answer, status: ChunkStatus) -> None:
        """Commit what an answer means; where it means nothing, come back later."""
        match answer:
            case Reported(report):
                return await self._reported(status, report)
            case Accepted(peer_id):
                await peers.remember(self.services, self.way.executor.code, peer_id, self.message_id)
                return await self._commit(status, "chunk sent", "ok", ())
            case Declined(sentence, code):
                return await self._declined(status, sentence, code=code)
            case Asked() | Resolved():
                return await self.wait()
            case NotKnown():
                return await self.put_off("The institution does not know the message.")
            case Silent(sentence):
                return await self.put_off(sentence)

    async def put_off(self, sentence: str) -> None:
        """Come back after a while, longer each time."""
        await self.complain(sentence)
        services, attempt = self.services, attempt_of(self.entry)
        delay = backoff(services.settings.resend_delay_seconds, attempt, RESEND_AT_MOST_SECONDS)
        later = tasks.dispatch(self.batch, self.chunk.id.number, due_at=services.clock() + delay, attempt=attempt + 1)
        await services.store.queue.done(self.entry, [later])

    async def wait(self) -> None:
        """The institution was asked about a message that it may or may not have: ask again when its time is over."""
        attempt = attempt_of(self.entry)
        if attempt + 1 == self.terms.inquiries:
            sentence = "The message may or may not have arrived; it is not sent again without the institution's word."
            await alerts.raise_alert(self.services, self.batch.ref, self.event("no answer", sentence))
        due_at = self.services.clock() + backoff(self.terms.answer_seconds, attempt, ASK_AT_MOST_SECONDS)
        later = tasks.dispatch(self.batch, self.chunk.id.number, due_at=due_at, attempt=attempt + 1)
        await self.services.store.queue.done(self.entry, [later])

    async def hand_on(self, status: ChunkStatus) -> None:
        """Leave the chunk as others have made it: strike the entry off, with a timer for what is still to be done."""
        await self.services.store.queue.done(self.entry, self._next(status))

    async def complain(self, sentence: str) -> None:
        """Write the first and every tenth silence down."""
        if attempt_of(self.entry) % self.services.settings.inquiry_attempts == 0:
            await self.services.store.events.add(self.batch.ref, self.event("no answer", sentence))

    def event(self, action: str, outcome: str) -> Event:
        """One line of the event log about this chunk."""
        detail = f"chunk {self.chunk.id.number}, {self.way.executor.code}"
        return Event(self.services.clock(), "isogate", action, "worker", outcome[:300], detail)

    async def _take_back(self, status: ChunkStatus, before: ChunkStatus) -> None:
        """Nothing was sent, so that nothing need be asked: the chunk is as it was, unless somebody else has it."""
        as_before = self._unless_overtaken(status, lambda _: replace(before, changed_at=self.services.clock()))
        await change(self.services, self.batch, self.chunk, status, as_before)

    async def _send_what_can_be_written(self, status: ChunkStatus, refused: Refused) -> None:
        """Reject the payments that spoil the message, durably, and send it without them under the same id."""
        part = carried(self.chunk, status)
        faults = await asyncio.to_thread(unwritable, part, self._check(status))
        places = [index for index in range(len(self.chunk.credits)) if index not in set(status.unsent)]
        reasons = {places[index]: reason for index, reason in faults.items()}
        if len(faults) in {0, len(places)}:
            return await self._declined(status, f"The message cannot be written: {refused}", reasons)
        now = self.services.clock()
        without = self._unless_overtaken(status, lambda current: hold_back(current, reasons, now))
        event = self.event("payments held back", f"{len(reasons)} cannot be written: {refused}")
        status, mine = await change(self.services, self.batch, self.chunk, status, without, event=event)
        return await (self.send(status) if mine else self.hand_on(status))

    def _value(self, piece: Chunk, status: ChunkStatus) -> CreditTransfer | VerificationRequest:
        """Compose the message of the chunk or of a piece of it, as the institution's scheme wants it."""
        with self.services.stages.measure("compose", len(piece.credits)):
            return outgoing(self.batch, piece, self.way, status.composed_at, traced=self.terms.scheme.traced)

    def _check(self, status: ChunkStatus) -> Callable[[Chunk], None]:
        """What refuses a piece of the chunk that cannot be written."""
        message = self.message

        def check(piece: Chunk) -> None:
            self.services.channels.check(self.way.executor, message, self._value(piece, status))

        return check

    async def _believed(self, answer: Answer, status: ChunkStatus) -> Answer:
        """A repetition may be refused just because the first has arrived: then what the FSP knows of that counts."""
        refused = isinstance(answer, Declined) or (
            isinstance(answer, Reported) and refused_as_duplicate(answer.report)
        )
        if status.attempts == 1 or not refused:
            return answer
        known = await self.ask(DOUBTING)
        return answer if isinstance(known, NotKnown) else known

    async def _reported(self, status: ChunkStatus, report: Report) -> None:
        """Take a report that came as the answer; one that does not fit only proves that the message arrived."""
        try:
            with self.services.stages.measure("take report", len(self.chunk.credits)):
                news = updates(report, self.chunk, status.unsent)
        except Refused as refused:
            return await self._commit(status, "chunk sent, report refused", str(refused), ())
        return await self._commit(status, "chunk sent and reported", "ok", news)

    async def _commit(self, status: ChunkStatus, action: str, outcome: str, news: Sequence[Update]) -> None:
        """The FSP has the message: SENT, pending, and what its report says."""
        alter = partial(arrived, updates=news, now=self.services.clock())
        await self._finish(status, alter, self.event(action, outcome))

    async def _declined(
        self, status: ChunkStatus, sentence: str, faults: Mapping[int, Reason] = _NO_FAULTS, code: str = ""
    ) -> None:
        """The FSP read the message and does not take it: every credit that is not final is rejected."""
        now = self.services.clock()

        def close(current: ChunkStatus) -> ChunkStatus:
            if current.dispatch is not Dispatch.SENDING:
                return current
            reason = Reason(reason_code(code), sentence[:MAXIMUM_INFORMATION])
            rejected = advance_all(hold_back(current, faults, now), InstructionStatus.RJCT, reason, now)
            return moved(rejected, Dispatch.CLOSED, now)

        await self._finish(status, close, self.event("chunk declined", sentence))

    async def _finish(self, status: ChunkStatus, alter: Alteration, event: Event) -> None:
        """Commit how the exchange ended, with what follows from it; the entry is done either way."""
        status, changed = await change(
            self.services,
            self.batch,
            self.chunk,
            status,
            alter,
            event=event,
            then=self._next,
            done=self.entry,
        )
        if not changed:
            await self.hand_on(status)

    def _next(self, status: ChunkStatus) -> Sequence[Task]:
        """What is still to be done about the chunk: send it, see whether that went well, or ask about silence."""
        number, now = self.chunk.id.number, self.services.clock()
        match status.dispatch:
            case Dispatch.READY:
                return [tasks.dispatch(self.batch, number)]
            case Dispatch.SENDING:
                return [tasks.dispatch(self.batch, number, due_at=self._given_up_at(status))]
            case Dispatch.SENT if not status.settled:
                due_at = now + self.terms.answer_seconds
                return [tasks.inquire(self.batch, number, due_at=due_at)]
        return ()

    def _given_up_at(self, status: ChunkStatus) -> float:
        """When a worker that noted the sending, and nothing since, is as good as dead (Unix seconds)."""
        return status.sent_at + self.services.settings.take_over_after_seconds

    @staticmethod
    def _unless_overtaken(seen: ChunkStatus, alter: Alteration) -> Alteration:
        """Alter the chunk only as it was seen."""
        return lambda current: alter(current) if current.version == seen.version else current


def arrived(status: ChunkStatus, *, updates: Sequence[Update], now: float) -> ChunkStatus:
    """The message has arrived and, as far as ``updates`` go, was answered; pure."""
    after = status
    if status.dispatch is Dispatch.SENDING:
        after = advance_all(moved(after, Dispatch.SENT, now), InstructionStatus.PDNG, None, now)
    return advance(after, updates, now)

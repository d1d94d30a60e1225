"""Step 4: send a chunk, once.

The intent is durable before the message leaves. A chunk found on its way (a crash, a lost answer) is asked about
first, and sent again, under the same ids, only if the FSP never saw it.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Final

from connector.channels import Accepted, Answer, Asked, Declined, NotKnown, Reported, Resolved, Silent
from connector.channels.answer import Report
from connector.domain.batch import Batch, BatchKind
from connector.domain.chunk import Chunk, ChunkStatus, Dispatch, Update, advance, advance_all, moved
from connector.domain.directory import ChannelKind, Inquiry
from connector.domain.errors import Refused
from connector.domain.event import Event
from connector.domain.instruction import Reason
from connector.domain.messages import StatusReport
from connector.domain.status import InstructionStatus
from connector.flows import alerts, peers, questions, tasks
from connector.flows.change import change
from connector.flows.compose import chunk_message_id, outgoing
from connector.flows.reconcile import MAXIMUM_INFORMATION, updates
from connector.flows.routing import Terms, Way, way_of
from connector.flows.services import Services
from connector.flows.times import attempt_of, backoff
from connector.iso20022.scheme import Job
from connector.store import Entry, Task

RESEND_AT_MOST_SECONDS: Final = 60.0
ASK_AT_MOST_SECONDS: Final = 3600.0
RECOVERING: Final = 10_000
"""From here the inquiries about a message whose answer was lost are numbered: apart from those about silence."""

MOST_NOTES: Final = 20
"""So many of the notes on one message are written down one by one."""

NOT_RECEIVED: Final = frozenset({"UTNV", "NOOR"})
"""Reasons by which an institution says that it never saw the message it was asked about."""

_CODE: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{2}")
_UNFINISHED: Final = frozenset({Dispatch.READY, Dispatch.SENDING})


class Exchange:
    """One chunk's talk with the institution that executes it."""

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
        way = way_of(await services.store.directory.load(), batch.programme, batch.kind)
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
        try:
            answer = await self.services.channels.send(
                self.way.executor, scheme.message(Job.INQUIRY), value, self.noted
            )
        except Refused as refused:
            return Silent(f"The inquiry cannot be written: {refused}")
        if isinstance(answer, Declined):
            return Silent(answer.sentence)
        return NotKnown() if isinstance(answer, Reported) and _never_seen(answer.report) else answer

    async def noted(self, notes: Sequence[str]) -> None:
        """Write down what a message could not carry as it stands."""
        for note in notes[:MOST_NOTES]:
            await self.services.store.events.add(self.batch.ref, self.event("text changed", note))
        if len(notes) > MOST_NOTES:
            more = f"{len(notes) - MOST_NOTES} more notes"
            await self.services.store.events.add(self.batch.ref, self.event("text changed", more))

    async def send(self, status: ChunkStatus) -> None:
        """Note that the message leaves, send it, and note the answer; gives way to whoever noted it before."""
        now = self.services.clock()
        seen = status.version

        def leave(current: ChunkStatus) -> ChunkStatus:
            return moved(current, Dispatch.SENDING, now) if current.version == seen else current

        event = self.event("chunk sending", "ok")
        status, mine = await change(self.services, self.batch, self.chunk, status, leave, event=event)
        if not mine:
            return await self.services.store.queue.done(self.entry)
        try:
            value = outgoing(self.batch, self.chunk, self.way, now)
            message = self.terms.scheme.message(self.way.job)
            answer = await self.services.channels.send(self.way.executor, message, value, self.noted)
        except Refused as refused:  # our own message cannot be written: nothing was sent
            answer = Declined(f"The message cannot be written: {refused}")
        return await self.note(answer, status)

    async def note(self, answer: Answer, status: ChunkStatus) -> None:
        """Commit what an answer means; where it means nothing, come back later."""
        match answer:
            case Reported(report):
                return await self._reported(status, report)
            case Accepted(peer_id):
                await peers.remember(self.services, self.way.executor.code, peer_id, self.message_id)
                return await self._commit(status, "chunk sent", "ok", ())
            case Declined(sentence, code):
                return await self._declined(status, sentence, code)
            case Asked() | Resolved():
                return await self.wait()
            case NotKnown():
                return await self.put_off("The institution does not know the message yet.")
            case Silent(sentence):
                return await self.put_off(sentence)

    async def put_off(self, sentence: str) -> None:
        """Come back after a while, longer each time; the first and every tenth silence are written down."""
        services, attempt = self.services, attempt_of(self.entry)
        if attempt % services.settings.inquiry_attempts == 0:
            await services.store.events.add(self.batch.ref, self.event("no answer", sentence))
        delay = backoff(services.settings.resend_delay_seconds, attempt, RESEND_AT_MOST_SECONDS)
        later = tasks.dispatch(self.batch, self.chunk.id.number, due_at=services.clock() + delay, attempt=attempt + 1)
        await services.store.queue.put([later])
        await services.store.queue.done(self.entry)

    async def wait(self) -> None:
        """The institution was asked about a message that it may or may not have: ask again when its time is over."""
        attempt = attempt_of(self.entry)
        if attempt + 1 == self.terms.inquiries:
            sentence = "The message may or may not have arrived; it is not sent again without the institution's word."
            await alerts.raise_alert(self.services, self.batch.ref, self.event("no answer", sentence))
        delay = backoff(self.terms.answer_seconds, attempt, ASK_AT_MOST_SECONDS)
        later = tasks.dispatch(
            self.batch, self.chunk.id.number, due_at=self.services.clock() + delay, attempt=attempt + 1
        )
        await self.services.store.queue.put([later])
        await self.services.store.queue.done(self.entry)

    async def _reported(self, status: ChunkStatus, report: Report) -> None:
        """Take a report that came as the answer; one that does not fit only proves that the message arrived."""
        try:
            await self._commit(status, "chunk sent and reported", "ok", updates(report, self.chunk))
        except Refused as refused:
            await self._commit(status, "chunk sent, report refused", str(refused), ())

    async def _commit(self, status: ChunkStatus, action: str, outcome: str, news: Sequence[Update]) -> None:
        """The FSP has the message: SENT, pending, and what its report says."""
        alter = partial(arrived, updates=news, now=self.services.clock())
        await change(
            self.services,
            self.batch,
            self.chunk,
            status,
            alter,
            event=self.event(action, outcome),
            then=self._inquiry,
            done=self.entry,
        )

    async def _declined(self, status: ChunkStatus, sentence: str, code: str) -> None:
        """The FSP read the message and does not take it: every credit that is not final is rejected."""
        now = self.services.clock()

        def close(current: ChunkStatus) -> ChunkStatus:
            if current.dispatch is not Dispatch.SENDING:
                return current
            reason = Reason(reason_code(code), sentence[:MAXIMUM_INFORMATION])
            return moved(advance_all(current, InstructionStatus.RJCT, reason, now), Dispatch.CLOSED, now)

        event = self.event("chunk declined", sentence)
        await change(self.services, self.batch, self.chunk, status, close, event=event, done=self.entry)

    def _inquiry(self, status: ChunkStatus) -> Sequence[Task]:
        """While a credit is ongoing, silence is asked about."""
        if status.settled:
            return ()
        due_at = self.services.clock() + self.terms.answer_seconds
        return [tasks.inquire(self.batch, self.chunk.id.number, due_at=due_at)]

    async def watch(self, status: ChunkStatus) -> None:
        """The message arrived otherwise, as a pushed report proved: from now on, silence is asked about."""
        if status.dispatch is Dispatch.SENT:
            await self.services.store.queue.put(self._inquiry(status))
        await self.services.store.queue.done(self.entry)

    def event(self, action: str, outcome: str) -> Event:
        """One line of the event log about this chunk."""
        detail = f"chunk {self.chunk.id.number}, {self.way.executor.code}"
        return Event(self.services.clock(), "isogate", action, "worker", outcome[:300], detail)


def arrived(status: ChunkStatus, *, updates: Sequence[Update], now: float) -> ChunkStatus:
    """The message has arrived and, as far as ``updates`` go, was answered; pure."""
    after = status
    if status.dispatch is Dispatch.SENDING:
        after = advance_all(moved(after, Dispatch.SENT, now), InstructionStatus.PDNG, None, now)
    return advance(after, updates, now)


def reason_code(code: str) -> str:
    """Keep a code that has the form of ISO's; any other is the institution's own, and told in words."""
    return code if _CODE.fullmatch(code) else "NARR"


def _never_seen(report: Report) -> bool:
    """Tell whether the answer to an inquiry says of the whole message that it was not received."""
    if not isinstance(report, StatusReport):
        return False
    said = {(item.status, item.reason) for item in report.transactions} or {
        (report.group_status, report.group_reason)
    }
    return all(status == InstructionStatus.RJCT.value and reason in NOT_RECEIVED for status, reason in said)


async def run(services: Services, entry: Entry) -> None:
    """Send a chunk that is ready; ask about one that may have been sent."""
    exchange, status = await Exchange.of(services, entry)
    if status.dispatch not in _UNFINISHED:
        return await exchange.watch(status)
    if status.dispatch is Dispatch.READY or exchange.harmless:
        return await exchange.send(status)
    answer = await exchange.ask(RECOVERING + attempt_of(entry))
    return await (exchange.send(status) if isinstance(answer, NotKnown) else exchange.note(answer, status))

"""Step 4: send a chunk, once.

The intent is durable before the message leaves. A chunk found on its way (a crash, a lost answer) is asked about
first, and sent again, under the same ids, only if the FSP never saw it.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from connector.channels import Accepted, Answer, Declined, NotKnown, Reported, Silent
from connector.channels.answer import Report
from connector.domain.batch import Batch
from connector.domain.chunk import Chunk, ChunkStatus, Dispatch, Update, advance, advance_all, moved
from connector.domain.directory import ChannelKind
from connector.domain.errors import Refused
from connector.domain.event import Event
from connector.domain.instruction import Reason
from connector.domain.status import InstructionStatus
from connector.flows import peers, tasks
from connector.flows.change import change
from connector.flows.compose import chunk_message_id, outgoing
from connector.flows.reconcile import MAXIMUM_INFORMATION, updates
from connector.flows.routing import Way, way_of
from connector.flows.services import Services
from connector.flows.times import attempt_of, backoff
from connector.store import Entry, Task

RESEND_AT_MOST_SECONDS: Final = 60.0
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

    async def ask(self) -> Answer:
        """Ask what became of the message."""
        executor = self.way.executor
        name = self.message_id
        if executor.channel is ChannelKind.GOVSTACK_JSON:
            name = await peers.name_at(self.services, executor.code, name)
        return await self.services.channels.inquire(executor, name)

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
            answer = await self.services.channels.send(self.way.executor, self.way.message, value)
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
            case Declined(sentence):
                return await self._declined(status, sentence)
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

    async def _declined(self, status: ChunkStatus, sentence: str) -> None:
        """The FSP read the message and does not take it: every credit that is not final is rejected."""
        now = self.services.clock()

        def close(current: ChunkStatus) -> ChunkStatus:
            if current.dispatch is not Dispatch.SENDING:
                return current
            reason = Reason("NARR", sentence[:MAXIMUM_INFORMATION])
            return moved(advance_all(current, InstructionStatus.RJCT, reason, now), Dispatch.CLOSED, now)

        event = self.event("chunk declined", sentence)
        await change(self.services, self.batch, self.chunk, status, close, event=event, done=self.entry)

    def _inquiry(self, status: ChunkStatus) -> Sequence[Task]:
        """While a credit is ongoing, silence is asked about."""
        if status.settled:
            return ()
        due_at = self.services.clock() + self.way.executor.answer_within_seconds
        return [tasks.inquire(self.batch, self.chunk.id.number, due_at=due_at)]

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


async def run(services: Services, entry: Entry) -> None:
    """Send a chunk that is ready; ask about one that may have been sent."""
    exchange, status = await Exchange.of(services, entry)
    if status.dispatch not in _UNFINISHED:
        return await services.store.queue.done(entry)
    if status.dispatch is Dispatch.READY:
        return await exchange.send(status)
    answer = await exchange.ask()
    return await (exchange.send(status) if isinstance(answer, NotKnown) else exchange.note(answer, status))

"""Step 4b: silence. Ask about a chunk that was sent and of which something is still open.

Nothing moves on without an answer. When the last inquiry has brought none, the payments stay pending and the operator
is alerted; nothing is sent again and nothing is rejected for it. A late report is taken whenever it comes.
"""

from functools import partial
from typing import Final, NamedTuple

from connector.channels import Answer, NotKnown, Reported, Silent
from connector.domain.chunk import ChunkStatus, Dispatch
from connector.domain.directory import Unanswered
from connector.domain.errors import Refused
from connector.flows import alerts, tasks
from connector.flows.change import change
from connector.flows.exchange import Exchange, arrived
from connector.flows.reconcile import updates
from connector.flows.services import Services
from connector.flows.times import backoff
from connector.store import Entry

INQUIRE_AT_MOST_SECONDS: Final = 3600.0
ONCE: Final = "once"
"""Begins the data of a task that an operator ordered: it asks, whatever the terms, and is not continued."""


class Patience(NamedTuple):
    """How often was asked, how often in a row without an answer, and the chunk's version at the last asking."""

    asked: int = 0
    unanswered: int = 0
    version: int = 0

    @classmethod
    def of(cls, entry: Entry, status: ChunkStatus) -> "Patience":
        """Read it from a task; what has changed since the last asking was an answer."""
        asked, unanswered, version = (*map(int, filter(str.isdecimal, entry.task.data.split("/"))), 0, 0, 0)[:3]
        return cls(asked, 0 if status.version != version else unanswered, status.version)

    def __str__(self) -> str:
        """Write it for a task."""
        return "/".join(map(str, self))


async def run(services: Services, entry: Entry) -> None:
    """Ask about a chunk that was sent, as long as a credit of it is ongoing."""
    exchange, status = await Exchange.of(services, entry)
    if status.dispatch is not Dispatch.SENT:  # being sent again: that may end in nobody's hands
        return await exchange.hand_on(status)
    if status.settled:
        return await services.store.queue.done(entry)
    patience, once = Patience.of(entry, status), entry.task.data.startswith(ONCE)
    answer = await exchange.ask(patience.asked)
    if isinstance(answer, NotKnown) and status.unanswered:  # it was accepted, and lost: the same message again
        return await exchange.send(status)
    if once:
        return await _asked_once(exchange, status, answer)
    return await _ask_again(exchange, status, answer, patience)


async def _asked_once(exchange: Exchange, status: ChunkStatus, answer: Answer) -> None:
    if isinstance(answer, Reported):
        await _progress(exchange, status, answer)
    elif isinstance(answer, Silent):
        await exchange.services.store.events.add(exchange.batch.ref, exchange.event("no answer", answer.sentence))
    await exchange.services.store.queue.done(exchange.entry)


async def _ask_again(exchange: Exchange, status: ChunkStatus, answer: Answer, patience: Patience) -> None:
    """Take what the answer says, and come back while anything is open and the institution's terms are not used up."""
    services, entry = exchange.services, exchange.entry
    silent = not isinstance(answer, Reported)
    if isinstance(answer, Reported):
        status = await _progress(exchange, status, answer)
    elif isinstance(answer, NotKnown):
        await exchange.complain("The institution does not know a message that it reported on.")
    after = Patience(patience.asked + 1, patience.unanswered + 1 if silent else 0, status.version)
    if status.settled:
        return await services.store.queue.done(entry)
    if isinstance(answer, Silent) and after.unanswered == 1:
        await services.store.events.add(exchange.batch.ref, exchange.event("no answer", answer.sentence))
    if after.unanswered == exchange.terms.inquiries:
        sentence = f"{after.unanswered} inquiries brought no report; the payments stay pending."
        await alerts.raise_alert(services, exchange.batch.ref, exchange.event("no answer", sentence))
    if after.unanswered < exchange.terms.inquiries or exchange.way.executor.unanswered is Unanswered.KEEP_ASKING:
        delay = backoff(exchange.terms.answer_seconds, patience.asked, INQUIRE_AT_MOST_SECONDS)
        again = tasks.inquire(
            exchange.batch, exchange.chunk.id.number, due_at=services.clock() + delay, patience=str(after)
        )
        return await services.store.queue.done(entry, [again])
    return await services.store.queue.done(entry)


async def _progress(exchange: Exchange, status: ChunkStatus, answer: Reported) -> ChunkStatus:
    services, batch = exchange.services, exchange.batch
    try:
        news = updates(answer.report, exchange.chunk, status.unsent)
    except Refused as refused:
        await services.store.events.add(batch.ref, exchange.event("report refused", str(refused)))
        return status
    alter = partial(arrived, updates=news, now=services.clock())
    event = exchange.event("report fetched", "ok")
    status, _ = await change(services, batch, exchange.chunk, status, alter, event=event)
    return status

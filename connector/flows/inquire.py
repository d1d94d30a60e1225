"""Step 4b: ask about a chunk that was sent and of which something is still open."""

from functools import partial
from typing import Final

from connector.channels import Answer, NotKnown, Reported
from connector.domain.chunk import ChunkStatus, Dispatch
from connector.domain.errors import Refused
from connector.flows import tasks
from connector.flows.change import change
from connector.flows.exchange import Exchange, arrived
from connector.flows.reconcile import updates
from connector.flows.services import Services
from connector.flows.times import attempt_of, backoff
from connector.store import Entry

INQUIRE_AT_MOST_SECONDS: Final = 3600.0


async def run(services: Services, entry: Entry) -> None:
    """Ask about a chunk that was sent, as long as a credit of it is ongoing."""
    exchange, status = await Exchange.of(services, entry)
    if status.dispatch is not Dispatch.SENT:  # being sent again: that may end in nobody's hands
        return await exchange.hand_on(status)
    if status.settled:
        return await services.store.queue.done(entry)
    answer = await exchange.ask()
    if isinstance(answer, NotKnown) and status.unanswered:  # it was accepted, and lost: the same message again
        return await exchange.send(status)
    return await _ask_again(exchange, status, answer)


async def _ask_again(exchange: Exchange, status: ChunkStatus, answer: Answer) -> None:
    """Take what the answer says, and come back while anything is open."""
    services, attempt = exchange.services, attempt_of(exchange.entry)
    if isinstance(answer, Reported):
        status = await _progress(exchange, status, answer)
    elif isinstance(answer, NotKnown):
        await exchange.complain("The institution does not know a message that it reported on.")
    if status.settled:
        return await services.store.queue.done(exchange.entry)
    first = exchange.way.executor.answer_within_seconds
    due_at = services.clock() + backoff(first, attempt, INQUIRE_AT_MOST_SECONDS)
    again = tasks.inquire(exchange.batch, exchange.chunk.id.number, due_at=due_at, attempt=attempt + 1)
    return await services.store.queue.done(exchange.entry, [again])


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

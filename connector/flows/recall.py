"""Step 8: hand an institution the recalls that it does not have yet.

The case is durable before the institution hears of it. Its message goes out again and again under the same ids until
the institution has it: unlike a payment, a question may come twice. The answer is a camt.029 (see ``answers``); where
none comes it is asked for (see ``recall_chase``).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from connector.channels import Accepted, Answer, Declined, Resolved
from connector.domain import clawback
from connector.domain.chunk import ChunkStatus, Dispatch
from connector.domain.errors import Refused
from connector.domain.instruction import Reason
from connector.domain.messages import RecallAnswer
from connector.domain.recall import RecallCase, RecallState, RecallVerdict
from connector.flows import questions, tasks
from connector.flows.answers import verdicts
from connector.flows.change import change
from connector.flows.exchange import Exchange
from connector.flows.reconcile import information, reason_code
from connector.flows.services import Services
from connector.flows.times import attempt_of, backoff
from connector.store import Entry, Task

AGAIN_AT_MOST_SECONDS: Final = 3600.0


async def run(services: Services, entry: Entry) -> None:
    """Hand over a chunk's recalls that the institution does not have yet, one after the other."""
    exchange, status = await Exchange.of(services, entry)
    case = clawback.undelivered(status)
    if case is None:
        return await services.store.queue.done(entry)
    if status.dispatch is not Dispatch.SENT:
        return await _again(exchange, "The payments themselves have not arrived yet.")
    return await _note(exchange, status, case, await hand_over(exchange, status, case))


async def _note(exchange: Exchange, status: ChunkStatus, case: RecallCase, answer: Answer) -> None:
    """Commit what an answer means; where it means nothing, come back later under the same ids."""
    now = exchange.services.clock()
    match answer:
        case Accepted():
            alter = partial(clawback.delivered, number=case.number, now=now)
            return await _commit(exchange, status, "recall sent", case, alter)
        case Resolved(resolution):
            return await _resolved(exchange, status, case, resolution)
        case Declined(sentence, code):
            reason = Reason(reason_code(code), information(sentence))
            news = [RecallVerdict(position, RecallState.REFUSED, reason) for position in case.positions]
            return await _commit(exchange, status, "recall declined", case, _taking(case, news, now))
        case _:
            return await _again(exchange, getattr(answer, "sentence", "The institution answered something else."))


async def _resolved(exchange: Exchange, status: ChunkStatus, case: RecallCase, resolution: RecallAnswer) -> None:
    """An answer that does not fit only proves that the institution has the message; the fitting one is waited for."""
    now = exchange.services.clock()
    try:
        news = verdicts(resolution, exchange.chunk, case.positions)
    except Refused as refused:
        alter = partial(clawback.delivered, number=case.number, now=now)
        return await _commit(exchange, status, "recall sent, answer refused", case, alter, str(refused))
    return await _commit(exchange, status, "recall answered", case, _taking(case, news, now))


async def hand_over(exchange: Exchange, status: ChunkStatus, case: RecallCase) -> Answer:
    """Send a case's message, the same one every time."""
    scheme = exchange.terms.scheme
    value = questions.recall(exchange.batch, exchange.chunk, status, case, exchange.way, scheme)
    try:
        return await exchange.services.channels.send(
            exchange.way.executor, scheme.message(exchange.way.recalling), value, exchange.noted
        )
    except Refused as refused:
        return Declined(f"The recall cannot be written: {refused}")


def _taking(case: RecallCase, news: Sequence[RecallVerdict], now: float) -> Callable[[ChunkStatus], ChunkStatus]:
    """The institution has the case's message, and this is its answer."""

    def alter(status: ChunkStatus) -> ChunkStatus:
        return clawback.answered(clawback.delivered(status, case.number, now), news, now, case.number)

    return alter


async def _commit(
    exchange: Exchange,
    status: ChunkStatus,
    action: str,
    case: RecallCase,
    alter: Callable[[ChunkStatus], ChunkStatus],
    outcome: str = "ok",
) -> None:
    """Commit what became of one case; the chunk's next one is another entry, and so is waiting for the answer."""
    services, batch, number = exchange.services, exchange.batch, exchange.chunk.id.number
    event = exchange.event(action, outcome)
    event = event._replace(detail=f"{event.detail}, case {case.number}, {len(case.positions)} payments")

    def then(after: ChunkStatus) -> Sequence[Task]:
        next_one = [tasks.recall(batch, number)] if clawback.undelivered(after) else []
        if not clawback.unanswered(after, case.number):
            return next_one
        due_at = services.clock() + exchange.terms.answer_seconds
        return [*next_one, tasks.chase(batch, number, case.number, due_at=due_at)]

    await change(services, batch, exchange.chunk, status, alter, event=event, then=then, done=exchange.entry)


async def _again(exchange: Exchange, sentence: str) -> None:
    """Come back after a while, longer each time; the first and every tenth time are written down."""
    services, attempt = exchange.services, attempt_of(exchange.entry)
    if attempt % services.settings.inquiry_attempts == 0:
        await services.store.events.add(exchange.batch.ref, exchange.event("recall put off", sentence))
    delay = backoff(services.settings.resend_delay_seconds, attempt, AGAIN_AT_MOST_SECONDS)
    due_at = services.clock() + delay
    later = tasks.recall(exchange.batch, exchange.chunk.id.number, due_at=due_at, attempt=attempt + 1)
    await services.store.queue.done(exchange.entry, [later])

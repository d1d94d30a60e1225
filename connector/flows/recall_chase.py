"""Step 8b: silence about a recall. Ask for the answer to a case that the institution has.

It is fetched where the institution lets reports be fetched, else the same message goes out again under the same ids.
When the last inquiry has brought none, the operator is alerted and the recall stays asked; an answer is taken
whenever it comes.
"""

from functools import partial
from typing import Final, NamedTuple

from connector.channels import Answer, NotKnown, Resolved
from connector.domain import clawback
from connector.domain.chunk import ChunkStatus
from connector.domain.directory import Inquiry, Unanswered
from connector.domain.errors import Refused
from connector.domain.event import Event
from connector.domain.messages import RecallAnswer
from connector.domain.recall import RecallCase
from connector.flows import alerts, questions, recall, tasks
from connector.flows.answers import verdicts
from connector.flows.change import change
from connector.flows.exchange import Exchange
from connector.flows.services import Services
from connector.flows.times import backoff
from connector.store import Entry

CHASE_AT_MOST_SECONDS: Final = 3600.0


class Chased(NamedTuple):
    """Which case is chased, and how often that was done."""

    case: int
    asked: int

    @classmethod
    def of(cls, entry: Entry) -> "Chased":
        """Read it from a task."""
        case, _, asked = entry.task.data.partition("/")
        return cls(int(case), int(asked))


async def run(services: Services, entry: Entry) -> None:
    """Ask for a case's answer, as long as a payment of it has none."""
    exchange, status = await Exchange.of(services, entry)
    chased = Chased.of(entry)
    if clawback.unanswered(status, chased.case):
        case = status.recalls[chased.case]
        answer = await _ask(exchange, status, case)
        if isinstance(answer, Resolved):
            status = await _take(exchange, status, case, answer.answer)
    if not clawback.unanswered(status, chased.case):
        return await services.store.queue.done(entry)
    return await _unanswered(exchange, chased)


async def _ask(exchange: Exchange, status: ChunkStatus, case: RecallCase) -> Answer:
    """A refusal of the repetition is no answer: the institution may refuse it just because it has the first."""
    executor = exchange.way.executor
    if executor.inquiry is not Inquiry.MESSAGE:
        answer = await exchange.services.channels.inquire(executor, questions.recall_id(exchange.chunk, case))
        if not isinstance(answer, NotKnown):
            return answer
    return await recall.hand_over(exchange, status, case)


async def _take(exchange: Exchange, status: ChunkStatus, case: RecallCase, answer: RecallAnswer) -> ChunkStatus:
    """Commit what the answer says; one that does not fit says nothing."""
    services, batch = exchange.services, exchange.batch
    try:
        news = verdicts(answer, exchange.chunk, case.positions)
    except Refused as refused:
        await services.store.events.add(
            batch.ref, _event(exchange, case.number, "recall answer refused", str(refused))
        )
        return status
    alter = partial(clawback.answered, verdicts=news, now=services.clock(), number=case.number)
    event = _event(exchange, case.number, "recall answered", answer.confirmation or "ok")
    status, _ = await change(services, batch, exchange.chunk, status, alter, event=event)
    return status


async def _unanswered(exchange: Exchange, chased: Chased) -> None:
    """Come back later, longer each time, while the institution's terms are not used up; then alert the operator."""
    services, terms = exchange.services, exchange.terms
    asked = chased.asked + 1
    if asked == terms.inquiries:
        sentence = f"{asked} inquiries brought no answer to the recall; it stays asked."
        await alerts.raise_alert(
            services, exchange.batch.ref, _event(exchange, chased.case, "recall unanswered", sentence)
        )
    if asked >= terms.inquiries and exchange.way.executor.unanswered is Unanswered.HOLD:
        return await services.store.queue.done(exchange.entry)
    due_at = services.clock() + backoff(terms.answer_seconds, chased.asked, CHASE_AT_MOST_SECONDS)
    again = tasks.chase(exchange.batch, exchange.chunk.id.number, chased.case, due_at=due_at, asked=asked)
    return await services.store.queue.done(exchange.entry, [again])


def _event(exchange: Exchange, case: int, action: str, outcome: str) -> Event:
    event = exchange.event(action, outcome)
    return event._replace(detail=f"{event.detail}, case {case}")

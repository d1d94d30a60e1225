"""A bank: payer bank and payee bank in one, put together from the roles that it plays."""

import json
import sqlite3
from collections.abc import Callable
from typing import Final

from connector.domain.messages import (
    CreditTransfer,
    PaymentReturn,
    StatusInquiry,
    StatusReport,
    Transfer,
    VerificationReport,
    VerificationRequest,
)
from simulators import inbox, reporting, settling
from simulators.bank import faults, wire
from simulators.bank.book import Book
from simulators.crediting import Crediting
from simulators.forwarding import Forwarding
from simulators.house import PROFILE, Answer, House, Outgoing
from simulators.inbox import Verdict
from simulators.outbox import Job
from simulators.reporting import transfers_of
from simulators.verifying import Verifying

REPORT: Final = "pain.002.001.10"
REFUSED_LEG: Final = "NARR"


class Bank:
    """A bank that executes orders for its customers and credits the others' payments to them."""

    def __init__(self, house: House) -> None:
        """Put the roles together."""
        self.house = house
        self.book = Book(house)
        self.crediting = Crediting(house, faults.PAYEE, str)
        self.forwarding = Forwarding(house, self.book, faults.PAYER, REPORT)
        self.verifying = Verifying(house)
        self._makers: dict[str, Callable[[Job], Outgoing | None]] = {
            "leg": self.forwarding.compose,
            "report": self.forwarding.compose,
            "return-on": self.forwarding.compose,
            "push": self.crediting.push,
            "return": self.crediting.give_back,
            "verify": self.verifying.compose,
            "verified": self.verifying.compose,
            settling.SETTLE: self._note,
            "callback": self._callback,
            "authorisation": self._authorisation,
        }

    def receive(self, body: bytes, sender: str) -> Answer:
        """Take an ISO 20022 message in, whatever it is about; raises ``Refused`` where it is none for a bank."""
        received = self.house.engine.read(body, profile=PROFILE)
        match received.value:
            case CreditTransfer() as order if received.message.startswith("pacs."):
                return self.crediting.credit(order, received.message, sender)
            case CreditTransfer() as order:
                return self.forwarding.order(order, received.message, sender)
            case VerificationRequest() as request if sender or self._about_own(request):
                return self.crediting.verify(request)
            case VerificationRequest() as request:
                return self.verifying.ask(request, received.message, sender)
            case StatusInquiry() as inquiry:
                return self.report(inquiry.original_message_id, sender)
            case StatusReport() | VerificationReport() | PaymentReturn() as news:
                return self._learn(news, sender)

    def report(self, message_id: str, sender: str) -> Answer:
        """Give the newest report about a message: 200, 204 where there is none yet, 404 for an unknown id."""
        with self.house.database.transaction() as link:
            kept = inbox.latest(link, sender, message_id)
            if kept is None:
                return Answer(404)
            family = kept.name.partition(".")[0]
            roles = {"pacs": self.crediting.report, "acmt": self.verifying.report}
            return roles.get(family, self.forwarding.report)(link, kept)

    def objection(self, link: sqlite3.Connection, account: str, currency: str, minor: int) -> Verdict | None:
        """Say what is wrong with taking so much: by the books, by a rule or by a magic amount."""
        probe = Transfer("", "", "", minor, "", "", "")
        decision = self.house.faults.decide(link, faults.PAYER, [probe], currency)
        return self.book.shortage(link, account, currency, minor) or decision.group or decision.verdicts.get(0)

    def compose(self, job: Job) -> Outgoing | None:
        """Make what a job sends."""
        return self._makers[job.kind.partition(":")[0]](job)

    def delivered(self, job: Job, body: bytes) -> None:
        """Take in the report that came with the answer."""
        if body and job.kind in {"leg", "verify"}:
            self.receive(body, job.target)

    def undeliverable(self, job: Job, status: int) -> None:
        """Reject what an institution does not take, so that the debtor gets the money back."""
        del status
        if job.kind == "leg":
            self.forwarding.refused_leg(job.message, job.leg, REFUSED_LEG)
        elif job.kind == "verify":
            self.verifying.refused_leg(job.message, job.leg, REFUSED_LEG)

    def _learn(self, news: StatusReport | VerificationReport | PaymentReturn, sender: str) -> Answer:
        """Take in what another institution says about something that this bank sent."""
        match news:
            case StatusReport():
                self.forwarding.answered(news)
            case VerificationReport():
                self.verifying.answered(news)
            case PaymentReturn():
                self.forwarding.returned(news, sender)
        return Answer(202)

    def _about_own(self, request: VerificationRequest) -> bool:
        return {account.agent or request.agent for account in request.accounts} == {self.house.code}

    def _note(self, job: Job) -> Outgoing:
        return settling.note(self.house, job)

    def _authorisation(self, job: Job) -> Outgoing:
        url, answer = json.loads(job.payload)
        return self.house.json_to(url, answer)

    def _callback(self, job: Job) -> Outgoing:
        with self.house.database.transaction() as link:
            kept = inbox.read(link, job.message)
            if kept.name == wire.VALIDATE:
                body = wire.validation_answer(kept.facts, self.verifying.failed(link, kept))
                return self.house.json_to(kept.facts.reply_url, body)
            legs = inbox.legs(link, kept.number)
        body = wire.status_push(kept.facts, *_outcome(kept, legs), self.house.clock.now())
        return self.house.json_to(kept.facts.reply_url, body)


def _outcome(kept: inbox.Kept, legs: list[inbox.Leg]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Count what was paid and what failed, and add up both."""
    if kept.state == inbox.REFUSED:
        return (0, 0), (kept.facts.count, kept.facts.total_minor)
    statuses = list(reporting.each(legs))
    amounts = [transfer.amount_minor for leg in legs if leg.result for transfer in transfers_of(leg)]
    failed = [amount for one, amount in zip(statuses, amounts, strict=True) if one.status == reporting.REJECTED]
    return (len(amounts) - len(failed), sum(amounts) - sum(failed)), (len(failed), sum(failed))

"""A bank: payer bank and payee bank in one, put together from the roles that it plays."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

from connector.domain.errors import Refused
from connector.domain.messages import (
    InquiredTransfer,
    PaymentReturn,
    RecallAnswer,
    StatusInquiry,
    StatusReport,
    Transfer,
    VerificationReport,
    VerificationRequest,
)
from simulators import conceding, inbox, inquiring, reporting, requesting, settling
from simulators.bank import faults, wire
from simulators.bank.book import Book
from simulators.conceding import Conceding
from simulators.crediting import Crediting
from simulators.forwarding import NOTIFY, Forwarding
from simulators.house import Answer, House, Outgoing, Taker
from simulators.inbox import Verdict
from simulators.inquiring import Inquiring
from simulators.outbox import Job
from simulators.recalling import Recalling
from simulators.reporting import transfers_of
from simulators.requesting import Requesting
from simulators.statements import Statements
from simulators.verifying import Verifying

REFUSED_LEG: Final = "NARR"
ANSWERED: Final = frozenset({"leg", "verify", "recall", inquiring.ASK})
"""Jobs whose HTTP answer may carry a message."""

News = StatusReport | VerificationReport | PaymentReturn | RecallAnswer


class Bank:
    """A bank that executes orders for its customers and credits the others' payments to them."""

    def __init__(self, house: House) -> None:
        """Put the roles together."""
        self.house = house
        self.book = Book(house)
        self.crediting = Crediting(house, faults.PAYEE, str)
        self.forwarding = Forwarding(house, self.book, faults.PAYER)
        self.verifying = Verifying(house)
        self.inquiring = Inquiring(house, self.forwarding)
        self.recalling = Recalling(house, self.forwarding, faults.PAYER)
        self.conceding = Conceding(house, self.crediting, faults.PAYEE)
        self.requesting = Requesting(house, faults.DEBTOR, str)
        self.statements = Statements(house, faults.PAYER, faults.PAYEE)
        self._makers: dict[str, Callable[[Job], Outgoing | None]] = {
            "leg": self.forwarding.compose,
            "report": self.forwarding.compose,
            "return-on": self.forwarding.compose,
            inquiring.ASK: self.inquiring.compose,
            inquiring.WITHDRAW: self.inquiring.compose,
            "recall": self.recalling.compose,
            "recalled": self.recalling.compose,
            conceding.CONCEDE: self.conceding.compose,
            requesting.CONSENT: self.requesting.compose,
            requesting.EXPIRE: self.requesting.compose,
            NOTIFY: self.statements.compose,
            "push": self.crediting.push,
            "return": self.crediting.give_back,
            "verify": self.verifying.compose,
            "verified": self.verifying.compose,
            settling.SETTLE: self._note,
            "callback": self._callback,
            "authorisation": self._authorisation,
        }

        self._takers: dict[str, Taker] = {
            "pacs.008": self.crediting.credit,
            "pain.001": self.forwarding.order,
            "acmt.023": self._verify,
            "camt.055": self.recalling.ask,
            "camt.056": self.conceding.ask,
            "pain.013": self.requesting.ask,
            "pacs.028": self._inquire,
            "pacs.002": self._learn,
            "pacs.004": self._learn,
            "acmt.024": self._learn,
            "camt.029": self._learn,
        }

    def receive(self, body: bytes, sender: str) -> Answer:
        """Take an ISO 20022 message in, whatever it is about; raises ``Refused`` where it is none for a bank."""
        received = self.house.read(body, sender)
        take = self._takers.get(received.message[:8])
        if take is None:
            raise Refused.because("/", "unsupported", "A bank does not take this message.")
        return take(received.value, received.message, sender)

    def report(self, message_id: str, sender: str, only: Sequence[InquiredTransfer] = ()) -> Answer:
        """Give the newest report about a message: 200, 204 where there is none yet, 404 for an unknown id."""
        with self.house.database.transaction() as link:
            kept = inbox.latest(link, sender, message_id)
            if kept is None or kept.facts.inquiry:
                return Answer(404 if kept is None or kept.facts.inquiry == "unknown" else 204)
            if kept.name.startswith("pacs.008"):
                return self.crediting.report(link, kept, only)
            reporters = {
                "acmt.023": self.verifying.report,
                "camt.055": self.recalling.report,
                "camt.056": self.conceding.report,
            }
            return reporters.get(kept.name[:8], self.forwarding.report)(link, kept, only)

    def statement(self, account: str, kind: str, first: str, last: str) -> Answer:
        """Give an account's statement; raises ``Refused``."""
        return self.statements.fetch(account, kind, first, last)

    def objection(self, link: sqlite3.Connection, account: str, currency: str, minor: int) -> Verdict | None:
        """Say what is wrong with taking so much: by the books, by a rule or by a magic amount."""
        probe = Transfer("", "", "", minor, "", "", "")
        decision = self.house.faults.decide(link, faults.PAYER, [probe], currency)
        return self.book.shortage(link, account, currency, minor) or decision.group or decision.verdicts.get(0)

    def compose(self, job: Job) -> Outgoing | None:
        """Make what a job sends."""
        return self._makers[job.kind.partition(":")[0]](job)

    def delivered(self, job: Job, body: bytes) -> None:
        """Take in the report that came with the answer; where there is none, it will be asked for."""
        if body and job.kind in ANSWERED:
            self.receive(body, job.target)
        if job.kind in inquiring.ASKED_ABOUT:
            self.inquiring.sent(job)

    def undeliverable(self, job: Job, status: int) -> None:
        """Reject what an institution does not take, so that the debtor gets the money back."""
        if job.kind == "leg":
            self.forwarding.refused_leg(job.message, job.leg, REFUSED_LEG)
        elif job.kind == inquiring.ASK and status == HTTPStatus.NOT_FOUND:
            self.inquiring.unknown(job)
        elif job.kind == "recall":
            self.recalling.refused_leg(job.message, job.leg, REFUSED_LEG)
        elif job.kind == "verify":
            self.verifying.refused_leg(job.message, job.leg, REFUSED_LEG)

    def _verify(self, request: VerificationRequest, name: str, sender: str) -> Answer:
        """Verify accounts of this bank, and pass a customer's questions about others on."""
        if sender or self._about_own(request):
            return self.crediting.verify(request, name, sender)
        return self.verifying.ask(request, name, sender)

    def _inquire(self, inquiry: StatusInquiry, _name: str, sender: str) -> Answer:
        return self.report(inquiry.original_message_id, sender, inquiry.transactions)

    def _learn(self, news: News, _name: str, sender: str) -> Answer:
        """Take in what another institution says about something that this bank sent."""
        match news:
            case StatusReport():
                if not self.crediting.withdrawn(news, sender):
                    self.forwarding.answered(news)
            case VerificationReport():
                self.verifying.answered(news)
            case PaymentReturn():
                self.forwarding.returned(news, sender)
            case RecallAnswer():
                self.recalling.answered(news)
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

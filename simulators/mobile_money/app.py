"""A mobile-money operator: wallets that take credits, and pay when they are asked to; nothing else is ordered."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

from connector.domain.errors import Refused
from connector.domain.messages import (
    InquiredTransfer,
    PaymentReturn,
    StatusInquiry,
    StatusReport,
)
from simulators import conceding, inbox, inquiring, requesting, settling
from simulators.conceding import Conceding
from simulators.crediting import Crediting
from simulators.forwarding import NOTIFY
from simulators.house import Answer, House, Outgoing, Taker
from simulators.inquiring import Inquiring
from simulators.mobile_money import faults, wire
from simulators.mobile_money.book import wallet
from simulators.outbox import Job
from simulators.requesting import Requesting
from simulators.statements import Statements

_ORDERS: Final = "An operator of wallets takes credits, recalls, requests to pay and account verifications only."


class MobileMoney:
    """An operator whose customers' accounts are their telephone numbers."""

    def __init__(self, house: House) -> None:
        """Put the roles together."""
        self.house = house
        self.crediting = Crediting(house, faults.PAYEE, wallet)
        self.conceding = Conceding(house, self.crediting, faults.PAYEE)
        self.requesting = Requesting(house, faults.DEBTOR, wallet)
        self.forwarding = self.requesting.forwarding
        self.inquiring = Inquiring(house, self.forwarding)
        self.statements = Statements(house, faults.DEBTOR, faults.PAYEE)
        self._makers: dict[str, Callable[[Job], Outgoing | None]] = {
            "leg": self.forwarding.compose,
            "report": self.forwarding.compose,
            "return-on": self.forwarding.compose,
            inquiring.ASK: self.inquiring.compose,
            inquiring.WITHDRAW: self.inquiring.compose,
            conceding.CONCEDE: self.conceding.compose,
            requesting.CONSENT: self.requesting.compose,
            requesting.EXPIRE: self.requesting.compose,
            NOTIFY: self.statements.compose,
            "push": self.crediting.push,
            "return": self.crediting.give_back,
            settling.SETTLE: self._note,
        }

        self._takers: dict[str, Taker] = {
            "pacs.008": self.crediting.credit,
            "acmt.023": self.crediting.verify,
            "camt.056": self.conceding.ask,
            "pain.013": self.requesting.ask,
            "pacs.028": self._inquire,
            "pacs.002": self._learn,
            "pacs.004": self._learn,
        }

    def receive(self, body: bytes, sender: str) -> Answer:
        """Take an ISO 20022 message in; raises ``Refused`` where it is none for an operator."""
        received = wire.read(self.house, body, sender)
        take = self._takers.get(received.message[:8])
        if take is None:
            raise Refused.because("/", "unsupported", _ORDERS)
        return take(received.value, received.message, sender)

    def report(self, message_id: str, sender: str, only: Sequence[InquiredTransfer] = ()) -> Answer:
        """Give the newest report about a message: 200, 204 where there is none yet, 404 for an unknown id."""
        with self.house.database.transaction() as link:
            kept = inbox.latest(link, sender, message_id)
            if kept is None or kept.facts.inquiry:
                return Answer(404 if kept is None or kept.facts.inquiry == "unknown" else 204)
            reporters = {"camt.056": self.conceding.report, "pain.013": self.forwarding.report}
            return reporters.get(kept.name[:8], self.crediting.report)(link, kept, only)

    def statement(self, account: str, kind: str, first: str, last: str) -> Answer:
        """Give a wallet's statement; raises ``Refused``."""
        return self.statements.fetch(wallet(account), kind, first, last)

    def compose(self, job: Job) -> Outgoing | None:
        """Make what a job sends."""
        return self._makers[job.kind.partition(":")[0]](job)

    def delivered(self, job: Job, body: bytes) -> None:
        """Take in the report that came with the answer; where there is none, it will be asked for."""
        if body and job.kind in inquiring.ASKED_ABOUT:
            self.receive(body, job.target)
        if job.kind in inquiring.ASKED_ABOUT:
            self.inquiring.sent(job)

    def undeliverable(self, job: Job, status: int) -> None:
        """Reject what an institution does not take, so that the wallet gets the money back."""
        if job.kind == "leg":
            self.forwarding.refused_leg(job.message, job.leg, "NARR")
        elif job.kind == inquiring.ASK and status == HTTPStatus.NOT_FOUND:
            self.inquiring.unknown(job)

    def _inquire(self, inquiry: StatusInquiry, _name: str, sender: str) -> Answer:
        return self.report(inquiry.original_message_id, sender, inquiry.transactions)

    def _learn(self, news: StatusReport | PaymentReturn, _name: str, sender: str) -> Answer:
        """Take in what another institution says about what a wallet paid, or that it has waited long enough."""
        if isinstance(news, PaymentReturn):
            self.forwarding.returned(news, sender)
        elif not self.crediting.withdrawn(news, sender):
            self.forwarding.answered(news)
        return Answer(202)

    def _note(self, job: Job) -> Outgoing:
        return settling.note(self.house, job)

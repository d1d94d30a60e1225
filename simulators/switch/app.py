"""The switch: routes participants' transfers, settles them, and settles what banks have exchanged directly."""

from collections.abc import Callable, Sequence
from http import HTTPStatus

from connector.domain.errors import Refused
from connector.domain.messages import (
    CreditTransfer,
    InquiredTransfer,
    PaymentReturn,
    Recall,
    RecallAnswer,
    StatusInquiry,
    StatusReport,
)
from simulators import inbox, inquiring, settling
from simulators.forwarding import Forwarding
from simulators.house import Answer, House, Outgoing
from simulators.inquiring import Inquiring
from simulators.outbox import Job
from simulators.recalling import Recalling
from simulators.switch import faults, wire
from simulators.switch.book import Book


class Switch:
    """A national switch with a settlement account for each participant."""

    def __init__(self, house: House) -> None:
        """Put the ordering role together with the switch's own books."""
        self.house = house
        self.book = Book(house)
        self.forwarding = Forwarding(house, self.book, faults.ROUTER)
        self.inquiring = Inquiring(house, self.forwarding)
        self.recalling = Recalling(house, self.forwarding, faults.ROUTER)
        compose = self.forwarding.compose
        self._makers: dict[str, Callable[[Job], Outgoing | None]] = {
            "leg": compose,
            "report": compose,
            "return-on": compose,
            inquiring.ASK: self.inquiring.compose,
            inquiring.WITHDRAW: self.inquiring.compose,
            "recall": self.recalling.compose,
            "recalled": self.recalling.compose,
            settling.ADVISE: self._note,
        }

    def receive(self, body: bytes, sender: str) -> Answer:
        """Take an ISO 20022 message in; raises ``Refused`` where it is none for a switch."""
        received = wire.read(self.house, body, sender)
        match received.value:
            case CreditTransfer() as order if received.message.startswith("pacs."):
                return self.forwarding.order(order, received.message, sender)
            case StatusInquiry() as inquiry:
                return self.report(inquiry.original_message_id, sender, inquiry.transactions)
            case Recall() as recall if received.message.startswith("camt.056"):
                return self.recalling.ask(recall, received.message, sender)
            case StatusReport() as report:
                self.forwarding.answered(report)
            case PaymentReturn() as given:
                self.forwarding.returned(given, sender)
            case RecallAnswer() as answer:
                self.recalling.answered(answer)
            case _:
                raise Refused.because("/", "unsupported", "The switch does not take this message.")
        return Answer(202)

    def report(self, message_id: str, sender: str, only: Sequence[InquiredTransfer] = ()) -> Answer:
        """Give the newest report about a message: 200, 204 where there is none yet, 404 for an unknown id."""
        with self.house.database.transaction() as link:
            kept = inbox.latest(link, sender, message_id)
            if kept is None or kept.facts.inquiry == "unknown":
                return Answer(404)
            if kept.facts.inquiry == "silent":
                return Answer(204)
            if kept.name.startswith("camt."):
                return self.recalling.report(link, kept)
            return self.forwarding.report(link, kept, only)

    def statement(self, account: str, kind: str, first: str, last: str) -> Answer:
        """A switch keeps no customers' accounts."""
        del account, kind, first, last
        return Answer(404)

    def compose(self, job: Job) -> Outgoing | None:
        """Make what a job sends; a switch notifies nobody of single bookings."""
        make = self._makers.get(job.kind.partition(":")[0])
        return make(job) if make else None

    def delivered(self, job: Job, body: bytes) -> None:
        """Take in the report that came with the answer; where there is none, it will be asked for."""
        if body and job.kind in {"leg", "recall", inquiring.ASK}:
            self.receive(body, job.target)
        if job.kind in inquiring.ASKED_ABOUT:
            self.inquiring.sent(job)

    def undeliverable(self, job: Job, status: int) -> None:
        """Reject what an institution does not take, so that the payer gets the money back."""
        if job.kind == "leg":
            self.forwarding.refused_leg(job.message, job.leg, "NARR")
        elif job.kind == inquiring.ASK and status == HTTPStatus.NOT_FOUND:
            self.inquiring.unknown(job)
        elif job.kind == "recall":
            self.recalling.refused_leg(job.message, job.leg, "NARR")

    def _note(self, job: Job) -> Outgoing:
        return settling.note(self.house, job)

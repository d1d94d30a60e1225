"""The switch: routes participants' transfers, settles them, and settles what banks have exchanged directly."""

from collections.abc import Callable

from connector.domain.errors import Refused
from connector.domain.messages import CreditTransfer, PaymentReturn, StatusInquiry, StatusReport
from simulators import inbox, settling
from simulators.forwarding import Forwarding
from simulators.house import Answer, House, Outgoing
from simulators.outbox import Job
from simulators.switch import faults, wire
from simulators.switch.book import Book


class Switch:
    """A national switch with a settlement account for each participant."""

    def __init__(self, house: House) -> None:
        """Put the ordering role together with the switch's own books."""
        self.house = house
        self.book = Book(house)
        self.forwarding = Forwarding(house, self.book, faults.ROUTER, wire.REPORT)
        compose = self.forwarding.compose
        self._makers: dict[str, Callable[[Job], Outgoing]] = {
            "leg": compose,
            "report": compose,
            "return-on": compose,
            settling.ADVISE: self._note,
        }

    def receive(self, body: bytes, sender: str) -> Answer:
        """Take an ISO 20022 message in; raises ``Refused`` where it is none for a switch."""
        received = wire.read(self.house, body)
        match received.value:
            case CreditTransfer() as order if received.message.startswith("pacs."):
                return self.forwarding.order(order, received.message, sender)
            case StatusInquiry() as inquiry:
                return self.report(inquiry.original_message_id, sender)
            case StatusReport() as report:
                self.forwarding.answered(report)
            case PaymentReturn() as given:
                self.forwarding.returned(given, sender)
            case _:
                raise Refused.because("/", "unsupported", "The switch does not take this message.")
        return Answer(202)

    def report(self, message_id: str, sender: str) -> Answer:
        """Give the newest report about a message: 200, 204 where there is none yet, 404 for an unknown id."""
        with self.house.database.transaction() as link:
            kept = inbox.latest(link, sender, message_id)
            return self.forwarding.report(link, kept) if kept else Answer(404)

    def compose(self, job: Job) -> Outgoing | None:
        """Make what a job sends."""
        return self._makers[job.kind.partition(":")[0]](job)

    def delivered(self, job: Job, body: bytes) -> None:
        """Take in the report that came with the answer."""
        if body and job.kind == "leg":
            self.receive(body, job.target)

    def undeliverable(self, job: Job, status: int) -> None:
        """Reject what an institution does not take, so that the payer gets the money back."""
        del status
        if job.kind == "leg":
            self.forwarding.refused_leg(job.message, job.leg, "NARR")

    def _note(self, job: Job) -> Outgoing:
        return settling.note(self.house, job)

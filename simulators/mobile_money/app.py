"""A mobile-money operator: wallets that take credits; it orders nothing itself."""

from typing import Final

from connector.domain.errors import Refused
from connector.domain.messages import CreditTransfer, StatusInquiry, VerificationRequest
from simulators import inbox, settling
from simulators.crediting import Crediting
from simulators.house import Answer, House, Outgoing
from simulators.mobile_money import faults, wire
from simulators.mobile_money.book import wallet
from simulators.outbox import Job

_ORDERS: Final = "An operator of wallets takes credits and account verifications only."


class MobileMoney:
    """An operator whose customers' accounts are their telephone numbers."""

    def __init__(self, house: House) -> None:
        """Put the payee role together."""
        self.house = house
        self.crediting = Crediting(house, faults.PAYEE, wallet)
        self._makers = {"push": self.crediting.push, "return": self.crediting.give_back, settling.SETTLE: self._note}

    def receive(self, body: bytes, sender: str) -> Answer:
        """Take an ISO 20022 message in; raises ``Refused`` where it is none for an operator."""
        received = wire.read(self.house, body)
        match received.value:
            case CreditTransfer() as order if received.message.startswith("pacs."):
                return self.crediting.credit(order, received.message, sender)
            case VerificationRequest() as request:
                return self.crediting.verify(request)
            case StatusInquiry() as inquiry:
                return self.report(inquiry.original_message_id, sender)
        raise Refused.because("/", "unsupported", _ORDERS)

    def report(self, message_id: str, sender: str) -> Answer:
        """Give the newest report about a message: 200, 204 where there is none yet, 404 for an unknown id."""
        with self.house.database.transaction() as link:
            kept = inbox.latest(link, sender, message_id)
            return self.crediting.report(link, kept) if kept else Answer(404)

    def compose(self, job: Job) -> Outgoing | None:
        """Make what a job sends."""
        return self._makers[job.kind](job)

    def delivered(self, job: Job, body: bytes) -> None:
        """Nothing that an operator sends is answered with content."""

    def undeliverable(self, job: Job, status: int) -> None:
        """What is not taken is left as dead in the list of jobs."""

    def _note(self, job: Job) -> Outgoing:
        return settling.note(self.house, job)

"""The one interface of all ways out to an FSP."""

from dataclasses import dataclass
from typing import Protocol

from connector.channels.answer import Answer
from connector.domain.directory import Institution
from connector.domain.messages import CreditTransfer, VerificationRequest


@dataclass(frozen=True, slots=True)
class AuthorisationRequest:
    """May this batch's money leave the account? One request per currency, ``number`` counts them from 0."""

    batch: str
    number: int
    account: str
    currency: str
    amount_minor: int


class Channel(Protocol):
    """A way out. No method raises for what the FSP or the network does; that is in the answer.

    ``Refused`` is raised only where our own message cannot be written.
    """

    def check(self, to: Institution, message: str, value: CreditTransfer | VerificationRequest) -> None:
        """Raise what ``send`` would raise, without sending; blocks while it writes."""

    async def send(self, to: Institution, message: str, value: CreditTransfer | VerificationRequest) -> Answer:
        """Hand over a chunk as the named message (``pain.001.001.09``)."""

    async def inquire(self, to: Institution, message_id: str) -> Answer:
        """Ask what became of a message: ``Reported``, ``Accepted`` (no report yet), ``NotKnown`` or ``Silent``."""

    async def authorise(self, to: Institution, request: AuthorisationRequest) -> Answer:
        """Ask the payer bank to let a batch's money go; the word itself comes by callback."""

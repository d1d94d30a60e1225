"""The one interface of all ways out to an FSP."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from connector.channels.answer import Answer, StatementAnswer
from connector.domain.directory import Institution
from connector.domain.messages import CreditTransfer, Recall, StatusInquiry, VerificationRequest

Outgoing = CreditTransfer | VerificationRequest | StatusInquiry | Recall
"""What goes out to an FSP."""

Noted = Callable[[Sequence[str]], Awaitable[None]]
"""Told, before a message leaves, what writing it has cut or transliterated."""


async def nobody(notes: Sequence[str]) -> None:
    """Let the notes go."""


@dataclass(frozen=True, slots=True)
class StatementRequest:
    """Which statements of an account are wanted; kind: ``camt.053`` (of whole days), ``camt.052`` (of the day)."""

    account: str
    kind: str
    first: date
    last: date


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

    ``Refused`` is raised only where our own message cannot be written, and by ``send`` ``OutOfTurn`` only where
    nothing of the message has left: a message leaves in one exchange.
    """

    def check(self, to: Institution, message: str, value: Outgoing) -> None:
        """Raise what ``send`` would raise, without sending; blocks while it writes."""

    async def send(self, to: Institution, message: str, value: Outgoing, noted: Noted = nobody) -> Answer:
        """Hand over a chunk, or a question about one, as the named message (``pain.001.001.09``).

        An inquiry is answered by ``Reported`` or ``Asked``, a recall by ``Resolved`` or ``Accepted``.
        """

    async def inquire(self, to: Institution, message_id: str) -> Answer:
        """Fetch what became of a message: ``Reported``, ``Accepted`` (no report yet), ``NotKnown`` or ``Silent``."""

    async def authorise(self, to: Institution, request: AuthorisationRequest) -> Answer:
        """Ask the payer bank to let a batch's money go; the word itself comes by callback."""

    async def statement(self, to: Institution, request: StatementRequest) -> StatementAnswer:
        """Fetch statements of an account that the institution holds."""

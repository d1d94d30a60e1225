"""What an FSP can answer, whatever the channel: a closed set, so that every flow treats every case."""

from dataclasses import dataclass

from connector.domain.messages import PaymentReturn, RecallAnswer, Statement, StatusReport, VerificationReport

Report = StatusReport | VerificationReport | PaymentReturn


@dataclass(frozen=True, slots=True)
class Reported:
    """The FSP has the message and says what became of it."""

    report: Report


@dataclass(frozen=True, slots=True)
class Accepted:
    """The FSP has the message; a report follows. peer_id: the FSP's own id for it, where it gave one."""

    peer_id: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Asked for money back, the FSP says what it does about it."""

    answer: RecallAnswer


@dataclass(frozen=True, slots=True)
class Asked:
    """The FSP took a question about a message; what it knows comes later. It need not have the message itself."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The FSP read the message and does not take it; sending it again would not help. code: its own or ISO's."""

    sentence: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class NotKnown:
    """Asked about a message, the FSP says that it never saw it."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Nobody knows whether the FSP has the message: no connection, no answer in time, or an unreadable one."""

    sentence: str


Answer = Reported | Resolved | Accepted | Asked | Declined | NotKnown | Silent


@dataclass(frozen=True, slots=True)
class Told:
    """Asked for an account's statements, the FSP gives them."""

    statement: Statement


StatementAnswer = Told | Accepted | NotKnown | Silent
"""The answer to asking for statements. Accepted: there are none (yet); NotKnown: this FSP gives none."""

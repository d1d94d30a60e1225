"""What an FSP can answer, whatever the channel: a closed set, so that every flow treats every case."""

from dataclasses import dataclass

from connector.domain.messages import PaymentReturn, StatusReport, VerificationReport

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
class Declined:
    """The FSP read the message and does not take it; sending it again would not help."""

    sentence: str


@dataclass(frozen=True, slots=True)
class NotKnown:
    """Asked about a message, the FSP says that it never saw it."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Nobody knows whether the FSP has the message: no connection, no answer in time, or an unreadable one."""

    sentence: str


Answer = Reported | Accepted | Declined | NotKnown | Silent

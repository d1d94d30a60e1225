"""What every institution is made of, and what it can do: its parts in one value, its face in one protocol."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from connector.domain.errors import IsoGateError
from connector.domain.messages import CreditTransfer, Message, Rejection
from connector.domain.stages import Stages
from connector.iso20022.engine import Engine, Received
from connector.iso20022.scheme import Job as Purpose
from simulators import details, faults, inbox, ledger, outbox, speaking
from simulators.clock import VirtualClock
from simulators.database import Database
from simulators.desk import Desk
from simulators.faults import Decision, Faults, Magic
from simulators.outbox import Job
from simulators.settings import SimulatorSettings
from simulators.speaking import Speaking, Tongue
from simulators.world import Player

PARTICIPANT_HEADER: Final = "X-Participant"
"""Names the simulated institution that sends; the connector sends none."""

MESSAGE_HEADER: Final = "X-Message-Name"
_TABLES: Final = (
    *ledger.TABLES,
    *details.TABLES,
    *inbox.TABLES,
    *outbox.TABLES,
    *faults.TABLES,
    *speaking.TABLES,
)


class Answer(NamedTuple):
    """What an institution answers to a request: XML, JSON or nothing."""

    status: int
    body: bytes = b""
    content_type: str = "application/xml"


class Outgoing(NamedTuple):
    """A request that an institution makes."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class House:
    """The parts of an institution: who it is, its books, its rules, its schemes, the clock and the message engine.

    desk: where its work is done; stages: where what that costs is added up.
    """

    player: Player
    settings: SimulatorSettings
    clock: VirtualClock
    engine: Engine
    database: Database
    faults: Faults
    speaking: Speaking
    desk: Desk
    stages: Stages

    @property
    def code(self) -> str:
        """The institution's code."""
        return self.player.code

    def towards(self, partner: str) -> Tongue:
        """Tell how to speak with an institution, or with the connector ("")."""
        return self.speaking.towards(partner)

    def read(self, body: bytes, sender: str) -> Received:
        """Read a message by the institutions' own profiles; raises ``Refused``."""
        return self.engine.read(body, profile=self.towards(sender).scheme.name)

    def write(self, name: str, value: Message, receiver: str = "") -> bytes:
        """Write a valid message to an institution, or to the connector (""), by the institutions' own profiles."""
        return self._written(name, value, receiver, validated=True)

    def rejection(self, reference: str, fault: IsoGateError, sender: str) -> Answer | None:
        """Refuse what cannot be read in a message (admi.002), where the sender's scheme has envelopes for it."""
        tongue = self.towards(sender)
        name = tongue.scheme.message(Purpose.REJECTION)
        if tongue.scheme.envelope is None or name not in tongue.writes:
            return None
        found = getattr(fault, "faults", ())
        first = found[0] if found else None
        value = Rejection(
            reference=reference,
            reason=first.code[:35] if first else "refused",
            description=(first.sentence if first else str(fault))[:350],
            location=first.where[:350] if first else "",
            rejected_at=self.clock.now(),
        )
        return Answer(200, self.write(name, value, sender))

    def decided(
        self, link: sqlite3.Connection, magic: Magic, order: CreditTransfer, sender: str
    ) -> Decision | Answer:
        """Decide what becomes of a new order; an answer where it is not taken at all."""
        decision = self.faults.decide(link, magic, order.transfers, order.currency)
        if decision.http:
            return Answer(decision.http)
        if decision.report == "lost" and inbox.lose(link, sender, order.message_id):
            return Answer(202)
        return decision

    def to(self, target: str, name: str, value: Message) -> Outgoing:
        """Address a message to another institution, or to the connector ("").

        What an institution of the same process gets is validated by that one alone: it would refuse what is invalid.
        """
        settings = self.settings
        base = settings.url_of(target) if target else f"{settings.connector_url.rstrip('/')}/fsp/{self.code}"
        headers = {"Content-Type": "application/xml", MESSAGE_HEADER: name, PARTICIPANT_HEADER: self.code}
        validated = not target or not settings.plays(target)
        return Outgoing(f"{base}/iso20022", self._written(name, value, target, validated=validated), headers)

    def json_to(self, url: str, body: object, **headers: str) -> Outgoing:
        """Address a JSON body to a URL."""
        return Outgoing(
            url,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", PARTICIPANT_HEADER: self.code, **headers},
        )

    def erase(self) -> None:
        """Forget everything: books, messages, jobs and rules."""
        self.database.erase(_TABLES)
        with self.database.transaction() as link:
            self.faults.load(link)
            self.speaking.load(link)

    def _written(self, name: str, value: Message, receiver: str, *, validated: bool) -> bytes:
        scheme = self.towards(receiver).scheme.name
        addressee = receiver or self.settings.connector_id
        written = self.engine.compose(scheme, name, value, sender=self.code, receiver=addressee, validated=validated)
        return written.body


Taker = Callable[[Any, str, str], Answer]
"""What takes a message in: the value, the message's name (which says what the value is), and who sends."""


class Institution(Protocol):
    """What the server, the courier and the admin API need of an institution."""

    house: House

    def receive(self, body: bytes, sender: str) -> Answer:
        """Take an ISO 20022 message in; raises ``Refused`` where it is none."""
        ...

    def report(self, message_id: str, sender: str) -> Answer:
        """Give the newest report about a message: 200, 204 where there is none yet, 404 for an unknown id."""
        ...

    def statement(self, account: str, kind: str, first: str, last: str) -> Answer:
        """Give an account's statement of a kind (``camt.053``) from one day to another: 200, 204, 404."""
        ...

    def compose(self, job: Job) -> Outgoing | None:
        """Make what a job sends; nothing where there is nothing left to send."""
        ...

    def delivered(self, job: Job, body: bytes) -> None:
        """Take in the answer to what a job sent."""
        ...

    def undeliverable(self, job: Job, status: int) -> None:
        """Take in that the other side refuses what a job sent."""
        ...


def problem(fault: IsoGateError) -> bytes:
    """Write an error as JSON for the sender."""
    faults_found = getattr(fault, "faults", ())
    errors = [{"where": one.where, "code": one.code, "sentence": one.sentence} for one in faults_found]
    return json.dumps({"errors": errors or [{"where": "", "code": "refused", "sentence": str(fault)}]}).encode()

"""What every institution is made of, and what it can do: its parts in one value, its face in one protocol."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from connector.domain.errors import IsoGateError
from connector.domain.messages import Message
from connector.iso20022.engine import Engine
from simulators import faults, inbox, ledger, outbox
from simulators.clock import VirtualClock
from simulators.database import Database
from simulators.faults import Faults
from simulators.outbox import Job
from simulators.settings import SimulatorSettings
from simulators.world import Player

PROFILE: Final = "generic"
PARTICIPANT_HEADER: Final = "X-Participant"
"""Names the simulated institution that sends; the connector sends none."""

MESSAGE_HEADER: Final = "X-Message-Name"
_TABLES: Final = (*ledger.TABLES, *inbox.TABLES, *outbox.TABLES, *faults.TABLES)


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
    """The parts of an institution: who it is, its books, its rules, the clock and the message engine."""

    player: Player
    settings: SimulatorSettings
    clock: VirtualClock
    engine: Engine
    database: Database
    faults: Faults

    @property
    def code(self) -> str:
        """The institution's code."""
        return self.player.code

    def write(self, name: str, value: Message) -> bytes:
        """Write a message by the institutions' own profiles."""
        return self.engine.write(PROFILE, name, value)

    def to(self, target: str, name: str, value: Message) -> Outgoing:
        """Address a message to another institution, or to the connector ("")."""
        settings = self.settings
        base = settings.url_of(target) if target else f"{settings.connector_url.rstrip('/')}/fsp/{self.code}"
        headers = {"Content-Type": "application/xml", MESSAGE_HEADER: name, PARTICIPANT_HEADER: self.code}
        return Outgoing(f"{base}/iso20022", self.write(name, value), headers)

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


class Institution(Protocol):
    """What the server, the courier and the admin API need of an institution."""

    house: House

    def receive(self, body: bytes, sender: str) -> Answer:
        """Take an ISO 20022 message in; raises ``Refused`` where it is none."""
        ...

    def report(self, message_id: str, sender: str) -> Answer:
        """Give the newest report about a message: 200, 204 where there is none yet, 404 for an unknown id."""
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

"""In which scheme an institution speaks: with the connector in the one that was chosen, with its peers in ours.

The choice is kept in the institution's file, so that it outlives the process.
"""

import sqlite3
from collections.abc import Mapping
from typing import Final, NamedTuple, Self

from connector.iso20022.engine import Engine
from connector.iso20022.scheme import Job, Scheme
from simulators.versions import REPORTS, RETURNS

SCHEMA: Final = "CREATE TABLE IF NOT EXISTS scheme (name TEXT NOT NULL) STRICT;"
TABLES: Final = ("scheme",)
INTERBANK: Final = "interbank"
"""The scheme of the institutions among themselves."""


class Tongue(NamedTuple):
    """A scheme, and the messages that can be written in it."""

    scheme: Scheme
    writes: frozenset[str]

    @classmethod
    def of(cls, engine: Engine, name: str) -> Self:
        """Look a scheme up; raises ``NotFound``."""
        scheme = engine.scheme(name)
        writes, _ = engine.profiles().get(name, ((), ()))
        return cls(scheme, frozenset(writes))

    def report(self, asked: str, job: Job) -> str:
        """Name the message that reports about what was asked."""
        return self._matching(REPORTS, asked, job)

    def given_back(self, asked: str) -> str:
        """Name the message that returns payments of what was asked."""
        return self._matching(RETURNS, asked, Job.RETURN)

    def _matching(self, table: Mapping[str, str], asked: str, job: Job) -> str:
        usual = self.scheme.message(job)
        matching = table.get(asked, usual)
        return matching if matching in self.writes else usual


class Speaking:
    """The tongues of one institution."""

    def __init__(self, link: sqlite3.Connection, engine: Engine, usual: str) -> None:
        """Take the choice that was made before, or the usual scheme; raises ``NotFound``."""
        self._engine = engine
        self._usual = usual
        self.peers = Tongue.of(engine, INTERBANK)
        self.connector = Tongue.of(engine, usual)
        self.load(link)

    def load(self, link: sqlite3.Connection) -> None:
        """Read which scheme was chosen."""
        row = link.execute("SELECT name FROM scheme").fetchone()
        self.connector = Tongue.of(self._engine, row[0] if row else self._usual)

    def choose(self, link: sqlite3.Connection, name: str) -> None:
        """Speak another scheme with the connector from now on; raises ``NotFound`` for one that there is not."""
        tongue = Tongue.of(self._engine, name)
        link.execute("DELETE FROM scheme")
        link.execute("INSERT INTO scheme VALUES (?)", (name,))
        self.connector = tongue

    def towards(self, partner: str) -> Tongue:
        """Tell how to speak with an institution, or with the connector ("")."""
        return self.peers if partner else self.connector

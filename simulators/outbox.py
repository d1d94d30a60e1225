"""What an institution still has to do or to send: durable, repeated until it is done, in order per message.

A job is written in the same transaction as the booking that causes it. Its content is made when it is sent, from what
is in the books, so that a repetition says the same under the same id.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from simulators.database import Database
from simulators.desk import Desk

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS job (
    number INTEGER PRIMARY KEY, lane TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL,
    message INTEGER NOT NULL, leg INTEGER NOT NULL, payload BLOB NOT NULL, due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'waiting', outcome TEXT NOT NULL DEFAULT '',
    bulky INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS job_lane ON job (lane, number) WHERE state = 'waiting';
"""
TABLES: Final = ("job",)

ATTEMPTS: Final = 200
"""How often something is pushed to the connector, which can ask for it; between institutions there is no end."""

IN_FLIGHT: Final = 4
"""Jobs that are done at once, of the bulky ones, and as many of the others."""

BEGINNING: Final = frozenset({"leg", "recall", "verify"})
"""Kinds of jobs that begin something at another institution; all others end or go on with something."""

LOOK_AHEAD: Final = 2 * IN_FLIGHT
LONGEST_PAUSE_SECONDS: Final = 10.0
SHORTEST_PAUSE_SECONDS: Final = 0.05


class Job(NamedTuple):
    """Something to be done.

    lane: jobs of one lane go one after the other; kind: what is to be done; target: the institution that it goes to,
    "" for the connector; message and leg: what it is about; payload: what only this job knows; due_at: virtual time;
    bulky: it is about so many payments that others should not have to wait for it.
    """

    lane: str
    kind: str
    target: str = ""
    message: int = 0
    leg: int = 0
    payload: bytes = b""
    due_at: float = 0.0
    number: int = 0
    attempts: int = 0
    bulky: bool = False

    @property
    def begins(self) -> bool:
        """Whether it begins something at another institution; it then waits for jobs that end something."""
        return self.kind in BEGINNING


class Outcome(NamedTuple):
    """What came of an attempt: done, to be tried again, or given up; text: without personal data."""

    state: str
    text: str = ""


_log = logging.getLogger(__name__)

DONE: Final = "done"
AGAIN: Final = "again"
DEAD: Final = "dead"


def upgrade(link: sqlite3.Connection) -> None:
    """Tell the jobs in a file of an earlier version apart by what goes first."""
    columns = {name for (name,) in link.execute("SELECT name FROM pragma_table_info('job')")}
    if "bulky" not in columns:
        link.execute("ALTER TABLE job ADD COLUMN bulky INTEGER NOT NULL DEFAULT 0")
    for index in _EARLIER:
        link.execute(f"DROP INDEX IF EXISTS {index}")
    link.execute(_BY_RANK)


def put(link: sqlite3.Connection, *jobs: Job) -> None:
    """Add jobs inside the caller's transaction."""
    link.executemany(
        "INSERT INTO job (lane, kind, target, message, leg, payload, due_at, bulky) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(*job[:7], job.bulky) for job in jobs],
    )


def follows(link: sqlite3.Connection, job: Job, kind: str) -> bool:
    """Tell whether a job of a kind waits behind this one in its lane."""
    question = "SELECT 1 FROM job WHERE lane = ? AND kind = ? AND number > ? AND state = 'waiting'"
    return link.execute(question, (job.lane, kind, job.number)).fetchone() is not None


def close(link: sqlite3.Connection, job: Job, state: str = DONE, text: str = "") -> None:
    """Note that a job is done or dead, and let go of its payload."""
    link.execute(
        "UPDATE job SET state = ?, outcome = ?, attempts = attempts + 1, payload = x'' WHERE number = ?",
        (state, text, job.number),
    )


def counts(link: sqlite3.Connection) -> dict[str, int]:
    """Count the jobs by state."""
    return dict(link.execute("SELECT state, count(*) FROM job GROUP BY state").fetchall())


class Courier:
    """Does the jobs that are due, some at once, until it is stopped."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        clock: Callable[[], float],
        perform: Callable[[Job], Awaitable[Outcome]],
    ) -> None:
        """Take the place of the jobs, where it is looked into, the virtual clock and what does a job."""
        self._database = database
        self._desk = desk
        self._clock = clock
        self._perform = perform
        self._wake = asyncio.Event()
        self._running: dict[int, Job] = {}
        self._ended: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look for jobs now, since something was added or the clock was advanced."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                self._wake.clear()
                pause = await self._start_due()
                await self._sleep(pause)
        finally:
            for task in self._tasks:
                task.cancel()

    async def idle(self) -> bool:
        """Tell whether nothing is due and nothing is being done."""
        if self._running:
            return False
        due, _ = await self._desk.do(self._look, self._clock())
        return not due and not self._running

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _start_due(self) -> float:
        """Start what can be started and tell how long nothing else will fall due."""
        now = self._clock()
        self._ended.clear()
        due, next_at = await self._desk.do(self._look, now)
        for job in due:
            alike = sum(running.bulky == job.bulky for running in self._running.values())
            if alike < IN_FLIGHT and job.number not in self._running and job.number not in self._ended:
                self._start(job)
        return min(max(next_at - now, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)

    def _start(self, job: Job) -> None:
        self._running[job.number] = job
        task = asyncio.create_task(self._do(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, job: Job) -> None:
        try:
            outcome = await self._attempt(job)
            await self._desk.do(self._note, job, outcome)
        finally:
            del self._running[job.number]
            self._ended.add(job.number)  # what is being looked for just now may still show it as waiting
            self._wake.set()

    async def _attempt(self, job: Job) -> Outcome:
        try:
            return await self._perform(job)
        except Exception as fault:  # noqa: BLE001 - whatever a job runs into, it is tried again, and seen in the list
            _log.warning("job %s %s failed: %s", job.number, job.kind, type(fault).__name__, exc_info=fault)
            return Outcome(AGAIN, type(fault).__name__)

    def _note(self, job: Job, outcome: Outcome) -> None:
        with self._database.transaction() as link:
            if outcome.state == AGAIN and (job.target or job.attempts + 1 < ATTEMPTS):
                pause = min(LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS * 2 ** min(job.attempts, 10))
                link.execute(
                    "UPDATE job SET attempts = attempts + 1, due_at = ?, outcome = ? WHERE number = ?",
                    (self._clock() + pause, outcome.text, job.number),
                )
            else:
                close(link, job, DEAD if outcome.state == AGAIN else outcome.state, outcome.text)

    def _look(self, now: float) -> tuple[list[Job], float]:
        """Find the jobs that are due, the first of each lane, and when the next one will be."""
        with self._database.reading() as link:
            due = [Job(*row) for rank in _RANKS for row in link.execute(_DUE, (*rank, now, LOOK_AHEAD))]
            nexts = [link.execute(_NEXT, (*rank, now)).fetchone()[0] for rank in _RANKS]
            next_at = min((at for at in nexts if at), default=0.0)
        return due, next_at or now + LONGEST_PAUSE_SECONDS


_BEGINS: Final = f"kind IN {tuple(sorted(BEGINNING))}"
"""As SQL; SQLite uses an index by it as long as both are worded alike, so another wording needs another index."""

_RANKS: Final = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Which jobs go first, by whether they are bulky and whether they begin something."""

_WAITING: Final = f"FROM job WHERE state = 'waiting' AND bulky = ? AND ({_BEGINS}) = ?"
_NEXT: Final = f"SELECT min(due_at) {_WAITING} AND due_at > ?"
_DUE: Final = f"""
    SELECT lane, kind, target, message, leg, payload, due_at, number, attempts, bulky {_WAITING}
    AND due_at <= ? AND NOT EXISTS (
        SELECT 1 FROM job earlier WHERE earlier.state = 'waiting' AND earlier.lane = job.lane
        AND earlier.number < job.number)
    ORDER BY due_at, number LIMIT ?"""  # noqa: S608 - our own words
_BY_RANK: Final = (
    f"CREATE INDEX IF NOT EXISTS job_rank ON job (bulky, ({_BEGINS}), due_at, number) WHERE state = 'waiting'"
)
_EARLIER: Final = ("job_due", "job_turn")
"""Indexes of earlier versions, by which other jobs came first."""

"""The file of an earlier version is taken over with everything in it."""

import asyncio
import sqlite3
from pathlib import Path

from simulators import inbox, outbox
from simulators.database import Database
from simulators.desk import Desk
from simulators.inbox import Leg, Result
from simulators.outbox import DONE, Courier, Job, Outcome

LEGS = """
CREATE TABLE leg (
    message INTEGER NOT NULL, number INTEGER NOT NULL, institution TEXT NOT NULL, out_id TEXT NOT NULL UNIQUE,
    items BLOB NOT NULL, result BLOB, PRIMARY KEY (message, number)) STRICT, WITHOUT ROWID;
INSERT INTO leg VALUES (1, 0, 'UNIOXU22', 'OUT1', x'9101', NULL);
"""
JOBS = """
CREATE TABLE job (
    number INTEGER PRIMARY KEY, lane TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL,
    message INTEGER NOT NULL, leg INTEGER NOT NULL, payload BLOB NOT NULL, due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'waiting', outcome TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX job_due ON job (due_at, number) WHERE state = 'waiting';
INSERT INTO job (lane, kind, target, message, leg, payload, due_at)
VALUES ('leg-1', 'leg', 'UNIOXU22', 1, 0, x'', 7.0);
"""


def _file(folder: Path, content: str) -> Path:
    path = folder / "bank.sqlite"
    link = sqlite3.connect(path)
    link.executescript(content)
    link.close()
    return path


def test_legs_that_were_kept_with_their_items_stay_as_they_are(tmp_path: Path) -> None:
    database = Database(_file(tmp_path, LEGS), inbox.SCHEMA)
    for _ in range(2):
        with database.transaction() as link:
            inbox.upgrade(link)
    with database.transaction() as link:
        kept = inbox.leg(link, 1, 0)
        assert kept == Leg(1, 0, "UNIOXU22", "OUT1", b"\x91\x01", None)
        inbox.add_leg(link, Leg(1, 1, "", "OUT2", b"\x90", Result("RJCT")))
        assert inbox.leg_of(link, "OUT2", items=False) == Leg(1, 1, "", "OUT2", b"", Result("RJCT"))
        assert inbox.answer(link, kept, Result("ACCC"))
        assert [leg.items for leg in inbox.legs(link, 1)] == [b"\x91\x01", b"\x90"]
    database.close()


async def test_jobs_that_waited_are_done_beside_bulky_ones(tmp_path: Path) -> None:
    database = Database(_file(tmp_path, JOBS), outbox.SCHEMA)
    for _ in range(2):
        with database.transaction() as link:
            outbox.upgrade(link)
    with database.transaction() as link:
        outbox.put(link, Job("leg-2", "leg", "HARBXU22", 2, bulky=True), Job("leg-3", "leg", "HARBXU22", 3))
    done, all_done = list[tuple[str, int]](), asyncio.Event()

    async def perform(job: Job) -> Outcome:
        done.append((job.lane, job.bulky))
        if len(done) == 3:
            all_done.set()
        return Outcome(DONE)

    desk = Desk(1)
    work = asyncio.create_task(Courier(database, desk, lambda: 10.0, perform).run())
    async with asyncio.timeout(10):
        await all_done.wait()
    work.cancel()
    desk.close()
    database.close()
    assert done == [("leg-3", 0), ("leg-1", 0), ("leg-2", 1)]


def test_what_ends_work_goes_first_in_a_file_that_knew_bulky_jobs_only(tmp_path: Path) -> None:
    turn = "CREATE INDEX job_turn ON job (bulky, due_at, number) WHERE state = 'waiting';"
    path = _file(tmp_path, f"{outbox.SCHEMA}{turn}")
    database = Database(path, outbox.SCHEMA)
    with database.transaction() as link:
        outbox.upgrade(link)
        indexes = {name for (name,) in link.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    database.close()
    assert indexes == {"job_lane", "job_rank"}

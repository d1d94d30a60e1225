"""The file of an earlier version is taken over with everything in it."""

import sqlite3
from pathlib import Path

from simulators import inbox
from simulators.database import Database
from simulators.inbox import Leg, Result

EARLIER = """
CREATE TABLE leg (
    message INTEGER NOT NULL, number INTEGER NOT NULL, institution TEXT NOT NULL, out_id TEXT NOT NULL UNIQUE,
    items BLOB NOT NULL, result BLOB, PRIMARY KEY (message, number)) STRICT, WITHOUT ROWID;
"""


def test_legs_that_were_kept_with_their_items_stay_as_they_are(tmp_path: Path) -> None:
    earlier = sqlite3.connect(tmp_path / "bank.sqlite")
    earlier.executescript(EARLIER)
    earlier.execute("INSERT INTO leg VALUES (1, 0, 'UNIOXU22', 'OUT1', x'9101', NULL)")
    earlier.commit()
    earlier.close()
    database = Database(tmp_path / "bank.sqlite", inbox.SCHEMA)
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

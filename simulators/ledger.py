"""Double-entry bookkeeping: every entry adds up to zero, every entry is booked once.

Signs: what an institution owes is positive (a customer's balance), what it owns is negative. Amounts in minor units.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entry (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, reference TEXT NOT NULL, at REAL NOT NULL,
    UNIQUE (kind, reference)) STRICT;
CREATE TABLE IF NOT EXISTS posting (
    entry INTEGER NOT NULL, line TEXT NOT NULL, account TEXT NOT NULL, currency TEXT NOT NULL, minor INTEGER NOT NULL,
    PRIMARY KEY (entry, line, account)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS posting_account ON posting (account, currency, minor);
"""
TABLES: Final = ("entry", "posting")

CAPITAL: Final = "CAPITAL"
SETTLEMENT: Final = "SETTLEMENT"
SUSPENSE: Final = "SUSPENSE"

_ROW: Final = "(?, ?, ?, ?, ?)"
_AT_ONCE: Final = 100
"""Postings in one statement: SQLite takes a third less time for them than for as many statements."""


class Posting(NamedTuple):
    """One line of an entry; line: the transaction's id, "" for the other side of all of them."""

    account: str
    minor: int
    line: str = ""


class Movement(NamedTuple):
    """One line of an account's statement."""

    at: float
    kind: str
    reference: str
    line: str
    currency: str
    minor: int


def book(
    link: sqlite3.Connection,
    kind: str,
    reference: str,
    currency: str,
    at: float,
    postings: Sequence[tuple[str, int, str]],
) -> bool:
    """Book an entry inside the caller's transaction; ``False`` where it is there already.

    postings: each a ``Posting`` or such a tuple.
    Raises ``ValueError`` where the postings do not add up to zero, ``sqlite3.IntegrityError`` for a transaction id
    that stands twice in them: both are faults of the simulator, never of its input.
    """
    if sum([minor for _, minor, _ in postings]):
        raise ValueError(f"entry {kind} {reference} does not add up to zero")
    made = link.execute("INSERT OR IGNORE INTO entry (kind, reference, at) VALUES (?, ?, ?)", (kind, reference, at))
    if not made.rowcount:
        return False
    number = made.lastrowid
    rows = [(number, line, account, currency, minor) for account, minor, line in postings if minor]
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        marks = ",".join([_ROW] * len(part))
        link.execute(f"INSERT INTO posting VALUES {marks}", list(chain.from_iterable(part)))  # noqa: S608 - only marks
    return True


def balance(link: sqlite3.Connection, account: str, currency: str) -> int:
    """Add up an account in one currency."""
    question = "SELECT coalesce(sum(minor), 0) FROM posting WHERE account = ? AND currency = ?"
    return int(link.execute(question, (account, currency)).fetchone()[0])


def balances(link: sqlite3.Connection, limit: int, after: str = "") -> Iterable[tuple[str, str, int]]:
    """List account, currency and balance in the order of the accounts."""
    question = (
        "SELECT account, currency, sum(minor) FROM posting WHERE account > ? GROUP BY 1, 2 ORDER BY 1, 2 LIMIT ?"
    )
    return link.execute(question, (after, limit)).fetchall()


def statement(link: sqlite3.Connection, account: str, limit: int) -> list[Movement]:
    """List an account's newest movements, newest first."""
    question = (
        "SELECT at, kind, reference, line, currency, minor FROM posting JOIN entry ON number = entry"
        " WHERE account = ? ORDER BY number DESC, line DESC LIMIT ?"
    )
    return [Movement(*row) for row in link.execute(question, (account, limit))]


def totals(link: sqlite3.Connection) -> dict[str, int]:
    """Add up everything per currency; zero in each, or the ledger is wrong."""
    return dict(link.execute("SELECT currency, sum(minor) FROM posting GROUP BY currency").fetchall())


def newest_entry(link: sqlite3.Connection) -> int:
    """Tell the number of the entry that was booked last; 0 where there is none."""
    return int(link.execute("SELECT coalesce(max(number), 0) FROM entry").fetchone()[0])


def unbalanced_entries(link: sqlite3.Connection) -> int:
    """Count the entries that do not add up to zero."""
    question = "SELECT count(*) FROM (SELECT 1 FROM posting GROUP BY entry, currency HAVING sum(minor) <> 0)"
    return int(link.execute(question).fetchone()[0])

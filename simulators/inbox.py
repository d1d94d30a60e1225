"""What an institution was sent and what became of it: messages, and the legs into which it passed them on.

A message is known by (sender, name, message id); that key is what makes a repetition harmless.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS message (
    number INTEGER PRIMARY KEY, sender TEXT NOT NULL, name TEXT NOT NULL, message_id TEXT NOT NULL,
    digest BLOB NOT NULL, at REAL NOT NULL, state TEXT NOT NULL, visible_at REAL NOT NULL, facts BLOB NOT NULL,
    UNIQUE (message_id, name, sender)) STRICT;
CREATE TABLE IF NOT EXISTS lost (
    sender TEXT NOT NULL, message_id TEXT NOT NULL, PRIMARY KEY (sender, message_id)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leg (
    message INTEGER NOT NULL, number INTEGER NOT NULL, institution TEXT NOT NULL, out_id TEXT NOT NULL UNIQUE,
    result BLOB, PRIMARY KEY (message, number)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS content (
    message INTEGER NOT NULL, leg INTEGER NOT NULL, items BLOB NOT NULL, PRIMARY KEY (message, leg)) STRICT;
"""
TABLES: Final = ("message", "lost", "leg", "content")

OPEN: Final = "open"
FINAL: Final = "final"
REFUSED: Final = "refused"
NEVER: Final = 1e18


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stays of a message beside its transactions.

    participant: who pays at the switch; reply_url: where a JSON callback goes ("" for ISO 20022 reports);
    opens_at: when it is executed (Unix seconds); report: how the report misbehaves;
    status and reason: of the group, where it was refused as a whole; inquiry, time_out and notify: as in a rule;
    case_id, original_id and original_name: of a recall, whose message is to be cancelled.
    """

    currency: str = ""
    count: int = 0
    total_minor: int = 0
    debtor_account: str = ""
    debtor_name: str = ""
    debtor_agent: str = ""
    participant: str = ""
    initiating_party: str = ""
    opens_at: float = 0.0
    payment_information_id: str = ""
    modality: str = ""
    status: str = ""
    reason: str = ""
    information: str = ""
    report: str = ""
    delay_seconds: float = 0.0
    reply_url: str = ""
    correlation_id: str = ""
    batch_id: str = ""
    inquiry: str = ""
    time_out: str = ""
    notify: bool = False
    case_id: str = ""
    original_id: str = ""
    original_name: str = ""


class Envelope(NamedTuple):
    """By what a message is known (sender, name, message id), and the fingerprint of what it says."""

    sender: str
    name: str
    message_id: str
    digest: bytes


class Verdict(NamedTuple):
    """What became of one transaction."""

    status: str
    reason: str = ""
    information: str = ""


class Result(msgspec.Struct, frozen=True, array_like=True):
    """What became of a leg: one status for all, but for the exceptions by position in the leg."""

    status: str
    exceptions: dict[int, Verdict] = {}


class Kept(NamedTuple):
    """A message as it is kept; number counts the institution's messages."""

    number: int
    sender: str
    name: str
    message_id: str
    digest: bytes
    at: float
    state: str
    visible_at: float
    facts: Facts


class Leg(NamedTuple):
    """A part of a message that goes to one institution; result is absent until answered.

    items: still encoded; empty where the leg was asked for without them.
    """

    message: int
    number: int
    institution: str
    out_id: str
    items: bytes
    result: Result | None


def upgrade(link: sqlite3.Connection) -> None:
    """Part legs of a file of an earlier version from their items."""
    columns = {name for (name,) in link.execute("SELECT name FROM pragma_table_info('leg')")}
    if "items" in columns:
        link.execute("INSERT INTO content SELECT message, number, items FROM leg")
        link.execute("ALTER TABLE leg DROP COLUMN items")


def encode(items: object) -> bytes:
    """Pack items (named tuples of plain values) for keeping."""
    return msgspec.msgpack.encode(items)


def digest_of(encoded: bytes) -> bytes:
    """Fingerprint a message's content, by which a repetition is told from a second use of its id."""
    return hashlib.sha256(encoded).digest()


def find(link: sqlite3.Connection, sender: str, name: str, message_id: str) -> Kept | None:
    """Look a message up by its key."""
    return _one(link, "sender = ? AND name = ? AND message_id = ?", sender, name, message_id)


def latest(link: sqlite3.Connection, sender: str, message_id: str) -> Kept | None:
    """Look a message of any name up by its id, the newest first."""
    return _one(link, "sender = ? AND message_id = ? ORDER BY number DESC LIMIT 1", sender, message_id)


def read(link: sqlite3.Connection, number: int) -> Kept:
    """Read a message that is there; ``KeyError`` where it is not."""
    kept = _one(link, "number = ?", number)
    if kept is None:
        raise KeyError(number)
    return kept


def keep(link: sqlite3.Connection, envelope: Envelope, at: float, facts: Facts) -> Kept:
    """Write a new message down, open and visible at once."""
    row = (*envelope, at, OPEN, at)
    number = link.execute(
        "INSERT INTO message (sender, name, message_id, digest, at, state, visible_at, facts)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, msgspec.json.encode(facts)),
    ).lastrowid
    if number is None:
        raise sqlite3.IntegrityError("no number was given to the message")
    return Kept(number, *row, facts)


def finish(link: sqlite3.Connection, number: int, state: str, visible_at: float) -> None:
    """Close a message; its report can be asked for from ``visible_at`` on."""
    link.execute("UPDATE message SET state = ?, visible_at = ? WHERE number = ?", (state, visible_at, number))


def refuse(link: sqlite3.Connection, number: int, facts: Facts, at: float) -> None:
    """Close a message that is refused as a whole after all; its facts say why."""
    link.execute(
        "UPDATE message SET state = ?, visible_at = ?, facts = ? WHERE number = ?",
        (REFUSED, at, msgspec.json.encode(facts), number),
    )


def lose(link: sqlite3.Connection, sender: str, message_id: str) -> bool:
    """Note that a message was lost; ``False`` where it was lost before, so that it is taken now."""
    row = (sender, message_id)
    return bool(link.execute("INSERT OR IGNORE INTO lost VALUES (?, ?)", row).rowcount)


def cut_leg(link: sqlite3.Connection, leg: Leg, items: bytes) -> None:
    """Leave only some items in a leg that did not go out yet."""
    link.execute("UPDATE content SET items = ? WHERE message = ? AND leg = ?", (items, leg.message, leg.number))


def add_leg(link: sqlite3.Connection, leg: Leg) -> None:
    """Write a leg down."""
    result = leg.result and encode(leg.result)
    link.execute("INSERT INTO leg VALUES (?, ?, ?, ?, ?)", (*leg[:4], result))
    link.execute("INSERT INTO content VALUES (?, ?, ?)", (leg.message, leg.number, leg.items))


def legs(link: sqlite3.Connection, message: int, *, items: bool = True) -> list[Leg]:
    """List the legs of a message."""
    rows = link.execute(f"{_WITH[items]} WHERE leg.message = ? ORDER BY number", (message,))
    return [_leg(row) for row in rows]


def leg(link: sqlite3.Connection, message: int, number: int, *, items: bool = True) -> Leg:
    """Read a leg that is there; ``KeyError`` where it is not."""
    row = link.execute(f"{_WITH[items]} WHERE leg.message = ? AND number = ?", (message, number)).fetchone()
    if row is None:
        raise KeyError(number)
    return _leg(row)


def leg_of(link: sqlite3.Connection, out_id: str, *, items: bool = True) -> Leg | None:
    """Find the leg that went out under a message id."""
    row = link.execute(f"{_WITH[items]} WHERE out_id = ?", (out_id,)).fetchone()
    return row and _leg(row)


def is_sole(link: sqlite3.Connection, leg: Leg) -> bool:
    """Tell whether a leg is all of its message."""
    return bool(link.execute("SELECT count(*) = 1 FROM leg WHERE message = ?", (leg.message,)).fetchone()[0])


def answer(link: sqlite3.Connection, leg: Leg, result: Result) -> bool:
    """Note a leg's result, and tell whether it was the last of its message."""
    link.execute(
        "UPDATE leg SET result = ? WHERE message = ? AND number = ?", (encode(result), leg.message, leg.number)
    )
    waiting = link.execute("SELECT count(*) FROM leg WHERE message = ? AND result IS NULL", (leg.message,)).fetchone()
    return not waiting[0]


def overview(link: sqlite3.Connection, limit: int) -> list[tuple[str, str, str, str, float]]:
    """List the newest messages: sender, name, id, state and time; nothing of their content."""
    question = "SELECT sender, name, message_id, state, at FROM message ORDER BY number DESC LIMIT ?"
    return link.execute(question, (limit,)).fetchall()


def _one(link: sqlite3.Connection, where: str, *values: object) -> Kept | None:
    row = link.execute(f"SELECT * FROM message WHERE {where}", values).fetchone()  # noqa: S608 - our own conditions
    return row and Kept._make((*row[:-1], msgspec.json.decode(row[-1], type=Facts)))


def _leg(row: Sequence[object]) -> Leg:
    *plain, result = row
    return Leg._make((*plain, result and _RESULT.decode(result)))  # type: ignore[arg-type] # a BLOB or nothing


_WITH: Final = {
    True: "SELECT leg.message, number, institution, out_id, items, result"
    " FROM leg JOIN content ON content.message = leg.message AND content.leg = number",
    False: "SELECT message, number, institution, out_id, x'', result FROM leg",
}
_RESULT: Final = msgspec.msgpack.Decoder(Result)

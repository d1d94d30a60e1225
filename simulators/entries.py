"""What an account's statement lists: the bookings of the ledger, seen with a customer's eyes.

An order is reserved as a whole when it is taken, but appears in the statement leg by leg as its payments are settled:
what was rejected never leaves the account in the customer's eyes. Until then it is pending.
"""

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from simulators import details, inbox
from simulators.details import Detail
from simulators.ledger import SETTLEMENT
from simulators.reporting import settled, transfers_of

_MOMENT: Final = 1e-3
DEBITS: Final = frozenset({"leg", "pending"})


class Booking(NamedTuple):
    """One booking on an account; minor: signed, positive for the account's owner."""

    number: int
    at: float
    kind: str
    reference: str
    currency: str
    minor: int
    message_id: str
    items: list[Detail]


class _Row(NamedTuple):
    number: int
    at: float
    kind: str
    reference: str
    currency: str
    line: str
    minor: int


_LEGS: Final = f"""
    FROM entry JOIN leg ON out_id = reference JOIN message ON message.number = leg.message
    JOIN posting ON entry = entry.number AND account = '{SETTLEMENT}'
    WHERE entry.kind = 'leg' AND json_extract(CAST(facts AS TEXT), '$.debtor_account') = ?"""
_OTHERS: Final = """
    FROM posting JOIN entry ON entry = entry.number
    WHERE account = ? AND kind NOT IN ('order', 'leg')"""
_OPEN: Final = """
    SELECT leg.message, leg.number FROM leg JOIN message ON message.number = leg.message
    WHERE leg.result IS NULL AND json_extract(CAST(facts AS TEXT), '$.debtor_account') = ?"""


def bookings(link: sqlite3.Connection, account: str, first: float, end: float) -> list[Booking]:
    """List an account's bookings from a moment to before another, in their order."""
    return sorted((*_orders(link, account, first, end), *_others(link, account, first, end)))


def pending(link: sqlite3.Connection, account: str) -> Iterator[Booking]:
    """List the legs of an account's orders that are not answered yet."""
    for message, number in link.execute(_OPEN, (account,)).fetchall():
        kept = inbox.read(link, message)
        leg = inbox.leg(link, message, number)
        items = settled(leg)
        total = -sum(item.amount_minor for item in items)
        yield Booking(0, kept.at, "pending", leg.out_id, kept.facts.currency, total, kept.message_id, items)


def balance(link: sqlite3.Connection, account: str, currency: str, end: float) -> int:
    """Add up what an account's statement lists before a moment."""
    orders = link.execute(
        f"SELECT coalesce(sum(minor), 0) {_LEGS} AND currency = ? AND entry.at < ?", (account, currency, end)
    ).fetchone()[0]
    others = link.execute(
        f"SELECT coalesce(sum(minor), 0) {_OTHERS} AND currency = ? AND at < ?", (account, currency, end)
    ).fetchone()[0]
    return int(others) - int(orders)


def currencies(link: sqlite3.Connection, account: str) -> list[str]:
    """List the currencies that an account was ever booked in."""
    question = "SELECT DISTINCT currency FROM posting WHERE account = ? ORDER BY 1"
    return [currency for (currency,) in link.execute(question, (account,))]


def of_entry(link: sqlite3.Connection, account: str, kind: str, reference: str) -> list[Booking]:
    """List what one entry of the ledger means to an account."""
    row = link.execute("SELECT number, at FROM entry WHERE kind = ? AND reference = ?", (kind, reference)).fetchone()
    found = bookings(link, account, row[1], row[1] + _MOMENT) if row else []
    return [one for one in found if one.number == row[0]]


def _orders(link: sqlite3.Connection, account: str, first: float, end: float) -> Iterator[Booking]:
    question = f"SELECT entry.number, entry.at, reference, currency, minor {_LEGS} AND entry.at >= ? AND entry.at < ?"
    for number, at, reference, currency, minor in link.execute(question, (account, first, end)).fetchall():
        leg = inbox.leg_of(link, reference)
        if leg is not None:
            message_id = inbox.read(link, leg.message).message_id
            yield Booking(number, at, "leg", reference, currency, -minor, message_id, settled(leg))


def _others(link: sqlite3.Connection, account: str, first: float, end: float) -> Iterator[Booking]:
    question = f"SELECT entry.number, at, kind, reference, currency, line, minor {_OTHERS} AND at >= ? AND at < ?"
    rows = [_Row(*row) for row in link.execute(question + " ORDER BY entry.number", (account, first, end))]
    for _, group in groupby(rows, attrgetter("number")):
        lines = list(group)
        yield from _credits(link, lines) if lines[0].kind in {"credit", "withdrawal"} else _noted(link, lines)


def _credits(link: sqlite3.Connection, rows: list[_Row]) -> Iterator[Booking]:
    """Each credit by itself, as the message that brought it says."""
    sender, _, message_id = rows[0].reference.partition("|")
    kept = inbox.latest(link, sender, message_id)
    transfers = transfers_of(inbox.legs(link, kept.number)[0]) if kept else []
    by_line = {transfer.transaction_id or transfer.end_to_end_id: transfer for transfer in transfers}
    for row in rows:
        transfer = by_line.get(row.line)
        items = [Detail(*transfer[:4], remittance=transfer.remittance)] if transfer else []
        yield Booking(row.number, row.at, row.kind, row.line, row.currency, row.minor, message_id, items)


def _noted(link: sqlite3.Connection, rows: list[_Row]) -> Iterator[Booking]:
    """All other bookings, with the payments that were noted for them; of a return only those of the account."""
    first = rows[0]
    message_id, items = details.of(link, first.kind, first.reference)
    if first.kind == "return":
        wanted = sum(-row.minor for row in rows)
        items = items if sum(item.amount_minor for item in items) == wanted else _of_lines(items, rows)
    minor = sum(row.minor for row in rows)
    yield Booking(first.number, first.at, first.kind, first.reference, first.currency, minor, message_id, items)


def _of_lines(items: list[Detail], rows: list[_Row]) -> list[Detail]:
    lines = {row.line for row in rows}
    return [item for item in items if item.line in lines]

"""Which payments an entry of the ledger stands for, where no kept message says so: returns, and the switch's advices.

Statements list them; orders and credits need none, since their messages are kept.
"""

import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from connector.domain.messages import ReturnedTransfer

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS detail (
    kind TEXT NOT NULL, reference TEXT NOT NULL, message_id TEXT NOT NULL, items BLOB NOT NULL,
    PRIMARY KEY (kind, reference)) STRICT, WITHOUT ROWID;
"""
TABLES: Final = ("detail",)


class Detail(NamedTuple):
    """One payment of an entry.

    Amount in minor units; counter_account: the other side where it is known; line: the ledger's, where an entry has
    one for each payment.
    """

    instruction_id: str
    end_to_end_id: str
    transaction_id: str
    amount_minor: int
    counter_account: str = ""
    reason: str = ""
    remittance: str = ""
    line: str = ""


_DETAILS: Final = msgspec.msgpack.Decoder(list[Detail])


def keep(link: sqlite3.Connection, kind: str, reference: str, message_id: str, items: Sequence[Detail]) -> None:
    """Note what an entry stands for, once; kind and reference are the entry's."""
    row = (kind, reference, message_id, msgspec.msgpack.encode(items))
    link.execute("INSERT OR IGNORE INTO detail VALUES (?, ?, ?, ?)", row)


def of(link: sqlite3.Connection, kind: str, reference: str) -> tuple[str, list[Detail]]:
    """Give the message id and the payments of an entry; nothing where nothing was noted."""
    question = "SELECT message_id, items FROM detail WHERE kind = ? AND reference = ?"
    row = link.execute(question, (kind, reference)).fetchone()
    return (row[0], _DETAILS.decode(row[1])) if row else ("", [])


def returned_detail(returned: ReturnedTransfer) -> Detail:
    """Make a statement's line of a returned payment."""
    ids = (returned.instruction_id, returned.end_to_end_id, returned.transaction_id)
    return Detail(*ids, returned.amount_minor, reason=returned.reason, line=returned.return_id)

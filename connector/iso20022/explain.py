"""A readable summary of a status report: what became of how many, why, and what to do. No account numbers."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from connector.domain.messages import StatusReport
from connector.iso20022.codes import Sentences

_NUMBER: Final = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]){8,30}|\+?\d(?:[ -]?\d){5,}")
"""An IBAN, or six digits and more, also in groups."""


class Line(NamedTuple):
    """One status with one reason: how many transactions have it, and what it means."""

    status: str
    reason: str
    transactions: int
    meaning: str
    advice: str


class TransactionLine(NamedTuple):
    """One transaction by its ids; information is what the bank added, cut and with long numbers masked."""

    instruction_id: str
    end_to_end_id: str
    status: str
    reason: str
    information: str


class Explanation(NamedTuple):
    """A report as a person reads it."""

    message: str
    message_id: str
    original_message_id: str
    original_message: str
    group: Line | None
    blocks: tuple[Line, ...]
    totals: tuple[Line, ...]
    transactions: tuple[TransactionLine, ...]
    notes: tuple[str, ...]


def explain(report: StatusReport, sentences: Sentences, tolerated: Sequence[str] = ()) -> Explanation:
    """Summarise a pain.002 or pacs.002; totals come with the most frequent first."""
    counts = Counter((item.status, item.reason) for item in report.transactions)
    return Explanation(
        message=report.message,
        message_id=report.message_id,
        original_message_id=report.original_message_id,
        original_message=report.original_message,
        group=_line(report.group_status, report.group_reason, report.original_count or 0, sentences)
        if report.group_status
        else None,
        blocks=tuple(_line(block.status, block.reason, 0, sentences) for block in report.blocks if block.status),
        totals=tuple(_line(status, reason, count, sentences) for (status, reason), count in counts.most_common()),
        transactions=tuple(
            TransactionLine(
                item.instruction_id, item.end_to_end_id, item.status, item.reason, masked(item.information)
            )
            for item in report.transactions
        ),
        notes=tuple(tolerated or report.tolerated),
    )


def masked(text: str, longest: int = 105) -> str:
    """Hide all but the last two characters of anything that could be an account or phone number."""
    return _NUMBER.sub(lambda found: "*" * (len(found[0]) - 2) + found[0][-2:], text[:longest])


def _line(status: str, reason: str, transactions: int, sentences: Sentences) -> Line:
    return Line(status, reason, transactions, sentences.status(status) if status else "", sentences.reason(reason))

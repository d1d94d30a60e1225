"""Findings as CSV (RFC 4180, UTF-8), a line each; amounts are decimal numbers of their currency."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Final

from connector.domain.money import amount_text, exponent, is_currency
from connector.domain.reconciliation import Finding

COLUMNS: Final = (
    "day", "kind", "difference", "by", "programme", "institution", "batch", "message_id", "instruction_id",
    "end_to_end_id", "status", "payments", "amount", "currency", "paid_on", "statement_amount", "statement_currency",
    "booked_on", "statement", "reference", "reason", "sentence",
)  # fmt: skip

_PIECE_BYTES: Final = 64 * 1024
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


async def table(findings: AsyncIterator[Finding]) -> AsyncIterator[bytes]:
    """Write the table in pieces."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    async for one in findings:
        writer.writerow(_row(one))
        if text.tell() >= _PIECE_BYTES:
            yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    content = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return content


def _row(one: Finding) -> list[str]:
    cells: dict[str, object] = {name: getattr(one, name, "") for name in COLUMNS}
    texts = {name: _harmless("" if value is None else str(value)) for name, value in cells.items()}
    texts["amount"] = _amount(one.amount_minor, one.currency)
    texts["statement_amount"] = _amount(one.statement_minor, one.statement_currency)
    return [texts[name] for name in COLUMNS]


def _harmless(text: str) -> str:
    """Ids come from outside: one that a spreadsheet would take for a formula gets an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _amount(minor: int, currency: str) -> str:
    if not currency:
        return ""
    digits = amount_text(abs(minor), exponent(currency) if is_currency(currency) else 0)
    return f"-{digits}" if minor < 0 else digits

"""What an account statement says, line by line: the form in which it is kept and compared with our records. Pure.

A line is one transaction of an entry, or an entry that names none. No line holds an account number.
Source: ISO 20022 camt.052, camt.053, camt.054 (EntryStatus1Code: only BOOK has moved money).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from connector.domain.ids import own_message
from connector.domain.messages import AccountStatement, EntryTransaction, StatementEntry

BOOKED: Final = frozenset({"BOOK", ""})
ABSENT: Final = frozenset({"", "NOTPROVIDED"})
"""How a bank writes that there is no such id."""

LONGEST_DAYS: Final = 400
_ENDING: Final = 10
_SHORTEST: Final = 6
_CLOSING: Final = frozenset({"CLBD", "ITBD", "CLAV"})


class Line(NamedTuple):
    """One booked transaction on our account; amounts in minor units, ``credit``: money came in.

    statement, reference: the statement's id, and the bank's id of the entry. remainder: what an entry has beyond the
    transactions that it names.
    """

    statement: str
    reference: str
    booked: date
    message_id: str
    instruction_id: str
    end_to_end_id: str
    transaction_id: str
    amount_minor: int
    currency: str
    credit: bool
    reason: str = ""
    remainder: bool = False

    @property
    def out_minor(self) -> int:
        """What left the account by it; negative for money that came in."""
        return -self.amount_minor if self.credit else self.amount_minor

    @property
    def own(self) -> str:
        """The message of ours that it is about, "" where it names none."""
        return self.message_id if own_message(self.message_id) else ""


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """What is known of a statement without its lines.

    kind: ``camt.053``, ``camt.052`` or ``camt.054``; created: Unix seconds; first, last: the days that it is about;
    currencies: of account, balances and lines; pending: entries that were not booked, and are not kept.
    """

    kind: str
    id: str
    created: float
    first: date
    last: date
    currencies: tuple[str, ...]
    lines: int
    pending: int = 0

    @property
    def closed(self) -> bool:
        """Whether it is the last word on its days; reports of the day and notifications are not."""
        return self.kind == "camt.053"

    def days(self) -> Iterator[date]:
        """Each day that it is about."""
        return (self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1))


def facts_of(kind: str, statement: AccountStatement, lines: Iterable[Line]) -> StatementFacts:
    """Describe a statement; ``lines`` are its own."""
    kept = list(lines)
    closings = {one.on for one in statement.balances if one.kind in _CLOSING and one.on}
    days = {line.booked for line in kept} | closings or {statement.created.date()}
    last = max(days)
    currencies = {line.currency for line in kept} | {one.currency for one in statement.balances}
    return StatementFacts(
        kind[:8],
        _masked(statement.id, statement.account) + (f" page {statement.page}" if statement.page else ""),
        statement.created.timestamp(),
        max(min(days), last - timedelta(days=LONGEST_DAYS)),
        last,
        tuple(sorted(filter(None, currencies | {statement.currency}))),
        len(kept),
        sum(entry.status not in BOOKED for entry in statement.entries),
    )


def lines_of(statement: AccountStatement) -> Iterator[Line]:
    """Take a statement apart; the lines of an entry always add up to the entry."""
    for entry in statement.entries:
        if entry.status in BOOKED:
            yield from _entry_lines(statement, entry)


def _entry_lines(statement: AccountStatement, entry: StatementEntry) -> Iterator[Line]:
    day = entry.booking_date or entry.value_date or statement.created.date()
    currency = entry.currency or statement.currency
    accounts = {statement.account, *(one.counterparty_account for one in entry.transactions)}
    reference = _masked(entry.servicer_reference or entry.reference, *accounts)
    whole = Line(
        _masked(statement.id, statement.account),
        reference,
        day,
        _message_of(entry),
        "",
        "",
        "",
        entry.amount_minor,
        currency,
        entry.credit,
    )
    named = _priced(entry)
    if not named:
        yield whole._replace(message_id=whole.message_id or _common_message(entry))
        return
    left = whole.out_minor
    same_way = sum(one.amount_minor for one in named) == entry.amount_minor
    for one in named:
        line = whole._replace(
            message_id=_id(one.message_id) or whole.message_id,
            instruction_id=_id(one.instruction_id),
            end_to_end_id=_id(one.end_to_end_id),
            transaction_id=_id(one.transaction_id),
            amount_minor=one.amount_minor,
            currency=one.currency or currency,
            credit=entry.credit if same_way else one.credit,
            reason=one.reason,
        )
        left -= line.out_minor if line.currency == currency else 0
        yield line
    if left and all((one.currency or currency) == currency for one in named):
        yield whole._replace(amount_minor=abs(left), credit=left < 0, remainder=True)


def _priced(entry: StatementEntry) -> list[EntryTransaction]:
    """An entry's transactions with their amounts; one that a bank leaves out is what the others leave of the entry.

    None where more are left out: then only the sum can be compared.
    """
    missing = [one for one in entry.transactions if not one.amount_minor]
    rest = entry.amount_minor - sum(one.amount_minor for one in entry.transactions)
    if len(missing) > 1 or (missing and rest <= 0):
        return []
    return [one if one.amount_minor else one._replace(amount_minor=rest) for one in entry.transactions]


def _common_message(entry: StatementEntry) -> str:
    """The one message that all transactions of an entry are of, "" for none or several."""
    names = {_id(one.message_id) for one in entry.transactions}
    return names.pop() if len(names) == 1 else ""


def _message_of(entry: StatementEntry) -> str:
    """The message that an entry sums up, where its own reference says so."""
    return next((name for name in (entry.reference, entry.servicer_reference) if own_message(name)), "")


def _masked(text: str, *accounts: str) -> str:
    """Hide account numbers, or their ends, in an id that a bank made of them: all but two digits."""
    for account in accounts:
        for shown in (account, account[-_ENDING:]):
            if len(shown) >= _SHORTEST:
                text = text.replace(shown, "*" * (len(shown) - 2) + shown[-2:])
    return text


def _id(text: str) -> str:
    return "" if text in ABSENT else text

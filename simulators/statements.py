"""Statements (camt.053), reports of the day (camt.052) and notifications (camt.054) about accounts, honest or not.

How a statement gets a payment wrong is said by rules and magic values, for rehearsals of reconciliation. Its balances
always tell the truth.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from connector.domain.errors import Refused
from connector.domain.messages import AccountStatement, Balance, EntryTransaction, Statement, StatementEntry, Transfer
from connector.iso20022.scheme import Job as Purpose
from simulators import entries, inbox
from simulators.details import Detail
from simulators.entries import DEBITS, Booking
from simulators.faults import Magic
from simulators.house import Answer, House, Outgoing
from simulators.outbox import Job

KINDS: Final = {"camt.053": Purpose.STATEMENT, "camt.052": Purpose.INTRADAY, "camt.054": Purpose.NOTIFICATION}
LONGEST_DAYS: Final = 400
DIFFERENCE_MINOR: Final = 100
"""By how much a payment that a statement gets wrong differs."""

_CODES: Final = {
    "leg": "PMNT/ICDT/ESCT",
    "pending": "PMNT/ICDT/ESCT",
    "advice": "PMNT/ICDT/ESCT",
    "credit": "PMNT/RCDT/ESCT",
    "returned": "PMNT/ICDT/RRTN",
    "return": "PMNT/RCDT/RRTN",
    "withdrawal": "PMNT/RCDT/RRTN",
    "opening": "PMNT/CNTR/CDPT",
}


class Statements:
    """What an institution tells the owners of accounts about them."""

    def __init__(self, house: House, payer: Magic, payee: Magic) -> None:
        """Take the institution's parts, and the magic values for what is paid and for what is received."""
        self._house = house
        self._payer = payer
        self._payee = payee

    def fetch(self, account: str, kind: str, first: str, last: str) -> Answer:
        """Write what is asked for: 204 where there is nothing (yet) to tell. Raises ``Refused``."""
        if kind not in KINDS:
            raise Refused.because("query kind", "unsupported", f"kind is one of {', '.join(KINDS)}.")
        days = _days(first, last, self._house.clock.now().date())
        with self._house.database.transaction() as link:
            told = tuple(self._told(link, account, kind, days))
        if not told:
            return Answer(204)
        return Answer(200, self._house.write(*self._message(kind, told)))

    def compose(self, job: Job) -> Outgoing | None:
        """Notify the accounts that a booking is about."""
        kind, _, reference = job.payload.decode().partition("|")
        with self._house.database.transaction() as link:
            accounts = _accounts(link, job.message, kind)
            booked = ((one, entries.of_entry(link, one, kind, reference)) for one in accounts)
            told = tuple(
                AccountStatement(
                    f"{self._house.code}N{job.number}.{number}",
                    account,
                    found[0].currency,
                    self._house.clock.now(),
                    entries=self._entries(found, account),
                )
                for number, (account, found) in enumerate(booked)
                if found
            )
        if not told:
            return None
        name, notification = self._message("camt.054", told)
        return self._house.to(job.target, name, notification)

    def _message(self, kind: str, told: Sequence[AccountStatement]) -> tuple[str, Statement]:
        name = self._house.towards("").scheme.message(KINDS[kind])
        return name, Statement(name, told[0].id, self._house.clock.now(), told)

    def _told(
        self, link: sqlite3.Connection, account: str, kind: str, days: Sequence[date]
    ) -> Iterator[AccountStatement]:
        for currency in entries.currencies(link, account):
            if kind == "camt.053":
                today = self._house.clock.now().date()
                closed = [day for day in days if day < today]
                yield from (self._statement(link, account, currency, day) for day in closed)
            elif kind == "camt.052":
                yield self._report(link, account, currency)
            else:
                listed = self._listed(link, account, currency, days[0], days[-1])
                if listed:
                    yield self._about("N", account, currency, days[-1], (), listed)

    def _statement(self, link: sqlite3.Connection, account: str, currency: str, day: date) -> AccountStatement:
        before, after = (entries.balance(link, account, currency, _start(one)) for one in (day, _next(day)))
        balances = (_balance("OPBD", before, currency, day), _balance("CLBD", after, currency, day))
        listed = self._listed(link, account, currency, day, day)
        return self._about("S", account, currency, day, balances, listed)

    def _report(self, link: sqlite3.Connection, account: str, currency: str) -> AccountStatement:
        """Today so far, with what is still pending."""
        day = self._house.clock.now().date()
        before, now = (entries.balance(link, account, currency, at) for at in (_start(day), inbox.NEVER))
        balances = (_balance("OPBD", before, currency, day), _balance("ITBD", now, currency, day))
        waiting = [one for one in entries.pending(link, account) if one.currency == currency]
        listed = (*self._listed(link, account, currency, day, day), *self._entries(waiting))
        return self._about("I", account, currency, day, balances, listed)

    def _about(
        self,
        letter: str,
        account: str,
        currency: str,
        day: date,
        balances: Sequence[Balance],
        listed: Sequence[StatementEntry],
    ) -> AccountStatement:
        ending = "".join(filter(str.isalnum, account))[-10:]
        name = f"{self._house.code}{letter}{day:%y%m%d}{currency}{ending}"
        return AccountStatement(name, account, currency, self._house.clock.now(), balances, listed)

    def _listed(
        self, link: sqlite3.Connection, account: str, currency: str, first: date, last: date
    ) -> tuple[StatementEntry, ...]:
        found = entries.bookings(link, account, _start(first), _start(_next(last)))
        return self._entries([one for one in found if one.currency == currency], account)

    def _entries(self, found: Iterable[Booking], account: str = "") -> tuple[StatementEntry, ...]:
        return tuple(entry for one in found for entry in self._told_of(one, account))

    def _told_of(self, booking: Booking, account: str) -> Iterator[StatementEntry]:
        """One entry as a rule lets it appear, with one that nobody ordered where a rule wants that."""
        shown: list[Detail] = []
        for item in booking.items:
            fault = self._fault(booking, item, account)
            if fault == "unexpected":
                stranger = item._replace(
                    instruction_id="", end_to_end_id=f"X{item.end_to_end_id}"[:35], transaction_id=""
                )
                yield _entry(booking._replace(reference=f"X{booking.reference}"[:35], message_id=""), [stranger])
            if fault == "differing":
                shown.append(item._replace(amount_minor=item.amount_minor + DIFFERENCE_MINOR))
            elif fault != "missing":
                shown.append(item)
        if shown or (booking.minor and not booking.items):
            yield _entry(booking, shown)

    def _fault(self, booking: Booking, item: Detail, account: str) -> str:
        outgoing = booking.kind in DEBITS
        transfer = Transfer(
            item.instruction_id,
            item.end_to_end_id,
            item.transaction_id,
            item.amount_minor,
            "",
            "",
            item.counter_account if outgoing else account or item.counter_account,
        )
        magic = self._payer if outgoing else self._payee
        then = self._house.faults.foretell(magic, transfer, booking.currency)
        return then.statement if then else ""


def _entry(booking: Booking, items: Sequence[Detail]) -> StatementEntry:
    day = datetime.fromtimestamp(booking.at, UTC).date()
    credit = booking.minor > 0
    total = sum(item.amount_minor for item in items) if items else abs(booking.minor)
    return StatementEntry(
        reference=f"{booking.kind[:1].upper()}{booking.number}",
        amount_minor=total,
        currency=booking.currency,
        credit=credit,
        reversal=booking.kind == "withdrawal",
        status="PDNG" if booking.kind == "pending" else "BOOK",
        booking_date=day,
        value_date=day,
        code=_CODES.get(booking.kind, "PMNT/MCOP/OTHR"),
        servicer_reference=booking.reference[-35:],
        transactions=[_transaction(booking, item, credit=credit) for item in items],
    )


def _transaction(booking: Booking, item: Detail, *, credit: bool) -> EntryTransaction:
    return EntryTransaction(
        booking.message_id,
        item.instruction_id,
        item.end_to_end_id,
        item.transaction_id,
        item.amount_minor,
        booking.currency,
        credit,
        item.counter_account,
        item.reason,
        item.remittance,
    )


def _accounts(link: sqlite3.Connection, message: int, kind: str) -> list[str]:
    """Whom a booking of a message concerns: the debtor, or everybody who was credited."""
    kept = inbox.read(link, message)
    if kind != "credit":
        return [kept.facts.debtor_account]
    question = (
        "SELECT DISTINCT account FROM posting JOIN entry ON number = entry"
        " WHERE kind = 'credit' AND reference = ? AND line <> ''"
    )
    return [account for (account,) in link.execute(question, (f"{kept.sender}|{kept.message_id}",))]


def _balance(kind: str, minor: int, currency: str, on: date) -> Balance:
    return Balance(kind, abs(minor), currency, minor >= 0, on)


def _days(first: str, last: str, today: date) -> list[date]:
    """The days of a period; today where none is given."""
    begin = _day("from", first) if first else today
    end = _day("to", last) if last else max(begin, today)
    if not 0 <= (end - begin).days < LONGEST_DAYS:
        raise Refused.because("query to", "malformed", f"A period has 1 to {LONGEST_DAYS} days.")
    return [begin + timedelta(days=number) for number in range((end - begin).days + 1)]


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise Refused.because(f"query {name}", "malformed", "A day is expected, for example 2026-03-02.") from fault


def _start(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


def _next(day: date) -> date:
    return day + timedelta(days=1)

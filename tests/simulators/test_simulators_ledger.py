"""The ledger's rules hold for any bookings."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import ledger
from simulators.clock import VirtualClock
from simulators.ledger import Posting

ACCOUNTS = st.sampled_from(["A", "B", "C", "SETTLEMENT"])
LINES = st.lists(st.tuples(ACCOUNTS, st.integers(-(10**12), 10**12)), max_size=8)
ENTRIES = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["USD", "EUR"]), LINES), max_size=12)


def _link() -> sqlite3.Connection:
    link = sqlite3.connect(":memory:")
    link.executescript(ledger.SCHEMA)
    return link


@given(ENTRIES)
def test_any_sequence_of_entries_leaves_every_currency_at_zero(
    entries: list[tuple[int, str, list[tuple[str, int]]]],
) -> None:
    link = _link()
    booked: dict[int, int] = {}
    for reference, currency, lines in entries:
        postings = [Posting(account, minor, str(number)) for number, (account, minor) in enumerate(lines)]
        postings.append(Posting("CAPITAL", -sum(minor for _, minor in lines)))
        fresh = ledger.book(link, "test", str(reference), currency, 0.0, postings)
        assert fresh == (reference not in booked)
        booked.setdefault(reference, sum(minor for account, minor in lines if account == "A"))
    assert not any(ledger.totals(link).values())
    assert ledger.unbalanced_entries(link) == 0
    assert sum(ledger.balance(link, "A", currency) for currency in ("USD", "EUR")) == sum(booked.values())


def test_an_entry_that_does_not_add_up_is_not_booked() -> None:
    link = _link()
    with pytest.raises(ValueError, match="does not add up"):
        ledger.book(link, "test", "1", "USD", 0.0, [Posting("A", 1)])
    assert ledger.totals(link) == {}


def test_a_transaction_cannot_stand_twice_in_an_entry() -> None:
    with pytest.raises(sqlite3.IntegrityError):
        ledger.book(_link(), "test", "1", "USD", 0.0, [Posting("A", 1, "T"), Posting("A", 1, "T"), Posting("B", -2)])


def test_the_clock_only_moves_forward_and_remembers(tmp_path: Path) -> None:
    clock = VirtualClock(lambda: 100.0, tmp_path / "clock.json")
    clock.advance(50)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    assert clock() == 150
    assert VirtualClock(lambda: 100.0, tmp_path / "clock.json")() == 150

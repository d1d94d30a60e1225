"""Statements against our records: every side accounted for once, whatever the order."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.booking import Line, facts_of, lines_of
from connector.domain.matching import reconcile
from connector.domain.messages import AccountStatement, Balance, EntryTransaction, StatementEntry
from connector.domain.reconciliation import FindingKind, Instruction, Terms
from connector.domain.status import InstructionStatus as S

DAY = date(2026, 11, 20)
REF = "ABCDEFGHIJKLMNOPQRST"
ALL = frozenset(("USD", DAY + timedelta(days=number)) for number in range(-5, 15))


def paid(number, status=S.ACSC, minor=1000, message="P0", sent=DAY, **fields):
    one = Instruction(
        REF + message, "PENSIONS", "UNIOXU22", REF, number, f"I{number}", f"E{number}", f"{REF}{number}", minor,
        "USD", status, sent, sent,
    )  # fmt: skip
    return one._replace(**fields)


def line(number=None, minor=1000, message="", *, credit=False, on=DAY, **fields):
    name = "" if number is None else f"E{number}"
    return Line("S1", "B1", on, message and REF + message, "", name, "", minor, "USD", credit)._replace(**fields)


def found(instructions, lines, tolerance=2, covered=ALL):
    return reconcile(instructions, lines, Terms(tolerance, covered))


def only(instructions, lines, **terms):
    (one,) = found(instructions, lines, **terms)
    return one.kind.value, one.difference


@pytest.mark.parametrize(
    ("status", "lines", "expected"),
    [
        (S.ACSC, [line(1)], ("matched", "")),
        (S.ACSC, [line(1, message="P0")], ("matched", "")),
        (S.ACSC, [line(1, end_to_end_id="", transaction_id=f"{REF}1")], ("matched", "")),
        (S.ACSC, [line(on=DAY + timedelta(days=2))], ("matched", "")),
        (S.ACSC, [line(message="P0")], ("matched", "")),
        (S.ACSC, [], ("missing", "")),
        (S.ACSC, [line(1, minor=1100)], ("differing", "amount")),
        (S.ACSC, [line(1, minor=0)], ("differing", "amount")),
        (S.ACSC, [line(message="P0", minor=900)], ("differing", "amount")),
        (S.ACSC, [line(1, currency="EUR")], ("differing", "currency")),
        (S.ACSC, [line(1), line(1)], ("differing", "twice")),
        (S.ACSC, [line(1), line(1, credit=True)], ("differing", "returned")),
        (S.ACSC, [line(1, credit=True)], ("differing", "returned")),
        (S.RJCT, [line(1)], ("differing", "status")),
        (S.RJCT, [line(message="P0")], ("differing", "status")),
        (S.RJCT, [line(1), line(1, credit=True)], ("matched", "")),
        (S.RJCT, [], ("not due", "")),
        (S.PDNG, [line(1)], ("differing", "status")),
        (S.RTND, [line(1), line(1, credit=True)], ("matched", "")),
        (S.RTND, [line(1, credit=True)], ("matched", "")),
        (S.RTND, [line(1)], ("differing", "status")),
    ],
)
def test_an_instruction_and_its_lines_are_compared(status, lines, expected):
    assert only([paid(1, status)], lines) == expected


def test_a_return_of_a_later_day_is_not_looked_for_on_this_statement():
    later = paid(1, S.RTND, changed=DAY + timedelta(days=30))
    assert only([later], [line(1)]) == ("matched", "")


def test_a_line_with_an_id_of_its_own_is_not_taken_for_another_payment():
    kinds = Counter(one.kind.value for one in found([paid(1)], [line(99)]))
    assert kinds == {"missing": 1, "unexpected": 1}


def test_amount_and_date_have_a_tolerance():
    late = [line(on=DAY + timedelta(days=3))]
    assert {one.kind.value for one in found([paid(1)], late)} == {"missing", "unexpected"}
    assert only([paid(1)], late, tolerance=3) == ("matched", "")


def test_what_statements_do_not_reach_yet_is_missing_with_a_reservation():
    (one,) = found([paid(1)], [], covered=frozenset({("USD", DAY)}))
    assert "do not reach to 2026-11-22" in one.sentence
    (one,) = found([paid(1)], [])
    assert one.sentence == "Paid by our records, but not on the statement."


def test_a_sum_is_split_over_the_payments_that_are_not_named_by_themselves():
    message = [paid(1), paid(2), paid(3, S.RJCT), paid(4)]
    results = found(message, [line(4, message="P0"), line(message="P0", minor=2000)])
    assert [(one.kind.value, one.by, one.statement_minor) for one in results] == [
        ("matched", "end-to-end id", 1000),
        ("matched", "message", 1000),
        ("matched", "message", 1000),
        ("not due", "", 0),
    ]


def test_a_sum_that_does_not_fit_is_one_finding_for_the_message():
    results = found([paid(1), paid(2)], [line(message="P0", minor=1500)])
    assert [(one.kind.value, one.payments, one.amount_minor, one.statement_minor) for one in results] == [
        ("differing", 2, 2000, 1500)
    ]


def test_a_retried_payment_is_told_from_its_first_try_by_what_became_of_them():
    first, second = paid(1, S.RJCT, message="P0"), paid(1, message="P1", sent=DAY + timedelta(days=1))
    results = found([first, second], [line(1, on=DAY + timedelta(days=1))])
    assert {one.message_id: one.kind.value for one in results} == {REF + "P0": "not due", REF + "P1": "matched"}


_INSTRUCTIONS = st.builds(
    lambda number, status, minor, message: paid(
        number, status, minor, f"P{message}", DAY + timedelta(days=message % 3)
    ),
    st.integers(0, 8),
    st.sampled_from([S.ACSC, S.RJCT, S.RTND, S.PDNG]),
    st.sampled_from([1000, 2000]),
    st.integers(0, 3),
)
_LINES = st.builds(
    lambda number, minor, message, credit, days, currency, rest: line(
        number, minor, message, credit=credit, on=DAY + timedelta(days=days), currency=currency, remainder=rest
    ),
    st.none() | st.integers(0, 10),
    st.sampled_from([1000, 2000, 3000]),
    st.sampled_from(["", "", "P0", "P1", "P9"]),
    st.booleans(),
    st.integers(-2, 4),
    st.sampled_from(["USD", "USD", "EUR"]),
    st.sampled_from([False, False, False, True]),
)


def _sides(instructions, lines):
    ours, theirs = Counter(), Counter()
    for one in instructions:
        ours[one.currency] += one.amount_minor
    for one in lines:
        theirs[one.currency] += one.out_minor
    return +ours, {currency: minor for currency, minor in theirs.items() if minor}


@given(
    st.lists(_INSTRUCTIONS, max_size=12, unique_by=lambda one: (one.message_id, one.position)),
    st.lists(_LINES, max_size=12),
    st.randoms(use_true_random=False),
)
def test_every_instruction_and_every_line_is_accounted_for_once_in_any_order(instructions, lines, random):
    results = found(instructions, lines)
    ours, theirs = Counter(), Counter()
    for one in results:
        ours[one.currency] += one.amount_minor
        theirs[one.statement_currency] += one.statement_minor
    assert (+ours, {currency: minor for currency, minor in theirs.items() if minor}) == _sides(instructions, lines)
    assert sum(one.payments for one in results) == len(instructions)
    assert all(one.payments == 0 for one in results if one.kind is FindingKind.UNEXPECTED)
    random.shuffle(instructions)
    random.shuffle(lines)
    assert Counter(found(instructions, lines)) == Counter(results)


def entry(minor, *transactions, status="BOOK", credit=False, reference="", servicer="B1"):
    return StatementEntry(
        reference, minor, "USD", credit, False, status, DAY, DAY, "PMNT/ICDT/ESCT", servicer, transactions
    )


def transaction(number, minor, *, credit=False):
    return EntryTransaction("", "NOTPROVIDED", f"E{number}", "", minor, "USD", credit, "1012345678")


def statement(*entries, balances=()):
    return AccountStatement("S1", "9000000001", "USD", datetime(2026, 11, 21, 5, tzinfo=UTC), balances, entries)


def test_a_statement_is_taken_apart_into_lines_that_add_up_to_its_entries():
    told = statement(
        entry(1500, transaction(1, 1000), transaction(2, 400)),
        entry(700, transaction(3, 0)),
        entry(900, reference=f"{REF}P7"),
        entry(100, status="PDNG"),
    )
    lines = list(lines_of(told))
    assert [(one.end_to_end_id, one.message_id, one.out_minor, one.remainder) for one in lines] == [
        ("E1", "", 1000, False),
        ("E2", "", 400, False),
        ("", "", 100, True),
        ("E3", "", 700, False),
        ("", f"{REF}P7", 900, False),
    ]
    assert not any("1012345678" in str(one) for one in lines)
    facts = facts_of("camt.053.001.08", told, lines)
    assert (facts.kind, facts.closed, facts.lines, facts.pending) == ("camt.053", True, 5, 1)
    assert list(facts.days()) == [DAY]


def test_account_numbers_in_a_banks_ids_are_masked():
    told = statement(entry(1000, transaction(1, 1000), servicer="1012345678/9000000001"))._replace(id="S9000000001")
    (one,) = lines_of(told)
    assert (one.statement, one.reference) == ("S********01", "********78/********01")
    assert facts_of("camt.053.001.08", told, [one]).id == "S********01"


def test_an_entry_that_names_payments_without_their_amounts_is_compared_as_a_sum():
    silent = [transaction(number, 0)._replace(message_id=f"{REF}P7") for number in (1, 2)]
    lines = list(lines_of(statement(entry(900, *silent), entry(900, transaction(3, 500), transaction(4, 0)))))
    assert [(one.end_to_end_id, one.message_id, one.out_minor) for one in lines] == [
        ("", f"{REF}P7", 900),
        ("E3", "", 500),
        ("E4", "", 400),
    ]


def test_pages_of_a_statement_are_told_apart():
    told = [facts_of("camt.053.001.08", statement()._replace(page=page), []).id for page in ("", "1", "2")]
    assert told == ["S1", "S1 page 1", "S1 page 2"]


def test_directions_of_transactions_are_believed_only_where_the_sum_needs_it():
    mixed = entry(600, transaction(1, 1000), transaction(2, 400, credit=True))
    assert [one.out_minor for one in lines_of(statement(mixed))] == [1000, -400]
    unsaid = entry(1400, transaction(1, 1000), transaction(2, 400), credit=True)
    assert [one.out_minor for one in lines_of(statement(unsaid))] == [-1000, -400]


def test_an_empty_statement_is_about_the_day_of_its_closing_balance():
    closing = Balance("CLBD", 0, "USD", True, DAY)
    facts = facts_of("camt.053.001.08", statement(balances=[closing]), [])
    assert (facts.first, facts.last, facts.currencies) == (DAY, DAY, ("USD",))

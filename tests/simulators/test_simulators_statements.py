"""Statements, reports of the day and notifications: they say what the ledger says, unless a rule spoils them."""

from datetime import date
from itertools import pairwise

import pytest
from simulators_sandbox import HARBOUR, KASH, PAYER, SWITCH, UNION, Sandbox, order, transfer

from connector.domain.messages import AccountStatement, EntryTransaction, Statement, StatementEntry
from simulators.world import institution_of

FULL = 10_000_000_000_000
ORDER_ID = "AAAAAAAAAAAAAAAAAAAAP0"
PROGRAMME = "9000000001"
GOOD = transfer(1, "1012345678")


async def _fetch(
    sandbox: Sandbox, account: str = PROGRAMME, kind: str = "camt.053", code: str = PAYER, **period: str
) -> tuple[int, list[AccountStatement]]:
    url = f"{sandbox.url}/{code}/iso20022/statements/{account}"
    async with sandbox.http.get(url, params={"kind": kind, **period}) as response:
        body = await response.read()
        if response.status != 200:
            return response.status, []
        value = sandbox.engine.read(body).value
        assert isinstance(value, Statement)
        return 200, list(value.statements)


async def _day(
    sandbox: Sandbox, account: str = PROGRAMME, code: str = PAYER, day: str = "2026-03-02"
) -> AccountStatement:
    status, (statement,) = await _fetch(sandbox, account, code=code, **{"from": day, "to": day})
    assert status == 200
    return statement


def _balances(statement: AccountStatement) -> dict[str, int]:
    return {one.kind: one.amount_minor if one.credit else -one.amount_minor for one in statement.balances}


def _payments(statement: AccountStatement) -> dict[str, int]:
    """Each payment of a statement, signed."""
    each = [one for entry in statement.entries for one in entry.transactions]
    return {one.end_to_end_id: one.amount_minor if one.credit else -one.amount_minor for one in each}


async def _pay(sandbox: Sandbox, *accounts: str) -> None:
    transfers = [transfer(number, one, agent=institution_of(one)) for number, one in enumerate(accounts, 1)]
    await sandbox.pay(order(transfers, creditor_agent=""))
    await sandbox.advance()


async def _live_through(sandbox: Sandbox, days: int) -> None:
    """Day by day, since what falls due is booked when the clock gets there."""
    for _ in range(days):
        await sandbox.advance(days=1)


async def test_a_day_is_stated_when_it_is_over(sandbox: Sandbox) -> None:
    await sandbox.pay(
        order([GOOD, transfer(2, "1012349904", 7), transfer(3, "2012345678", 500, HARBOUR)], creditor_agent="")
    )
    await sandbox.advance()
    assert (await _fetch(sandbox))[0] == 204
    await sandbox.advance(days=1)
    statement = await _day(sandbox)
    assert _balances(statement) == {"OPBD": 0, "CLBD": FULL - 1500}
    assert _payments(statement) == {"E1": -1000, "E3": -500}
    assert sum(one.amount_minor if one.credit else -one.amount_minor for one in statement.entries) == FULL - 1500
    first = next(one for entry in statement.entries for one in entry.transactions if one.end_to_end_id == "E1")
    assert isinstance(first, EntryTransaction)
    assert (first.message_id, first.instruction_id) == (ORDER_ID, "I1")


async def test_every_day_begins_where_the_last_one_ended(sandbox: Sandbox) -> None:
    await _pay(sandbox, "1012345678", "1012349920")
    await _live_through(sandbox, 5)
    _, statements = await _fetch(sandbox, **{"from": "2026-03-02", "to": "2026-03-06"})
    assert len(statements) == 5
    for before, after in pairwise(statements):
        assert _balances(before)["CLBD"] == _balances(after)["OPBD"]
    returned = statements[3].entries[0]
    assert isinstance(returned, StatementEntry)
    assert (returned.credit, returned.booking_date) == (True, date(2026, 3, 5))
    (back,) = returned.transactions
    assert (back.end_to_end_id, back.reason, back.message_id) == ("E2", "AC04", ORDER_ID)
    assert _balances(statements[-1])["CLBD"] == await sandbox.balance(PAYER, PROGRAMME)


async def test_a_report_of_the_day_knows_what_is_pending(sandbox: Sandbox) -> None:
    await _pay(sandbox, "2012345678", "1012349931")
    _, (report,) = await _fetch(sandbox, kind="camt.052")
    states = {one.transactions[0].end_to_end_id: one.status for one in report.entries if one.transactions}
    assert states == {"E1": "BOOK", "E2": "PDNG"}
    assert _balances(report)["ITBD"] == FULL - 1000


async def test_payees_see_their_credits(sandbox: Sandbox) -> None:
    await _pay(sandbox, "1012345678", "+9997012349920")
    await _live_through(sandbox, 4)
    statement = await _day(sandbox, "1012345678", UNION)
    assert _payments(statement) == {"E1": 1000}
    _, days = await _fetch(sandbox, "+9997012349920", code=KASH, **{"from": "2026-03-02", "to": "2026-03-05"})
    assert [_payments(day) for day in days] == [{"E2": 1000}, {}, {}, {"E2": -1000}]


async def test_payments_by_the_switch_are_stated_with_their_ids(sandbox: Sandbox) -> None:
    sent = [GOOD._replace(transaction_id="T1"), transfer(2, "1012349920")._replace(transaction_id="T2")]
    await sandbox.pay(order(sent, debtor_account="9000000002"), SWITCH)
    await sandbox.advance()
    await _live_through(sandbox, 4)
    _, days = await _fetch(sandbox, "9000000002", **{"from": "2026-03-02", "to": "2026-03-05"})
    assert _payments(days[0]) == {"E1": -1000, "E2": -1000}
    assert _payments(days[-1]) == {"E2": 1000}
    assert days[0].entries[-1].transactions[0].message_id == ORDER_ID


@pytest.mark.parametrize(
    ("suffix", "payments"),
    [
        ("9955", {"E1": -1000}),
        ("9956", {"E1": -1000, "E2": -1100}),
        ("9957", {"E1": -1000, "E2": -1000, "XE2": -1000}),
    ],
)
async def test_a_statement_gets_a_payment_wrong(sandbox: Sandbox, suffix: str, payments: dict[str, int]) -> None:
    await _pay(sandbox, "1012345678", f"101234{suffix}")
    await sandbox.advance(days=1)
    statement = await _day(sandbox)
    assert _payments(statement) == payments
    assert _balances(statement)["CLBD"] == FULL - 2000


async def test_a_rule_spoils_statements_of_what_was_booked_before(sandbox: Sandbox) -> None:
    await _pay(sandbox, "1012345678", "1012345679")
    await sandbox.advance(days=1)
    await sandbox.rules(PAYER, {"when": {"account": "79$"}, "then": {"statement": "missing"}})
    assert _payments(await _day(sandbox)) == {"E1": -1000}
    await sandbox.rules(PAYER)
    assert len(_payments(await _day(sandbox))) == 2


async def test_bookings_are_notified_where_that_is_asked_for(sandbox: Sandbox) -> None:
    await _pay(sandbox, "1012349954", "2012349920")
    await sandbox.advance(days=3)
    notices = [message for message in sandbox.connector.messages() if isinstance(message, Statement)]
    told = [(name, minor) for one in notices for name, minor in _payments(one.statements[0]).items()]
    assert sorted(told) == [("E1", -1000), ("E2", -1000), ("E2", 1000)]
    assert {notice.message for notice in notices} == {"camt.054.001.08"}
    _, (fetched,) = await _fetch(sandbox, kind="camt.054", **{"from": "2026-03-02", "to": "2026-03-02"})
    assert _payments(fetched) == {"E1": -1000, "E2": -1000}


async def test_a_payees_bank_notifies_its_customers(sandbox: Sandbox) -> None:
    await sandbox.rules(UNION, {"when": {}, "then": {"notify": True}})
    await _pay(sandbox, "1012345678", "1012345679")
    (notice,) = [message for message in sandbox.connector.messages() if isinstance(message, Statement)]
    told = {one.account: _payments(one) for one in notice.statements}
    assert told == {"1012345678": {"E1": 1000}, "1012345679": {"E2": 1000}}


@pytest.mark.parametrize(
    "query",
    [{"kind": "camt.060"}, {"from": "yesterday"}, {"from": "2026-03-02", "to": "2026-03-01"}, {"from": "1999-01-01"}],
)
async def test_a_wrong_question_is_refused(sandbox: Sandbox, query: dict[str, str]) -> None:
    url = f"{sandbox.url}/{PAYER}/iso20022/statements/{PROGRAMME}"
    async with sandbox.http.get(url, params=query) as response:
        assert response.status == 400


async def test_the_admin_api_gives_statements_too(sandbox: Sandbox) -> None:
    await _pay(sandbox, "1012345678")
    url = f"{sandbox.url}/sim/{PAYER}/statements/{PROGRAMME}?kind=camt.052"
    async with sandbox.http.get(url) as response:
        assert response.status == 200
        assert isinstance(sandbox.engine.read(await response.read()).value, Statement)

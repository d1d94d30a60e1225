"""Statements and reconciliations in a real store: each once, sealed, found by account and day, in bounded parts."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from connector.domain.booking import Line, StatementFacts
from connector.domain.errors import NotFound
from connector.domain.reconciliation import Finding, FindingKind
from connector.store import Store, Task
from connector.store.reconciliations import DayResult, Reconciliation, Total
from connector.store.statements import PART_LINES

DAY = date(2026, 11, 20)
REF = "ABCDEFGHIJKLMNOPQRST"
ACCOUNT = "9000000001"
FACTS = StatementFacts("camt.053", "S1", 100.0, DAY, DAY, ("USD",), 0)
ASKED = Reconciliation(REF, "PENSIONS", ("PENSIONS", "RELIEF"), "TREAXU22", DAY, DAY, 2, 5.0, "operator")


def line(number: int, message: str = "") -> Line:
    return Line("S1", "B1", DAY, message, "", f"E{number}", "", 1000 + number, "USD", credit=False)


async def kept(store: Store, first: date = DAY, last: date = DAY) -> list[str]:
    return [one.facts.id for one in await store.statements.find("TREAXU22", ACCOUNT, first, last)]


async def test_a_statement_is_kept_once_and_a_later_version_takes_its_place(store: Store) -> None:
    async def put(facts: StatementFacts, *lines: Line) -> bool:
        return await store.statements.put("TREAXU22", ACCOUNT, facts, lines)

    assert await put(FACTS, line(1))
    assert not await put(FACTS, line(1))
    assert not await put(replace(FACTS, created=300.0), line(1))
    assert not await put(replace(FACTS, created=50.0), line(2))
    assert await put(replace(FACTS, created=200.0), line(1), line(2))
    (found,) = await store.statements.find("TREAXU22", ACCOUNT, DAY, DAY)
    assert await store.statements.part(found, 0) == [line(1), line(2)]
    assert await store.statements.part(found, 1) == []


async def test_statements_are_found_by_account_and_day(store: Store) -> None:
    week = replace(FACTS, id="WEEK", first=DAY - timedelta(days=7))
    await store.statements.put("TREAXU22", ACCOUNT, week, [])
    await store.statements.put("TREAXU22", ACCOUNT, FACTS, [])
    await store.statements.put("TREAXU22", "9000000002", replace(FACTS, id="OTHER"), [])
    await store.statements.put("HARBXU22", ACCOUNT, replace(FACTS, id="ELSEWHERE"), [])
    assert await kept(store) == ["S1", "WEEK"]
    assert await kept(store, DAY - timedelta(days=9), DAY - timedelta(days=5)) == ["WEEK"]
    assert await kept(store, DAY + timedelta(days=1), DAY + timedelta(days=2)) == []


async def test_lines_about_one_message_are_in_few_parts_and_nothing_is_readable_at_rest(store: Store) -> None:
    first, second = f"{REF}P0", f"{REF}P1"
    lines = [line(number, (first, second, "BANKS-OWN")[number % 3]) for number in range(2 * PART_LINES)]
    await store.statements.put("TREAXU22", ACCOUNT, FACTS, lines)
    (found,) = await store.statements.find("TREAXU22", ACCOUNT, DAY, DAY)
    assert found.messages == ("", first, second)
    parts = [one for number in found.parts_with(second) for one in await store.statements.part(found, number)]
    assert {one for one in parts if one.own == second} == {one for one in lines if one.own == second}
    assert list(found.parts_with("")) == [0]
    for key in await store.link.ask("KEYS", "*statement*"):
        content = await store.link.ask("DUMP", key)
        assert ACCOUNT.encode() not in key + content
        assert b"E17" not in content


async def test_a_reconciliation_goes_on_step_by_step_and_each_step_counts_once(store: Store) -> None:
    task = Task("reconcile", REF, 0, data="fetch")
    assert await store.reconciliations.create(ASKED, [task])
    assert not await store.reconciliations.create(ASKED, [task])
    (entry,) = await store.queue.take(["reconcile"], "w", 9, 0)
    for _ in range(2):
        await store.reconciliations.fetched(REF, 0, "1 statement", then=[Task("reconcile", REF, 1)], done=entry)
    (entry,) = await store.queue.take(["reconcile"], "w", 9, 0)
    finding = Finding(FindingKind.MATCHED, "Fine.", paid_on=DAY)
    await store.reconciliations.part(REF, 0, 0, [finding])
    result = DayResult(DAY, ("camt.053 S1",), (Total("matched", "USD", 1, 1, 1000, 1000),), 1)
    assert not (await store.reconciliations.read(REF)).finished
    for _ in range(2):
        await store.reconciliations.day(REF, 0, result, then=[], done=entry)
    outcome = await store.reconciliations.read(REF)
    assert (outcome.asked, outcome.finished) == (ASKED, True)
    assert outcome.days == (replace(result, fetched="1 statement"),)
    assert await store.reconciliations.findings(REF, 0, 0) == [finding]
    assert await store.queue.depth() == {"timers": 0, "reconcile": 0}


async def test_reconciliations_are_listed_by_programme_newest_first(store: Store) -> None:
    later = replace(ASKED, id="B" * 20, programmes=("SANDBOX",), requested_at=6.0)
    for asked in (ASKED, later):
        await store.reconciliations.create(asked, [])
    assert await store.reconciliations.find() == [later.id, REF]
    assert await store.reconciliations.find(newest=1) == [later.id]
    assert await store.reconciliations.find(programme="RELIEF") == [REF]
    with pytest.raises(NotFound):
        await store.reconciliations.read("C" * 20)

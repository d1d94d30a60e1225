"""Reconciliation over a real store: pushed and fetched statements, findings day by day, the daily clock."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flow_world import pay, person

from connector.domain.errors import NotFound, Refused
from connector.domain.messages import AccountStatement, Balance, EntryTransaction, Statement, StatementEntry
from connector.flows import inbound, reconciliation

pytestmark = pytest.mark.archiving

BANK = "TREAXU22"
ACCOUNT = "9000000001"


def today(world) -> date:
    return datetime.fromtimestamp(world.services.clock(), UTC).date()


def entry(world, *transactions, on=None, message="", credit=False, amount=None, reference="B1"):
    total = sum(one.amount_minor for one in transactions) if amount is None else amount
    day = on or today(world)
    return StatementEntry(
        message or "1", total, "USD", credit, False, "BOOK", day, day, "PMNT/ICDT/ESCT", reference, transactions
    )


def transaction(number, minor=1000, message="", *, credit=False):
    return EntryTransaction(message, "", f"INSTR{number:011d}", "", minor, "USD", credit, "1000000001")


def statement(world, *entries, name="S1", kind="camt.053.001.08", account=ACCOUNT):
    now = datetime.fromtimestamp(world.services.clock(), UTC)
    closing = [Balance("CLBD", 0, "USD", True, now.date())]
    return Statement(kind, name, now, [AccountStatement(name, account, "USD", now, closing, entries)])


async def push(world, told: Statement, institution: str = BANK) -> str:
    body = world.fsp.engine.write("generic", told.message, told)
    return (await inbound.message(world.services, institution, body)).status


async def report(world, first=None, last=None):
    first = first or today(world)
    asked = await reconciliation.start(world.services, "PENSIONS", first, last or first, "operator")
    await world.carry()
    found = await world.services.store.reconciliations.read(asked.id)
    assert found.finished
    rows = [one async for one in reconciliation.findings(world.services, found, frozenset())]
    return found, sorted(rows, key=lambda one: (one.instruction_id or one.end_to_end_id, one.kind))


@pytest.fixture
async def paid(world):
    """Three payments: two settled, one rejected."""
    await world.onboard(*(person(number) for number in (1, 2, 3)))
    world.fsp.reject = {"INSTR00000000003": "AC04"}
    batch = await world.submit(*(pay(number) for number in (1, 2, 3)))
    await world.carry()
    return batch


async def test_payments_are_found_on_a_pushed_statement(world, paid):
    message = world.fsp.messages[0].message_id
    told = statement(world, entry(world, transaction(1, message=message), transaction(2)))
    assert await push(world, told) == "processed"
    assert await push(world, told) == "repeated"
    found, rows = await report(world)
    assert [(one.instruction_id, one.kind.value, one.batch) for one in rows] == [
        ("INSTR00000000001", "matched", paid.ref),
        ("INSTR00000000002", "matched", paid.ref),
    ]
    (day,) = found.days
    assert day.statements == ("camt.053 S1",)
    assert {total.kind: (total.payments, total.statement_minor) for total in day.totals} == {
        "matched": (2, 2000),
        "not due": (1, 0),
    }


async def test_a_booking_of_a_whole_message_is_matched_with_what_was_paid_of_it(world, paid):
    await push(world, statement(world, entry(world, message=world.fsp.messages[0].message_id, amount=2000)))
    _, rows = await report(world)
    assert [(one.kind.value, one.by) for one in rows] == [("matched", "message")] * 2


async def test_missing_unexpected_and_differing_payments_are_reported_and_change_no_status(world, paid):
    lines = transaction(2, 1500), transaction(3), transaction(77)
    await push(world, statement(world, entry(world, *lines)))
    before = await world.services.store.batches.read(paid.ref)
    _, rows = await report(world)
    assert [(one.instruction_id or one.end_to_end_id, one.kind.value, one.difference) for one in rows] == [
        ("INSTR00000000001", "missing", ""),
        ("INSTR00000000002", "differing", "amount"),
        ("INSTR00000000003", "differing", "status"),
        ("INSTR00000000077", "unexpected", ""),
    ]
    assert await world.services.store.batches.read(paid.ref) == before
    assert "1000000001" not in str(rows)


async def test_money_that_came_back_by_the_statement_alone_is_flagged_also_weeks_later(world, paid):
    message = world.fsp.messages[0].message_id
    world.services.clock.pass_seconds(40 * 86_400)
    back = entry(world, transaction(1, message=message, credit=True), credit=True)
    await push(world, statement(world, back))
    _, rows = await report(world)
    assert [(one.kind.value, one.difference, one.statement_minor) for one in rows] == [
        ("differing", "returned", -1000)
    ]


async def test_what_notifications_and_statements_both_say_counts_once(world, paid):
    booked = entry(world, transaction(1)), entry(world, transaction(2), reference="B2")
    await push(world, statement(world, booked[0], name="N1", kind="camt.054.001.08"))
    await push(world, statement(world, *booked, name="I1", kind="camt.052.001.08"))
    _, rows = await report(world)
    assert [(one.kind.value, one.statement) for one in rows] == [("matched", "I1")] * 2
    await push(world, statement(world, *booked))
    world.services.clock.pass_seconds(1)
    _, rows = await report(world)
    assert [(one.kind.value, one.statement) for one in rows] == [("matched", "S1")] * 2


async def test_a_payment_booked_on_the_next_day_belongs_to_that_day(world, paid):
    sent = today(world)
    world.services.clock.pass_seconds(86_400)
    await push(world, statement(world, entry(world, transaction(1), transaction(2))))
    _, rows = await report(world, sent)
    assert rows == []
    _, rows = await report(world)
    assert Counter(one.kind.value for one in rows) == {"matched": 2}
    found, rows = await report(world, sent, sent + timedelta(days=1))
    assert ([one.day for one in found.days], len(rows)) == ([sent, sent + timedelta(days=1)], 2)


async def test_statements_of_strangers_are_refused_and_other_accounts_passed_over(world):
    told = statement(world, account="9000000002")
    with pytest.raises(Refused, match="No programme"):
        await push(world, told)
    with pytest.raises(Refused, match="No programme"):
        await push(world, statement(world), "UNIOXU22")
    both = replace(told, statements=[*told.statements, *statement(world).statements])
    assert await push(world, both) == "processed"


async def test_a_statement_that_the_bank_does_not_give_is_said_and_not_fatal(world):
    found, rows = await report(world)
    assert rows == []
    assert "does not give statements" in found.days[0].fetched


async def test_wrong_periods_and_programmes_are_refused(world):
    day = today(world)
    for first, last in ((day, day - timedelta(days=1)), (day - timedelta(days=92), day), (day, day + timedelta(9))):
        with pytest.raises(Refused):
            await reconciliation.start(world.services, "PENSIONS", first, last, "operator")
    with pytest.raises(NotFound):
        await reconciliation.start(world.services, "NOSUCH", day, day, "operator")


async def test_a_repeated_step_changes_nothing(world, paid):
    await push(world, statement(world, entry(world, transaction(1), transaction(2))))
    asked = await reconciliation.start(world.services, "PENSIONS", today(world), today(world), "operator")
    await world.carry(repeat=True)
    found = await world.services.store.reconciliations.read(asked.id)
    assert sum(total.findings for day in found.days for total in day.totals) == 3


async def daily(world) -> list[tuple[str, str]]:
    kept = world.services.store.reconciliations
    found = [(await kept.read(each)).asked for each in await kept.find()]
    return sorted((one.programme, one.first.isoformat()) for one in found if one.requested_by == "daily")


async def test_yesterday_is_reconciled_once_a_day_whatever_is_restarted(world):
    morning = replace(world.services, settings=replace(world.services.settings, reconcile_at="06:00"))
    world.services = morning
    clock = world.services.clock
    clock.now = datetime(2027, 1, 10, 5, tzinfo=UTC).timestamp()
    for _ in range(3):  # three workers
        await reconciliation.arm(morning)
    await world.carry()
    assert await daily(world) == []
    clock.pass_seconds(3600)
    await world.carry()
    assert await daily(world) == [("ASKING", "2027-01-09")]
    await reconciliation.arm(morning)
    await world.carry()
    assert len(await daily(world)) == 1
    clock.pass_seconds(3 * 86_400)  # nothing ran for two days
    await reconciliation.arm(morning)
    await world.carry()
    assert [day for _, day in await daily(world)] == ["2027-01-09", "2027-01-10", "2027-01-11", "2027-01-12"]


async def test_without_a_time_of_day_nothing_is_reconciled_by_itself(world):
    await reconciliation.arm(world.services)
    assert (await world.services.store.queue.depth())["timers"] == 0

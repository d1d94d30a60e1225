"""Differential interoperability: mock-bank's notifications, statements and reports of the day, entry by entry."""

from datetime import date

from mock_bank_orders import only, payments_of, settled

from connector.domain.messages import Statement


def test_its_notification_has_every_payment_that_settled(mock_bank, engine, transfers):
    mock_bank.pay(engine.write("generic", "pain.001.001.09", payments_of(transfers)))
    received = engine.read(only(mock_bank.messages("camt.054")))
    assert received.message == "camt.054.001.08"
    (notified,) = statements(received)
    assert notified.account == "NL41MOCK0000000001"
    assert booked(notified) == settled(transfers)
    assert {entry.status for entry in notified.entries} == {"BOOK"}
    assert {entry.booking_date for entry in notified.entries} == {date(2026, 10, 1)}


def test_its_statement_has_every_entry_and_balances_that_agree(mock_bank, engine, transfers):
    mock_bank.pay(engine.write("generic", "pain.001.001.09", payments_of(transfers)))
    mock_bank.pass_days(1)
    received = engine.read(only(mock_bank.messages("camt.053")))
    assert received.message == "camt.053.001.08"
    (statement,) = statements(received)
    assert (statement.account, statement.currency) == ("NL41MOCK0000000001", "EUR")
    assert booked(statement) == settled(transfers)
    assert {each.message_id for entry in statement.entries for each in entry.transactions} == {"ISOGATE-1"}
    balances = {each.kind: each.amount_minor if each.credit else -each.amount_minor for each in statement.balances}
    assert (
        balances["OPBD"] - sum(booked(statement).values()) == balances["CLBD"] == mock_bank.account("ACME")["balance"]
    )


def test_its_report_of_the_day_so_far_is_read(mock_bank, engine, transfers):
    mock_bank.pay(engine.write("generic", "pain.001.001.09", payments_of(transfers)))
    assert mock_bank.ask("POST", "/_mock/accounts/ACME/report").status == 201
    received = engine.read(only(mock_bank.messages("camt.052")))
    assert received.message == "camt.052.001.08"
    (day,) = statements(received)
    assert booked(day) == settled(transfers)


def test_a_return_is_credited_in_the_next_notification_and_statement(mock_bank, engine, transfers):
    mock_bank.change("ACME", behaviour="return-later", parameters={"days": 2})
    mock_bank.pay(engine.write("generic", "pain.001.001.09", payments_of(transfers)))
    mock_bank.pass_days(6)
    for message in ("camt.054", "camt.053"):
        read = [each for body in mock_bank.messages(message) for each in statements(engine.read(body))]
        (credited,) = [each for each in read if any(entry.credit for entry in each.entries)]
        assert booked(credited, credit=True) == settled(transfers)
    assert mock_bank.account("ACME")["balance"] == 12_500_000


def statements(received):
    assert isinstance(received.value, Statement)
    return received.value.statements


def booked(statement, *, credit=False):
    """Amounts by end-to-end id; an entry comes to the sum of its transactions."""
    amounts = {}
    for entry in statement.entries:
        assert (entry.credit, entry.currency) == (credit, "EUR")
        assert sum(each.amount_minor for each in entry.transactions) == entry.amount_minor
        amounts |= {each.end_to_end_id: each.amount_minor for each in entry.transactions}
    assert len(amounts) == len(statement.entries)
    return amounts

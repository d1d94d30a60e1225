"""All generic messages and versions: one side reads what the other writes, and the official schemas agree."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from connector.domain.errors import Refused
from connector.domain.messages import (
    AccountStatement,
    AccountToVerify,
    Balance,
    BlockStatus,
    CreditTransfer,
    EntryTransaction,
    InquiredTransfer,
    Message,
    PaymentRequest,
    PaymentReturn,
    Recall,
    RecallAnswer,
    RecalledTransfer,
    RecallResult,
    Rejection,
    RequestedPayment,
    ReturnedTransfer,
    Statement,
    StatementEntry,
    StatusInquiry,
    StatusReport,
    TransactionStatus,
    Transfer,
    Verification,
    VerificationReport,
    VerificationRequest,
)

NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
DAY = date(2026, 11, 23)
INITIATIONS = ["pain.001.001.03", "pain.001.001.09", "pain.001.001.11", "pain.001.001.12"]
INTERBANK = ["pacs.008.001.08", "pacs.008.001.10", "pacs.008.001.12"]
CUSTOMER_REPORTS = ["pain.002.001.03", "pain.002.001.10", "pain.002.001.12", "pain.002.001.14", "pain.014.001.07"]
INTERBANK_REPORTS = ["pacs.002.001.10", "pacs.002.001.12"]
RETURNS = ["pacs.004.001.09", "pacs.004.001.11"]
INQUIRIES = ["pacs.028.001.03", "pacs.028.001.05"]

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ids = st.text("ABCxyz0123456789-/+ ", min_size=1, max_size=35).map(str.strip).filter(bool)
words = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=60).map(
    str.strip
)
names = words.filter(bool)
agents = st.sampled_from(["UNIOXU22", "KASHXU22XXX", "national-1"])
accounts = st.from_regex(r"\+?[0-9]{6,16}", fullmatch=True) | st.just("DE89370400440532013000")
minor = st.integers(1, 10**12)
currencies = st.sampled_from(["USD", "JPY", "KWD"])
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - naive bounds are asked for
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
statuses = st.sampled_from(["RCVD", "PDNG", "ACSP", "ACSC", "RJCT"])
reasons = st.sampled_from(["", "AC04", "AM04", "our own reason"])
empty = st.just("")


class Wire:
    """Carries values from one side to the other, over bytes that the official schema accepts as well."""

    def __init__(self, writer, reader, official):
        self.writer, self.reader, self.official = writer, reader, official

    def carry(self, message: str, value: Message) -> Message:
        body = self.writer.write("generic", message, value)
        schema = self.official.schema(message)
        assert schema.validate(etree.fromstring(body)), schema.error_log
        received = self.reader.read(body)
        assert received.message == message
        return received.value


@pytest.fixture
def out(connector, bank, official) -> Wire:
    return Wire(connector, bank, official)


@pytest.fixture
def back(connector, bank, official) -> Wire:
    return Wire(bank, connector, official)


def rows(strategy: st.SearchStrategy[Any], minimum: int = 1) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, min_size=minimum, max_size=4)


@st.composite
def credit_transfers(draw: Callable[..., Any], transaction: st.SearchStrategy[str]) -> CreditTransfer:
    purpose, uetr = st.sampled_from(["", "GOVT", "SALA"]), empty | st.uuids(version=4).map(str)
    facts = [ids, ids, transaction, minor, agents, words, accounts, words, purpose, uetr]
    transfer = st.tuples(*facts).map(lambda row: Transfer(*row))
    transfers = draw(rows(transfer))
    iban = any(row.creditor_account.startswith("DE") for row in transfers)
    return CreditTransfer(
        message_id=draw(ids),
        created=draw(moments),
        currency=draw(currencies),
        total_minor=sum(row.amount_minor for row in transfers),
        initiating_party=draw(words),
        debtor_name=draw(words),
        debtor_account=draw(accounts),
        debtor_agent=draw(agents),
        execution_date=draw(days),
        transfers=transfers,
        modality="00" if iban else draw(st.sampled_from(["00", "01", "03"])),
        category_purpose=draw(purpose),
    )


@pytest.mark.parametrize("message", INITIATIONS)
@few
@given(value=credit_transfers(empty), block=ids)
def test_initiations_reach_the_bank(out, message, value, block):
    value = replace(value, payment_information_id=block)
    if message == "pain.001.001.03":  # that version knows no UETR
        value = replace(value, transfers=[row._replace(uetr="") for row in value.transfers])
    assert out.carry(message, value) == value


@pytest.mark.parametrize("message", INTERBANK)
@few
@given(value=credit_transfers(ids), instructing=agents, instructed=agents)
def test_interbank_transfers_go_both_ways(out, bank, message, value, instructing, instructed):
    value = replace(value, instructing_agent=instructing, instructed_agent=instructed)
    assert out.carry(message, value) == value
    assert bank.read(bank.write("generic", message, value)).value == value


@st.composite
def reports(draw: Callable[..., Any], transaction: st.SearchStrategy[str]) -> StatusReport:
    row = st.builds(TransactionStatus, ids, ids, transaction, statuses, reasons, words)
    return StatusReport(
        message="",
        message_id=draw(ids),
        created=draw(moments),
        original_message_id=draw(ids),
        original_message="pain.001.001.09",
        group_status=draw(st.sampled_from(["", "ACTC", "PART", "RJCT"])),
        group_reason=draw(reasons),
        group_information=draw(words),
        original_count=draw(st.none() | st.integers(0, 10**6)),
        original_total=draw(st.sampled_from(["", "12.30", "7"])),
        transactions=draw(rows(row, 0)),
    )


@pytest.mark.parametrize("message", CUSTOMER_REPORTS)
@few
@given(value=reports(empty), status=st.sampled_from(["", "ACSP", "PART", "RJCT"]), reason=reasons, party=words)
def test_customer_reports_come_back(back, message, value, status, reason, party):
    original = "pain.001.001.09" if message < "pain.01" else "pain.013.001.07"
    block = BlockStatus("P1", status, reason if status else "")
    if message == "pain.002.001.03":  # that version knows fewer statuses of a transaction
        value = replace(
            value,
            transactions=[row._replace(status=row.status.replace("RCVD", "PDNG")) for row in value.transactions],
        )
    value = replace(value, message=message, original_message=original, blocks=[block], initiating_party=party)
    assert without_oddities(back.carry(message, value)) == value


def without_oddities(report: Message) -> Message:
    return replace(report, tolerated=())


@pytest.mark.parametrize("message", INTERBANK_REPORTS)
@few
@given(value=reports(ids), instructing=agents, instructed=agents)
def test_interbank_reports_go_both_ways(out, back, bank, message, value, instructing, instructed):
    value = replace(value, message=message, instructing_agent=instructing, instructed_agent=instructed)
    assert replace(without_oddities(back.carry(message, value)), blocks=()) == value
    again = bank.read(bank.write("generic", message, value)).value
    assert replace(without_oddities(again), blocks=()) == value


@few
@given(asked=rows(st.builds(AccountToVerify, ids, accounts, names, agents)), agent=agents, party=names)
def test_verifications_reach_the_bank(out, asked, agent, party):
    value = VerificationRequest("M1", NOW, party, agent, asked)
    assert out.carry("acmt.023.001.03", value) == value


@few
@given(found=rows(st.builds(Verification, ids, st.booleans(), reasons)), party=names)
def test_verification_reports_come_back(back, found, party):
    value = VerificationReport("R1", NOW, "M1", party, found)
    assert back.carry("acmt.024.001.03", value) == value


@pytest.mark.parametrize("message", RETURNS)
@few
@given(
    returned=rows(st.builds(ReturnedTransfer, ids, ids, ids, ids, minor, reasons, words)),
    currency=currencies,
    day=days,
    agent=agents,
)
def test_returns_come_back(back, message, returned, currency, day, agent):
    total = sum(row.amount_minor for row in returned)
    value = PaymentReturn("R1", NOW, currency, total, "M1", "pacs.008.001.08", day, returned, agent, "TREAXU22")
    assert back.carry(message, value) == value


@pytest.mark.parametrize("message", INQUIRIES)
@few
@given(asked=rows(st.builds(InquiredTransfer, ids, ids, ids), 0), agent=agents)
def test_inquiries_reach_the_bank(out, message, asked, agent):
    value = StatusInquiry("Q1", NOW, "M1", "pacs.008.001.08", asked, agent, "NSWIXU22")
    assert out.carry(message, value) == value


RECALLS = ["camt.055.001.08", "camt.056.001.08"]


@pytest.mark.parametrize("message", RECALLS)
@few
@given(
    recalled=rows(st.builds(RecalledTransfer, ids, ids, ids, ids, minor, reasons, words)),
    currency=currencies,
    day=days,
    assigner=agents,
    assignee=agents,
)
def test_recalls_of_transactions_reach_the_bank(out, message, recalled, currency, day, assigner, assignee):
    value = recall(message, currency=currency, original_date=day, assigner=assigner, assignee=assignee)
    if message == "camt.055.001.08":  # customers know no transaction id
        value = replace(value, payment_information_id="P1")
        recalled = [row._replace(transaction_id="") for row in recalled]
    value = replace(value, transfers=recalled)
    assert out.carry(message, value) == value


@pytest.mark.parametrize("message", RECALLS)
def test_recalls_of_whole_messages_reach_the_bank(out, message):
    value = recall(message, currency="", original_date=NOW.date(), reason="DUPL", information="sent twice")
    assert out.carry(message, value) == value


def test_recalls_of_whole_blocks_reach_the_bank(connector, out):
    value = recall("camt.055.001.08", currency="", original_date=NOW.date(), reason="DUPL", information="sent twice")
    value = replace(value, payment_information_id="P1")
    assert out.carry("camt.055.001.08", value) == value
    body = connector.write("generic", "camt.055.001.08", value)
    assert b"<PmtInfCxl>true</PmtInfCxl>" in body
    assert b"GrpCxl" not in body


def test_a_recall_of_transactions_without_their_block_is_refused(connector):
    value = replace(recall("camt.055.001.08"), transfers=[RecalledTransfer("X1", "I1", "E1", "", 1, "DUPL")])
    with pytest.raises(Refused):
        connector.write("generic", "camt.055.001.08", value)


def recall(message: str, **given: Any) -> Recall:
    original = "pain.001.001.09" if message == "camt.055.001.08" else "pacs.008.001.08"
    facts = {"currency": "USD", "original_date": DAY, "assigner": "TREAXU22", "assignee": "NSWIXU22"}
    return Recall(
        message_id="RC1",
        created=NOW,
        case_id="C1",
        original_message_id="M1",
        original_message=original,
        transfers=[],
        **{**facts, **given},
    )


@few
@given(
    results=rows(
        st.builds(RecallResult, ids, ids, ids, ids, st.sampled_from(["ACCR", "RJCR", "PDCR"]), reasons, words), 0
    ),
    confirmation=st.sampled_from(["CNCL", "RJCR", "PDCR", "PECR"]),
    reason=reasons,
    words=words,
    assigner=agents,
    assignee=agents,
)
def test_answers_to_recalls_come_back(back, results, confirmation, reason, words, assigner, assignee):
    value = RecallAnswer(
        message_id="RA1",
        created=NOW,
        case_id="C1",
        assigner=assigner,
        assignee=assignee,
        confirmation=confirmation,
        original_message_id="M1",
        original_message="pacs.008.001.08",
        reason=reason,
        information=words,
        results=results,
    )
    assert back.carry("camt.029.001.09", value) == value


@few
@given(
    requests=rows(
        st.builds(
            RequestedPayment, ids, ids, minor, agents, words, accounts, words, st.sampled_from(["", "GOVT", "SALA"])
        )
    ),
    currency=currencies,
    day=days,
    expiry=st.none() | days,
    name=words,
    account=accounts,
    agent=agents,
)
def test_requests_to_pay_reach_the_bank(out, requests, currency, day, expiry, name, account, agent):
    value = PaymentRequest(
        message_id="M1",
        created=NOW,
        initiating_party=name,
        payment_information_id="P1",
        currency=currency,
        total_minor=sum(row.amount_minor for row in requests),
        debtor_name=name,
        debtor_account=account,
        debtor_agent=agent,
        execution_date=day,
        requests=requests,
        expiry_date=expiry,
    )
    assert out.carry("pain.013.001.07", value) == value


@few
@given(reference=ids, reason=ids, description=words, location=words, at=st.none() | moments)
def test_rejections_come_back(back, reference, reason, description, location, at):
    value = Rejection(reference, reason, description, location, at)
    assert back.carry("admi.002.001.01", value) == value


money = st.tuples(minor, currencies, st.booleans())
codes = st.sampled_from(["PMNT/ICDT/ESCT", "PMNT/RCDT/RRTN", "our own code"])
entry_statuses = st.sampled_from(["BOOK", "PDNG", "INFO"])


@st.composite
def entry_transactions(draw: Callable[..., Any]) -> EntryTransaction:
    amount, currency, credit = draw(money)
    references = [draw(empty | ids) for _ in range(4)]
    return EntryTransaction(*references, amount, currency, credit, draw(empty | accounts), draw(reasons), draw(words))


@st.composite
def statement_entries(draw: Callable[..., Any]) -> StatementEntry:
    amount, currency, credit = draw(money)
    return StatementEntry(
        reference=draw(empty | ids),
        amount_minor=amount,
        currency=currency,
        credit=credit,
        reversal=draw(st.booleans()),
        status=draw(entry_statuses),
        booking_date=draw(st.none() | days),
        value_date=draw(st.none() | days),
        code=draw(codes),
        servicer_reference=draw(empty | ids),
        transactions=tuple(draw(rows(entry_transactions(), 0))),
    )


@st.composite
def account_statements(draw: Callable[..., Any], balances: int) -> AccountStatement:
    balance = money.flatmap(
        lambda given: st.builds(Balance, st.sampled_from(["OPBD", "CLBD"]), *map(st.just, given), days)
    )
    return AccountStatement(
        id=draw(ids),
        account=draw(accounts),
        currency=draw(currencies),
        created=draw(moments),
        balances=tuple(draw(st.lists(balance, min_size=balances, max_size=2 * balances))),
        entries=tuple(draw(rows(statement_entries(), 0))),
    )


@pytest.mark.parametrize("message", ["camt.052.001.08", "camt.053.001.08", "camt.054.001.08"])
@few
@given(data=st.data(), created=moments)
def test_statements_come_back(back, message, data, created):
    told = data.draw(rows(account_statements(0 if message == "camt.054.001.08" else 1)))
    value = Statement(message, "S1", created, told)
    assert back.carry(message, value) == value


def test_a_balance_of_nothing_can_be_said(back):
    nothing = AccountStatement("S1", "1012345678", "USD", NOW, (Balance("CLBD", 0, "USD", credit=True, on=DAY),))
    value = Statement("camt.053.001.08", "S1", NOW, [nothing])
    assert back.carry("camt.053.001.08", value) == value

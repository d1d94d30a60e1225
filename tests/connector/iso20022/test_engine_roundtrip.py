"""What one side writes the other reads, with profiles of their own, and the official schemas agree."""

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
    AccountToVerify,
    BlockStatus,
    CreditTransfer,
    InquiredTransfer,
    PaymentReturn,
    ReturnedTransfer,
    StatusInquiry,
    StatusReport,
    TransactionStatus,
    Transfer,
    Verification,
    VerificationReport,
    VerificationRequest,
)

NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
SCHEMES = st.sampled_from(["generic", "othr"])
ids = st.text("ABCDEFXYZabcxyz0123456789-/+ ", min_size=1, max_size=35).filter(str.strip).map(str.strip)
words = st.text(
    st.characters(max_codepoint=0xFF, categories=["L", "N", "P", "Zs"], exclude_characters="ªµº\xa0¡§«¶·»¿²³¹¼½¾"),
    max_size=60,
).map(str.strip)
anything_xml_can_carry = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=60
).map(str.strip)
names = words.filter(bool)
agents = st.sampled_from(["UNIOXU22", "KASHXU22", "HARBXU22XXX", "national-1"])
accounts = st.from_regex(r"\+?[0-9]{6,16}", fullmatch=True) | st.just("DE89370400440532013000")
amounts = st.integers(10, 999_999_999_999)  # the national rules allow no more yen
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - naive bounds are asked for
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
statuses = st.sampled_from(["RCVD", "PDNG", "ACSP", "ACSC", "RJCT"])
reasons = st.sampled_from(["", "AC01", "AC04", "AM04"])
anything = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def transfers(**fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Transfer]:
    fields = {
        "instruction_id": ids,
        "end_to_end_id": ids,
        "transaction_id": st.just(""),
        "amount_minor": amounts,
        "creditor_agent": agents,
        "creditor_name": names,
        "creditor_account": accounts,
        "remittance": words,
        "purpose": st.sampled_from(["", "GOVT", "SALA"]),
        "uetr": st.just("") | st.uuids(version=4).map(str),
        "creditor_town": st.just(""),
        "creditor_country": st.just(""),
    }
    return st.builds(Transfer, **{**fields, **fixed})


@st.composite
def credit_transfers(draw: Callable[..., Any], **fixed: st.SearchStrategy[Any]) -> CreditTransfer:
    rows = draw(st.lists(transfers(**fixed), min_size=1, max_size=5))
    return CreditTransfer(
        message_id=draw(ids),
        created=draw(moments),
        currency=draw(st.sampled_from(["USD", "JPY", "KWD"])),
        total_minor=sum(row.amount_minor for row in rows),
        initiating_party=draw(words),
        debtor_name=draw(names),
        debtor_account=draw(accounts),
        debtor_agent=draw(agents),
        execution_date=draw(st.dates(date(2000, 1, 1), date(2100, 1, 1))),
        transfers=rows,
        modality="00" if any(row.creditor_account.startswith("DE") for row in rows) else "01",
    )


@anything
@given(scheme=SCHEMES, value=credit_transfers(), block=ids)
def test_credit_transfers_reach_the_bank(connector, bank, official, scheme, value, block):
    value = replace(value, payment_information_id=block)
    body = connector.write(scheme, "pain.001.001.09", value)
    assert official.schema("pain.001.001.09").validate(etree.fromstring(body))
    assert bank.read(body, profile=scheme).value == value


@anything
@given(name=anything_xml_can_carry, value=credit_transfers())
def test_text_of_any_script_reaches_the_bank_where_a_scheme_names_no_characters(connector, bank, name, value):
    value = replace(value, debtor_name=name, payment_information_id="P")
    assert bank.read(connector.write("generic", "pain.001.001.09", value)).value == value


@anything
@given(scheme=SCHEMES, value=credit_transfers(transaction_id=ids), instructing=agents, instructed=agents)
def test_interbank_transfers_reach_the_switch(connector, bank, official, scheme, value, instructing, instructed):
    value = replace(value, instructing_agent=instructing, instructed_agent=instructed)
    body = connector.write(scheme, "pacs.008.001.08", value)
    assert official.schema("pacs.008.001.08").validate(etree.fromstring(body))
    assert bank.read(body, profile=scheme).value == value
    assert bank.write(scheme, "pacs.008.001.08", value) == body


status_rows = st.builds(TransactionStatus, ids, ids, st.just(""), statuses, reasons, words)


@anything
@given(
    scheme=SCHEMES, rows=st.lists(status_rows, max_size=5), group=st.sampled_from(["", "ACTC", "RJCT"]), word=words
)
def test_customer_reports_come_back(connector, bank, official, scheme, rows, group, word):
    value = StatusReport(
        message="pain.002.001.10",
        message_id="R1",
        created=NOW,
        original_message_id="M1",
        original_message="pain.001.001.09",
        group_status=group,
        group_information=word,
        original_count=7,
        original_total="12.30",
        blocks=[BlockStatus("P1", group, "AC04" if group else "")],
        transactions=rows,
    )
    body = bank.write(scheme, "pain.002.001.10", value)
    assert official.schema("pain.002.001.10").validate(etree.fromstring(body))
    assert connector.read(body, profile=scheme).value == value


@anything
@given(scheme=SCHEMES, rows=st.lists(status_rows.map(lambda row: row._replace(transaction_id="T1")), max_size=5))
def test_interbank_reports_come_back(connector, bank, official, scheme, rows):
    value = StatusReport(
        "pacs.002.001.10", "R1", NOW, "M1", "pacs.008.001.08", transactions=rows, instructing_agent="UNIOXU22"
    )
    body = bank.write(scheme, "pacs.002.001.10", value)
    assert official.schema("pacs.002.001.10").validate(etree.fromstring(body))
    assert same(connector.read(body, profile=scheme).value, value)


def same(got: StatusReport, sent: StatusReport) -> bool:
    return replace(got, blocks=(), transactions=list(got.transactions)) == sent


@pytest.mark.parametrize("scheme", ["generic", "othr"])
def test_verifications_go_there_and_back(connector, bank, official, scheme):
    asked = [
        AccountToVerify("V1", "1012345678", "Ada", "UNIOXU22"),
        AccountToVerify("V2", "2012345678", "", "HARBXU22"),
    ]
    request = VerificationRequest("M1", NOW, "Ministry", "TREAXU22", asked)
    body = connector.write(scheme, "acmt.023.001.03", request)
    assert official.schema("acmt.023.001.03").validate(etree.fromstring(body))
    assert bank.read(body, profile=scheme).value == request

    found = VerificationReport("R1", NOW, "M1", "Bank", [Verification("V1", True), Verification("V2", False, "AC01")])
    body = bank.write(scheme, "acmt.024.001.03", found)
    assert official.schema("acmt.024.001.03").validate(etree.fromstring(body))
    assert connector.read(body, profile=scheme).value == found


@pytest.mark.parametrize("scheme", ["generic", "othr"])
def test_returns_come_back(connector, bank, official, scheme):
    rows = [ReturnedTransfer("X1", "I1", "E1", "T1", 1050, "AC04", "closed")]
    value = PaymentReturn("R1", NOW, "USD", 1050, "M1", "pacs.008.001.08", date(2026, 11, 23), rows, "UNIOXU22")
    body = bank.write(scheme, "pacs.004.001.09", value)
    assert official.schema("pacs.004.001.09").validate(etree.fromstring(body))
    assert connector.read(body, profile=scheme).value == value


@pytest.mark.parametrize("scheme", ["generic", "othr"])
@pytest.mark.parametrize("rows", [[], [InquiredTransfer("I1", "E1", "T1")]])
def test_inquiries_reach_the_bank(connector, bank, official, scheme, rows):
    value = StatusInquiry("Q1", NOW, "M1", "pacs.008.001.08", rows, "TREAXU22", "NSWIXU22")
    body = connector.write(scheme, "pacs.028.001.03", value)
    assert official.schema("pacs.028.001.03").validate(etree.fromstring(body))
    assert bank.read(body, profile=scheme).value == value


def test_the_schemes_write_different_messages_from_the_same_value(connector, transfer):
    generic = connector.write("generic", "pain.001.001.09", transfer)
    othr = connector.write("othr", "pain.001.001.09", transfer)
    assert b"<BICFI>UNIOXU22</BICFI>" in generic
    assert b"BICFI" not in othr
    assert b"<Id>UNIOXU22</Id><SchmeNm><Prtry>XU-INST</Prtry></SchmeNm>" in othr


def test_a_value_that_the_code_table_does_not_know_is_refused_with_its_path(connector, transfer):
    with pytest.raises(Refused) as refused:
        connector.write("othr", "pain.001.001.09", replace(transfer, modality="02"))
    assert refused.value.faults[0].where.startswith("CstmrCdtTrfInitn/PmtInf/")
    assert refused.value.faults[0].code == "code"

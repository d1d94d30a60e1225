"""Differential interoperability: what we write, mock-bank accepts; what mock-bank answers, we read; sums agree."""

from dataclasses import replace

import pytest
from mock_bank_orders import REJECTED, only, payments_of, settled, to_people

from connector.domain.messages import PaymentReturn, StatusReport


@pytest.mark.parametrize("message", ["pain.001.001.03", "pain.001.001.09"])
def test_our_payment_files_are_accepted_with_no_finding(mock_bank, engine, message):
    payments = payments_of(to_people())
    body = engine.write("generic", message, payments)
    assert mock_bank.findings(body) == []
    status, answer = mock_bank.pay(body)
    assert (status, answer["status"], answer["findings"]) == (202, "ACCP", [])
    assert {each["end_to_end_id"]: each["amount"] for each in answer["payments"]} == settled(payments.transfers)


@pytest.mark.parametrize("message", ["pain.001.001.03", "pain.001.001.09"])
def test_accounts_and_banks_by_other_ids_are_accepted_with_no_finding(mock_bank, engine, message):
    transfers = [
        each._replace(creditor_account=f"10{n:08d}", creditor_agent="UNION") for n, each in enumerate(to_people(3))
    ]
    body = engine.write("generic", message, payments_of(transfers))
    assert [each for each in mock_bank.findings(body) if each["level"] == "error"] == []


@pytest.mark.parametrize("message", ["pain.001.001.03", "pain.001.001.09"])
def test_its_status_report_is_read_with_a_status_for_every_payment(mock_bank, engine, transfers, message):
    payments = payments_of(transfers)
    assert mock_bank.pay(engine.write("generic", message, payments)).body["status"] == "PART"
    received = engine.read(only(mock_bank.messages("pain.002")))
    report = received.value
    assert isinstance(report, StatusReport)
    assert (received.message, report.group_status) == ("pain.002.001.10", "PART")
    assert (report.original_message_id, report.original_message) == ("ISOGATE-1", message)
    assert (report.original_count, report.original_total) == (len(transfers), f"{payments.total_minor / 100:.2f}")
    assert {each.instruction_id for each in report.transactions} == {each.instruction_id for each in transfers}
    said = {each.end_to_end_id: (each.status, each.reason) for each in report.transactions}
    accepted = dict.fromkeys(settled(transfers), ("ACCP", ""))
    assert said == {**accepted, **{name: ("RJCT", code) for name, (code, _) in REJECTED.items()}}


def test_a_file_that_is_sent_again_is_rejected_as_a_whole(mock_bank, engine):
    body = engine.write("generic", "pain.001.001.09", payments_of(to_people(2)))
    mock_bank.pay(body)
    mock_bank.messages("pain.002")
    assert mock_bank.pay(body).status == 422
    report = engine.read(only(mock_bank.messages("pain.002"))).value
    assert (report.group_status, report.group_reason, list(report.transactions)) == ("RJCT", "DUPL", [])


def test_its_return_names_every_payment_that_comes_back(mock_bank, engine, transfers):
    mock_bank.change("ACME", behaviour="return-later", parameters={"days": 2, "reason": "MD07"})
    mock_bank.pay(engine.write("generic", "pain.001.001.09", payments_of(transfers)))
    mock_bank.pass_days(6)
    received = engine.read(only(mock_bank.messages("pacs.004")))
    returned = received.value
    assert isinstance(returned, PaymentReturn)
    assert (received.message, returned.original_message_id) == ("pacs.004.001.09", "ISOGATE-1")
    assert (returned.currency, returned.total_minor) == ("EUR", sum(settled(transfers).values()))
    assert {each.end_to_end_id: each.amount_minor for each in returned.returns} == settled(transfers)
    assert {each.reason for each in returned.returns} == {"MD07"}


def test_each_side_finds_the_same_faults_in_counts_and_sums(mock_bank, engine):
    body = engine.write("generic", "pain.001.001.09", payments_of(to_people(2)))
    for right, wrong, code in (
        (b"<NbOfTxs>2</NbOfTxs>", b"<NbOfTxs>3</NbOfTxs>", "AM18"),
        (b"<CtrlSum>20.07</CtrlSum>", b"<CtrlSum>20.08</CtrlSum>", "AM10"),
    ):
        changed = body.replace(right, wrong)
        assert changed != body
        theirs = [each["code"] for each in mock_bank.findings(changed)]
        ours = [fault.code for fault in engine.validate(changed).faults]
        assert ours == theirs == [code, code]


def test_each_side_refuses_what_the_schema_forbids(mock_bank, engine):
    body = engine.write("generic", "pain.001.001.09", replace(payments_of(to_people(2)), message_id="M" * 35))
    changed = body.replace(b"<MsgId>", b"<MsgId>M")
    assert [each["code"] for each in mock_bank.findings(changed)] == ["FF01"]
    assert not engine.validate(changed).valid

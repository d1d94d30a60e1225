"""Every scheme's conversation: each side understands what the other writes, and the official schemas agree."""

from dataclasses import replace

import pytest
from lxml import etree
from scheme_values import DAY, INITIATIONS, INTERBANK, NOW

from connector.domain.messages import (
    AccountToVerify,
    InquiredTransfer,
    Message,
    PaymentReturn,
    ReturnedTransfer,
    StatusInquiry,
    StatusReport,
    TransactionStatus,
    Verification,
    VerificationReport,
    VerificationRequest,
)
from connector.iso20022.engine import Engine
from connector.iso20022.scheme import Job
from iso20022_schemas.catalogue import Catalogue

SCHEMES = ["cgi", "sepa", "cbprplus", "instant-africa", "othr"]
REASONS = ["AC04", "AM04", "FR01"]


def carry(writer: Engine, reader: Engine, scheme: str, message: str, value: Message) -> Message:
    """From one side to the other, by bytes."""
    body = writer.compose(scheme, message, value, sender="TREAXU22", receiver="NSWIXU22").body
    received = reader.read(body, profile=scheme)
    assert received.message == message
    return received.value


def kept(value, scheme: str):
    """The value without what the scheme's messages have no place for."""
    if scheme == "sepa":
        value = replace(value, transfers=[row._replace(uetr="") for row in value.transfers])
    if scheme in {"sepa", "instant-africa"} and value.instructing_agent:
        value = replace(value, initiating_party="")
    if scheme in {"sepa", "cbprplus"}:
        return replace(value, modality="00")
    return value


@pytest.mark.parametrize("scheme", INITIATIONS)
def test_the_payer_bank_understands_the_initiation(connector, bank, scheme):
    value = INITIATIONS[scheme]
    got = carry(connector, bank, scheme, connector.scheme(scheme).message(Job.INITIATION), value)
    assert got == replace(kept(value, scheme), creditor_agent="", instructed_agent="")


@pytest.mark.parametrize("scheme", INTERBANK)
def test_the_switch_understands_the_interbank_transfer(connector, bank, scheme):
    value = INTERBANK[scheme]
    got = carry(connector, bank, scheme, connector.scheme(scheme).message(Job.INTERBANK), value)
    assert got == replace(kept(value, scheme), creditor_agent="", payment_information_id="")


@pytest.mark.parametrize("modality", ["00", "01", "03", "04"])
@pytest.mark.parametrize(("scheme", "job"), [("othr", Job.INITIATION), ("instant-africa", Job.INTERBANK)])
def test_the_kind_of_account_is_told_in_the_schemes_own_codes(connector, bank, scheme, job, modality):
    known = INITIATIONS if job is Job.INITIATION else INTERBANK
    value = replace(known[scheme], modality=modality)
    assert carry(connector, bank, scheme, connector.scheme(scheme).message(job), value).modality == modality


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("job", [Job.INITIATION_REPORT, Job.INTERBANK_REPORT])
def test_we_understand_the_report_and_its_reasons(connector, bank, scheme, job, reason):
    message = connector.scheme(scheme).message(job)
    value = StatusReport(
        message=message,
        message_id="REP0001",
        created=NOW,
        original_message_id="MSG0001",
        original_message=connector.scheme(scheme).message(Job.INTERBANK),
        group_status="RJCT",
        transactions=[TransactionStatus("INSTR0001", "E2E0001", "", "RJCT", reason, "closed")],
    )
    if job is Job.INITIATION_REPORT:
        value = replace(value, transactions=())
    got = carry(bank, connector, scheme, message, value)
    assert (got.original_message_id, got.group_status) == ("MSG0001", "RJCT")
    assert list(got.transactions) == list(value.transactions)


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_we_understand_the_return_and_its_reason(connector, bank, scheme, reason):
    value = PaymentReturn(
        message_id="RTN0001",
        created=NOW,
        currency="USD",
        total_minor=12050,
        original_message_id="MSG0001",
        original_message="pacs.008.001.10",
        settlement_date=DAY,
        returns=[ReturnedTransfer("R1", "INSTR0001", "E2E0001", "TX0001", 12050, reason, "")],
    )
    got = carry(bank, connector, scheme, connector.scheme(scheme).message(Job.RETURN), value)
    assert got == value


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_other_side_understands_the_inquiry(connector, bank, scheme):
    value = StatusInquiry(
        message_id="ASK0001",
        created=NOW,
        original_message_id="MSG0001",
        original_message="pacs.008.001.10",
        transactions=[InquiredTransfer("INSTR0001", "E2E0001", "TX0001")],
        instructing_agent="TREAXU22",
        instructed_agent="NSWIXU22",
    )
    assert carry(connector, bank, scheme, connector.scheme(scheme).message(Job.INQUIRY), value) == value


@pytest.mark.parametrize("scheme", SCHEMES)
def test_accounts_are_verified(connector, bank, scheme):
    accounts = [AccountToVerify("V1", "1000000001", "Amina Yusuf", "UNIOXU22")]
    modality = "01" if scheme == "instant-africa" else "00"
    asked = VerificationRequest("VRF0001", NOW, "Ministry of Labour", "UNIOXU22", accounts, modality)
    facts = connector.scheme(scheme)
    assert carry(connector, bank, scheme, facts.message(Job.VERIFICATION), asked) == asked
    answer = VerificationReport("VRR0001", NOW, "VRF0001", "Union Bank", [Verification("V1", False, "AC01")])
    assert carry(bank, connector, scheme, facts.message(Job.VERIFICATION_REPORT), answer) == answer


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_written_is_valid_under_the_official_schemas(connector, official: Catalogue, scheme):
    facts = connector.scheme(scheme)
    wanted = [(Job.INITIATION, INITIATIONS), (Job.INTERBANK, INTERBANK)]
    for job, values in wanted:
        if scheme in values:
            message = facts.message(job)
            body = connector.compose(scheme, message, values[scheme], sender="TREAXU22", receiver="NSWIXU22").body
            root = etree.fromstring(body)
            document = next(root.iter("{*}Document"))
            schema = official.schema(message)
            assert schema.validate(etree.fromstring(etree.tostring(document))), schema.error_log

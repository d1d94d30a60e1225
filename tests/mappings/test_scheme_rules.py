"""Each scheme's own rules: what it refuses, where and why, and what it changes and says so."""

import re
from dataclasses import replace

import pytest
from scheme_values import INITIATIONS, INTERBANK, NOW, with_first

from connector.domain.errors import Refused
from connector.domain.messages import CreditTransfer, StatusReport, TransactionStatus
from connector.iso20022.engine import Engine, Written
from connector.iso20022.scheme import Job

KNOWN = [(scheme, Job.INITIATION) for scheme in INITIATIONS] + [(scheme, Job.INTERBANK) for scheme in INTERBANK]
PLAIN_LATIN = ["sepa", "cbprplus", "instant-africa"]
EURO_ONLY, ALONE = "sepa", ["cbprplus", "instant-africa"]


def usual(scheme: str, job: Job) -> CreditTransfer:
    return (INITIATIONS if job is Job.INITIATION else INTERBANK)[scheme]


def write(engine: Engine, scheme: str, job: Job, value: CreditTransfer) -> Written:
    return engine.compose(scheme, engine.scheme(scheme).message(job), value, sender="TREAXU22", receiver="NSWIXU22")


def refusal(engine: Engine, scheme: str, job: Job, value: CreditTransfer):
    """The one fault for which the value is refused."""
    with pytest.raises(Refused) as refused:
        write(engine, scheme, job, value)
    (fault,) = refused.value.faults
    return fault


@pytest.mark.parametrize(("scheme", "job"), KNOWN)
def test_a_usual_payment_is_written_without_a_note(connector, scheme, job):
    assert write(connector, scheme, job, usual(scheme, job)).notes == ()


@pytest.mark.parametrize(("scheme", "job"), [each for each in KNOWN if each[0] in PLAIN_LATIN])
def test_letters_that_are_not_plain_are_transliterated_with_a_note(connector, scheme, job):
    value = with_first(usual(scheme, job), creditor_name="Zoë Łukasz")
    written = write(connector, scheme, job, value)
    assert b"<Nm>Zoe Lukasz</Nm>" in written.body
    (note,) = written.notes
    assert note.startswith("transfers/0/creditor_name: 2 ")
    assert "position 3" in note
    assert "Zo" not in note


@pytest.mark.parametrize(("scheme", "job"), [each for each in KNOWN if each[0] not in PLAIN_LATIN])
def test_western_letters_pass_where_they_are_allowed(connector, scheme, job):
    written = write(connector, scheme, job, with_first(usual(scheme, job), creditor_name="Zoë"))
    assert "<Nm>Zoë</Nm>" in written.body.decode()
    assert written.notes == ()


@pytest.mark.parametrize(("scheme", "job"), KNOWN)
def test_what_cannot_be_transliterated_is_refused_with_its_position(connector, scheme, job):
    fault = refusal(connector, scheme, job, with_first(usual(scheme, job), creditor_name="Amina ☂ Yusuf"))
    assert (fault.where, fault.code) == ("transfers/0/creditor_name", "characters")
    assert "Character 7 (U+2602 UMBRELLA)" in fault.sentence


@pytest.mark.parametrize(("scheme", "job"), KNOWN)
def test_ids_are_never_transliterated(connector, scheme, job):
    fault = refusal(connector, scheme, job, with_first(usual(scheme, job), end_to_end_id="E2Ę1"))
    assert (fault.where, fault.code) == ("transfers/0/end_to_end_id", "characters")


@pytest.mark.parametrize(("scheme", "job"), KNOWN)
def test_amounts_above_and_currencies_outside_the_limits_are_refused(connector, scheme, job):
    value, limits = usual(scheme, job), connector.scheme(scheme).limits
    assert limits.maximum is not None
    most = int(limits.maximum * 100)
    write(connector, scheme, job, with_first(value, amount_minor=most - 20000))
    fault = refusal(connector, scheme, job, with_first(value, amount_minor=most + 1))
    assert (fault.where, fault.code) == ("transfers/0/amount_minor", "AM02")
    if limits.currencies:
        assert refusal(connector, scheme, job, replace(value, currency="CHF")).code == "AM03"


@pytest.mark.parametrize(("scheme", "job"), KNOWN)
def test_nothing_is_paid_below_the_least_amount(connector, scheme, job):
    fault = refusal(connector, scheme, job, with_first(usual(scheme, job), amount_minor=0))
    assert fault.code == "AM06"


@pytest.mark.parametrize("field", ["creditor_name", "creditor_account"])
@pytest.mark.parametrize(("scheme", "job"), KNOWN)
def test_a_mandatory_field_that_is_empty_is_named(connector, scheme, job, field):
    fault = refusal(connector, scheme, job, with_first(usual(scheme, job), **{field: ""}))
    assert (fault.where, fault.code) == (f"transfers/0/{field}", "missing")


@pytest.mark.parametrize("scheme", ALONE)
def test_a_second_transaction_is_refused_where_one_is_the_limit(connector, scheme):
    value = usual(scheme, Job.INTERBANK)
    two = [value.transfers[0], value.transfers[0]._replace(end_to_end_id="E2E0002")]
    value = replace(value, transfers=two, total_minor=2 * value.total_minor)
    assert refusal(connector, scheme, Job.INTERBANK, value).code == "too_many"


@pytest.mark.parametrize("job", [Job.INITIATION, Job.INTERBANK])
def test_correspondents_want_a_uetr_and_the_debtors_place(connector, job):
    value = usual("cbprplus", job)
    assert refusal(connector, "cbprplus", job, with_first(value, uetr="")).where == "transfers/0/uetr"
    assert refusal(connector, "cbprplus", job, replace(value, debtor_town="")).where == "debtor_town"
    body = write(connector, "cbprplus", job, value).body
    assert b"<PstlAdr><TwnNm>Mogadishu</TwnNm><Ctry>SO</Ctry></PstlAdr>" in body
    assert b"<PstlAdr><TwnNm>Freetown</TwnNm><Ctry>SL</Ctry></PstlAdr>" in body


@pytest.mark.parametrize("job", [Job.INITIATION, Job.INTERBANK])
def test_correspondents_know_institutions_by_bic_only(connector, job):
    value = with_first(usual("cbprplus", job), creditor_agent="national-1")
    with pytest.raises(Refused, match="BICFI"):
        write(connector, "cbprplus", job, value)


@pytest.mark.parametrize("job", [Job.INITIATION, Job.INTERBANK])
def test_sepa_pays_to_ibans_only(connector, job):
    with pytest.raises(Refused, match="IBAN"):
        write(connector, "sepa", job, with_first(usual("sepa", job), creditor_account="1000000001"))


@pytest.mark.parametrize("job", [Job.INITIATION, Job.INTERBANK])
def test_sepa_cuts_names_and_remittance_and_says_so(connector, job):
    value = with_first(usual("sepa", job), creditor_name="N" * 71, remittance="R" * 141)
    written = write(connector, "sepa", job, value)
    assert b"<Nm>" + b"N" * 70 + b"</Nm>" in written.body
    assert b"<Ustrd>" + b"R" * 140 + b"</Ustrd>" in written.body
    assert sorted(note.split(":")[0] for note in written.notes) == [
        "transfers/0/creditor_name",
        "transfers/0/remittance",
    ]


@pytest.mark.parametrize("job", [Job.INITIATION, Job.INTERBANK])
def test_sepa_names_its_service_level_and_who_bears_the_charges(connector, job):
    body = write(connector, "sepa", job, usual("sepa", job)).body
    assert b"<SvcLvl><Cd>SEPA</Cd></SvcLvl>" in body
    assert b"<ChrgBr>SLEV</ChrgBr>" in body
    assert b"BICFI>UNIOXU22<" in body


def test_the_instant_scheme_identifies_everybody_by_the_switchs_own_ids(connector):
    body = write(connector, "instant-africa", Job.INTERBANK, usual("instant-africa", Job.INTERBANK)).body
    assert b"BICFI" not in body
    assert b"IBAN" not in body
    assert body.count(b"<FinInstnId><Othr><Id>") == 6
    assert b"<SttlmMtd>CLRG</SttlmMtd>" in body
    assert b"<SchmeNm><Prtry>ACCT</Prtry></SchmeNm>" in body


def test_a_report_of_a_correspondent_names_the_original_in_each_transaction(connector):
    head = '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10"><FIToFIPmtStsRpt>'
    body = f"""{head}<GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-11-21T08:00:00+00:00</CreDtTm></GrpHdr>
      <TxInfAndSts><OrgnlGrpInf><OrgnlMsgId>MSG0001</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId></OrgnlGrpInf>
      <OrgnlInstrId>INSTR0001</OrgnlInstrId><OrgnlEndToEndId>E2E0001</OrgnlEndToEndId>
      <OrgnlUETR>8b3f1c52-6a0e-4c2b-a5d7-2f7c6f0e9a11</OrgnlUETR><TxSts>RJCT</TxSts>
      <StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts></FIToFIPmtStsRpt></Document>"""
    report = connector.read(body.encode(), profile="cbprplus").value
    assert report.original_message_id == "MSG0001"
    assert [(row.end_to_end_id, row.status, row.reason) for row in report.transactions] == [
        ("E2E0001", "RJCT", "AC04")
    ]


def test_every_scheme_says_how_long_to_wait_and_how_much_fits_in_a_message(connector):
    for scheme in {*INITIATIONS, *INTERBANK}:
        facts = connector.scheme(scheme)
        assert facts.title, scheme
        assert facts.answer_seconds > 0, scheme
        assert facts.inquiries > 0, scheme
        assert facts.transactions > 0, scheme
        assert facts.characters is not None, scheme
        assert re.fullmatch(r"pa..\.00.\.001\.\d\d", facts.message(Job.INTERBANK)), scheme


def test_a_reason_that_the_switch_invents_is_kept_and_named(connector, bank):
    value = StatusReport(
        message="pacs.002.001.12",
        message_id="R1",
        created=NOW,
        original_message_id="MSG0001",
        original_message="pacs.008.001.10",
        transactions=[TransactionStatus("INSTR0001", "E2E0001", "", "RJCT", "AC04")],
    )
    body = bank.compose("instant-africa", "pacs.002.001.12", value, sender="NSWIXU22", receiver="TREAXU22").body
    received = connector.read(body.replace(b"ACCOUNT_CLOSED", b"MOON_IN_THE_WAY"), profile="instant-africa")
    assert received.value.transactions[0].reason == "MOON_IN_THE_WAY"
    assert any("instant-africa-reasons does not have MOON_IN_THE_WAY" in each for each in received.tolerated)

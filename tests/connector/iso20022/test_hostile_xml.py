"""XML from outside is hostile: it is refused in words, quickly, and never quoted."""

from dataclasses import replace

import pytest

from connector.domain.errors import Refused

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"

BATTERY = {
    "empty": (b"", "malformed"),
    "no XML": (b"\x00\x01\x02", "malformed"),
    "JSON": (b'{"a": 1}', "malformed"),
    "cut off": (b"<Document><CstmrPmtStsRpt>", "malformed"),
    "internal entity": (b'<!DOCTYPE d [<!ENTITY a "b">]><Document>&a;</Document>', "dtd"),
    "external entity": (b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><Document>&a;</Document>', "dtd"),
    "external DTD": (b'<!DOCTYPE d SYSTEM "http://127.0.0.1:1/d.dtd"><Document/>', "dtd"),
    "hidden DTD": ("<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE d><Document/>".encode("utf-16"), "dtd"),
    "other encoding": ("<?xml version='1.0' encoding='UTF-16'?><Document/>".encode("utf-16"), "encoding"),
    "billion laughs": (
        b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]><d>&c;</d>',
        "dtd",
    ),
    "undeclared entity": (b"<Document>&lol;</Document>", "malformed"),
    "100,000 deep": (b"<a>" * 100_000 + b"</a>" * 100_000, "malformed"),
    "100,000 deep, open": (b"<a>" * 100_000, "malformed"),
    "long text": (b"<Document>" + b"x" * 11_000_000 + b"</Document>", "malformed"),
    "too large": (b" " * (64 * 1024 * 1024 + 1), "too_large"),
    "unknown namespace": (b'<Document xmlns="urn:example"/>', "unknown_message"),
    "unknown official version": (
        b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.99"/>',
        "unknown_message",
    ),
    "not a Document": (b"<html/>", "unknown_message"),
    "no content": (b"<Document/>", "unknown_message"),
    "two Documents": (f'<e><Document xmlns="{NAMESPACE}"/><Document xmlns="{NAMESPACE}"/></e>'.encode(), "several"),
}


@pytest.mark.parametrize(("body", "code"), BATTERY.values(), ids=BATTERY.keys())
def test_hostile_xml_is_refused(connector, body, code):
    verdict = connector.validate(body)
    assert not verdict.valid
    assert verdict.faults[0].code == code, verdict.faults
    with pytest.raises(Refused) as refused:
        connector.read(body)
    assert refused.value.faults == verdict.faults


def test_comments_instructions_and_sections_do_not_change_what_is_read(bank, connector, report):
    body = bank.write("generic", "pacs.002.001.10", report)
    odd = body.replace(b">E1<", b"><!-- x -->E<?pi y?><![CDATA[1]]><").replace(
        b"<GrpHdr>", b"<!-- <GrpHdr> --><GrpHdr>"
    )
    assert connector.read(odd).value == connector.read(body).value


def test_schema_faults_say_where_and_why_without_quoting(connector, bank, report):
    body = bank.write("generic", "pacs.002.001.10", report)
    wrong = body.replace(b"<TxSts>RJCT</TxSts>", b"<TxSts>SECRET99</TxSts>")
    (fault,) = connector.validate(wrong).faults
    assert fault.where == "FIToFIPmtStsRpt/TxInfAndSts[2]/TxSts"
    assert fault.code == "length"
    assert "longer than 4" in fault.sentence
    assert "SECRET" not in str(fault)


@pytest.mark.parametrize(
    ("old", "new", "where", "code", "words"),
    [
        (b"<MsgId>MSG1</MsgId>", b"", "CstmrCdtTrfInitn/GrpHdr", "unexpected", "Expected: MsgId"),
        (b"<DbtrAgt>", b"<Dbtr2/><DbtrAgt>", "CstmrCdtTrfInitn/PmtInf", "unexpected", "Dbtr2 may not stand here"),
        (b"<PmtMtd>TRF<", b"<PmtMtd>XXX<", "CstmrCdtTrfInitn/PmtInf/PmtMtd", "enumeration", "one of CHK, TRF, TRA"),
        (
            b">20.00<",
            b">20.0000001<",
            "CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf[2]/Amt/InstdAmt",
            "number",
            "more than 5 decimals",
        ),
        (
            b'Ccy="USD">20',
            b'Ccy="dollar">20',
            "CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf[2]/Amt/InstdAmt/@Ccy",
            "pattern",
            "[A-Z]{3,3}",
        ),
        (
            b' Ccy="USD">20',
            b">20",
            "CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf[2]/Amt/InstdAmt/@Ccy",
            "attribute",
            "is missing",
        ),
        (b"<Dt>2026-11-22<", b"<Dt>tomorrow<", "CstmrCdtTrfInitn/PmtInf/ReqdExctnDt/Dt", "type", "not a valid"),
        (
            b"<BICFI>HARBXU22<",
            b"<BICFI>harb<",
            "CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf[2]/CdtrAgt",
            "pattern",
            "the form",
        ),
    ],
)
def test_each_kind_of_schema_fault_is_explained(connector, transfer, old, new, where, code, words):
    body = connector.write("generic", "pain.001.001.09", transfer)
    assert old in body
    fault = connector.validate(body.replace(old, new)).faults[0]
    assert fault.where.startswith(where)
    assert (fault.code, words in fault.sentence) == (code, True), fault


def test_many_faults_are_cut_off(connector, bank, report):
    body = bank.write("generic", "pacs.002.001.10", report).replace(b"<TxSts>RJCT</TxSts>", b"<TxSts>TOOLONG</TxSts>")
    row = body[body.rindex(b"<TxInfAndSts>") : body.rindex(b"</FIToFIPmtStsRpt>")]
    faults = connector.validate(body.replace(row, row * 500)).faults
    assert 1 < len(faults) <= 21


def test_a_fault_in_the_header_of_a_large_message_is_explained_at_once(connector, bank, report):
    body = bank.write("generic", "pacs.002.001.10", report)
    row = body[body.rindex(b"<TxInfAndSts>") : body.rindex(b"</FIToFIPmtStsRpt>")]
    large = body.replace(row, row * 20_000).replace(b"<MsgId>RPT1</MsgId>", b"")
    assert connector.validate(large).faults[0].where == "FIToFIPmtStsRpt/GrpHdr"
    disordered = body.replace(row, row * 20_000 + b"<GrpHdr/>" + row)
    faults = connector.validate(disordered).faults
    assert ("FIToFIPmtStsRpt", "unexpected") in {fault[:2] for fault in faults}, faults


def test_control_characters_cannot_be_written(connector, transfer):
    with pytest.raises(Refused) as refused:
        connector.write("generic", "pain.001.001.09", replace(transfer, debtor_name="a\x00b"))
    assert refused.value.faults[0] == (
        "CstmrCdtTrfInitn/PmtInf/Dbtr/Nm",
        "characters",
        "The text has control characters, which XML cannot carry.",
    )

"""Rows that are read by their shape have the same texts as rows that are walked over."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.domain.errors import Refused
from connector.domain.messages import BlockStatus, CreditTransfer, StatusReport, TransactionStatus, Transfer
from connector.iso20022.engine import Engine
from connector.iso20022.parsing import parse

TEXTS = st.text(st.sampled_from("abcé ß<>&\"'\t\n語-😀"), max_size=12).map(str.strip)
ids = st.text("ABC123", min_size=1, max_size=8)
rows = st.builds(
    Transfer,
    ids,
    ids,
    st.just(""),
    st.integers(1, 10**9),
    st.sampled_from(["UNIOXU22", "national-1"]),
    TEXTS,
    st.sampled_from(["1012345678", "DE89370400440532013000"]),
    TEXTS,
    st.sampled_from(["", "GOVT"]),
    st.just("") | st.uuids(version=4).map(str),
    st.just(""),
    st.just(""),
)
statuses = st.builds(
    TransactionStatus, ids, ids, st.just(""), st.sampled_from(["ACSC", "RJCT"]), st.sampled_from(["", "AC04"]), TEXTS
)
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
SUPPLEMENT = "<SplmtryData><Envlp><TxInfAndSts xmlns='urn:x'/></Envlp></SplmtryData>"
BODY = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><GrpHdr><MsgId>R</MsgId>
<CreDtTm>2026-11-21T07:30:00Z</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>M</OrgnlMsgId>
<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId>
<TxInfAndSts><StsId>S1</StsId><OrgnlInstrId>I1</OrgnlInstrId><OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>RJCT</TxSts>
<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>one</AddtlInf><AddtlInf>two</AddtlInf></StsRsnInf></TxInfAndSts>
<TxInfAndSts><OrgnlInstrId>I2</OrgnlInstrId><OrgnlEndToEndId>E2</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"""
UNUSUAL = {
    "a comment": ("I1<", "I<!-- x -->1<"),
    "a section": (">I1<", "><![CDATA[I1]]><"),
    "an instruction": ("<StsId>", "<?x y?><StsId>"),
    "a blank in a tag": ("<TxSts>RJCT", "<TxSts >RJCT"),
    "a row with a blank": ("<TxInfAndSts><StsId>", "<TxInfAndSts ><StsId>"),
    "a blank in an end tag": ("RJCT</TxSts>", "RJCT</TxSts >"),
    "carriage returns": ("\n", "\r\n"),
    "a prefix in between": ("<StsId>S1</StsId>", f'<s:StsId xmlns:s="{NAMESPACE}">S1</s:StsId>'),
    "a namespace in a row": ("<StsId>", f'<StsId xmlns="{NAMESPACE}">'),
    "a namespace beside the rows": ("<OrgnlPmtInfId>", f'<OrgnlPmtInfId xmlns="{NAMESPACE}">'),
    "supplementary data": ("<TxSts>ACSC</TxSts>", f"<TxSts>ACSC</TxSts>{SUPPLEMENT}"),
}
USUAL = {
    "a comment": ("I1<", "I<!-- x -->1<"),
    "a section": (">I1<", "><![CDATA[I1]]><"),
    "an instruction": ("<StsId>", "<?x y?><StsId>"),
    "a blank in a tag": ("<TxSts>RJCT", "<TxSts >RJCT"),
    "a row with a blank": ("<TxInfAndSts><StsId>", "<TxInfAndSts ><StsId>"),
    "a blank in an end tag": ("RJCT</TxSts>", "RJCT</TxSts >"),
    "carriage returns": ("\n", "\r\n"),
    "another namespace in between": (
        "<StsId>S1</StsId>",
        '<s:StsId xmlns:s="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">S1</s:StsId>',
    ),
    "supplementary data": (
        "<TxSts>ACSC</TxSts>",
        "<TxSts>ACSC</TxSts><SplmtryData><Envlp><TxInfAndSts xmlns='urn:x'/></Envlp></SplmtryData>",
    ),
}
USUAL = {
    "nothing": ("", ""),
    "references": ("one<", "&lt;o&#110;&#x65;&amp;amp;&quot;&apos;<"),
    "line ends and tabs": ("<StsId>", "\n\t <StsId>"),
    "an instruction before the root": ('encoding="UTF-8"?>', 'encoding="UTF-8" standalone="yes"?>'),
}


def walked(engine: Engine, message: str, body: bytes):
    """What the walk over the tree reads."""
    reader = engine._readers["generic", message]
    return reader._replace(rows=None).read(parse(body), message, body)


def by_shape(engine: Engine, message: str, body: bytes) -> bool:
    rows = engine._readers["generic", message].rows
    return rows is not None and rows.cut(parse(body), body) is not None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(transfers=st.lists(rows, min_size=1, max_size=6))
def test_credit_transfers_are_read_alike(connector, bank, transfer: CreditTransfer, transfers):
    value = replace(transfer, transfers=transfers, total_minor=sum(row.amount_minor for row in transfers))
    for message in ("pain.001.001.09", "pacs.008.001.08"):
        given_id = "T" if message.startswith("pacs") else ""
        named = replace(value, transfers=[row._replace(transaction_id=given_id) for row in transfers])
        body = connector.write("generic", message, named)
        assert by_shape(bank, message, body)
        read = bank.read(body)
        assert (read.value, read.tolerated) == walked(bank, message, body)
        assert read.value.transfers == named.transfers


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(transactions=st.lists(statuses, min_size=1, max_size=6))
def test_reports_are_read_alike(connector, bank, report: StatusReport, transactions):
    body = bank.write(
        "generic", "pain.002.001.10", replace(report, blocks=[BlockStatus("P", "")], transactions=transactions)
    )
    assert by_shape(connector, "pain.002.001.10", body)
    assert connector.read(body).value == walked(connector, "pain.002.001.10", body).value


@pytest.mark.parametrize("name", USUAL)
def test_usual_spellings_are_read_by_shape(connector, name):
    body = BODY.replace(*USUAL[name]).encode()
    assert by_shape(connector, "pain.002.001.10", body)
    assert connector.read(body).value == walked(connector, "pain.002.001.10", body).value


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_spellings_are_walked_over(connector, name):
    body = BODY.replace(*UNUSUAL[name]).encode()
    assert not by_shape(connector, "pain.002.001.10", body)
    read = connector.read(body).value
    assert [row.instruction_id for row in read.transactions] == ["I1", "I2"]
    assert [row.information for row in read.transactions] == ["one two", ""]


def test_a_document_in_an_envelope_is_read_by_shape(connector):
    _, _, document = BODY.partition("\n")
    body = f"<Envelope><Note>n</Note>{document}</Envelope>".encode()
    read = connector.read(body)
    assert [row.end_to_end_id for row in read.value.transactions] == ["E1", "E2"]


def test_a_document_that_only_stands_in_a_comment_is_not_read(connector):
    document = BODY.partition("\n")[2]
    prefixed = document.replace("<Document xmlns=", "<Document xmlns:p=").replace("<", "<p:").replace("<p:/", "</p:")
    read = connector.read(f"<!-- {document} -->{prefixed.replace('I1', 'OTHER')}".encode())
    assert read.value.transactions[0].instruction_id == "OTHER"


def test_faults_are_the_same_on_both_ways(connector, bank, transfer):
    body = connector.write(
        "generic",
        "pacs.008.001.08",
        replace(
            transfer,
            transfers=[row._replace(transaction_id=f"T{number}") for number, row in enumerate(transfer.transfers)],
        ),
    )
    mixed = body.replace(b"<Nm>Treasury</Nm>", b"<Nm>Another</Nm>", 1)
    with pytest.raises(Refused) as by_walk:
        walked(bank, "pacs.008.001.08", mixed)
    with pytest.raises(Refused) as refused:
        bank.read(mixed)
    assert refused.value.faults == by_walk.value.faults
    assert refused.value.faults[0].code == "mixed"

"""Reports as they come in the wild: read all the same, and said what was let pass."""

import csv
from dataclasses import replace

import pytest

from connector.domain.errors import Refused
from connector.domain.messages import BlockStatus, TransactionStatus

NAMESPACE = b'xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"'


@pytest.fixture
def body(bank, report):
    return bank.write("generic", "pain.002.001.10", replace(report, blocks=[BlockStatus("PMT1", "")]))


def test_a_missing_namespace(connector, body):
    received = connector.read(body.replace(b" " + NAMESPACE, b""))
    assert received.value.transactions == connector.read(body).value.transactions
    assert received.tolerated == ("The namespace is missing; read as pain.002.001.10.",)


def test_a_dialect_namespace(connector, body):
    dialect = body.replace(NAMESPACE, b'xmlns="http://bank.example/pain.002.001.10.nat.01.xsd"')
    received = connector.read(dialect)
    assert len(received.value.transactions) == 2
    assert received.tolerated == ("The namespace is a dialect; read as pain.002.001.10.",)


def test_dialect_reports_of_swiss_banks(connector, samples):
    files = sorted((samples / "moov-iso20022").glob("pain002-*.xml"))
    assert files
    for file in files:
        verdict = connector.validate(file.read_bytes())
        assert verdict.message == "pain.002.001.03"
        assert any("dialect" in sentence for sentence in verdict.tolerated)


def test_a_group_status_part(connector, body):
    received = connector.read(body.replace(b"<GrpSts>ACTC", b"<GrpSts>PART"))
    assert received.value.group_status == "PART"
    assert received.tolerated == ("The group status is PART; the statuses of the transactions count.",)


def test_several_blocks_with_many_transactions(connector, body):
    block = body[body.index(b"<OrgnlPmtInfAndSts>") : body.index(b"</CstmrPmtStsRpt>")]
    other = block.replace(b"PMT1", b"PMT2").replace(b"I1", b"I3").replace(b"E1", b"E3")
    report = connector.read(body.replace(block, block + other)).value
    assert [block.payment_information_id for block in report.blocks] == ["PMT1", "PMT2"]
    assert [row.end_to_end_id for row in report.transactions] == ["E1", "E2", "E3", "E2"]


def test_long_additional_information(connector, body):
    received = connector.read(body.replace(b"closed", b"x" * 300))
    assert received.value.transactions[1].information == "x" * 300
    assert received.tolerated == ("AddtlInf is longer than 105 characters.",)


def test_several_reasons_and_informations(connector, body):
    more = b"<AddtlInf>closed</AddtlInf><AddtlInf>for good</AddtlInf></StsRsnInf><StsRsnInf><Rsn><Cd>MS03</Cd></Rsn>"
    row = connector.read(body.replace(b"<AddtlInf>closed</AddtlInf>", more)).value.transactions[1]
    assert row == TransactionStatus("I2", "E2", "", "RJCT", "AC04", "closed for good")


def test_message_ids_of_36_characters(connector, body):
    uuid = b"0f8fad5b-d9cb-469f-a165-70867728950e"
    received = connector.read(body.replace(b">RPT1<", b">" + uuid + b"<"))
    assert received.value.message_id == uuid.decode()
    assert received.tolerated == ("MsgId is longer than 35 characters.",)


def test_ids_of_37_characters_are_refused(connector, body):
    with pytest.raises(Refused) as refused:
        connector.read(body.replace(b">RPT1<", b">" + b"x" * 37 + b"<"))
    assert refused.value.faults[0].where == "CstmrPmtStsRpt/GrpHdr/MsgId"


def test_what_is_tolerated_does_not_hide_what_is_wrong(connector, body):
    wrong = body.replace(b"closed", b"x" * 300).replace(b"<TxSts>RJCT", b"<TxSts>REJECTED")
    faults = connector.validate(wrong).faults
    assert "CstmrPmtStsRpt/OrgnlPmtInfAndSts/TxInfAndSts[2]/TxSts" in {fault.where for fault in faults}


def test_requests_are_not_tolerated(connector, bank, transfer):
    body = connector.write("generic", "pain.001.001.09", transfer)
    with pytest.raises(Refused):
        bank.read(body.replace(b">MSG1<", b">" + b"x" * 36 + b"<"))


def test_supplementary_data(connector, body):
    data = b'<SplmtryData><Envlp><x:Own xmlns:x="urn:x"><MsgId>no</MsgId></x:Own></Envlp></SplmtryData>'
    received = connector.read(body.replace(b"</CstmrPmtStsRpt>", data + b"</CstmrPmtStsRpt>"))
    assert received.value.message_id == "RPT1"
    assert received.tolerated == ("Supplementary data (SplmtryData) was passed over.",)


HEADER = b"""<AppHdr xmlns="urn:iso:std:iso:20022:tech:xsd:head.001.001.02">
<Fr><FIId><FinInstnId><BICFI>TREAXU22</BICFI></FinInstnId></FIId></Fr>
<To><OrgId><Id><OrgId><Othr><Id>GOV</Id></Othr></OrgId></Id></OrgId></To>
<BizMsgIdr>B1</BizMsgIdr><MsgDefIdr>pain.002.001.10</MsgDefIdr><CreDt>2026-11-21T07:30:00Z</CreDt></AppHdr>"""


def test_an_envelope_with_business_header(connector, body):
    document = body.partition(b"?>\n")[2]
    received = connector.read(b"<m:BusMsg xmlns:m='urn:any'>" + HEADER + document + b"</m:BusMsg>")
    assert received.header == ("TREAXU22", "GOV", "B1", "pain.002.001.10", "2026-11-21T07:30:00Z", "")
    assert len(received.value.transactions) == 2
    assert received.tolerated == ("The Document stands in an envelope (BusMsg).",)


def test_faults_in_an_envelope_have_their_path_from_the_document(connector, body):
    document = body.partition(b"?>\n")[2].replace(b"<TxSts>RJCT", b"<TxSts>REJECTED")
    (fault,) = connector.validate(b"<a><b/><c>" + document + b"</c></a>").faults
    assert fault.where == "CstmrPmtStsRpt/OrgnlPmtInfAndSts/TxInfAndSts[2]/TxSts"


def test_a_prefix_for_the_namespace(connector, body):
    prefixed = body.replace(b"</", b"</p:").replace(NAMESPACE, b"")
    prefixed = prefixed.replace(b"<Document", b"<Document xmlns:p=" + NAMESPACE[6:])
    head, _, rest = prefixed.partition(b"\n")
    rest = rest.replace(b"<", b"<p:").replace(b"<p:/p:", b"</p:")
    received = connector.read(head + b"\n" + rest)
    assert received.value == connector.read(body).value
    wrong = (head + b"\n" + rest).replace(b"TxSts>RJCT", b"TxSts>REJECTED")
    assert connector.validate(wrong).faults[0].where == "CstmrPmtStsRpt/OrgnlPmtInfAndSts/TxInfAndSts[2]/TxSts"


def test_an_older_report(connector, body):
    older = body.replace(b"pain.002.001.10", b"pain.002.001.03").replace(b"<OrgnlNbOfTxs>2</OrgnlNbOfTxs>", b"")
    received = connector.read(older.replace(b"ACTC", b"PART"))
    assert received.message == received.value.message == "pain.002.001.03"
    assert len(received.value.transactions) == 2


def test_no_sample_crashes_the_engine(connector, samples):
    for file in sorted(samples.glob("*/*.xml")):
        verdict = connector.validate(file.read_bytes())
        assert verdict.valid == (not verdict.faults), file
        try:
            connector.read(file.read_bytes())
        except Refused:
            continue


def test_every_sample_gets_the_verdict_of_the_index(connector, catalogue, samples):
    with (samples / "index.csv").open(newline="") as index:
        rows = [row for row in csv.DictReader(index) if row["message"] in catalogue.messages()]
    judged = [row for row in rows if row["status"] in {"valid", "invalid"}]
    assert judged
    for row in judged:
        verdict = connector.validate((samples / row["file"]).read_bytes())
        assert (verdict.message, verdict.valid) == (row["message"], row["status"] == "valid"), (row, verdict)

import json

import pytest
from typer.testing import CliRunner

from connector.cli import app

runner = CliRunner()
V1 = {
    "RequestID": "REQ000000001",
    "SourceBBID": "MINISTRY0001",
    "BatchID": "BATCH0000001",
    "CreditInstructions": [
        {"InstructionID": f"INSTR{n:011d}", "PayeeFunctionalID": f"P{n:019d}", "Amount": 10.25 + n, "Currency": "USD"}
        for n in range(3)
    ],
}
PEOPLE = {
    "RequestID": "REQ000000002",
    "SourceBBID": "MINISTRY0001",
    "Beneficiaries": [
        {"PayeeFunctionalID": f"P{0:019d}", "PaymentModality": "00", "FinancialAddress": "1000000001"},
        {"PayeeFunctionalID": f"P{1:019d}", "PaymentModality": "01", "FinancialAddress": "+99970000001"},
    ],
}
REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-01-05T10:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>M1</OrgnlPmtInfId>
<TxInfAndSts><OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>E2</OrgnlEndToEndId><TxSts>RJCT</TxSts>
<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed in March</AddtlInf></StsRsnInf></TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>
"""


@pytest.fixture
def batch(tmp_path):
    file = tmp_path / "batch.json"
    file.write_text(json.dumps(V1))
    return file


def test_a_batch_becomes_valid_messages(batch, tmp_path):
    result = runner.invoke(app, ["translate", str(batch), "-o", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == 1
    assert b"<CtrlSum>33.75</CtrlSum>" in files[0].read_bytes()
    assert runner.invoke(app, ["validate", *map(str, files)]).exit_code == 0


@pytest.mark.parametrize("message", ["pain.001.001.09", "pacs.008.001.08"])
def test_payees_go_to_their_institutions_and_unknown_ones_are_named(batch, tmp_path, message):
    people = tmp_path / "people.json"
    people.write_text(json.dumps(PEOPLE))
    out = tmp_path / "out"
    arguments = ["translate", str(batch), "--message", message, "-o", str(out), "--beneficiaries", str(people)]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert len(list(out.iterdir())) == 2
    assert "INSTR00000000002: not written, BE06" in result.output
    assert runner.invoke(app, ["validate", *map(str, out.iterdir())]).exit_code == 0


def test_a_batch_with_a_fault_is_refused_with_its_place(tmp_path):
    file = tmp_path / "batch.json"
    file.write_text(json.dumps({**V1, "CreditInstructions": [{**V1["CreditInstructions"][0], "Amount": -1}]}))
    result = runner.invoke(app, ["translate", str(file), "-o", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "/CreditInstructions/0/Amount" in str(result.exception)


def test_validate_gives_a_verdict_per_file_as_json(tmp_path):
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_text(REPORT)
    bad.write_text(REPORT.replace("ACSC", "NOT-A-STATUS"))
    result = runner.invoke(app, ["validate", "--json", str(good), str(bad)])
    assert result.exit_code == 1
    first, second = json.loads(result.stdout)
    assert first["valid"]
    assert first["message"] == "pain.002.001.10"
    assert not second["valid"]
    assert "TxSts" in second["faults"][0]["where"]
    assert second["faults"][0]["sentence"]


def test_explain_says_what_a_report_means(tmp_path):
    file = tmp_path / "report.xml"
    file.write_text(REPORT)
    result = runner.invoke(app, ["explain", str(file)])
    assert result.exit_code == 0, result.output
    assert "answers pain.001.001.09 M1" in result.output
    assert "accepted in part" in result.output
    assert "E2: RJCT (rejected), reason AC04 closed in March" in result.output


def test_explain_refuses_what_is_no_report(tmp_path):
    file = tmp_path / "report.xml"
    file.write_text("<nothing/>")
    assert runner.invoke(app, ["explain", str(file)]).exit_code == 1

"""Totals and balances of statements, and the control data of recalls."""

from datetime import UTC, date, datetime

import pytest

from connector.domain.errors import Refused
from connector.domain.messages import AccountStatement, Balance, Recall, RecalledTransfer, Statement, StatementEntry
from connector.iso20022.engine import Engine

NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
DAY = date(2026, 11, 20)
TOTALS = (
    "<TxsSummry><TtlNtries><NbOfNtries>{count}</NbOfNtries><Sum>{total}</Sum></TtlNtries>"
    "<TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>{credit}</Sum></TtlCdtNtries>"
    "<TtlDbtNtries><NbOfNtries>1</NbOfNtries><Sum>2.00</Sum></TtlDbtNtries></TxsSummry>"
)


def entry(name, amount, *, credit, status="BOOK"):
    return StatementEntry(name, amount, "USD", credit, False, status, DAY, DAY, "PMNT/ICDT/ESCT", name)


def statement(bank, closing=1300, totals=""):
    balances = [Balance("OPBD", 1000, "USD", True, DAY), Balance("CLBD", closing, "USD", True, DAY)]
    entries = [entry("E1", 500, credit=True), entry("E2", 200, credit=False)]
    told = AccountStatement("S1", "9000000001", "USD", NOW, balances, entries)
    body = bank.write("generic", "camt.053.001.08", Statement("camt.053.001.08", "M1", NOW, [told]))
    return body.replace(b"<Ntry>", totals.encode() + b"<Ntry>", 1)


def test_right_totals_and_balances_go_without_a_word(connector, bank):
    body = statement(bank, totals=TOTALS.format(count=2, total="7", credit="5.0"))
    assert connector.read(body).tolerated == ()


@pytest.mark.parametrize(
    ("count", "total", "credit", "where"),
    [
        (3, "7.00", "5.00", "TtlNtries/NbOfNtries: AM18: States 3 entries; there are 2."),
        (2, "7.01", "5.00", "TtlNtries/Sum: AM10: States a sum of 7.01; the entries come to 7.00."),
        (2, "7.00", "4.00", "TtlCdtNtries/Sum: AM10: States a sum of 4.00; the entries come to 5.00."),
    ],
)
def test_wrong_totals_are_flagged_and_the_statement_is_read(connector, bank, count, total, credit, where):
    received = connector.read(statement(bank, totals=TOTALS.format(count=count, total=total, credit=credit)))
    assert received.tolerated == (f"BkToCstmrStmt/Stmt[1]/TxsSummry/{where}",)
    assert len(received.value.statements[0].entries) == 2


def test_a_closing_balance_that_does_not_follow_is_flagged(connector, bank):
    sentence = "The opening balance and the booked entries come to 13.00, not to 13.01."
    verdict = connector.validate(statement(bank, closing=1301))
    assert (verdict.valid, verdict.tolerated) == (True, (f"BkToCstmrStmt/Stmt[1]/Bal: AM10: {sentence}",))


def test_pending_entries_and_single_pages_do_not_count(connector, bank):
    pending = statement(bank).replace(b"<Cd>BOOK</Cd>", b"<Cd>PDNG</Cd>", 1)
    assert "come to 8.00" in connector.read(pending).tolerated[0]
    page = b"</Id><StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn><CreDtTm>"
    assert connector.read(statement(bank, closing=9).replace(b"</Id><CreDtTm>", page, 1)).tolerated == ()


def recall(engine, message, control):
    rows = [RecalledTransfer(f"R{n}", f"I{n}", f"E{n}", f"T{n}", 100 * n, "DUPL") for n in (1, 2)]
    value = Recall("M1", NOW, "C1", "TREAXU22", "UNIOXU22", "O1", "pacs.008.001.08", "USD", DAY, "P1", transfers=rows)
    body = engine.write("generic", message, value)
    return body.replace(b"<Undrlyg>", b"<CtrlData>" + control.encode() + b"</CtrlData><Undrlyg>", 1)


@pytest.mark.parametrize("message", ["camt.055.001.08", "camt.056.001.08"])
@pytest.mark.parametrize(
    ("control", "found"),
    [
        ("<NbOfTxs>2</NbOfTxs><CtrlSum>3</CtrlSum>", []),
        ("<NbOfTxs>3</NbOfTxs><CtrlSum>3.00</CtrlSum>", [("NbOfTxs", "AM18")]),
        ("<NbOfTxs>2</NbOfTxs><CtrlSum>3.01</CtrlSum>", [("CtrlSum", "AM10")]),
    ],
)
def test_control_data_of_a_recall_is_compared(connector, message, control, found):
    faults = connector.validate(recall(connector, message, control)).faults
    assert [(fault.where.rpartition("/")[2], fault.code) for fault in faults] == found


def test_a_profile_cannot_send_wrong_control_data(catalogue, repository, tmp_path):
    original = (repository / "mappings" / "generic" / "camt.056.001.08.yaml").read_text()
    wrong = original.replace("    Undrlyg:\n", "    CtrlData:\n      NbOfTxs: {is: '7'}\n    Undrlyg:\n")
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "camt.056.001.08.yaml").write_text(wrong)
    rows = [RecalledTransfer("R1", "I1", "E1", "T1", 100, "DUPL")]
    value = Recall("M1", NOW, "C1", "TREAXU22", "UNIOXU22", "O1", "pacs.008.001.08", "USD", DAY, transfers=rows)
    with pytest.raises(Refused) as refused:
        Engine(catalogue, tmp_path).write("wrong", "camt.056.001.08", value)
    assert refused.value.faults[0][:2] == ("FIToFIPmtCxlReq/CtrlData/NbOfTxs", "AM18")

"""``validate`` and ``explain`` on messages of every kind, and on files as they come from elsewhere."""

import csv
import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

import simulators
from connector.cli import app
from connector.cli.files import load_engine
from connector.domain.messages import (
    AccountStatement,
    Balance,
    EntryTransaction,
    InquiredTransfer,
    PaymentReturn,
    RecallAnswer,
    RecallResult,
    Rejection,
    ReturnedTransfer,
    Statement,
    StatementEntry,
    StatusInquiry,
    StatusReport,
    TransactionStatus,
)
from connector.iso20022.engine import Engine
from iso20022_schemas.catalogue import Catalogue

SAMPLES = Path(os.environ.get("ISOGATE_SHARED", Path(__file__).parents[3].parent / "shared")) / "iso20022" / "samples"
NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
runner = CliRunner()


@dataclass
class Judged:
    exit_code: int
    verdicts: list[dict]


def judged(*files: Path) -> Judged:
    result = runner.invoke(app, ["validate", "--json", *map(str, files)])
    return Judged(result.exit_code, json.loads(result.stdout))


def explained(file: Path) -> str:
    result = runner.invoke(app, ["explain", str(file)])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def bank() -> Engine:
    return Engine(Catalogue(), Path(simulators.__file__).parent / "profiles")


@pytest.fixture
def report(bank, tmp_path) -> Path:
    value = StatusReport(
        message="pacs.002.001.10",
        message_id="RPT1",
        created=NOW,
        original_message_id="MSG1",
        original_message="pacs.008.001.08",
        transactions=[
            TransactionStatus("I1", "E1", "T1", "ACSC"),
            TransactionStatus("I2", "E2", "T2", "RJCT", "AC04"),
        ],
    )
    return written(tmp_path, bank.write("generic", "pacs.002.001.10", value))


def written(folder: Path, body: bytes, name: str = "message.xml") -> Path:
    file = folder / name
    file.write_bytes(body)
    return file


def known_samples() -> list[dict[str, str]]:
    if not SAMPLES.is_dir():
        pytest.skip(f"no sample messages at {SAMPLES}")
    known = Catalogue().messages()
    with (SAMPLES / "index.csv").open(newline="") as index:
        return [
            row for row in csv.DictReader(index) if row["message"] in known and row["status"] in {"valid", "invalid"}
        ]


def test_every_sample_of_a_known_message_gets_its_official_verdict():
    rows = known_samples()
    result = judged(*(SAMPLES / row["file"] for row in rows))
    official = {str(SAMPLES / row["file"]): (row["message"], row["status"] == "valid") for row in rows}
    assert {each["file"]: (each["message"], each["valid"]) for each in result.verdicts} == official
    assert all(each["valid"] or each["faults"] for each in result.verdicts)
    assert result.exit_code == 1


def test_valid_samples_alone_end_with_exit_code_0():
    valid = [SAMPLES / row["file"] for row in known_samples() if row["status"] == "valid"]
    assert judged(*valid).exit_code == 0


def test_samples_in_envelopes_and_with_headers_are_judged_by_their_documents():
    enveloped = [row for row in known_samples() if row["envelope"] and row["message"][:4] != "head"]
    for verdict in judged(*(SAMPLES / row["file"] for row in enveloped)).verdicts:
        assert any("envelope" in note for note in verdict["tolerated"]), verdict


def test_samples_in_the_swiss_dialect_and_without_namespace_are_read_and_marked():
    known_samples()
    dialects = sorted((SAMPLES / "moov-iso20022").glob("pain002-*"))
    missing = SAMPLES / "moov-iso20022" / "invalid_pain_v11.xml"
    result = judged(*dialects, missing)
    assert result.exit_code == 0
    notes = [" ".join(verdict["tolerated"]) for verdict in result.verdicts]
    assert all("dialect" in note for note in notes[:-1])
    assert "namespace is missing" in notes[-1]
    assert [verdict["message"] for verdict in result.verdicts[:-1]] == ["pain.002.001.03"] * len(dialects)


def test_every_valid_sample_that_a_bank_sends_is_explained():
    families = ("pain.002", "pacs.002", "pacs.004", "camt.029", "camt.05", "admi.002")
    rows = [row for row in known_samples() if row["status"] == "valid" and row["message"].startswith(families)]
    assert rows
    for row in rows:
        assert row["message"] in explained(SAMPLES / row["file"])


@pytest.mark.parametrize(
    ("encoding", "declaration"),
    [
        ("utf-8-sig", "<?xml version='1.0' encoding='UTF-8'?>"),
        ("utf-8", ""),
        ("iso-8859-1", "<?xml version='1.0' encoding='ISO-8859-1'?>"),
        ("windows-1252", "<?xml version='1.0' encoding='windows-1252'?>"),
    ],
)
def test_a_file_in_another_common_encoding_is_judged(report, tmp_path, encoding, declaration):
    text = report.read_text().partition("?>")[2].replace("RPT1", "RÄPORT")
    file = written(tmp_path, (declaration + text).encode(encoding), "encoded.xml")
    assert judged(file).exit_code == 0
    assert "RÄPORT" in explained(file)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037"])
def test_a_file_in_a_strange_encoding_is_refused_in_words(report, tmp_path, encoding):
    text = report.read_text().replace("UTF-8", encoding.removesuffix("-le").removesuffix("-be").upper())
    result = judged(written(tmp_path, text.encode(encoding)))
    assert result.exit_code == 1
    (fault,) = result.verdicts[0]["faults"]
    assert fault["code"] in {"encoding", "malformed"}
    assert fault["sentence"]


def test_a_file_that_is_not_there_is_an_error_of_its_own(tmp_path):
    result = runner.invoke(app, ["validate", str(tmp_path / "nothing.xml")])
    assert result.exit_code == 1
    assert "nothing.xml: not valid" in result.output
    assert "No such file" in result.output


def test_a_return_is_explained(bank, tmp_path):
    value = PaymentReturn(
        message_id="RTR1",
        created=NOW,
        currency="USD",
        total_minor=3050,
        original_message_id="MSG1",
        original_message="pacs.008.001.08",
        settlement_date=date(2026, 11, 21),
        returns=[
            ReturnedTransfer("R1", "I1", "E1", "T1", 1050, "AC04", "closed, was 1012345678"),
            ReturnedTransfer("R2", "I2", "E2", "T2", 2000, "MD07"),
        ],
        instructing_agent="UNIOXU22",
        instructed_agent="TREAXU22",
    )
    text = explained(written(tmp_path, bank.write("generic", "pacs.004.001.09", value)))
    assert "2 payments come back, 30.50 USD in all" in text
    assert "E1: 10.50 USD come back, reason AC04" in text
    assert "1012345678" not in text


def test_an_answer_to_a_recall_is_explained(bank, tmp_path):
    value = RecallAnswer(
        message_id="ANS1",
        created=NOW,
        case_id="CASE1",
        assigner="UNIOXU22",
        assignee="TREAXU22",
        confirmation="PECR",
        original_message_id="MSG1",
        original_message="pacs.008.001.08",
        results=[
            RecallResult("C1", "I1", "E1", "T1", "ACCR"),
            RecallResult("C2", "I2", "E2", "T2", "RJCR", "NOAS", "no answer from the payee"),
        ],
    )
    text = explained(written(tmp_path, bank.write("generic", "camt.029.001.09", value)))
    assert "answers the recall of pacs.008.001.08 MSG1" in text
    assert "PECR (recall accepted in part)" in text
    assert "E2: RJCR (recall refused), reason NOAS" in text


def test_a_statement_is_summed_up_without_its_account_number(bank, tmp_path):
    def entry(number: int, minor: int, *, credit: bool) -> StatementEntry:
        transaction = EntryTransaction("M1", f"I{number}", f"E{number}", "", minor, "USD", credit)
        day = date(2026, 11, 21)
        return StatementEntry(
            f"N{number}", minor, "USD", credit, False, "BOOK", day, day, "PMNT/ICDT/ESCT", f"S{number}", [transaction]
        )

    entries = [entry(1, 1050, credit=False), entry(2, 2000, credit=False), entry(3, 1050, credit=True)]
    balances = [Balance("OPBD", 100_000, "USD", True, NOW.date()), Balance("CLBD", 98_000, "USD", True, NOW.date())]
    account = AccountStatement("STMT1", "9000000001", "USD", NOW, balances, entries)
    value = Statement("camt.053.001.08", "STM1", NOW, [account])
    text = explained(written(tmp_path, bank.write("generic", "camt.053.001.08", value)))
    assert "balance at the closing: 980.00 USD" in text
    assert "2  debits booked, 30.50 USD in all" in text
    assert "1  credits booked, 10.50 USD in all" in text
    assert "9000000001" not in text


def test_a_rejection_is_explained(bank, tmp_path):
    value = Rejection("MSG1", "NARR", "No such participant", "/AppHdr/Fr", NOW)
    text = explained(written(tmp_path, bank.write("generic", "admi.002.001.01", value)))
    assert "the message MSG1 was refused as a whole, reason NARR" in text
    assert "No such participant" in text


def test_a_message_that_no_bank_sends_as_an_answer_is_named(tmp_path):
    value = StatusInquiry("INQ1", NOW, "MSG1", "pain.001.001.09", [InquiredTransfer("I1", "E1", "T1")])
    result = runner.invoke(
        app, ["explain", str(written(tmp_path, load_engine().write("generic", "pacs.028.001.03", value)))]
    )
    assert result.exit_code == 1

"""Messages that nobody here wrote: the official verdict of all, and the content of those that are reports."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from lxml import etree
from mapping_places import SHARED

from connector.domain.messages import Rejection, Statement, StatementEntry, StatusReport
from connector.domain.money import exponent
from iso20022_schemas.catalogue import Catalogue

SAMPLES = SHARED / "samples"


class Sample(NamedTuple):
    """A line of the index: the file, the message in it, and what the official schema says of it."""

    file: str
    message: str
    verdict: str


def indexed() -> Iterator[Sample]:
    """The first five columns alone: quotes in the free text behind them are not always closed."""
    index = SAMPLES / "index.csv"
    for line in index.read_text("utf-8").splitlines()[1:] if index.is_file() else ():
        sample = Sample(*line.split(",")[:3])
        if sample.verdict in {"valid", "invalid"}:
            yield sample


ALL = sorted(set(indexed()))
KNOWN = [sample for sample in ALL if sample.message in Catalogue().messages()]
VALID = [sample for sample in KNOWN if sample.verdict == "valid"]


def of(*families: str) -> list[Sample]:
    return [sample for sample in VALID if sample.message.startswith(families)]


def body_of(sample: Sample) -> bytes:
    return (SAMPLES / sample.file).read_bytes()


def content_of(sample: Sample) -> etree._Element:
    """The message's Document as lxml alone sees it."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    tree = etree.fromstring(body_of(sample), parser)
    return next(tree.iter(f"{{urn:iso:std:iso:20022:tech:xsd:{sample.message}}}Document"))


def test_the_samples_are_many():
    if not SAMPLES.is_dir():
        pytest.skip(f"no sample messages at {SAMPLES}")
    assert len(KNOWN) > 90
    assert len(of("pain.002", "pacs.002")) >= 7
    assert len(of("camt.05")) >= 7


@pytest.mark.parametrize("sample", KNOWN, ids=lambda sample: sample.file)
def test_every_sample_gets_the_official_verdict(connector, sample: Sample):
    verdict = connector.validate(body_of(sample))
    assert ("valid" if verdict.valid else "invalid") == sample.verdict, verdict.faults
    assert verdict.message == sample.message


@pytest.mark.parametrize("sample", of("pain.002", "pacs.002"), ids=lambda sample: sample.file)
def test_reports_are_read_with_all_their_transactions(connector, sample: Sample):
    report = connector.read(body_of(sample)).value
    assert isinstance(report, StatusReport)
    content = content_of(sample)
    rows = list(content.iter("{*}TxInfAndSts"))
    assert [row.status for row in report.transactions] == [row.findtext("{*}TxSts", "") for row in rows]
    assert [row.end_to_end_id for row in report.transactions] == [
        row.findtext("{*}OrgnlEndToEndId", "") for row in rows
    ]
    assert [row.reason for row in report.transactions] == [reason(row) for row in rows]
    assert len(report.blocks) == len(list(content.iter("{*}OrgnlPmtInfAndSts")))
    assert report.original_message_id == content.findtext(".//{*}OrgnlMsgId", "")


def reason(row: etree._Element) -> str:
    return row.findtext("{*}StsRsnInf/{*}Rsn/{*}Cd") or row.findtext("{*}StsRsnInf/{*}Rsn/{*}Prtry") or ""


@pytest.mark.parametrize("sample", of("camt.052", "camt.053", "camt.054"), ids=lambda sample: sample.file)
def test_statements_are_read_with_all_their_entries(connector, sample: Sample):
    value = connector.read(body_of(sample)).value
    assert isinstance(value, Statement)
    content = content_of(sample)
    entries = [entry for statement in value.statements for entry in statement.entries]
    rows = list(content.iter("{*}Ntry"))
    assert [signed(entry) for entry in entries] == [stated(row) for row in rows]
    assert sum(len(entry.transactions) for entry in entries) == len(list(content.iter("{*}TxDtls")))
    assert sum(len(statement.balances) for statement in value.statements) == len(list(content.iter("{*}Bal")))
    assert all(statement.account for statement in value.statements)


def signed(entry: StatementEntry) -> tuple[str, Decimal]:
    amount = Decimal(entry.amount_minor).scaleb(-exponent(entry.currency))
    return entry.currency, amount if entry.credit else -amount


def stated(row: etree._Element) -> tuple[str, Decimal]:
    amount = row.find("{*}Amt")
    assert amount is not None
    number = Decimal(amount.text or "")
    return amount.get("Ccy", ""), number if row.findtext("{*}CdtDbtInd") == "CRDT" else -number


@pytest.mark.parametrize("sample", of("admi.002"), ids=lambda sample: sample.file)
def test_rejections_are_read(connector, sample: Sample):
    value = connector.read(body_of(sample)).value
    assert isinstance(value, Rejection)
    assert value.reason == content_of(sample).findtext(".//{*}RjctgPtyRsn")


@pytest.mark.parametrize(
    "path", sorted((SAMPLES / "moov-iso20022").glob("pain002-*.xml")), ids=lambda path: path.name
)
def test_reports_in_a_dialect_are_read_with_all_their_transactions(connector, path: Path):
    received = connector.read(path.read_bytes())
    assert isinstance(received.value, StatusReport)
    assert received.tolerated
    rows = list(etree.parse(path).iter("{*}TxInfAndSts"))
    assert len(received.value.transactions) == len(rows)


def test_the_counterparty_is_the_other_side_by_the_sign_of_the_transaction(connector):
    sample = next((sample for sample in VALID if sample.file == "genkgo-camt/camt054.v8.xml"), None)
    if sample is None:
        pytest.skip(f"no sample messages at {SAMPLES}")
    body = body_of(sample)
    outgoing = body.replace(b"<CdtDbtInd>CRDT</CdtDbtInd>", b"<CdtDbtInd>DBIT</CdtDbtInd>")
    assert counterparties(connector.read(body).value) == {"CH2801234000123456789"}
    assert counterparties(connector.read(outgoing).value) == {"CH4112345003131313131", "CH7212345003232323232"}


def counterparties(value: Statement) -> set[str]:
    return {
        row.counterparty_account
        for statement in value.statements
        for entry in statement.entries
        for row in entry.transactions
    }

"""The floor: what the bare work on a payment takes one core, without anything of ours around it.

Plain msgspec, lxml, sqlite3 and string formatting on the documents of a real slice, one leg of the way: the request
read, the order written, validated by who sends it and by who gets it, read, booked, reported on one by one, and the
report read. A payment that goes on to another bank takes about the same again, from the order on.
"""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from lxml import etree

from connector.domain.messages import CreditTransfer, StatusReport
from loadtests.bench.documents import ORDER, REPORT, Documents

PAYMENTS: Final = 5_000
ROUNDS: Final = 3
MICRO: Final = 1_000_000

Work = Callable[[], object]


class _Pair(msgspec.Struct):
    key: str
    value: Annotated[str, msgspec.Meta(max_length=36)]


class _Credit(msgspec.Struct):
    """One transaction of contract v3.0, with its lengths and patterns."""

    requestId: Annotated[str, msgspec.Meta(min_length=1, max_length=36)]  # noqa: N815 - as the contract has it
    creditParty: Annotated[list[_Pair], msgspec.Meta(min_length=1)]  # noqa: N815
    debitParty: list[_Pair]  # noqa: N815
    paymentMode: str  # noqa: N815
    amount: Annotated[str, msgspec.Meta(pattern=r"^\d{1,16}(\.\d{1,2})?$")]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    descriptionText: Annotated[str, msgspec.Meta(max_length=128)] = ""  # noqa: N815


def floors() -> dict[str, float]:
    """Give microseconds of one core a payment by work, and their sum as ``total``; the median of three rounds."""
    documents = Documents(PAYMENTS)
    with tempfile.TemporaryDirectory(prefix="isogate-floors-") as folder:
        works = dict(_works(documents, _ledger(Path(folder) / "ledger.sqlite")))
        rounds = [{name: _seconds(work) for name, work in works.items()} for _ in range(ROUNDS)]
    found = {name: statistics.median(each[name] for each in rounds) * MICRO / PAYMENTS for name in works}
    return {name: round(cost, 2) for name, cost in (*found.items(), ("total", sum(found.values())))}


def _works(documents: Documents, link: sqlite3.Connection) -> Sequence[tuple[str, Work]]:
    read_json = msgspec.json.Decoder(list[_Credit]).decode
    orders, reports = documents.orders, documents.written_reports
    order_schema, report_schema = documents.catalogue.schema(ORDER), documents.catalogue.schema(REPORT)
    parsed_orders, parsed_reports = list(map(etree.fromstring, orders)), list(map(etree.fromstring, reports))
    order_fields = ("EndToEndId", "InstdAmt", "BICFI", "Nm", "Id", "Ustrd")
    return (
        ("read and check JSON", lambda: read_json(documents.body_v3)),
        ("write pain.001", lambda: [_order(value) for value in documents.transfers]),
        ("parse and validate pain.001 written", lambda: _validate(orders, order_schema)),
        ("parse and validate pain.001", lambda: _validate(orders, order_schema)),
        ("extract pain.001", lambda: [_columns(root, order_fields) for root in parsed_orders]),
        ("ledger", lambda: _book(link, documents.transfers)),
        ("write pain.002", lambda: [_report(value) for value in documents.reports]),
        ("parse and validate pain.002", lambda: _validate(reports, report_schema)),
        ("extract pain.002", lambda: [_columns(root, ("OrgnlEndToEndId", "TxSts")) for root in parsed_reports]),
    )


def _seconds(work: Work) -> float:
    began = time.thread_time()
    kept = work()
    ended = time.thread_time()
    del kept
    return ended - began


def _validate(bodies: Sequence[bytes], schema: etree.XMLSchema) -> None:
    for body in bodies:
        if not schema.validate(etree.fromstring(body)):
            raise ValueError(str(schema.error_log))


def _columns(root: etree._Element, names: Sequence[str]) -> list[list[str | None]]:
    """The texts of all elements of these names, name by name."""
    namespace = etree.QName(root).namespace
    return [[each.text for each in root.iter(f"{{{namespace}}}{name}")] for name in names]


def _order(value: CreditTransfer) -> bytes:
    """The part of a pain.001 that grows with its payments."""
    return "".join(
        f"<CdtTrfTxInf><PmtId><InstrId>{each.instruction_id}</InstrId><EndToEndId>{each.end_to_end_id}</EndToEndId>"
        f'</PmtId><Amt><InstdAmt Ccy="{value.currency}">{each.amount_minor // 100}.{each.amount_minor % 100:02d}'
        f"</InstdAmt></Amt><CdtrAgt><FinInstnId><BICFI>{each.creditor_agent}</BICFI></FinInstnId></CdtrAgt><Cdtr><Nm>"
        f"{each.creditor_name}</Nm></Cdtr><CdtrAcct><Id><Othr><Id>{each.creditor_account}</Id></Othr></Id></CdtrAcct>"
        f"<RmtInf><Ustrd>{each.remittance}</Ustrd></RmtInf></CdtTrfTxInf>"
        for each in value.transfers
    ).encode()


def _report(value: StatusReport) -> bytes:
    """The part of a pain.002 that grows with its statuses."""
    return "".join(
        f"<TxInfAndSts><OrgnlInstrId>{each.instruction_id}</OrgnlInstrId><OrgnlEndToEndId>{each.end_to_end_id}"
        f"</OrgnlEndToEndId><TxSts>{each.status}</TxSts></TxInfAndSts>"
        for each in value.transactions
    ).encode()


def _ledger(path: Path) -> sqlite3.Connection:
    link = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    link.execute("PRAGMA journal_mode=WAL")
    link.execute("CREATE TABLE posting (account TEXT, currency TEXT, minor INTEGER, line TEXT)")
    return link


def _book(link: sqlite3.Connection, transfers: Sequence[CreditTransfer]) -> None:
    """One row a payment, one transaction a message."""
    for value in transfers:
        rows: list[tuple[Any, ...]] = [
            (each.creditor_account, value.currency, each.amount_minor, each.end_to_end_id) for each in value.transfers
        ]
        link.execute("BEGIN")
        link.executemany("INSERT INTO posting VALUES (?, ?, ?, ?)", rows)
        link.execute("COMMIT")

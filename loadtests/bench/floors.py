"""The floor: what the bare work on a payment takes one core, without anything of ours around it.

Plain msgspec, lxml, sqlite3 and string formatting on the documents of a real slice, all the way through the payer's
bank to the payee's: the request read, the order written, validated, read and booked, the same between the banks, and
a status for each payment reported and read. Names are those of the stages that do this work, where there is one.
"""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from lxml import etree

from connector.api.json_body import uncollected
from connector.domain.messages import CreditTransfer, StatusReport
from loadtests.bench.documents import INTERBANK, ORDER, REPORT, Documents

PAYMENTS: Final = 5_000
ROUNDS: Final = 3
ORDER_FIELDS: Final = ("EndToEndId", "InstdAmt", "BICFI", "Nm", "Id", "Ustrd")
INTERBANK_FIELDS: Final = ("EndToEndId", "TxId", "IntrBkSttlmAmt", "Nm", "Id", "Ustrd")
REPORT_FIELDS: Final = ("OrgnlEndToEndId", "TxSts")
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
    """Give microseconds of one core a payment by work, and their sum as ``total``; the median of some rounds."""
    documents = Documents(PAYMENTS)
    with tempfile.TemporaryDirectory(prefix="isogate-floors-") as folder:
        works = dict(_works(documents, _ledger(Path(folder) / "ledger.sqlite")))
        with uncollected():
            rounds = [{name: _seconds(work) for name, work in works.items()} for _ in range(ROUNDS)]
    found = {name: statistics.median(each[name] for each in rounds) * MICRO / PAYMENTS for name in works}
    return {name: round(cost, 2) for name, cost in (*found.items(), ("total", sum(found.values())))}


def _works(documents: Documents, link: sqlite3.Connection) -> Iterator[tuple[str, Work]]:
    read_json, body = msgspec.json.Decoder(list[_Credit]).decode, documents.body_v3
    yield "read JSON", lambda: read_json(body)
    yield "write pain.001", lambda: [_order(value) for value in documents.transfers]
    yield from _received("pain.001", documents.orders, documents.catalogue.schema(ORDER), ORDER_FIELDS)
    yield "book orders", lambda: _book(link, documents.transfers)
    yield from _received("pacs.008", documents.interbank, documents.catalogue.schema(INTERBANK), INTERBANK_FIELDS)
    yield "book credits", lambda: _book(link, documents.transfers)
    yield "write pain.002", lambda: [_report(value) for value in documents.reports]
    yield from _received("pain.002", documents.written_reports, documents.catalogue.schema(REPORT), REPORT_FIELDS)


def _received(
    name: str, bodies: Sequence[bytes], schema: etree.XMLSchema, fields: Sequence[str]
) -> Iterator[tuple[str, Work]]:
    """What a message costs whoever gets it."""
    roots = list(map(etree.fromstring, bodies))
    yield f"parse and validate {name}", lambda: _validate(bodies, schema)
    yield f"extract {name}", lambda: [_columns(root, fields) for root in roots]


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

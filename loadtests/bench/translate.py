"""Writing and validating pain.001: values in, documents out that are valid under their schema, without a server."""

from decimal import Decimal
from pathlib import Path
from typing import Final

from lxml import etree

import mappings
from connector.domain.messages import CreditTransfer
from connector.iso20022.engine import Engine
from iso20022_schemas import Catalogue
from loadtests.bench.rounds import EngineResult, Work, bare_lxml, measured, result
from loadtests.bench.samples import CURRENCY, credit_transfer

MESSAGE: Final = "pain.001.001.09"
SCHEME: Final = "generic"


def measure(*, transactions: int, batch_size: int, repetitions: int) -> EngineResult:
    """Write credits as messages of ``batch_size``, and count what stands in them without the engine."""
    catalogue = Catalogue()
    engine = Engine(catalogue, Path(mappings.__file__).parent)
    sizes = [min(batch_size, transactions - first) for first in range(0, transactions, batch_size)]
    values = [credit_transfer(size, number * batch_size) for number, size in enumerate(sizes)]
    bodies = [engine.write(SCHEME, MESSAGE, value) for value in values]
    checks, problems = _checked(bodies, values)
    schema = catalogue.schema(MESSAGE)
    works = [_work(engine, value, body, schema) for value, body in zip(values, bodies, strict=True)]
    return result(
        measured(works, repetitions),
        transactions,
        messages=len(bodies),
        message=MESSAGE,
        message_bytes=max(map(len, bodies)),
        checks=checks,
        problems=problems,
    )


def _work(engine: Engine, value: CreditTransfer, body: bytes, schema: etree.XMLSchema) -> Work:
    return Work(
        all=lambda: engine.write(SCHEME, MESSAGE, value),
        validate=lambda: engine.validate(body),
        lxml=bare_lxml(body, schema),
    )


def _checked(bodies: list[bytes], values: list[CreditTransfer]) -> tuple[dict[str, int], list[str]]:
    """Count and sum up the transactions in the documents; compare with the values, with NbOfTxs and with CtrlSum."""
    counted = list(map(_counted, bodies))
    asked_for = [(len(value.transfers), value.total_minor) for value in values]
    checks = {
        "transactions_written": sum(count for count, *_ in counted),
        "minor_units_written": sum(total for _, total, *_ in counted),
        "minor_units_asked_for": sum(total for _, total in asked_for),
    }
    problems = [
        f"message {number}: {counts} transactions and {CURRENCY} cents, counted and in its header; asked for {asked}"
        for number, (counts, asked) in enumerate(zip(counted, asked_for, strict=True))
        if counts != (*asked, *asked)
    ]
    return checks, problems


def _counted(body: bytes) -> tuple[int, int, int, int]:
    root = etree.fromstring(body)
    amounts = [int(Decimal(each.text or "") * 100) for each in root.iter("{*}InstdAmt")]
    stated = root.findtext("*/{*}GrpHdr/{*}NbOfTxs") or "0", root.findtext("*/{*}GrpHdr/{*}CtrlSum") or "0"
    return len(amounts), sum(amounts), int(stated[0]), int(Decimal(stated[1]) * 100)

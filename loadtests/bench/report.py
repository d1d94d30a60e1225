"""Validating and reading pain.002: documents in, one status a transaction out, without a server."""

from collections import Counter
from pathlib import Path
from typing import Final

from lxml import etree

import mappings
import simulators
from connector.domain.messages import CreditTransfer, StatusReport
from connector.iso20022.engine import Engine
from iso20022_schemas import Catalogue
from loadtests.bench.rounds import EngineResult, Work, bare_lxml, measured, result
from loadtests.bench.samples import REJECTED_EVERY, credit_transfer, status_report

MESSAGE: Final = "pain.002.001.10"


def measure(*, transactions: int, batch_size: int, repetitions: int) -> EngineResult:
    """Read reports on ``transactions`` credits, ``batch_size`` in one, and compare with what the bank said."""
    catalogue = Catalogue()
    engine = Engine(catalogue, Path(mappings.__file__).parent)
    bank = Engine(catalogue, Path(simulators.__file__).parent / "profiles")
    sizes = [min(batch_size, transactions - first) for first in range(0, transactions, batch_size)]
    sent = [credit_transfer(size, number * batch_size) for number, size in enumerate(sizes)]
    bodies = [bank.write("generic", MESSAGE, status_report(transfer)) for transfer in sent]
    checks, problems = _checked([engine.read(body).value for body in bodies], sent)
    schema = catalogue.schema(MESSAGE)
    return result(
        measured([_work(engine, body, schema) for body in bodies], repetitions),
        transactions,
        messages=len(bodies),
        message=MESSAGE,
        message_bytes=max(map(len, bodies)),
        checks=checks,
        problems=problems,
    )


def _work(engine: Engine, body: bytes, schema: etree.XMLSchema) -> Work:
    return Work(
        all=lambda: engine.read(body),
        validate=lambda: engine.validate(body),
        lxml=bare_lxml(body, schema),
    )


def _checked(values: list[object], sent: list[CreditTransfer]) -> tuple[dict[str, int], list[str]]:
    """Match the statuses with the credits by end-to-end id, and add up what was settled and what was rejected."""
    reports = [value for value in values if isinstance(value, StatusReport)]
    found = {each.end_to_end_id: each.status for report in reports for each in report.transactions}
    credits_ = [each for transfer in sent for each in transfer.transfers]
    minor: Counter[str] = Counter()
    for each in credits_:
        minor[found.get(each.end_to_end_id, "")] += each.amount_minor
    checks = {
        "statuses_read": sum(len(report.transactions) for report in reports),
        "minor_units_settled": minor["ACSC"],
        "minor_units_rejected": minor["RJCT"],
    }
    rejected = sum(
        each.amount_minor for transfer in sent for each in transfer.transfers[REJECTED_EVERY - 1 :: REJECTED_EVERY]
    )
    expected = {
        "statuses_read": len(credits_),
        "minor_units_settled": sum(each.amount_minor for each in credits_) - rejected,
        "minor_units_rejected": rejected,
    }
    return checks, [
        f"{name} is {checks[name]}, not {value}" for name, value in expected.items() if checks[name] != value
    ]

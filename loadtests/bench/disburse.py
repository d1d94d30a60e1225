"""Disbursement end to end: from the POST of the first batch to the final callback of the last one.

Nothing is left out: real HTTP on both sides, account mapper lookups, pain.001 and pain.002 checked against their
schemas on both sides, every write in an append-only file with fsync. Only the people are registered beforehand.
"""

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from connector.cli.check import versions
from connector.cli.instance import fresh_instance
from connector.cli.ledgers import proof
from connector.cli.people import Person, payable_people
from connector.cli.source_bb import SourceBB, credit_v3, source_bb
from connector.domain.money import minor_units
from loadtests.bench.memory import watching

CURRENCY: Final = "USD"
PROGRAMME: Final = "PENSIONS"
SOURCE: Final = "BENCHSOURCE1"
REGISTER_AT_ONCE: Final = 10_000
LONGEST_SECONDS: Final = 1800.0


@dataclass
class Result:
    """What was measured; problems: sums or ledgers that do not come out."""

    payments: int
    batches: int
    workers: int
    seconds: float
    payments_per_second: float
    register_seconds: float
    accept_seconds: float
    peak_rss_mb: dict[str, float]
    ledger_balanced: bool
    versions: dict[str, str]
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give the figures by name, units in the names."""
        return asdict(self)


async def measure(*, payments: int, batch_size: int, workers: int) -> Result:
    """Pay ``payments`` people in batches, in an instance of its own, and check what came out."""
    with tempfile.TemporaryDirectory(prefix="isogate-bench-") as folder:
        quiet = {"log_level": "WARNING", "workers": workers, "progress_interval_seconds": 3600.0}
        async with (
            fresh_instance(Path(folder), print, **quiet) as (settings, supervisor),
            source_bb(settings.api_url, SOURCE, LONGEST_SECONDS) as ministry,
        ):
            async with watching({part.name: part.pid for part in supervisor.parts}) as memory:
                run = await _pay(ministry, payments, batch_size)
            ledgers = await proof(settings)
            ledgers.expect_spent(PROGRAMME, CURRENCY, run.paid_minor)
    return Result(
        payments=payments,
        batches=run.batches,
        workers=workers,
        seconds=round(run.seconds, 3),
        payments_per_second=round(payments / run.seconds, 1),
        register_seconds=round(run.register_seconds, 3),
        accept_seconds=round(run.accept_seconds, 3),
        peak_rss_mb=memory.peak_rss_mb,
        ledger_balanced=ledgers.balanced,
        versions=versions(),
        problems=[*run.problems, *ledgers.problems],
    )


@dataclass
class _Run:
    batches: int
    seconds: float
    register_seconds: float
    accept_seconds: float
    paid_minor: int
    problems: list[str]


async def _pay(ministry: SourceBB, payments: int, batch_size: int) -> _Run:
    people = list(payable_people(payments))
    registering = time.perf_counter()
    await _register(ministry, people)
    amounts = [1000 + number % 9000 for number in range(payments)]
    bodies = [_body(people, amounts, start, batch_size) for start in range(0, payments, batch_size)]
    started = time.perf_counter()
    batches = [await ministry.pay(body, PROGRAMME, f"BENCH{n:07d}") for n, body in enumerate(bodies)]
    accepted = time.perf_counter()
    finals = await asyncio.gather(*(ministry.finished(batch, LONGEST_SECONDS) for batch in batches))
    ended = time.perf_counter()
    return _Run(
        batches=len(batches),
        seconds=ended - started,
        register_seconds=started - registering,
        accept_seconds=accepted - started,
        paid_minor=_paid_minor(finals),
        problems=_problems(finals, amounts),
    )


async def _register(ministry: SourceBB, people: Sequence[Person]) -> None:
    for number, start in enumerate(range(0, len(people), REGISTER_AT_ONCE)):
        await ministry.register(f"REG{number:09d}", people[start : start + REGISTER_AT_ONCE])


def _body(people: Sequence[Person], amounts: Sequence[int], start: int, size: int) -> bytes:
    numbers = range(start, min(start + size, len(people)))
    return msgspec.json.encode([credit_v3(n, people[n], amounts[n], CURRENCY) for n in numbers])


def _paid_minor(finals: Sequence[Mapping[str, Any]]) -> int:
    return sum(minor_units(Decimal(str(final["completed_amount"])), CURRENCY) for final in finals)


def _problems(finals: Sequence[Mapping[str, Any]], amounts: Sequence[int]) -> list[str]:
    """Compare what the final callbacks say with what was sent."""
    completed, paid = sum(int(final["completed"]) for final in finals), _paid_minor(finals)
    problems = []
    if completed != len(amounts):
        problems.append(f"{completed} payments were completed, {len(amounts)} were asked for")
    if paid != sum(amounts):
        problems.append(f"{paid} minor units {CURRENCY} were paid, {sum(amounts)} were asked for")
    return problems

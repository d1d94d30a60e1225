"""Fairness: small urgent batches and status queries while a large run is paid.

A part of the large run is paid alone first, so that what the small ones cost it can be told. The small batches and
the queries come from a process of their own (``fairness_probe``), over connections of their own; it also measures how
late it was itself, which is in every latency.
"""

import asyncio
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec

from connector.app import keyring, store_url
from connector.cli.check import versions
from connector.cli.instance import fresh_instance
from connector.cli.source_bb import SourceBB, source_bb
from connector.domain.errors import Unavailable
from connector.settings import Settings
from connector.store import Store
from loadtests.bench.bodies import Body, write_bodies
from loadtests.bench.disburse_books import Records, called_problems, drained, ledger_problems
from loadtests.bench.fairness_probe import Plan, Seen
from loadtests.bench.paying import LONGEST_SECONDS, Paid, pay, register
from loadtests.bench.weights import percentiles

SOURCE: Final = "BENCHSOURCE1"
SMALL_SOURCE: Final = "BENCHSOURCE2"
ALONE_SHARE: Final = 3
"""One part in so many of the large run is paid before, alone."""

SMALL_PEOPLE: Final = 20_000
GOAL_SMALL_SECONDS: Final = 2.0
GOAL_QUERY_SECONDS: Final = 0.05


@dataclass
class Result:
    """What was measured; problems: payments that are not final, books that do not come out, queries that failed.

    small_seconds: from the post of a small batch to its final callback; small_accept_seconds: to the answer to the
    post; small_steps_seconds: from its acceptance to each kind of line in its event log. query_seconds: by question.
    probe_lag_seconds: how late the process that asked was itself. All with p50, p95, p99 and max.
    within_goals: 2 s for the small batches and 50 ms for the queries, at the 99th percentile.
    """

    payments: int
    alone_payments: int
    batch_size: int
    workers: int
    api_processes: int
    payments_per_second: float
    payments_per_second_alone: float
    small_batches: int
    small_payments: int
    small_seconds: dict[str, float]
    small_accept_seconds: dict[str, float]
    small_steps_seconds: dict[str, dict[str, float]]
    queries: dict[str, int]
    query_seconds: dict[str, dict[str, float]]
    probe_lag_seconds: dict[str, float]
    within_goals: dict[str, bool]
    versions: dict[str, str]
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give the figures by name, units in the names."""
        return asdict(self)


class _Plan(NamedTuple):
    """What is to be run."""

    payments: int
    batch_size: int
    workers: int
    api_processes: int

    @property
    def alone(self) -> int:
        """Payments that are paid before, alone."""
        return max(1, self.payments // ALONE_SHARE)

    @property
    def large(self) -> int:
        """Payments of the large run, alone and not: the people of the small batches come after theirs."""
        return self.alone + self.payments


async def measure(*, payments: int, batch_size: int, workers: int, api_processes: int) -> Result:
    """Pay a large run in an instance of its own, once alone and once with small batches beside it."""
    plan = _Plan(payments, batch_size, workers, api_processes)
    options = {"workers": workers, "api_processes": api_processes, "progress_interval_seconds": 3600.0}
    with tempfile.TemporaryDirectory(prefix="isogate-bench-") as folder:
        bodies = write_bodies(Path(folder), plan.alone, batch_size)
        beside = write_bodies(Path(folder), payments, batch_size, plan.alone)
        async with (
            fresh_instance(Path(folder), print, log_level="WARNING", **options) as (settings, _),
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LONGEST_SECONDS)) as session,
            source_bb(settings.api_url, SOURCE, LONGEST_SECONDS) as ministry,
            source_bb(settings.api_url, SMALL_SOURCE, LONGEST_SECONDS) as other,
            _opened(settings) as store,
        ):
            await register(ministry, plan.large)
            await register(other, SMALL_PEOPLE, plan.large)
            before = await _paid(ministry, bodies)
            async with probing(Plan(settings.api_url, SMALL_SOURCE, plan.large, SMALL_PEOPLE)) as seen:
                run = await _paid(ministry, beside)
            await drained(settings, session)
            small = _small(seen[0])
            problems = await _problems(settings, session, store, [*before.paid, *run.paid, *small])
            steps = await _steps(store, small)
    return _result(before, run, seen[0], plan, steps, problems)


@dataclass
class _Run:
    """Batches that were paid, and how many payments a second that were."""

    paid: list[Paid]
    per_second: float


async def _paid(ministry: SourceBB, bodies: Sequence[Body]) -> _Run:
    """Pay all of them, and tell how fast: from the first post to the last final callback."""
    began = time.time()
    paid = await pay(ministry, bodies)
    seconds = max(each.final_at for each in paid) - began
    return _Run(paid, sum(each.body.payments for each in paid) / seconds)


@asynccontextmanager
async def probing(plan: Plan) -> AsyncIterator[list[Seen]]:
    """Let small batches and queries go on until the block ends; the list then has what was seen."""
    seen: list[Seen] = []
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtests.bench.fairness_probe", msgspec.json.encode(plan).decode(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield seen
        said, _ = await process.communicate(b"")
        if process.returncode:
            raise Unavailable("fairness probe", f"ended with exit code {process.returncode}")
        seen.append(msgspec.json.decode(said, type=Seen))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _small(seen: Seen) -> list[Paid]:
    """Give the small batches as the checks of the books want them."""
    return [
        Paid(Body(Path(), each.first, each.count), 0.0, batch_id=each.batch_id, final=each.called)
        for each in seen.small
    ]


async def _problems(
    settings: Settings, session: aiohttp.ClientSession, store: Store, paid: Sequence[Paid]
) -> list[str]:
    """Check that every payment of the large run and of the small batches was made once, and that all books say so."""
    records = Records(store)
    await records.read(paid)
    total = sum(each.body.payments for each in paid)
    return [*called_problems(paid), *records.problems, *await ledger_problems(settings, session, total)]


async def _steps(store: Store, paid: Sequence[Paid]) -> dict[str, dict[str, float]]:
    """Tell how long after its acceptance each thing happened to a small batch (for the last time)."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for each in paid:
        events = await store.events.of(await store.batches.by_sender_id(each.batch_id) or each.batch_id)
        for name, at in {event.action: event.at for event in events}.items():
            seconds[name].append(at - events[0].at)
    return {name: _spread(found) for name, found in seconds.items()}


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Store]:
    store = await Store.connect(
        store_url(settings), keys=keyring(settings), partitions=settings.partitions, clock=time.time
    )
    try:
        yield store
    finally:
        await store.close()


def _result(
    before: _Run, run: _Run, seen: Seen, plan: _Plan, steps: dict[str, dict[str, float]], problems: list[str]
) -> Result:
    small = _spread([each.final for each in seen.small])
    queries = {name: _spread(seconds) for name, seconds in seen.queries.items()}
    missing = [] if small and all(queries.values()) else ["the run was too short to measure anything beside it"]
    return Result(
        payments=plan.payments,
        alone_payments=plan.alone,
        batch_size=plan.batch_size,
        workers=plan.workers,
        api_processes=plan.api_processes,
        payments_per_second=round(run.per_second, 1),
        payments_per_second_alone=round(before.per_second, 1),
        small_batches=len(seen.small),
        small_payments=sum(each.count for each in seen.small),
        small_seconds=small,
        small_accept_seconds=_spread([each.accepted for each in seen.small]),
        small_steps_seconds=steps,
        queries={name: len(seconds) for name, seconds in seen.queries.items()},
        query_seconds=queries,
        probe_lag_seconds=_spread(seen.lags),
        within_goals={
            "small batches": bool(small) and small["p99"] < GOAL_SMALL_SECONDS,
            "queries": all(found and found["p99"] < GOAL_QUERY_SECONDS for found in queries.values()),
        },
        versions=versions(),
        problems=[*seen.problems, *missing, *problems],
    )


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    return percentiles([(each, 1) for each in seconds])

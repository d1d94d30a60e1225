"""Disbursement end to end: from the POST of the first batch to the final callback of the last one.

Nothing is left out: real HTTP on both sides, account mapper lookups, pain.001 and pain.002 checked against their
schemas on both sides, every write in an append-only file with fsync. Only the people are registered beforehand, and
the request bodies lie on disk. Afterwards all books are compared, account by account.
"""

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp

from connector.app import store_url
from connector.cli.check import versions
from connector.cli.instance import fresh_instance
from connector.cli.source_bb import SourceBB, source_bb
from connector.settings import Settings
from connector.store.link import ServerLink
from loadtests.bench import stage_times
from loadtests.bench.afterwards import Afterwards, look
from loadtests.bench.bodies import Body, write_bodies
from loadtests.bench.disburse_books import LOOK_EVERY_SECONDS, called_problems, drained, ledger_problems
from loadtests.bench.floors import floors
from loadtests.bench.footprint import StoreBytes, forget_peaks, own_peak_mb, processor_seconds
from loadtests.bench.memory import watching
from loadtests.bench.paying import LONGEST_SECONDS, Paid, pay, register
from loadtests.bench.weights import by_second, distribution, latency, percentiles

SOURCE: Final = "BENCHSOURCE1"
MICRO: Final = 1_000_000
TELL_SECONDS: Final = 1.5
"""Within this time every process has told what its stages cost."""

REWRITE_SECONDS: Final = 60.0
"""So long the run waits for the store to have rewritten its file after the people were registered."""


@dataclass
class Result:
    """What was measured; problems: payments that are not final, or books that do not come out.

    seconds: from the first post to the last final callback; drain_seconds: from there until no task was left.
    latency_seconds: payment by payment, from the acceptance of its batch to the commit of its final state;
    within_seconds: the same as a distribution, in steps of half a percent; batch_seconds: batch by batch, from the
    answer to its post to its final callback. final_by_second: payments that became final in each second of the run.
    cpu_seconds_per_1000: processor seconds while paying, by process, children included.
    peak_rss_mb: of the whole run, with registration; peak_rss_paying_mb: from the first post on, empty where that
    cannot be told. store_*: what was added while paying, by payment; store_file_bytes counts what the append-only
    file grew by, and says nothing where the file was rewritten meanwhile (store_file_rewrites).
    reports: what the reports of the simulated institutions listed.
    stages: microseconds a payment by process and stage, "rest" what its stages leave of its processor time.
    floors: microseconds that the bare work on a payment takes one core, in the same run.
    """

    payments: int
    batches: int
    workers: int
    seconds: float
    payments_per_second: float
    register_seconds: float
    accept_seconds: float
    drain_seconds: float
    latency_seconds: dict[str, float]
    within_seconds: list[float]
    batch_seconds: dict[str, float]
    final_by_second: list[int]
    cpu_seconds_per_1000: dict[str, float]
    cpu_microseconds_per_payment: float
    peak_rss_mb: dict[str, float]
    peak_rss_paying_mb: dict[str, float]
    body_bytes: int
    store_bytes_per_payment: float
    store_bytes_per_payment_archived: float
    archive_bytes_per_payment: float
    archive_seconds: float
    store_file_bytes_per_payment: float
    store_file_rewrites: int
    store_commands_per_1000: float
    stages: dict[str, dict[str, dict[str, float]]]
    floors: dict[str, float]
    versions: dict[str, str]
    reports: str = ""
    ledger_balanced: bool = False
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give the figures by name, units in the names."""
        return asdict(self)


class _Footprint(NamedTuple):
    """What everything had taken at one moment."""

    processor: Mapping[str, float]
    store: StoreBytes
    stages: stage_times.Stages


@dataclass
class _Run:
    """The course of a run; moments in Unix seconds."""

    paid: list[Paid]
    register_seconds: float
    began: float
    drained_at: float
    before: _Footprint
    after: _Footprint
    peaks: dict[str, float]
    peaks_paying: dict[str, float]

    @property
    def ended(self) -> float:
        """When the last final callback came."""
        return max(each.final_at for each in self.paid)


async def measure(
    *, payments: int, batch_size: int, workers: int, api_processes: int = 1, reports: str = "exceptions"
) -> Result:
    """Pay ``payments`` people in batches, in an instance of its own, and check what came out.

    reports: what the simulated institutions' reports list, exceptions only or each payment.
    """
    with tempfile.TemporaryDirectory(prefix="isogate-bench-") as folder:
        chosen = {"workers": workers, "api_processes": api_processes, "simulator_reports": reports}
        quiet = {"log_level": "WARNING", "progress_interval_seconds": 3600.0}
        bodies = write_bodies(Path(folder), payments, batch_size)
        async with (
            fresh_instance(Path(folder), print, **chosen, **quiet) as (settings, supervisor),
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LONGEST_SECONDS)) as session,
            source_bb(settings.api_url, SOURCE, LONGEST_SECONDS) as ministry,
        ):
            scene = _Scene(settings, session, {part.name: part.pid for part in supervisor.parts})
            run = await scene.play(ministry, bodies, payments)
            afterwards = await look(settings, run.paid)
            ledgers = await ledger_problems(settings, session, payments)
        body_bytes = sum(body.path.stat().st_size for body in bodies)
    result = _result(run, afterwards, payments, workers, body_bytes)
    result.reports = reports
    result.ledger_balanced = not ledgers
    result.problems = [*called_problems(run.paid), *afterwards.problems, *ledgers]
    return result


class _Scene:
    """An instance, looked at from outside."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession, processes: Mapping[str, int]) -> None:
        """Take the process ids by name."""
        self._settings = settings
        self._session = session
        self._processes = processes
        self._link = ServerLink(store_url(settings))

    async def play(self, ministry: SourceBB, bodies: Sequence[Body], people: int) -> _Run:
        """Register, pay, and note what it took."""
        try:
            async with watching(self._processes) as whole:
                begun = time.time()
                await register(ministry, people)
                registered = time.time()
                await self._at_rest()
                whole.sample()
                own, fresh = own_peak_mb(), forget_peaks(self._processes)
                async with watching(self._processes) as paying:
                    before = await self._footprint()
                    began = time.time()
                    paid = await pay(ministry, bodies)
                    await drained(self._settings, self._session)
                    drained_at = time.time()
                    await asyncio.sleep(TELL_SECONDS)
                    after = await self._footprint()
        finally:
            await self._link.close()
        peaks_paying = paying.peak_rss_mb | own_peak_mb()
        peaks = {name: max(mb, peaks_paying[name]) for name, mb in (whole.peak_rss_mb | own).items()}
        return _Run(paid, registered - begun, began, drained_at, before, after, peaks, peaks_paying if fresh else {})

    async def _at_rest(self) -> None:
        """Wait until nothing of the registration is left to be done, in the queues or in the store's file."""
        await drained(self._settings, self._session)
        late = time.monotonic() + REWRITE_SECONDS
        while (await StoreBytes.read(self._link)).rewriting and time.monotonic() < late:  # noqa: ASYNC110 - untold
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        await asyncio.sleep(TELL_SECONDS)

    async def _footprint(self) -> _Footprint:
        stages = await stage_times.read(self._settings, self._session, self._processes)
        return _Footprint(processor_seconds(self._processes), await StoreBytes.read(self._link), stages)


def _result(run: _Run, afterwards: Afterwards, payments: int, workers: int, body_bytes: int) -> Result:
    settled = afterwards.settled
    before, after = run.before, run.after
    spent = {name: after.processor[name] - before.processor[name] for name in after.processor}
    rewrites = after.store.rewrites - before.store.rewrites
    return Result(
        payments=payments,
        batches=len(run.paid),
        workers=workers,
        seconds=round(run.ended - run.began, 3),
        payments_per_second=round(payments / (run.ended - run.began), 1),
        register_seconds=round(run.register_seconds, 3),
        accept_seconds=round(max(each.answered_at for each in run.paid) - run.began, 3),
        drain_seconds=round(run.drained_at - run.ended, 3),
        latency_seconds=latency(settled),
        within_seconds=distribution(settled),
        batch_seconds=percentiles([(each.final_at - each.answered_at, 1) for each in run.paid]),
        final_by_second=by_second(settled, run.began),
        cpu_seconds_per_1000={name: round(seconds * 1000 / payments, 4) for name, seconds in spent.items()},
        cpu_microseconds_per_payment=round(sum(spent.values()) * MICRO / payments, 1),
        peak_rss_mb=run.peaks,
        peak_rss_paying_mb=run.peaks_paying,
        body_bytes=body_bytes,
        store_bytes_per_payment=round((after.store.memory - before.store.memory) / payments, 1),
        store_bytes_per_payment_archived=round((afterwards.store.memory - before.store.memory) / payments, 1),
        archive_bytes_per_payment=round(afterwards.archive_bytes / payments, 1),
        archive_seconds=round(afterwards.archive_seconds, 3),
        store_file_bytes_per_payment=round((after.store.file - before.store.file) / payments, 1),
        store_file_rewrites=rewrites,
        store_commands_per_1000=round((after.store.commands - before.store.commands) * 1000 / payments, 1),
        stages=stage_times.breakdown(stage_times.between(before.stages, after.stages), spent, payments),
        floors=floors(),
        versions=versions(),
    )

"""Two worker processes beside one: how much faster the same queue is worked off.

The question is asked of the workers alone. Batches are accepted and queued while the workers hold still; then one or
both are released, and the clock runs until the last batch is final, by the store's own word. Each worker is pinned to
a core of its own: otherwise one worker would use two, since lxml validates outside the interpreter's lock. What else
there is (store, bank, API, this process) has all cores that no released worker is pinned to; where none is left, it
shares the workers' cores, and how much of them it takes is part of the result.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from connector.app import keyring, store_url
from connector.cli.check import versions
from connector.cli.instance import fresh_instance
from connector.cli.people import Person, payable_people
from connector.cli.source_bb import SourceBB, credit_v3, source_bb
from connector.domain.batch import BatchProgress
from connector.domain.money import amount_text, exponent
from connector.domain.status import Outcome
from connector.settings import Settings
from connector.store import Store
from loadtests.bench.light_bank import light_bank
from loadtests.bench.processor import cpu_seconds
from loadtests.bench.scale_cores import cores, hold, pin, release

CURRENCY: Final = "USD"
PROGRAMME: Final = "PENSIONS"
SOURCE: Final = "SCALESOURCE1"
REGISTER_AT_ONCE: Final = 10_000
BATCH_SIZE: Final = 10_000
WORKERS: Final = 2
LONGEST_SECONDS: Final = 900.0
SETTLE_SECONDS: Final = 0.3
"""So long after the last batch was accepted, and after workers were told to hold still, nothing is under way."""

COUNTED: Final = "compose"
"""The stage whose payments tell who paid them."""

TELLING_SECONDS: Final = 4.0
BANK: Final = "light bank"
BENCH: Final = "bench"
LEAST_SHARE: Final = 0.9
"""Below this, the cores were not the workers' and the instance's alone."""


@dataclass(frozen=True)
class Run:
    """One queue worked off. Processor figures are microseconds a payment, by process; core_shares: of one core.

    others_share: what processes that are no workers took of the released workers' cores, where they have no others;
    paid_by: payments by worker, as the workers count them themselves.
    """

    workers: int
    seconds: float
    payments_per_second: float
    accept_us: float
    cpu_us: dict[str, float]
    core_shares: dict[str, float]
    others_share: float
    paid_by: dict[str, int]
    store_calls_per_1000: float


@dataclass
class ScaleResult:
    """What was measured; runs: in the order in which they were made.

    ratio: median over the rounds of two workers' payments a second to one's, by the clock. ratio_by_processor: twice
    what one worker needs a payment to what two need: what the ratio would be if nothing else took their cores.
    workers_a_store_carries: how many busy workers keep one core of a store busy.
    """

    payments: int
    rounds: int
    cores: int
    pinned: bool
    payments_per_second: dict[str, float]
    ratio: float
    ratio_by_processor: float
    cpu_us: dict[str, dict[str, float]]
    workers_a_store_carries: float
    shares_of_workers: list[float]
    runs: list[Run]
    bank: dict[str, int | str]
    versions: dict[str, str]
    remarks: list[str]
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give the figures by name, units in the names."""
        return asdict(self)


async def measure(*, payments: int, rounds: int) -> ScaleResult:
    """Work so many payments off with one worker and with two, in turn, ``rounds`` times."""
    async with _bench(payments) as bench:
        runs = []
        for number in range(rounds):
            order = (1, 2) if number % 2 == 0 else (2, 1)
            runs += [await bench.run(workers) for workers in order]
        bank = await bench.bank_figures()
        problems = [*bench.problems, *_of_bank(bench.before, bank, len(runs), payments, bench.asked_minor)]
    return _summed_up(payments, runs, bank, problems)


class _Bench:
    """An instance with two workers, a light bank, and people to be paid."""

    def __init__(
        self, ministry: SourceBB, store: Store, processes: Mapping[str, int], people: Sequence[Person]
    ) -> None:
        self._ministry = ministry
        self._store = store
        self._processes = processes
        self._cores = cores()
        self._workers = [pid for name, pid in processes.items() if name.startswith("worker ")]
        self._amounts = [1000 + number % 9000 for number in range(len(people))]
        numbers = range(0, len(people), BATCH_SIZE)
        self._bodies = [self._body(people, start) for start in numbers]
        self._runs = 0
        self.bank_url = ""
        self.asked_minor = sum(self._amounts)
        self.before: dict[str, int | str] = {}
        self.problems: list[str] = []

    async def run(self, workers: int) -> Run:
        """Queue everything, release so many workers, and measure until all is final."""
        hold(self._workers)
        await asyncio.sleep(SETTLE_SECONDS)
        self._place(self._workers[:workers])
        before = self._cpu()
        batches = await self._accept()
        accepted, calls = self._cpu(), await self._calls()
        counted, began = await self._composed(), time.time()
        release(self._workers[:workers])
        finals = await asyncio.gather(*(self._ministry.finished(batch, LONGEST_SECONDS) for batch in batches))
        spent, calls = self._cpu(), await self._calls() - calls
        ends = [await self._final(batch) for batch in batches]
        release(self._workers)
        self.problems += self._wrong(ends, len(finals))
        paid = await self._paid_by(counted, len(self._amounts))
        api = sum(accepted[name] - before[name] for name in ("api", "store"))
        worked = {name: spent[name] - accepted[name] for name in spent}
        return self._figures(workers, max(each.finished_at for each in ends) - began, worked, api, calls, paid)

    async def warm_up(self) -> None:
        """Let one batch through before anything is measured, so that nothing is done for the first time then."""
        batch = await self._ministry.pay(self._bodies[0], PROGRAMME, f"S{0:011d}")
        await self._ministry.finished(batch, LONGEST_SECONDS)
        await self._paid_by({}, min(BATCH_SIZE, len(self._amounts)))
        self.before = await self.bank_figures()

    def let_go(self) -> None:
        """Let everything use all cores again, and no worker hold still."""
        release(self._workers)
        pin([os.getpid()], self._cores)

    async def bank_figures(self) -> dict[str, int | str]:
        """Ask the bank what came in."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.bank_url}/figures") as answer:
            return dict(await answer.json())

    def _place(self, released: Sequence[int]) -> None:
        """Pin each released worker to a core, and all else to what is left."""
        free = self._cores
        pin([os.getpid()], free[len(released) :] or free)  # with all that this process has started
        for number, pid in enumerate(released):
            pin([pid], free[number : number + 1])

    def _cpu(self) -> dict[str, float]:
        """Processor seconds so far; all else is a child of this process, which is counted without them."""
        return {**cpu_seconds(self._processes), BENCH: time.process_time()}

    async def _accept(self) -> list[str]:
        self._runs += 1
        names = [f"S{self._runs:03d}{number:08d}" for number in range(len(self._bodies))]
        batches = [
            await self._ministry.pay(body, PROGRAMME, name) for body, name in zip(self._bodies, names, strict=True)
        ]
        await asyncio.sleep(SETTLE_SECONDS)
        return batches

    async def _composed(self) -> dict[str, int]:
        """How many payments each process has put into messages so far, by its own count of stages."""
        said = await self._store.stages.all()
        return {name: stages[COUNTED].payments for name, stages in said.items() if COUNTED in stages}

    async def _paid_by(self, before: Mapping[str, int], payments: int) -> dict[str, int]:
        """Wait until the workers have told their counts, which they do about every second."""
        patience, paid = time.monotonic() + TELLING_SECONDS, dict[str, int]()
        while sum(paid.values()) < payments and time.monotonic() < patience:
            await asyncio.sleep(0.1)
            paid = {name: count - before.get(name, 0) for name, count in (await self._composed()).items()}
        return paid

    async def _final(self, batch: str) -> BatchProgress:
        ref = await self._store.batches.by_sender_id(batch) or batch
        return (await self._store.batches.read(ref))[1]

    async def _calls(self) -> int:
        """How many commands the store has executed so far."""
        said = await self._store.link.ask("INFO", "stats")
        return int(said["total_commands_processed"])

    def _body(self, people: Sequence[Person], start: int) -> bytes:
        numbers = range(start, min(start + BATCH_SIZE, len(people)))
        return msgspec.json.encode([credit_v3(n, people[n], self._amounts[n], CURRENCY) for n in numbers])

    def _wrong(self, ends: Sequence[BatchProgress], told: int) -> list[str]:
        done = [each.totals.get(CURRENCY, {}).get(Outcome.COMPLETED) for each in ends]
        count, minor = sum(each.payments for each in done if each), sum(each.minor for each in done if each)
        wanted = len(self._amounts), self.asked_minor
        problems = (
            [] if (count, minor) == wanted else [f"run {self._runs}: {(count, minor)} paid, asked for {wanted}"]
        )
        return problems if told == len(ends) else [*problems, f"run {self._runs}: a final callback is missing"]

    def _figures(
        self,
        workers: int,
        seconds: float,
        worked: Mapping[str, float],
        accept: float,
        calls: int,
        paid_by: dict[str, int],
    ) -> Run:
        payments = len(self._amounts)
        others = sum(spent for name, spent in worked.items() if not name.startswith("worker "))
        share = others / (seconds * workers) if len(self._cores) <= workers else 0.0
        return Run(
            workers,
            round(seconds, 3),
            round(payments / seconds, 1),
            round(accept / payments * 1e6, 2),
            {name: round(spent / payments * 1e6, 2) for name, spent in worked.items()},
            {name: round(spent / seconds, 3) for name, spent in worked.items()},
            round(share, 3),
            paid_by,
            round(calls / payments * 1000, 2),
        )


@asynccontextmanager
async def _bench(payments: int) -> AsyncIterator[_Bench]:
    """Start everything, register the people, and let a small batch through so that all is warm."""
    people = list(payable_people(payments))
    with tempfile.TemporaryDirectory(prefix="isogate-scale-") as folder:
        async with (
            light_bank() as (bank_url, bank_pid),
            fresh_instance(Path(folder), print, **_overrides(bank_url)) as (settings, supervisor),
            source_bb(settings.api_url, SOURCE, LONGEST_SECONDS) as ministry,
            _store(settings) as store,
        ):
            processes = {part.name: part.pid for part in supervisor.parts} | {BANK: bank_pid}
            for number, start in enumerate(range(0, payments, REGISTER_AT_ONCE)):
                await ministry.register(f"SCALE{number:07d}", people[start : start + REGISTER_AT_ONCE])
            bench = _Bench(ministry, store, processes, people)
            bench.bank_url = bank_url
            await bench.warm_up()
            try:
                yield bench
            finally:
                bench.let_go()


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    keys = keyring(settings)
    store = await Store.connect(store_url(settings), keys=keys, partitions=settings.partitions, clock=time.time)
    try:
        yield store
    finally:
        await store.close()


def _overrides(bank_url: str) -> dict[str, object]:
    quiet = {"log_level": "WARNING", "progress_interval_seconds": 3600.0}
    return {**quiet, "workers": WORKERS, "simulators_url": bank_url}


def _of_bank(
    before: Mapping[str, int | str], after: Mapping[str, int | str], runs: int, payments: int, minor: int
) -> list[str]:
    """Compare what reached the bank with what was ordered: every payment once."""
    count = int(after["payments"]) - int(before["payments"])
    total = Decimal(after["total"]) - Decimal(before["total"])
    problems = [f"{after['repeated']} messages reached the bank twice"] if after["repeated"] else []
    if count != payments * runs or total != Decimal(amount_text(minor * runs, exponent(CURRENCY))):
        problems.append(f"{count} payments of {total} {CURRENCY} reached the bank, not each of them once")
    return problems


def _summed_up(payments: int, runs: Sequence[Run], bank: dict[str, int | str], problems: list[str]) -> ScaleResult:
    by_workers = {workers: [each for each in runs if each.workers == workers] for workers in (1, WORKERS)}
    one, two = by_workers.values()
    cpu = {str(workers): _medians(of) for workers, of in by_workers.items()}
    spent = {
        workers: sum(us for name, us in each.items() if name.startswith("worker ")) for workers, each in cpu.items()
    }
    rounds = zip(one, two, strict=True)
    ratio = statistics.median(pair.payments_per_second / single.payments_per_second for single, pair in rounds)
    rates = {
        name: statistics.median(each.payments_per_second for each in of)
        for name, of in zip(cpu, (one, two), strict=True)
    }
    store = cpu["1"]["store"]
    return ScaleResult(
        payments=payments,
        rounds=len(one),
        cores=os.cpu_count() or 1,
        pinned=sys.platform == "linux",
        payments_per_second=rates,
        ratio=round(ratio, 2),
        ratio_by_processor=round(WORKERS * spent["1"] / spent[str(WORKERS)], 2),
        cpu_us=cpu,
        workers_a_store_carries=round(spent["1"] / store, 1) if store else 0.0,
        shares_of_workers=_shares(two),
        runs=list(runs),
        bank=bank,
        versions=versions(),
        remarks=_remarks(runs),
        problems=problems,
    )


def _remarks(runs: Sequence[Run]) -> list[str]:
    """Say where the workers did not get their cores, although there was work: something else had them."""
    shares = [sum(share for name, share in each.core_shares.items() if name.startswith("worker ")) for each in runs]
    return [
        f"run {number}: {each.workers} worker(s) had {share / each.workers:.0%} of a core each, others "
        f"{each.others_share:.0%} of the same cores: this machine had other work"
        for number, (each, share) in enumerate(zip(runs, shares, strict=True), start=1)
        if share / each.workers + each.others_share < LEAST_SHARE
    ]


def _medians(runs: Sequence[Run]) -> dict[str, float]:
    return {name: round(statistics.median(each.cpu_us[name] for each in runs), 2) for name in runs[0].cpu_us}


def _shares(runs: Sequence[Run]) -> list[float]:
    """Say how evenly the payments were shared out: each worker's part, over all runs with two."""
    names = sorted({name for each in runs for name in each.paid_by})
    paid = [sum(each.paid_by.get(name, 0) for each in runs) for name in names]
    return [round(each / sum(paid), 3) for each in paid if sum(paid)]

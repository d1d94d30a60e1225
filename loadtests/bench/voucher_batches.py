"""Vouchers in batches, without HTTP: created and activated through the flows, in an embedded store of their own.

In turn, the store syncs its file with every write, and once a second.
"""

import asyncio
import statistics
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Final, TypeVar

from connector.app import build_services
from connector.domain.voucher import Command, Issued, VoucherState
from connector.flows.services import Services
from connector.flows.vouchers.caller import GOVSTACK_V3, Caller
from connector.flows.vouchers.issue import Wanted, issue
from connector.flows.vouchers.lifecycle import change
from connector.settings import load
from connector.store.embedded import EmbeddedServer
from loadtests.bench.voucher_world import CURRENCY, GROUP, PROGRAMME, SOURCE, amount, demo_file

T = TypeVar("T")

BATCH: Final = 1000
AT_ONCE: Final = 4
"""Batches under way at the same time: the store writes one while the next is being sealed."""

_CALLER: Final = Caller(GOVSTACK_V3, SOURCE)


@dataclass
class Batches:
    """What came of one way of syncing: median rates of the rounds; problems: what does not come out."""

    create: list[float] = field(default_factory=list)
    activate: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def create_per_second(self) -> float:
        """Vouchers per second, drawn, sealed, indexed, stored, their money reserved."""
        return round(statistics.median(self.create), 1)

    @property
    def activate_per_second(self) -> float:
        """Vouchers per second, one by one checked and moved, their expiry noted."""
        return round(statistics.median(self.activate), 1)


async def measure_batches(folder: Path, vouchers: int, rounds: int) -> tuple[dict[str, Batches], list[str]]:
    """Create and activate so many vouchers in each round, with either way of syncing; results by it, and problems."""
    results = {fsync: Batches() for fsync in ("everysec", "always")}
    with EmbeddedServer(folder / "batches" / "store") as server:
        data = {"data_dir": folder / "batches", "redis_url": server.url, "demo_data": demo_file(folder)}
        async with build_services(load(profile="sandbox", **data)) as services:
            for number, (fsync, result) in product(range(rounds), results.items()):
                await services.store.link.ask("CONFIG", "SET", "appendfsync", fsync)
                await _round(services, result, f"{number}{fsync}", vouchers)
            problems = await _problems(services, 2 * vouchers * rounds)
    return results, [*problems, *(problem for result in results.values() for problem in result.problems)]


async def _round(services: Services, result: Batches, name: str, vouchers: int) -> None:
    sizes = [min(BATCH, vouchers - first) for first in range(0, vouchers, BATCH)]
    begun = time.perf_counter()
    issued = await _some_at_once([_issue(services, f"{name}-{n}", size) for n, size in enumerate(sizes)])
    created = time.perf_counter()
    moved = await _some_at_once([_activate(services, batch) for batch in issued])
    activated = time.perf_counter()
    result.create.append(vouchers / (created - begun))
    result.activate.append(vouchers / (activated - created))
    if sum(moved) != vouchers or len({one.number for batch in issued for one in batch}) != vouchers:
        result.problems.append(f"round {name}: not {vouchers} vouchers with numbers of their own are active")


async def _some_at_once(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Do all, ``AT_ONCE`` at a time; gives what each came to."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(each: Coroutine[Any, Any, T]) -> T:
        async with free:
            return await each

    return await asyncio.gather(*map(one, work))


async def _issue(services: Services, request: str, size: int) -> list[Issued]:
    wanted = [Wanted(GROUP, CURRENCY, amount(n), f"I{n:015d}") for n in range(size)]
    return await issue(services, _CALLER, request, wanted)


async def _activate(services: Services, issued: Sequence[Issued]) -> int:
    """Activate a batch; gives how many became active."""
    moved = await change(services, _CALLER, Command.ACTIVATE, [one.serial for one in issued])
    return sum(not one.fault and one.state is VoucherState.ACTIVATED for one in moved)


async def _problems(services: Services, vouchers: int) -> list[str]:
    """Compare stock and budget with what was made."""
    tallies = await services.store.vouchers.stock(GROUP)
    active = tallies.get((VoucherState.ACTIVATED, CURRENCY))
    reserved = (await services.store.funds.balances(PROGRAMME))[CURRENCY].reserved
    if active is None or active.payments != vouchers:
        return [f"the stock does not count {vouchers} active vouchers"]
    if active.minor != reserved:
        return [f"vouchers of {active.minor} minor units are out, {reserved} are reserved"]
    return []

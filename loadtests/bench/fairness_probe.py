"""Small urgent batches and status queries beside a large run, from a process of their own.

Started with one JSON object (``Plan``) as its argument; it runs until its standard input ends, waits for what is
still on its way, and prints one JSON object (``Seen``). Whatever the client of the large run does, its clocks go on.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle
from typing import Any, Final

import aiohttp
import msgspec

from connector.cli.people import payable_people
from connector.cli.process import run
from connector.cli.source_bb import SourceBB, credit_v3, source_bb
from loadtests.bench.bodies import CURRENCY, amount
from loadtests.bench.paying import PROGRAMME

SIZES: Final = (10, 25, 50, 100)
BATCH_EVERY_SECONDS: Final = 0.5
QUERY_EVERY_SECONDS: Final = 0.05
LOOK_EVERY_SECONDS: Final = 0.01
LONGEST_SECONDS: Final = 120.0
URGENT: Final = 0


class Plan(msgspec.Struct):
    """What is to be done: which instance, under which name, and which people are there for the small batches."""

    base: str
    source: str
    first: int
    people: int


class Small(msgspec.Struct):
    """One small batch: which payments of the run, its id, what was called final, and its times in seconds.

    accepted: from the post to its answer; final: from the post to the final callback.
    """

    first: int
    count: int
    batch_id: str
    called: dict[str, object]
    accepted: float
    final: float


class Seen(msgspec.Struct):
    """All that was seen; queries: seconds by question; lags: how late this process itself was, in seconds."""

    small: list[Small]
    queries: dict[str, list[float]]
    lags: list[float]
    problems: list[str]


class Probe:
    """Asks and pays at a steady pace, whether what was asked before is answered or not."""

    def __init__(self, plan: Plan, ministry: SourceBB, session: aiohttp.ClientSession) -> None:
        """Pay by ``ministry``, ask over ``session``."""
        self._plan = plan
        self._ministry = ministry
        self._session = session
        self._stop = asyncio.Event()
        self._newest = ""
        self.seen = Seen([], {"batch status": [], "batch list": []}, [], [])

    async def run(self, until: Awaitable[object]) -> Seen:
        """Go on until ``until`` is done, then wait for what is on its way."""
        questions, places = cycle((self._status, self._list)), self._places()

        async def small() -> None:
            if place := next(places, None):
                await self._pay(*place)

        async def query() -> None:
            await next(questions)()

        paces = [
            asyncio.create_task(self._pace(small, BATCH_EVERY_SECONDS)),
            asyncio.create_task(self._pace(query, QUERY_EVERY_SECONDS)),
            asyncio.create_task(self._watch_itself()),
        ]
        await until
        self._stop.set()
        await asyncio.gather(*paces)
        return self.seen

    def _places(self) -> Iterator[tuple[int, int, int]]:
        """Give each small batch its number and, as long as there are any, people of its own: the first, how many."""
        first, last = self._plan.first, self._plan.first + self._plan.people
        for number, size in enumerate(cycle(SIZES)):
            if first + size > last:
                return
            yield number, first, size
            first += size

    async def _pace(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        """Begin a piece of work every so many seconds."""
        begun: set[asyncio.Task[None]] = set()
        due = time.perf_counter()
        while not self._stop.is_set():
            task = asyncio.create_task(self._noted(work))
            begun.add(task)
            task.add_done_callback(begun.discard)
            due += seconds
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if begun:
            await asyncio.wait(begun)

    async def _noted(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is a result
            self.seen.problems.append(f"{type(error).__name__}: {str(error)[:200]}")

    async def _pay(self, number: int, first: int, size: int) -> None:
        people = enumerate(payable_people(size, first), first)
        body = msgspec.json.encode([credit_v3(n, person, amount(n), CURRENCY) for n, person in people])
        began = time.perf_counter()
        name = await self._ministry.pay(body, PROGRAMME, f"SMALL{number:07d}", URGENT)
        accepted = time.perf_counter() - began
        called = await self._ministry.finished(name, LONGEST_SECONDS)
        final = time.perf_counter() - began
        self.seen.small.append(Small(first, size, name, dict(called), accepted, final))

    async def _status(self) -> None:
        if self._newest:
            where = f"/api/v1/batch?batchId={self._newest}&X-CorrelationID=FAIRNESS"
            await self._ask("batch status", "POST", where)

    async def _list(self) -> None:
        said = await self._ask("batch list", "GET", "/admin/batches?newest=20")
        large = max(said["items"], key=lambda item: item["payments"], default=None)
        self._newest = large["batch_id"] if large else ""

    async def _ask(self, name: str, verb: str, where: str) -> Any:  # noqa: ANN401 - decoded JSON
        began = time.perf_counter()
        headers = {"Platform-TenantId": "sandbox"}
        async with self._session.request(verb, self._plan.base + where, headers=headers) as answer:
            body = await answer.read()
            self.seen.queries[name].append(time.perf_counter() - began)
            if answer.status != 200:
                raise RuntimeError(f"{name} was answered with {answer.status}: {body[:200]!r}")
            return msgspec.json.decode(body)

    async def _watch_itself(self) -> None:
        while not self._stop.is_set():
            began = time.perf_counter()
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            self.seen.lags.append(time.perf_counter() - began - LOOK_EVERY_SECONDS)


async def _main(plan: Plan) -> Seen:
    async with (
        source_bb(plan.base, plan.source) as ministry,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LONGEST_SECONDS)) as session,
    ):
        return await Probe(plan, ministry, session).run(asyncio.to_thread(sys.stdin.read))


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(run(_main(msgspec.json.decode(sys.argv[1], type=Plan)))))

"""In which order jobs are done: what ends work before what begins it, one after the other in a lane, each once."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators import outbox
from simulators.database import Database
from simulators.desk import Desk
from simulators.outbox import DONE, IN_FLIGHT, Courier, Job, Outcome

NOW = 1_000.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "bank.sqlite", outbox.SCHEMA)
    with database.transaction() as link:
        outbox.upgrade(link)
    yield database
    database.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk(2)
    yield desk
    desk.close()


def _put(database: Database, *jobs: Job) -> None:
    with database.transaction() as link:
        outbox.put(link, *jobs)


async def _idle(courier: Courier) -> None:
    while not await courier.idle():  # noqa: ASYNC110 - there is no event for it; each look goes through the desk
        await asyncio.sleep(0)


async def _done(database: Database, desk: Desk) -> list[str]:
    """Do everything that is there, and say in which order it was begun: lane and kind."""
    begun = list[str]()

    async def perform(job: Job) -> Outcome:
        begun.append(f"{job.lane} {job.kind}")
        return Outcome(DONE)

    courier = Courier(database, desk, lambda: NOW, perform)
    work = asyncio.create_task(courier.run())
    async with asyncio.timeout(10):
        await _idle(courier)
    work.cancel()
    return begun


@pytest.mark.parametrize("bulky", [False, True])
async def test_reports_go_before_legs_that_waited_longer(database: Database, desk: Desk, bulky: bool) -> None:
    legs = [Job(f"leg-{n}", "leg", "UNIOXU22", n, bulky=bulky) for n in range(100)]
    reports = [Job(f"report-{n}", "report:final", "", n, due_at=NOW - 1, bulky=bulky) for n in range(20)]
    _put(database, *legs, *reports)
    begun = await _done(database, desk)
    assert len(begun) == 120
    assert all(each.endswith("report:final") for each in begun[:20])


async def test_a_brief_leg_goes_before_a_bulky_report(database: Database, desk: Desk) -> None:
    _put(database, Job("report-1", "report:final", bulky=True), Job("leg-2", "leg", "UNIOXU22", 2))
    assert await _done(database, desk) == ["leg-2 leg", "report-1 report:final"]


async def test_a_lane_keeps_its_order_whatever_its_jobs_are(database: Database, desk: Desk) -> None:
    lane = [Job("leg-1", kind, "UNIOXU22", 1) for kind in ("leg", "ask", "leg", "withdraw")]
    _put(database, *lane)
    assert await _done(database, desk) == ["leg-1 leg", "leg-1 ask", "leg-1 leg", "leg-1 withdraw"]


async def test_what_is_not_due_holds_nothing_up(database: Database, desk: Desk) -> None:
    later = [Job(f"report-{n}", "report:final", due_at=NOW + 60) for n in range(3 * IN_FLIGHT)]
    _put(database, *later, Job("leg-1", "leg", "UNIOXU22", 1))
    assert await _done(database, desk) == ["leg-1 leg"]


def test_jobs_are_found_by_index(database: Database) -> None:
    with database.reading() as link:
        plans = [
            row[-1]
            for question, values in ((outbox._DUE, (1, 0, NOW, 8)), (outbox._NEXT, (1, 0, NOW)))
            for row in link.execute(f"EXPLAIN QUERY PLAN {question}", values)
        ]
    assert [plan for plan in plans if plan.startswith("SEARCH job ")] == [
        "SEARCH job USING INDEX job_rank (bulky=? AND <expr>=? AND due_at<?)",
        "SEARCH job USING INDEX job_rank (bulky=? AND <expr>=? AND due_at>?)",
    ]
    assert not any("TEMP B-TREE" in plan for plan in plans)


class _LateDesk(Desk):
    """Its second look is told of only when the job that it still shows as waiting has ended."""

    def __init__(self) -> None:
        super().__init__(2)
        self.looks = 0
        self.looked, self.noted, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def do(self, work: Callable[..., Any], *args: Any, **how: bool) -> Any:
        got = await super().do(work, *args, **how)
        name = getattr(work, "__name__", "")
        self.looks += name == "_look"
        if name == "_look" and self.looks == 2:
            self.looked.set()
            await self.noted.wait()
        if name == "_note":
            asyncio.get_running_loop().call_soon(self.ended.set)
        return got


async def test_a_job_that_ends_while_jobs_are_looked_for_is_not_done_again(database: Database) -> None:
    desk, begun = _LateDesk(), list[str]()

    async def perform(job: Job) -> Outcome:
        begun.append(job.lane)
        courier.wake()
        await desk.looked.wait()
        return Outcome(DONE)

    courier = Courier(database, desk, lambda: NOW, perform)
    _put(database, Job("leg-1", "leg", "UNIOXU22", 1))
    work = asyncio.create_task(courier.run())
    async with asyncio.timeout(10):
        await desk.ended.wait()
        desk.noted.set()
        await _idle(courier)
    work.cancel()
    desk.close()
    assert begun == ["leg-1"]

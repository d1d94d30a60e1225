"""At the desk brief work goes before bulky work, ends before beginnings, and who waits gets what came of it."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from simulators.desk import Desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk(1)
    yield desk
    desk.close()


async def test_brief_work_goes_before_bulky_work_that_came_earlier(desk: Desk) -> None:
    free, done = threading.Event(), list[str]()
    first = asyncio.create_task(desk.do(free.wait))
    bulky = [asyncio.create_task(desk.do(done.append, f"bulky {n}", bulky=True)) for n in range(2)]
    brief = [asyncio.create_task(desk.do(done.append, f"brief {n}")) for n in range(2)]
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(first, *bulky, *brief)
    assert done == ["brief 0", "brief 1", "bulky 0", "bulky 1"]


async def test_bulky_work_that_ends_something_goes_before_bulky_work_that_begins_something(desk: Desk) -> None:
    free, done = threading.Event(), list[str]()
    first = asyncio.create_task(desk.do(free.wait))
    orders = [asyncio.create_task(desk.do(done.append, f"order {n}", bulky=True, begins=True)) for n in range(2)]
    reports = [asyncio.create_task(desk.do(done.append, f"report {n}", bulky=True)) for n in range(2)]
    single = asyncio.create_task(desk.do(done.append, "single order", begins=True))
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(first, *orders, *reports, single)
    assert done == ["single order", "report 0", "report 1", "order 0", "order 1"]


async def test_results_and_faults_come_back(desk: Desk) -> None:
    assert await desk.do(int, "7") == 7
    with pytest.raises(ValueError, match="seven"):
        await desk.do(int, "seven")


async def test_work_that_nobody_waits_for_any_more_is_not_done(desk: Desk) -> None:
    free, done = threading.Event(), list[str]()
    first = asyncio.create_task(desk.do(free.wait))
    given_up = asyncio.create_task(desk.do(done.append, "given up"))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(first, desk.do(done.append, "last"))
    assert done == ["last"]

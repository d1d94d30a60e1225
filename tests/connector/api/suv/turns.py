"""Two flows that take turns between any two of their round trips to the store, as two processes may."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar

from connector.store.link import Link

_LANE: ContextVar["Lane | None"] = ContextVar("lane", default=None)

Flow = Callable[[], Awaitable[object]]


class Lane:
    """A flow that waits before each round trip until it is let on."""

    def __init__(self, flow: Flow) -> None:
        self._waiting = 0
        self._changed = asyncio.Event()
        self._permits = asyncio.Semaphore(0)
        _LANE.set(self)
        self.task = asyncio.ensure_future(flow())
        _LANE.set(None)
        self.task.add_done_callback(lambda _: self._changed.set())

    async def gate(self) -> None:
        self._waiting += 1
        self._changed.set()
        await self._permits.acquire()

    async def step(self) -> bool:
        """Let it make one round trip; false where it is finished."""
        while not (self._waiting or self.task.done()):
            self._changed.clear()
            await self._changed.wait()
        if self.task.done():
            return False
        self._waiting -= 1
        self._permits.release()
        return True

    async def steps(self, count: int) -> int:
        """Let it make so many round trips, or all that it has left; gives how many it made."""
        for made in range(count):
            if not await self.step():
                return made
        return count

    async def crash(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def outcome(self) -> object:
        """Let it finish; gives what it gave or raised."""
        await self.steps(10_000)
        return (await asyncio.gather(self.task, return_exceptions=True))[0]


def install(link: Link, monkeypatch) -> None:
    """Stop every round trip of a lane at its gate."""
    send = link._send

    async def gated(commands):
        lane = _LANE.get()
        if lane is not None:
            await lane.gate()
        return await send(commands)

    monkeypatch.setattr(link, "_send", gated)


async def interleavings(
    first: Callable[[], Flow], second: Callable[[], Flow]
) -> AsyncIterator[tuple[object, object]]:
    """Run both again and again: some steps of the first, some of the second, the rest of the first, of the second."""
    lead, more = 0, True
    while more:
        follow, further = 0, True
        while further:
            one, other = Lane(first()), Lane(second())
            more = await one.steps(lead) == lead and not one.task.done()
            further = await other.steps(follow) == follow and not other.task.done()
            yield await one.outcome(), await other.outcome()
            follow += 1
        lead += 1


async def crashes(flow: Callable[[], Flow]) -> AsyncIterator[int]:
    """Run a flow again and again, and let it die after each number of round trips."""
    count, more = 0, True
    while more:
        lane = Lane(flow())
        more = await lane.steps(count) == count and not lane.task.done()
        await asyncio.sleep(0)
        await lane.crash()
        yield count
        count += 1


async def deaths_after(first: Callable[[], Flow], second: Callable[[], Flow]) -> AsyncIterator[object]:
    """Run both again and again: some steps of the first, all of the second, more of the first, which then dies."""
    lead, more = 0, True
    while more:
        follow, further = 0, True
        while further:
            one = Lane(first())
            more = await one.steps(lead) == lead and not one.task.done()
            outcome = await Lane(second()).outcome()
            further = await one.steps(follow) == follow and not one.task.done()
            await one.crash()
            yield outcome
            follow += 1
        lead += 1

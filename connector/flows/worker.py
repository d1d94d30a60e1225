"""The loop that carries stream entries to their steps."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from connector.domain.errors import Misconfigured, OutOfTurn, Refused, Unavailable
from connector.domain.event import Event
from connector.domain.urgency import URGENT
from connector.flows import archive, reconciliation
from connector.flows.lanes import Hands, Lane, lanes_of
from connector.flows.services import Services
from connector.flows.steps import STEPS
from connector.flows.times import backoff
from connector.flows.vouchers import sweep
from connector.store import Entry

BLOCK_SECONDS: Final = 0.5
TIMER_SECONDS: Final = 0.1
MOST_TIMERS: Final = 1000
MOST_PAUSE_SECONDS: Final = 5.0
PUT_OFF_SECONDS: Final = 60.0
SLOW_SECONDS: Final = 5.0
SET_ASIDE_SECONDS: Final = 600.0
DEAD_LETTER_LIFE_SECONDS: Final = 90 * 24 * 3600.0

Turn = Callable[[], Awaitable[None]]

_log = structlog.get_logger(__name__)


class Worker:
    """One worker; any number of them, in any number of processes, share the work.

    name: different from that of every living worker, or a dead one's entries are not told from a live one's; a worker
    that starts again under its name goes on with what it had; concurrency: entries at once.
    """

    def __init__(self, services: Services, name: str, concurrency: int = 8) -> None:
        self._services = services
        self._name = name
        self._lanes = lanes_of(concurrency)
        self._stop = asyncio.Event()
        self._armed = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then finish what was begun."""
        self._stop = stop
        await self._forever(self._resume, once=True)
        loops: list[Turn] = [self._wake, self._take_over, *(partial(self._take, lane) for lane in self._lanes)]
        await asyncio.gather(*(self._forever(loop) for loop in loops))
        if begun := [task for lane in self._lanes for task in lane.held.values()]:
            await asyncio.wait(begun)

    async def _forever(self, turn: Turn, *, once: bool = False) -> None:
        """Repeat a loop's turn until stopped, or until it was done ``once``; slower while the store is away."""
        failures = 0
        while not self._stop.is_set():
            try:
                await turn()
                if once:
                    return
                failures = 0
            except Unavailable as error:
                _log.warning("store unavailable", worker=self._name, error=str(error))
                await self._pause(backoff(0.1, failures, MOST_PAUSE_SECONDS))
                failures += 1

    async def _resume(self) -> None:
        """Take what was in its hands under this name before; its exchanges with institutions ended when it died."""
        institutions = (await self._services.store.directory.load()).institutions
        await self._services.channels.gates.revive([code for code, place in institutions.items() if place.url])
        entries = await self._services.store.queue.resume(self._name, tuple(STEPS))
        for lane in self._lanes:
            self._begin(lane, [entry for entry in entries if lane.takes(entry)])

    async def _take(self, lane: Lane) -> None:
        """Take entries for hands of a lane that are free."""
        while not lane.free:
            await asyncio.wait(lane.running.values(), return_when=asyncio.FIRST_COMPLETED)
            if self._stop.is_set():
                return
        queue = self._services.store.queue
        self._begin(
            lane,
            await queue.take(lane.steps, self._name, lane.wants, BLOCK_SECONDS, urgent_only=lane.urgent_only),
        )

    async def _wake(self) -> None:
        """Move timers that are due into their streams; at once again while there are many."""
        if not self._armed:
            await reconciliation.arm(self._services)
            await sweep.arm(self._services)
            await archive.arm(self._services)
            self._armed = True
        if await self._services.store.queue.wake_due(self._services.clock(), MOST_TIMERS) < MOST_TIMERS:
            await self._pause(TIMER_SECONDS)

    async def _take_over(self) -> None:
        """Take what a dead worker had in its hands."""
        idle = self._services.settings.take_over_after_seconds
        for lane in self._lanes:
            if lane.free and not lane.urgent_only:
                queue = self._services.store.queue
                self._begin(lane, await queue.take_over(self._name, idle, lane.free, lane.steps))
        await self._pause(min(idle / 4, MOST_PAUSE_SECONDS))

    def _begin(self, lane: Lane, entries: Sequence[Entry]) -> None:
        """Start each entry, unless it is in our own hands already."""
        for entry in entries:
            key = f"{entry.stream}/{entry.id}"
            hands = lane.hands_for(entry)
            if not any(key in each.held for each in self._lanes):
                hands[key] = asyncio.create_task(self._carry(hands, key, entry))

    async def _carry(self, hands: Hands, key: str, entry: Entry) -> None:
        """Carry one entry to its step; what fails stays in the queue and comes again."""
        URGENT.set(entry.task.urgent)
        try:
            await self._attempt(entry)
        except Exception as error:  # noqa: BLE001 (a step's fault must not end the worker; the entry is taken over later)
            task = entry.task
            _log.error(
                "step failed", step=task.step, batch=task.batch, number=task.number, error=type(error).__name__
            )
        finally:
            hands.pop(key, None)

    async def _attempt(self, entry: Entry) -> None:
        """Run the entry's step; what has nothing to do with the entry itself does not count against it."""
        if entry.deliveries > self._services.settings.deliveries:
            return await self._set_aside(entry)
        try:
            return await self._step(entry)
        except (Refused, Misconfigured) as error:
            return await self._put_off(entry, str(error), PUT_OFF_SECONDS)
        except OutOfTurn as error:
            return await self._put_off(entry, str(error), SLOW_SECONDS)
        except TimeoutError:
            return await self._put_off(entry, "The step took too long.", SLOW_SECONDS)

    async def _step(self, entry: Entry) -> None:
        """Run the step, again while the store or a peer is away."""
        step, failures = STEPS[entry.task.step], 0
        while True:
            try:
                return await asyncio.wait_for(step.run(self._services, entry), step.timeout_seconds)
            except Unavailable:
                if self._stop.is_set():
                    return None
                await self._pause(backoff(0.1, failures, MOST_PAUSE_SECONDS))
                failures += 1

    async def _put_off(self, entry: Entry, sentence: str, seconds: float) -> None:
        """Come back later: when an operator has mended the directory or the keys, or an institution is faster."""
        task, store, now = entry.task, self._services.store, self._services.clock()
        await store.events.add(task.batch, Event(now, "isogate", "put off", self._name, sentence[:300], task.step))
        await store.queue.done(entry, [replace(task, due_at=now + seconds)])

    async def _set_aside(self, entry: Entry) -> None:
        """Leave an entry alone for a while that failed again and again, and say so; no payment is given up."""
        task, store, now = entry.task, self._services.store, self._services.clock()
        letter = {"step": task.step, "batch": task.batch, "number": task.number, "data": task.data, "at": now}
        name = f"{task.step}-{task.batch}-{task.number}"
        await store.records.put("dead-letter", name, json.dumps(letter), DEAD_LETTER_LIFE_SECONDS)
        detail = f"{task.step} {task.number} failed {entry.deliveries - 1} times"
        await store.events.add(task.batch, Event(now, "isogate", "set aside", self._name, "dead letter", detail))
        await store.queue.done(entry, [replace(task, due_at=now + SET_ASIDE_SECONDS)])
        _log.error("dead letter", step=task.step, batch=task.batch, number=task.number)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until ``stop``."""
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return

"""A small discrete-event loop: processes are generators that wait for time to pass or for a place at a station.

A process yields seconds to let them pass, or a ``Station`` to be given one of its places (``First``: before those who
wait already), which it gives back by ``leave``. Equal moments are served in the order in which they were planned, so
a run is the same every time.
"""

import heapq
from collections import deque
from collections.abc import Generator
from itertools import count
from typing import NamedTuple, TypeAlias

Wish: TypeAlias = "float | Station | First"
Course = Generator[Wish, None, None]
"""What a process does: it yields what it waits for."""


class Station:
    """So many places and one queue, first come first served; busy: place-seconds taken so far."""

    def __init__(self, loop: "Loop", places: int = 1) -> None:
        """Begin with all places free."""
        self.places = places
        self.busy = 0.0
        self._loop = loop
        self._taken = 0
        self._since = 0.0
        self._queue: deque[Course] = deque()

    @property
    def load(self) -> int:
        """How many are here, waiting or served."""
        return self._taken + len(self._queue)

    def enter(self, process: Course, *, first: bool = False) -> None:
        """Give the process a place, at once or when its turn comes; first: its turn is the next one."""
        if self._taken < self.places:
            self._take(1)
            self._loop.plan(0.0, process)
        elif first:
            self._queue.appendleft(process)
        else:
            self._queue.append(process)

    def leave(self) -> None:
        """Give a place back: to whoever waits longest, if anybody does."""
        if self._queue:
            self._loop.plan(0.0, self._queue.popleft())
        else:
            self._take(-1)

    def utilisation(self) -> float:
        """The share of its places' time that was taken so far."""
        self._take(0)
        return self.busy / (self._loop.now * self.places) if self._loop.now else 0.0

    def _take(self, places: int) -> None:
        self.busy += self._taken * (self._loop.now - self._since)
        self._since = self._loop.now
        self._taken += places


class First(NamedTuple):
    """A place at a station, before those who wait for one already."""

    station: Station


class Loop:
    """Lets time pass from event to event; now: seconds since the beginning."""

    def __init__(self) -> None:
        """Begin at zero with nothing planned."""
        self.now = 0.0
        self._planned: list[tuple[float, int, Course]] = []
        self._numbers = count()

    def plan(self, seconds: float, process: Course) -> None:
        """Let a process begin, or go on, after so many seconds."""
        heapq.heappush(self._planned, (self.now + seconds, next(self._numbers), process))

    def run(self) -> None:
        """Go on until nothing is planned any more."""
        while self._planned:
            self.now, _, process = heapq.heappop(self._planned)
            wish = next(process, None)
            if isinstance(wish, First):
                wish.station.enter(process, first=True)
            elif isinstance(wish, Station):
                wish.enter(process)
            elif wish is not None:
                self.plan(wish, process)


def serve(station: Station, seconds: float) -> Course:
    """Take a place for so many seconds."""
    yield station
    yield seconds
    station.leave()

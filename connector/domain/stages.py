"""Where processor time goes: seconds and payments by stage of the walk, added up for the life of a process.

A stage is measured per chunk, never per payment, around code that does not wait; what lies between the stages (event
loop, HTTP, the client of the store) is the rest of a process's processor time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import NamedTuple


class Spent(NamedTuple):
    """What a stage has cost so far: payments that went through it, and processor seconds."""

    payments: int = 0
    cpu_seconds: float = 0.0


class Stages:
    """Adds up what each stage costs; safe to use from several threads at once."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        """Measure by ``ticks``, the processor seconds of the thread that asks (``time.thread_time``)."""
        self._ticks = ticks
        self._lock = Lock()
        self._spent: dict[str, Spent] = {}

    @contextmanager
    def measure(self, stage: str, payments: int) -> Iterator[None]:
        """Count the block as work of a stage on so many payments, also where it fails; it must not wait inside."""
        began = self._ticks()
        try:
            yield
        finally:
            self.add(stage, payments, self._ticks() - began)

    def laps(self) -> "Laps":
        """Begin to measure work of which only its end tells how many payments it was for."""
        return Laps(self, self._ticks)

    def spent(self) -> dict[str, Spent]:
        """Give what was added up so far, by stage, the first stage first."""
        with self._lock:
            return dict(self._spent)

    def add(self, stage: str, payments: int, seconds: float) -> None:
        """Count work that was measured elsewhere."""
        with self._lock:
            before = self._spent.get(stage, Spent())
            self._spent[stage] = Spent(before.payments + payments, before.cpu_seconds + seconds)


class Laps:
    """Pieces of work that follow each other in one thread, without waiting; lost unless they are counted."""

    def __init__(self, stages: Stages, ticks: Callable[[], float]) -> None:
        """Begin the first piece."""
        self._stages = stages
        self._ticks = ticks
        self._seconds: dict[str, float] = {}
        self._began = ticks()

    def end(self, work: str) -> None:
        """Say what was done since the last end; ``{}`` stands for the kind of message (``write {}``)."""
        now = self._ticks()
        self._seconds[work] = self._seconds.get(work, 0.0) + now - self._began
        self._began = now

    def count(self, message: str, payments: int) -> None:
        """Add all pieces to their stages, now that the kind of message (``pain.001``) is known as well."""
        for work, seconds in self._seconds.items():
            self._stages.add(work.format(message), payments, seconds)

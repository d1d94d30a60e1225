"""The work queue: tasks in streams, taken by workers in a consumer group, and timers for tasks that are not due yet."""

from collections.abc import Sequence
from dataclasses import dataclass

URGENT_PRIORITY = 3
"""Tasks of this priority or a smaller number go by the urgent streams."""


@dataclass(frozen=True, slots=True)
class Task:
    """One step to be done for a batch.

    step: lower-case word, names the stream; batch: reference of the batch (for work without one, any stable id),
    decides the partition; number: slice or chunk; priority: 0 (highest) to 9; due_at: Unix seconds, later than now
    makes it a timer (an equal task that waits already is moved to the new time); data: a small text.
    """

    step: str
    batch: str
    number: int = 0
    priority: int = 5
    due_at: float = 0.0
    data: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A task in a worker's hands; deliveries counts how often it was handed out, this time included."""

    task: Task
    id: str
    stream: str
    deliveries: int


class Queue:
    """Hands tasks to workers, each to one of them, and again to another where a worker died."""

    async def put(self, tasks: Sequence[Task]) -> None:
        """Append tasks, or set timers for those that are not due. Atomic within a partition."""
        raise NotImplementedError

    async def take(self, steps: Sequence[str], worker: str, count: int, block_seconds: float) -> list[Entry]:
        """Take about ``count`` tasks of these steps, urgent ones first; wait for one up to ``block_seconds``."""
        raise NotImplementedError

    async def take_over(self, worker: str, idle_seconds: float, count: int, steps: Sequence[str] = ()) -> list[Entry]:
        """Take up to ``count`` tasks that other workers took ``idle_seconds`` ago and did not finish.

        Only of these steps, where any are named.
        """
        raise NotImplementedError

    async def done(self, entry: Entry) -> None:
        """Strike a finished task off; repeating it changes nothing."""
        raise NotImplementedError

    async def wake_due(self, now: float, limit: int = 1000) -> int:
        """Move up to ``limit`` timers a partition that are due at ``now`` (Unix seconds) to their streams."""
        raise NotImplementedError

    async def depth(self) -> dict[str, int]:
        """Count the unfinished tasks by step; those not due yet are under ``timers``."""
        raise NotImplementedError

"""Tasks and entries: what the queue carries."""

import re
from dataclasses import dataclass, replace
from typing import Final

import msgspec

URGENT_PRIORITY: Final = 3
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

    @property
    def urgent(self) -> bool:
        """Whether it goes by the urgent stream."""
        return self.priority <= URGENT_PRIORITY


@dataclass(frozen=True, slots=True)
class Entry:
    """A task in a worker's hands; deliveries counts how often it was handed out, this time included."""

    task: Task
    id: str
    stream: str
    deliveries: int


_decoder = msgspec.json.Decoder(tuple[str, str, int, int, str])


def check(task: Task) -> None:
    """Refuse a step that cannot name a stream: ValueError."""
    if not re.fullmatch(r"[a-z0-9-]+", task.step):
        raise ValueError("a step is named by lower-case letters, digits and dashes")


def payload(task: Task) -> str:
    """Pack a task without its due time, so that equal timers are one."""
    return msgspec.json.encode((task.step, task.batch, task.number, task.priority, task.data)).decode()


def unpacked(packed: bytes, due: bytes | None = None) -> Task:
    """Unpack a task, with the due time (Unix seconds as text) that it had."""
    step, batch, number, priority, data = _decoder.decode(packed)
    task = Task(step, batch, number, priority, 0.0, data)
    return replace(task, due_at=float(due)) if due else task

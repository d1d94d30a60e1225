"""What a commit carries besides its change of state: the tasks that follow, the event, the entry that is finished."""

from collections.abc import Callable, Sequence

import msgspec

from connector.domain.event import Event
from connector.store.keyspace import GROUP, Keyspace
from connector.store.task import Entry, Task, check, payload


class Outbox:
    """Packs tasks, events and finished entries for the server-side functions."""

    def __init__(self, keyspace: Keyspace, clock: Callable[[], float]) -> None:
        """Know where tasks go, and by the clock (Unix seconds) which of them are not due."""
        self._keyspace = keyspace
        self._clock = clock

    def packed(
        self,
        owner: str,
        then: Sequence[Task] = (),
        *,
        then_if_finished: Sequence[Task] = (),
        event: Event | None = None,
        done: Entry | None = None,
    ) -> bytes:
        """Pack what goes with a commit in the partition of ``owner``.

        Tasks and events are JSON text in it: the msgpack of Lua knows no binary strings.

        Raises ValueError for a task or an entry of another partition: they could not change in the same step.
        """
        base = self._keyspace.home(owner)
        if done and not done.stream.startswith(f"{base}:"):
            raise ValueError(f"entry {done.id} of {done.stream} is not in the partition of {owner}")
        return msgspec.msgpack.encode(
            {
                "base": base,
                "group": GROUP,
                "tasks": [self._packed_task(task, base) for task in then],
                "finished": [self._packed_task(task, base) for task in then_if_finished],
                "event": pack_event(event) if event else "",
                "done": [done.stream, done.id] if done else [],
            }
        )

    def _packed_task(self, task: Task, base: str) -> tuple[str, str, str]:
        """Give stream, due time (empty: now) and payload of a task."""
        check(task)
        if self._keyspace.home(task.batch) != base:
            raise ValueError(f"task {task.step} of {task.batch} is not in the partition of {base}")
        stream = self._keyspace.stream(base, task.step, urgent=task.urgent)
        return stream, repr(task.due_at) if task.due_at > self._clock() else "", payload(task)


def pack_event(event: Event) -> str:
    """Pack an event as it stands in the event log."""
    return msgspec.json.encode(event).decode()

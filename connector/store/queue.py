"""The work queue: tasks in streams, shared out in a consumer group, and timers for tasks that are not due yet."""

from collections.abc import Sequence
from itertools import groupby

from redis.exceptions import ResponseError

from connector.domain.errors import Unavailable
from connector.store.keyspace import GROUP, Keyspace
from connector.store.link import LONGEST_BLOCK_SECONDS, Argument, Link, Reply
from connector.store.outbox import Outbox
from connector.store.task import Entry, Task, unpacked

__all__ = ["Entry", "Queue", "Task"]


class Queue:
    """Hands tasks to workers, each to one of them, and again to another where a worker died."""

    def __init__(self, link: Link, keyspace: Keyspace, outbox: Outbox) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace
        self._outbox = outbox
        self._prepared: set[str] = set()
        self._first = 0

    async def put(self, tasks: Sequence[Task]) -> None:
        """Append tasks, or set timers for those that are not due. Atomic within a partition."""
        ordered = sorted(tasks, key=self._home)
        await self._link.call_all(
            [
                ("enqueue", [f"{base}:streams"], [self._outbox.packed(group[0].batch, group)])
                for base, group in ((base, list(found)) for base, found in groupby(ordered, key=self._home))
            ]
        )

    async def take(self, steps: Sequence[str], worker: str, count: int, block_seconds: float) -> list[Entry]:
        """Take up to ``count`` tasks of these steps, urgent ones first; wait up to ``block_seconds`` for one.

        After a wait there may be a few more than ``count``, where several streams filled at once. Waiting ends after
        5 seconds even if more were asked for.
        """
        await self._prepare(steps)
        for urgent in (True, False):
            if taken := await self._take_now(steps, worker, count, urgent=urgent):
                return taken
        return await self._take_later(steps, worker, block_seconds) if block_seconds > 0 else []

    async def take_over(self, worker: str, idle_seconds: float, count: int, steps: Sequence[str] = ()) -> list[Entry]:
        """Take up to ``count`` tasks that other workers took ``idle_seconds`` ago and did not finish.

        Only of these steps, where any are named.
        """
        taken: list[Entry] = []
        away: Unavailable | None = None
        for base in self._keyspace.bases():
            if len(taken) < count:
                arguments: tuple[Argument, ...] = (
                    GROUP,
                    worker,
                    int(idle_seconds * 1000),
                    count - len(taken),
                    *steps,
                )
                try:
                    found = await self._link.call("take_over", [f"{base}:streams"], *arguments)
                except Unavailable as error:  # what another server of a cluster gave must not be forgotten
                    away, found = error, []
                taken += [_entry(*fields) for fields in found]
        if away and not taken:
            raise away
        return taken

    async def resume(self, worker: str, steps: Sequence[str]) -> list[Entry]:
        """Take what a worker of this name had in its hands when it died; no other may be living under the name."""
        found = await self._link.call_all(
            [("resume", [f"{base}:streams"], [GROUP, worker, *steps]) for base in self._keyspace.bases()]
        )
        return [_entry(*fields) for fields_of_one in found for fields in fields_of_one]

    async def done(self, entry: Entry, then: Sequence[Task] = ()) -> None:
        """Strike a finished task off and append those of the same batch that follow, in one step.

        Repeating it appends them again, which every step has to bear.
        """
        outbox = self._outbox.packed(entry.task.batch, then, done=entry)
        await self._link.call("enqueue", [entry.stream], outbox)

    async def wake_due(self, now: float, limit: int = 1000) -> int:
        """Move up to ``limit`` timers a partition that are due at ``now`` (Unix seconds) to their streams."""
        bases = self._keyspace.bases()
        woken = await self._link.call_all(
            [("wake", [f"{base}:timers", f"{base}:streams"], [repr(now), limit]) for base in bases]
        )
        return sum(woken)

    async def depth(self) -> dict[str, int]:
        """Count the unfinished tasks by step; those not due yet are under ``timers``."""
        bases = self._keyspace.bases()
        timers = await self._link.ask_all([("ZCARD", f"{base}:timers") for base in bases])
        named = await self._link.ask_all([("SMEMBERS", f"{base}:streams") for base in bases])
        streams = [stream.decode() for names in named for stream in names]
        lengths = await self._link.ask_all([("XLEN", stream) for stream in streams])
        depths = {"timers": sum(timers)}
        for stream, length in zip(streams, lengths, strict=True):
            step = stream.split(":")[3]
            depths[step] = depths.get(step, 0) + length
        return depths

    def _home(self, task: Task) -> str:
        return self._keyspace.home(task.batch)

    def _streams(self, base: str, steps: Sequence[str], *, urgent: bool) -> list[str]:
        return [self._keyspace.stream(base, step, urgent=urgent) for step in steps]

    async def _take_now(self, steps: Sequence[str], worker: str, count: int, *, urgent: bool) -> list[Entry]:
        """Ask the partitions in turn, as many at once as can give one task each without giving too many."""
        bases = self._keyspace.bases()
        self._first = (self._first + 1) % len(bases)
        turn = bases[self._first :] + bases[: self._first]
        at_once = min(count, len(bases))
        for start in range(0, len(turn), at_once):
            asked = turn[start : start + at_once]
            share = max(1, count // len(asked))
            found = await self._link.call_where_possible(
                [("take", self._streams(base, steps, urgent=urgent), [GROUP, worker, share]) for base in asked]
            )
            if any(found):
                return [_entry(*fields) for fields_of_one in found for fields in fields_of_one or ()]
        return []

    async def _take_later(self, steps: Sequence[str], worker: str, block_seconds: float) -> list[Entry]:
        """Wait for the first task on any stream."""
        streams = [
            stream
            for urgent in (True, False)
            for base in self._keyspace.bases()
            for stream in self._streams(base, steps, urgent=urgent)
        ]
        block = max(1, int(min(block_seconds, LONGEST_BLOCK_SECONDS) * 1000))
        command: tuple[Argument, ...] = (
            "XREADGROUP",
            "GROUP",
            GROUP,
            worker,
            "COUNT",
            1,
            "BLOCK",
            block,
            "STREAMS",
            *streams,
        )
        try:
            found = await self._link.wait(*command, *[">"] * len(streams))
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._prepared.clear()  # somebody emptied the store; the next call makes the groups again
            return []
        return [_read(stream, *entry) for stream, entries in _pairs(found) for entry in entries]

    async def _prepare(self, steps: Sequence[str]) -> None:
        """Make the streams and groups of steps that this queue has not taken from before."""
        new = [step for step in steps if step not in self._prepared]
        commands = [
            ("prepare", self._streams(base, new, urgent=urgent), [GROUP])
            for base in self._keyspace.bases()
            for urgent in (True, False)
        ]
        if new:
            await self._link.call_all(commands)
            self._prepared.update(new)


def _entry(stream: bytes, identifier: bytes, packed: bytes, due: bytes, deliveries: int = 1) -> Entry:
    return Entry(unpacked(packed, due), identifier.decode(), stream.decode(), deliveries)


def _read(stream: bytes, identifier: bytes, fields: Reply) -> Entry:
    """Make an entry of a plain XREADGROUP reply, whose fields are a list or a mapping."""
    pairs = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
    return _entry(stream, identifier, pairs[b"t"], pairs.get(b"d", b""))


def _pairs(found: Reply) -> list[tuple[bytes, Reply]]:
    """Give stream and entries of an XREADGROUP reply; nothing where the wait ended without one."""
    return list(found.items()) if isinstance(found, dict) else list(found or ())

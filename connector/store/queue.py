"""The work queue: tasks in streams, shared out in a consumer group, and timers for tasks that are not due yet."""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from connector.domain.errors import Unavailable
from connector.store.commands import streams_of
from connector.store.keyspace import GROUP, Keyspace
from connector.store.link import LONGEST_BLOCK_SECONDS, Argument, Link
from connector.store.outbox import Outbox
from connector.store.task import Entry, Task, unpacked

__all__ = ["Entry", "Queue", "Task"]

URGENT_IN_A_ROW: Final = 7
"""So often urgent tasks are taken before others that are there: whoever may send them must not stop all else."""


class Queue:
    """Hands tasks to workers, each to one of them, and again to another where a worker died."""

    def __init__(self, link: Link, keyspace: Keyspace, outbox: Outbox) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace
        self._outbox = outbox
        self._prepared = False
        self._first = 0
        self._in_a_row: dict[tuple[str, ...], int] = {}
        self._heard: dict[tuple[str | bool, ...], dict[str, str]] = {}

    async def put(self, tasks: Sequence[Task]) -> None:
        """Append tasks, or set timers for those that are not due. Atomic within a partition."""
        ordered = sorted(tasks, key=self._home)
        await self._link.call_all(
            [
                ("enqueue", [f"{base}:streams"], [self._outbox.packed(group[0].batch, group)])
                for base, group in ((base, list(found)) for base, found in groupby(ordered, key=self._home))
            ]
        )

    async def take(
        self, steps: Sequence[str], worker: str, count: int, block_seconds: float, *, urgent_only: bool = False
    ) -> list[Entry]:
        """Take up to ``count`` tasks of these steps, urgent ones first; wait up to ``block_seconds`` for one.

        Of those that are there the others come first once in a while. urgent_only: none but urgent ones. Waiting
        ends after 5 seconds even if more were asked for. Several may wait at the same time, if they ask for different
        steps or kinds.
        """
        await self._prepare()
        clock = asyncio.get_running_loop().time
        deadline = clock() + min(block_seconds, LONGEST_BLOCK_SECONDS)
        while True:
            ready = await self._ready(steps)
            if urgent_only:
                taken = await self._take_now(ready[True], worker, count)
            else:
                taken = await self._take_either(ready, tuple(steps), worker, count)
            if taken:
                return taken
            if (left := deadline - clock()) <= 0:
                return []
            await self._listen(left, (*steps, urgent_only))

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
        woken = await self._link.call_all([("wake", [f"{base}:timers"], [repr(now), limit]) for base in bases])
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
            step = _step(stream)
            depths[step] = depths.get(step, 0) + length
        return depths

    def _home(self, task: Task) -> str:
        return self._keyspace.home(task.batch)

    async def _ready(self, steps: Sequence[str]) -> dict[bool, list[list[str]]]:
        """Look which streams may have something: urgent ones or not, by partition, in the order of the steps.

        The partitions are in turn, so that each is the first once in a while.
        """
        bases = self._keyspace.bases()
        self._first = (self._first + 1) % len(bases)
        turn = bases[self._first :] + bases[: self._first]
        named = await self._link.ask_where_possible([("SMEMBERS", f"{base}:ready") for base in turn])
        ready: dict[bool, list[list[str]]] = {True: [], False: []}
        for streams in filter(None, named):
            of: dict[str, list[str]] = {"urgent": [], "normal": []}
            for stream in sorted(map(bytes.decode, streams), key=lambda name: _rank(steps, name)):
                if _step(stream) in steps:
                    of[stream.rpartition(":")[2]].append(stream)
            ready[True] += filter(None, [of["urgent"]])
            ready[False] += filter(None, [of["normal"]])
        return ready

    async def _take_either(
        self, ready: dict[bool, list[list[str]]], steps: tuple[str, ...], worker: str, count: int
    ) -> list[Entry]:
        """Take urgent tasks or others, and remember how often urgent ones were taken while others waited."""
        in_a_row = self._in_a_row.get(steps, 0)
        first = in_a_row < URGENT_IN_A_ROW
        for urgent in (first, not first):
            if taken := await self._take_now(ready[urgent], worker, count):
                self._in_a_row[steps] = in_a_row + 1 if urgent and ready[False] else 0
                return taken
        return []

    async def _take_now(self, ready: Sequence[list[str]], worker: str, count: int) -> list[Entry]:
        """Ask partitions for what their streams have, as many at once as can give one task each and not too many."""
        at_once = max(1, min(count, len(ready)))
        for start in range(0, len(ready), at_once):
            asked = ready[start : start + at_once]
            share = max(1, count // len(asked))
            found = await self._link.call_where_possible(
                [("take", streams, [GROUP, worker, share]) for streams in asked]
            )
            if any(found):
                return [_entry(*fields) for fields_of_one in found for fields in fields_of_one or ()]
        return []

    async def _listen(self, seconds: float, who: tuple[str | bool, ...]) -> None:
        """Wait until a partition's bell rings, at most so long; what rang since ``who`` listened is heard at once.

        A stream that is named as ready already does not ring. But nobody listens who has not seen, or brought about,
        that none was named: so whatever is appended later rings.
        """
        bell = "bell:urgent" if who[-1] else "bell"
        heard = self._heard.setdefault(who, {f"{base}:{bell}": "0-0" for base in self._keyspace.bases()})
        block = max(1, int(seconds * 1000))
        found = await self._link.wait("XREAD", "BLOCK", block, "STREAMS", *heard, *heard.values())
        for rung, entries in streams_of(found):
            heard[rung.decode()] = entries[-1][0].decode()

    async def _prepare(self) -> None:
        """See to it, once, that what older versions appended is found."""
        if not self._prepared:
            await self._link.call_all([("prepare", [f"{base}:streams"], []) for base in self._keyspace.bases()])
            self._prepared = True


def _step(stream: str) -> str:
    return stream.split(":")[3]


def _rank(steps: Sequence[str], stream: str) -> int:
    step = _step(stream)
    return steps.index(step) if step in steps else len(steps)


def _entry(stream: bytes, identifier: bytes, packed: bytes, due: bytes, deliveries: int = 1) -> Entry:
    return Entry(unpacked(packed, due), identifier.decode(), stream.decode(), deliveries)

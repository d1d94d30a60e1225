"""What goes into the file of a batch: read from the store, and from the file that there was."""

from asyncio import to_thread
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec

from connector.domain.chunk import ChunkStatus
from connector.domain.event import Event
from connector.store.archive_file import ChunkPlaces, Draft, Index, Place
from connector.store.archived import Archived, LoggedEvent
from connector.store.keyspace import Keyspace
from connector.store.link import Command, Link, Reply
from connector.store.packing import Sealer

T = TypeVar("T")

AT_ONCE: Final = 8
"""Chunks that are in memory at once."""

MayGo = Callable[[ChunkStatus], bool]
"""Says of a chunk that nothing is left to do about it."""

_event = msgspec.json.Decoder(Event)


class NotYet(Exception):
    """Something is left to do about the batch, or somebody was at it while it was read."""


class Seen(NamedTuple):
    """A batch as it was when its archiving began; name: of its file, "" for none; event: id of the last one."""

    state: str
    name: str
    versions: dict[int, int]
    event: str

    @classmethod
    def of(cls, reply: Reply) -> "Seen":
        """Read the answer of ``isogate_archivable``."""
        state, name, versions, event = reply
        pairs = zip(versions[::2], versions[1::2], strict=True)
        return cls(state.decode(), name.decode(), {int(n): int(v) for n, v in pairs}, event.decode())

    @property
    def complete(self) -> bool:
        """Whether the file has everything."""
        return bool(self.name) and not self.versions and not self.event

    def expected(self, slices: Iterable[int]) -> bytes:
        """Pack what the commit compares, and the slices that it deletes."""
        versions = {str(number): str(version) for number, version in self.versions.items()}
        return msgspec.msgpack.encode(
            {
                "archived": self.name,
                "event": self.event,
                "versions": versions,
                "chunks": len(versions),
                "slices": list(slices),
            }
        )


class _SealedChunk(NamedTuple):
    number: int
    version: int
    facts: bytes
    status: bytes


class Gathering:
    """Writes the records of a file; facts and statuses as they are, since sealed they go back as they are."""

    def __init__(
        self,
        link: Link,
        keyspace: Keyspace,
        archived: Archived,
        statuses: Sealer[ChunkStatus],
        may_go: MayGo,
    ) -> None:
        """Work on this connection; no file is made of a batch with a chunk that may not go."""
        self._link = link
        self._keyspace = keyspace
        self._archived = archived
        self._statuses = statuses
        self._may_go = may_go

    async def into(self, draft: Draft, ref: str, seen: Seen, fields: dict[bytes, bytes], now: float) -> Index:
        """Write everything of a batch; raises ``NotYet``, and ``Gone`` where its file was replaced meanwhile."""
        chunks, slices = await to_thread(self._copied, draft, seen)
        for numbers in pages(sorted(seen.versions), AT_ONCE):
            found = await self._chunks(ref, seen, numbers)
            chunks |= await to_thread(self._added, draft, ref, found)
        if fields[b"resolved"] != fields[b"slices"]:
            slices |= await self._slices(draft, ref, range(int(fields[b"slices"])))
        events = await self._events(draft, ref, seen)
        return Index(ref, now, fields, chunks, slices, events)

    def _copied(self, draft: Draft, seen: Seen) -> tuple[dict[int, ChunkPlaces], dict[int, Place]]:
        """Copy what is only in the file that there is."""
        if not seen.name:
            return {}, {}
        archive = self._archived.archive
        index = archive.index(seen.name)
        chunks = {}
        for number in sorted(index.chunks.keys() - seen.versions.keys()):
            version, *places = index.chunks[number]
            chunks[number] = ChunkPlaces(version, *draft.add(archive.records(seen.name, *places)))
        slices = {n: draft.add(archive.records(seen.name, place))[0] for n, place in index.slices.items()}
        return chunks, slices

    async def _chunks(self, ref: str, seen: Seen, numbers: Sequence[int]) -> list[_SealedChunk]:
        facts = [("GET", self._keyspace.chunk(ref, number)) for number in numbers]
        changing: Command = ("HMGET", f"{self._keyspace.batch(ref)}:status", *numbers)
        *found, statuses = await self._link.ask_all([*facts, changing])
        if None in found or None in statuses:
            raise NotYet
        versions = [seen.versions[number] for number in numbers]
        return [_SealedChunk(*each) for each in zip(numbers, versions, found, statuses, strict=True)]

    def _added(self, draft: Draft, ref: str, chunks: Sequence[_SealedChunk]) -> dict[int, ChunkPlaces]:
        """Append chunks, if each has the version that was seen and nothing left to do."""
        places = {}
        for number, version, facts, sealed in chunks:
            status = self._statuses.open(sealed, f"{self._keyspace.batch(ref)}:status:{number}")
            if status.version != version or not self._may_go(status):
                raise NotYet
            places[number] = ChunkPlaces(version, *draft.add([facts, sealed]))
        return places

    async def _slices(self, draft: Draft, ref: str, numbers: Iterable[int]) -> dict[int, Place]:
        """Append the slices of a batch that was stopped before they were resolved, one at a time."""
        places = {}
        for number in numbers:
            sealed = await self._link.ask("GET", self._keyspace.slice(ref, number))
            if sealed is not None:
                [places[number]] = await to_thread(draft.add, [sealed])
        return places

    async def _events(self, draft: Draft, ref: str, seen: Seen) -> Place | None:
        """Append the event log, from its beginning."""
        older = await self._archived.events(ref, seen.name) if seen.name else []
        written = await self._link.ask("XRANGE", f"{self._keyspace.batch(ref)}:events", "-", seen.event or "-")
        newer = [(at.decode(), _event.decode(fields[b"e"])) for at, fields in written]
        if not (older or newer):
            return None
        return (await to_thread(self._sealed_events, draft, ref, [*older, *newer]))[0]

    def _sealed_events(self, draft: Draft, ref: str, events: list[LoggedEvent]) -> list[Place]:
        return draft.add([self._archived.seal_events(ref, events)])


def pages(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into pieces of at most ``size``."""
    return (values[start : start + size] for start in range(0, len(values), size))

"""What goes into the file of a batch: read from the store, and from the file that there was."""

import hashlib
from asyncio import to_thread
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar

import msgspec

from connector.domain.chunk import ChunkStatus
from connector.domain.event import Event
from connector.store.archive_file import ChunkPlaces, Draft, Index, Place
from connector.store.archived import Archived, LoggedEvent
from connector.store.callbacks import Callback, CallbackState
from connector.store.crypto import Keyring
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
    callbacks: tuple[str, ...]

    @classmethod
    def of(cls, reply: Reply) -> "Seen":
        """Read the answer of ``isogate_archivable``."""
        state, name, versions, event, callbacks = reply
        pairs = zip(versions[::2], versions[1::2], strict=True)
        numbered = {int(number): int(version) for number, version in pairs}
        named = tuple(sorted(each.decode() for each in callbacks))
        return cls(state.decode(), name.decode(), numbered, event.decode(), named)

    @property
    def complete(self) -> bool:
        """Whether the file has everything."""
        return bool(self.name) and not self.versions and not self.event and not self.callbacks

    def expected(self, taken: "Taken") -> bytes:
        """Pack what the commit compares and deletes."""
        versions = {str(number): str(version) for number, version in self.versions.items()}
        return msgspec.msgpack.encode(
            {
                "archived": self.name,
                "event": self.event,
                "versions": versions,
                "chunks": len(versions),
                "slices": taken.slices,
                "callbacks": dict(taken.callbacks),
            }
        )


class Taken(NamedTuple):
    """What else the commit takes out of the store: slices by number, callbacks by id with their SHA-1."""

    slices: tuple[int, ...] = ()
    callbacks: Mapping[str, str] = MappingProxyType({})


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
        keys: Keyring,
        may_go: MayGo,
    ) -> None:
        """Work on this connection; no file is made of a batch with a chunk that may not go."""
        self._link = link
        self._keyspace = keyspace
        self._archived = archived
        self._statuses = Sealer(keys, ChunkStatus)
        self._callbacks = Sealer(keys, Callback)
        self._may_go = may_go

    async def into(
        self, draft: Draft, ref: str, seen: Seen, fields: dict[bytes, bytes], now: float
    ) -> tuple[Index, Taken]:
        """Write everything of a batch; raises ``NotYet``, and ``Gone`` where its file was replaced meanwhile."""
        chunks, slices, callbacks = await to_thread(self._copied, draft, seen)
        for numbers in pages(sorted(seen.versions), AT_ONCE):
            found = await self._chunks(ref, seen, numbers)
            chunks |= await to_thread(self._added, draft, ref, found)
        left: dict[int, Place] = {}
        if fields[b"resolved"] != fields[b"slices"]:
            left = await self._slices(draft, ref, range(int(fields[b"slices"])))
        delivered = await self._delivered(ref, seen.callbacks)
        callbacks |= zip(delivered, await to_thread(draft.add, delivered.values()), strict=True)
        events = await self._events(draft, ref, seen)
        digests = {name: hashlib.sha1(sealed).hexdigest() for name, sealed in delivered.items()}  # noqa: S324 (Lua has no other)
        return Index(ref, now, fields, chunks, slices | left, events, callbacks), Taken(tuple(left), digests)

    def _copied(self, draft: Draft, seen: Seen) -> tuple[dict[int, ChunkPlaces], dict[int, Place], dict[str, Place]]:
        """Copy what is only in the file that there is."""
        if not seen.name:
            return {}, {}, {}
        archive = self._archived.archive
        index = archive.index(seen.name)
        chunks = {}
        for number in sorted(index.chunks.keys() - seen.versions.keys()):
            version, *places = index.chunks[number]
            chunks[number] = ChunkPlaces(version, *draft.add(archive.records(seen.name, *places)))

        def copied(place: Place) -> Place:
            return draft.add(archive.records(seen.name, place))[0]

        slices = {number: copied(place) for number, place in index.slices.items()}
        callbacks = {n: copied(place) for n, place in index.callbacks.items() if n not in seen.callbacks}
        return chunks, slices, callbacks

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

    async def _delivered(self, ref: str, names: Sequence[str]) -> dict[str, bytes]:
        """Read the callbacks that were delivered; dead ones stay where operators see them, pending ones are to go."""
        keys = [self._keyspace.callback(ref, name) for name in names]
        found = await self._link.ask_all([("GET", key) for key in keys]) if keys else []
        delivered: dict[str, bytes] = {}
        for name, key, sealed in zip(names, keys, found, strict=True):
            state = CallbackState.PENDING if sealed is None else self._callbacks.open(sealed, key).state
            if state is CallbackState.PENDING:
                raise NotYet
            if state is CallbackState.DELIVERED:
                delivered[name] = sealed
        return delivered

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

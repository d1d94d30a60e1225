"""What was archived, as if it were still in the store: where a part is missed there, it is looked for here.

A batch's hash says where its file is. Files are never changed, but replaced by newer ones and deleted; who reads in
that very moment finds the file gone, asks again where it is, and reads the newer one.
"""

from asyncio import to_thread
from collections.abc import Callable
from typing import Final, TypeVar

from connector.domain.errors import Misconfigured
from connector.domain.event import Event
from connector.store.archive import Archive
from connector.store.archive_file import Gone, Index, damaged
from connector.store.crypto import Keyring
from connector.store.keyspace import Keyspace
from connector.store.link import Command, Link
from connector.store.packing import Sealer

T = TypeVar("T")

MOST_LOOKS: Final = 5
"""How often a file may be replaced while it is looked for."""

LOOKS: Final = 2
"""What is neither in the store nor in the archive may have come back from there between the two looks."""

LoggedEvent = tuple[str, Event]
"""An event with the id that it had in the log."""


class Archived:
    """Reads parts of archived batches, and puts chunks back into the store that are to be changed.

    Every method raises Unavailable where the folder cannot be read, and Misconfigured where the file is missing,
    damaged or sealed under keys that are not there: what cannot be read is never taken for something that is not.
    """

    def __init__(self, link: Link, keyspace: Keyspace, keys: Keyring, archive: Archive | None) -> None:
        """Work on this connection and these files; ``None``: there is no folder."""
        self._link = link
        self._keyspace = keyspace
        self._archive = archive
        self._events = Sealer(keys, list[LoggedEvent])

    @property
    def has_folder(self) -> bool:
        """Whether there is a folder."""
        return self._archive is not None

    @property
    def archive(self) -> Archive:
        """The files. Raises Misconfigured where there is no folder."""
        if self._archive is None:
            raise Misconfigured("archive", 0, "", "no folder of the archive is configured")
        return self._archive

    async def chunk(self, ref: str, number: int) -> tuple[bytes, bytes] | None:
        """Give both parts of a chunk, sealed; ``None`` where the file does not have it, or there is none."""

        def take(name: str, index: Index) -> tuple[bytes, bytes] | None:
            places = index.chunks.get(number)
            return places and _pair(self.archive.records(name, places.facts, places.status))

        return await self._read(ref, take)

    async def status(self, ref: str, number: int) -> bytes | None:
        """Give the changing part of a chunk, sealed; ``None`` as ``chunk``."""

        def take(name: str, index: Index) -> bytes | None:
            places = index.chunks.get(number)
            return places and self.archive.records(name, places.status)[0]

        return await self._read(ref, take)

    async def slice(self, ref: str, number: int) -> bytes | None:
        """Give a slice, sealed; ``None`` as ``chunk``."""

        def take(name: str, index: Index) -> bytes | None:
            place = index.slices.get(number)
            return place and self.archive.records(name, place)[0]

        return await self._read(ref, take)

    async def callback(self, ref: str, identifier: str) -> bytes | None:
        """Give a callback, sealed; ``None`` as ``chunk``."""

        def take(name: str, index: Index) -> bytes | None:
            place = index.callbacks.get(identifier)
            return place and self.archive.records(name, place)[0]

        return await self._read(ref, take)

    async def chunk_numbers(self, ref: str) -> list[int]:
        """Give the numbers of a batch's chunks, wherever they are, in order."""
        for _ in range(MOST_LOOKS):
            name, numbers = await self._link.call("chunk_numbers", [self._keyspace.batch(ref)])
            there = {int(number) for number in numbers}
            if not name:
                return sorted(there)
            try:
                return sorted(there | (await to_thread(self.archive.index, name.decode())).chunks.keys())
            except Gone:
                continue
        raise self.missing(name.decode())

    async def events(self, ref: str, name: str) -> list[LoggedEvent]:
        """Give the events of a batch that are in this file, oldest first. Raises ``Gone``."""
        return await to_thread(self._events_in, ref, name)

    async def thaw(self, ref: str, number: int, now: float) -> bool:
        """Put a chunk back that is in the file only, so that it can be changed; False where it is not such a one."""
        batch = self._keyspace.batch(ref)
        for _ in range(MOST_LOOKS):
            asked: list[Command] = [("HGET", batch, "archived"), ("HEXISTS", f"{batch}:versions", number)]
            name, there = await self._link.ask_all(asked)
            if name is None or there:
                return False
            try:
                found = await to_thread(self._chunk_in, name.decode(), number)
            except Gone:
                continue
            if found is None:
                return False
            return bool(await self._link.call("thaw", [batch], name, repr(now), number, *found))
        raise self.missing(name.decode())

    def events_name(self, ref: str) -> str:
        """Name what a batch's archived events are sealed for."""
        return f"{self._keyspace.batch(ref)}:events"

    def seal_events(self, ref: str, events: list[LoggedEvent]) -> bytes:
        """Seal a batch's events for a file."""
        return self._events.seal(events, self.events_name(ref))

    async def _read(self, ref: str, take: Callable[[str, Index], T | None]) -> T | None:
        """Look into the file that counts; ``None`` where the batch has none."""
        name = ""
        for _ in range(MOST_LOOKS):
            found = await self._link.ask("HGET", self._keyspace.batch(ref), "archived")
            if found is None:
                return None
            name = found.decode()
            try:
                return await to_thread(self._taken, name, take)
            except Gone:
                continue
        raise self.missing(name)

    def _taken(self, name: str, take: Callable[[str, Index], T | None]) -> T | None:
        return take(name, self.archive.index(name))

    def _chunk_in(self, name: str, number: int) -> tuple[int, bytes, bytes] | None:
        places = self.archive.index(name).chunks.get(number)
        return places and (places.version, *_pair(self.archive.records(name, places.facts, places.status)))

    def _events_in(self, ref: str, name: str) -> list[LoggedEvent]:
        place = self.archive.index(name).events
        return self._events.open(self.archive.records(name, place)[0], self.events_name(ref)) if place else []

    def missing(self, name: str) -> Misconfigured:
        """Make the error for a file that is not where the store says."""
        return damaged(self.archive.folder / name, "is missing; put it back from a backup")


def _pair(records: list[bytes]) -> tuple[bytes, bytes]:
    facts, status = records
    return facts, status

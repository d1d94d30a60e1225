"""Moving finished batches into the archive, and back.

The file is complete and durable before anything is deleted, and what is deleted is what was read: one server-side
function compares the versions of all chunks and the last event with what was there before. A crash leaves the batch
in the store, or in the file, or both; never in none, and doing it again is harmless.
"""

import os
from asyncio import to_thread
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from connector.domain.batch import FINISHED
from connector.domain.errors import NotFound, NotPermitted
from connector.store.archive import NAME_BYTES, Archive, ArchivedFile, file_name
from connector.store.archive_file import Gone, Index
from connector.store.archived import Archived
from connector.store.callbacks import Callback
from connector.store.crypto import Keyring
from connector.store.gathering import Gathering, MayGo, NotYet, Seen, Taken, pages
from connector.store.keyspace import Keyspace
from connector.store.link import Argument, Link
from connector.store.packing import Sealer

_LISTED_AT_ONCE: Final = 500


class Archiving:
    """Archives batches and restores them."""

    def __init__(self, link: Link, keyspace: Keyspace, keys: Keyring, archived: Archived) -> None:
        """Work on this connection, and on the files of ``archived``."""
        self._link = link
        self._keyspace = keyspace
        self._keys = keys
        self._archived = archived
        self._callbacks = Sealer(keys, Callback)

    @property
    def archive(self) -> Archive:
        """The files. Raises Misconfigured where there is no folder."""
        return self._archived.archive

    async def prepare(self) -> None:
        """See to it that files can be written. Raises Misconfigured, also where there is no folder."""
        await to_thread(self.archive.prepare)

    async def clear(self) -> int:
        """Delete all files, with which a store has been emptied; tells how many."""
        return await to_thread(self.archive.clear) if self._archived.has_folder else 0

    async def awaiting(self, before: float, limit: int) -> list[str]:
        """List finished batches that wait since ``before`` (Unix seconds); at most ``limit`` of a partition."""
        lists = [self._keyspace.finished(base) for base in self._keyspace.bases()]
        found = await self._link.call_all([("awaiting", [name], (repr(before), limit)) for name in lists])
        return [ref.decode() for part in found for ref in part]

    async def postpone(self, ref: str, now: float) -> None:
        """Let a batch wait from now on."""
        await self._link.call("await", [self._keyspace.batch(ref)], repr(now))

    async def enlist(self) -> int:
        """Let finished batches wait that an older version did not note; tells how many of them there were."""
        found = 0
        for base in self._keyspace.bases():
            for state in sorted(FINISHED):
                found += await self._enlist(base, f"{base}:index:state:{state}")
        return found

    async def archive_batch(self, ref: str, now: float, may_go: MayGo = lambda _: True) -> bool:
        """Write a batch's file, and only then take out of the store what is in it.

        may_go: says of a chunk that nothing is left to do about it. False where something is, or where somebody
        changed the batch meanwhile: nothing has been changed then. Raises NotFound; NotPermitted for a batch that is
        not finished; Misconfigured where the folder cannot be written or what is there cannot be read.
        """
        seen = await self._seen(ref)
        if seen.complete:  # it is only to be struck off the list
            return await self._cut(ref, seen, Taken(), seen.name, now)
        fields = await self._link.ask("HGETALL", self._keyspace.batch(ref))
        name = file_name(ref, float(fields[b"accepted_at"]), os.urandom(NAME_BYTES))
        draft = await to_thread(self.archive.draft, name)
        try:
            gathering = Gathering(self._link, self._keyspace, self._archived, self._keys, may_go)
            index, taken = await gathering.into(draft, ref, seen, fields, now)
            await to_thread(draft.publish, index, self._keys)
        except NotYet:
            return False
        except Gone:
            await self._still_there(ref, seen.name)
            return False
        finally:
            await to_thread(draft.discard)
        return await self._exchanged(ref, seen, taken, name, now)

    async def restore(self, ref: str, now: float) -> bool:
        """Put all of a batch back into the store and delete its file; False where it was not archived."""
        batch = self._keyspace.batch(ref)
        found = await self._link.ask("HGET", batch, "archived")
        if found is None:
            return False
        name = found.decode()
        try:
            index = await to_thread(self.archive.index, name)
            for number in index.chunks:
                await self._archived.thaw(ref, number, now)
            for number, place in index.slices.items():
                [sealed] = await to_thread(self.archive.records, name, place)
                await self._link.call("thaw_slice", [batch], name, number, sealed)
            await self._restore_callbacks(ref, name, index)
            events = await self._archived.events(ref, name)
        except Gone:
            raise self._archived.missing(name) from None
        packed: list[Argument] = [text for at, event in events for text in (at, msgspec.json.encode(event))]
        if not await self._link.call("restored", [batch], name, repr(now), len(index.chunks), *packed):
            return False
        await to_thread(self.archive.delete, name)
        return True

    async def _restore_callbacks(self, ref: str, name: str, index: Index) -> None:
        for identifier, place in index.callbacks.items():
            [sealed] = await to_thread(self.archive.records, name, place)
            at = self._callbacks.open(sealed, self._keyspace.callback(ref, identifier)).changed_at
            await self._link.call("thaw_callback", [self._keyspace.batch(ref)], name, identifier, sealed, repr(at))

    async def is_complete(self, ref: str) -> bool:
        """Tell whether a finished batch is archived, and nothing has come since. Raises NotFound, NotPermitted."""
        return (await self._seen(ref)).complete

    async def file_of(self, ref: str) -> ArchivedFile | None:
        """Give a batch's file; ``None`` where it is not archived."""
        name = await self._link.ask("HGET", self._keyspace.batch(ref), "archived")
        if name is None:
            return None
        return ArchivedFile(name.decode(), ref, await to_thread(self.archive.size, name.decode()))

    async def missing(self) -> AsyncIterator[str]:
        """Look for archived batches whose files are not there; goes through all finished batches."""
        for base in self._keyspace.bases():
            for state in sorted(FINISHED):
                async for ref, name, _ in self._finished(f"{base}:index:state:{state}"):
                    if name is not None and await self._is_missing(ref):
                        yield ref

    async def _is_missing(self, ref: str) -> bool:
        """Tell whether a batch's file is not there, and no newer one took its place while it was looked for."""
        file = await self.file_of(ref)
        return file is not None and not file.size and await self.file_of(ref) == file

    async def contents(self, name: str) -> Index:
        """Give what is in a file. Raises Misconfigured, also where it is missing; Unavailable."""
        try:
            return await to_thread(self.archive.index, name)
        except Gone:
            raise self._archived.missing(name) from None

    async def _seen(self, ref: str) -> Seen:
        seen = Seen.of(await self._link.call("archivable", [self._keyspace.batch(ref)]))
        if not seen.state:
            raise NotFound("batch", ref)
        if seen.state not in FINISHED:
            raise NotPermitted("batch", ref, seen.state)
        return seen

    async def _still_there(self, ref: str, name: str) -> None:
        """Raise Misconfigured where a batch's file is gone, and no newer one took its place."""
        if await self._link.ask("HGET", self._keyspace.batch(ref), "archived") == name.encode():
            raise self._archived.missing(name)

    async def _exchanged(self, ref: str, seen: Seen, taken: Taken, name: str, now: float) -> bool:
        """Let the new file count and delete the old one, or the other way round."""
        done = await self._cut(ref, seen, taken, name, now)
        if useless := seen.name if done else name:
            await to_thread(self.archive.delete, useless)
        return done

    async def _cut(self, ref: str, seen: Seen, taken: Taken, name: str, now: float) -> bool:
        batch = self._keyspace.batch(ref)
        return bool(await self._link.call("archive", [batch], seen.expected(taken), name, repr(now)))

    async def _enlist(self, base: str, state_index: str) -> int:
        """Note those of a partition in one finished state; the ones that are archived have what they need."""
        found = 0
        async for ref, name, at in self._finished(state_index):
            if name is None and at is not None:
                found += await self._link.ask("ZADD", self._keyspace.finished(base), "NX", at, ref)
        return found

    async def _finished(self, state_index: str) -> AsyncIterator[tuple[str, bytes | None, bytes | None]]:
        """Go through the batches of an index: reference, file, and when it was finished."""
        refs = [ref.decode() for ref in await self._link.ask("ZRANGE", state_index, 0, -1)]
        for some in pages(refs, _LISTED_AT_ONCE):
            asked = [("HMGET", self._keyspace.batch(ref), "archived", "finished_at") for ref in some]
            for ref, (name, at) in zip(some, await self._link.ask_all(asked), strict=True):
                yield ref, name, at

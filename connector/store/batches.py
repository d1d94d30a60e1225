"""Batches: slices as received, chunks as paid, states and totals. Every commit is one server-side function."""

import math
from asyncio import to_thread
from collections.abc import Sequence
from heapq import nlargest
from typing import NamedTuple

import msgspec

from connector.domain.batch import TRANSITIONS, Batch, BatchKind, BatchProgress, BatchState
from connector.domain.chunk import Chunk, ChunkStatus, Tally, tallies
from connector.domain.errors import NotFound, NotPermitted
from connector.domain.event import Event
from connector.domain.instruction import CreditInstruction
from connector.domain.stages import Stages
from connector.domain.status import Outcome
from connector.store import totals
from connector.store.archived import LOOKS, Archived
from connector.store.crypto import Keyring
from connector.store.keyspace import Keyspace
from connector.store.link import Argument, Call, Link
from connector.store.outbox import Outbox
from connector.store.packing import Sealer
from connector.store.task import Entry, Task

_facts = msgspec.msgpack.Decoder(Batch)


class _Named(NamedTuple):
    """A batch that goes by some sender's id; the order is that of preference."""

    pays: bool
    accepted_at: float
    ref: str
    source: str


class Batches:
    """A batch's facts, progress, slices and chunks.

    Each commit takes what becomes true with it: ``then``, tasks to append (all of the same batch); ``event``, a line
    of the event log; ``done``, the entry that it finishes. Where a commit gives False nothing at all has changed, and
    the entry is still to be struck off by the caller.
    """

    def __init__(
        self, link: Link, keyspace: Keyspace, keys: Keyring, outbox: Outbox, stages: Stages, archived: Archived
    ) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace
        self._outbox = outbox
        self._archived = archived
        self._stages = stages
        self._slices = Sealer(keys, list[CreditInstruction])
        self._chunks = Sealer(keys, Chunk)
        self._statuses = Sealer(keys, ChunkStatus)

    async def create(
        self,
        batch: Batch,
        then: Sequence[Task],
        event: Event,
        *,
        token: str = "",
        chunks: Sequence[tuple[Chunk, ChunkStatus]] = (),
    ) -> Batch | None:
        """Make the batch from the slices staged under the token, all its payments ongoing; or from chunks, at once.

        ``None`` when created, otherwise the batch that was there: same digest means a repeat. Raises NotFound for a
        slice that is missing and Refused for sums that do not fit into 63 bits.
        """
        totals.check(batch)
        outbox = self._outbox.packed(batch.ref, then, event=event)
        if not batch.redeems:  # those have no sender
            await self._name_by_sender(batch)
        order = self._order(batch, token, chunks)
        arguments: list[Argument] = [msgspec.msgpack.encode(batch), msgspec.msgpack.encode(order), outbox]
        for chunk, status in chunks:
            arguments += [chunk.id.number, status.version, *self._sealed(batch.ref, chunk, status)]
        there = await self._link.call("create", [self._keyspace.batch(batch.ref)], *arguments)
        if isinstance(there, int):
            raise NotFound("slice", f"{batch.ref} {there}")
        return None if there is None else _facts.decode(there)

    async def read(self, ref: str) -> tuple[Batch, BatchProgress]:
        """Give the batch and how far it is. Raises NotFound."""
        fields = await self._link.ask("HGETALL", self._keyspace.batch(ref))
        if not fields:
            raise NotFound("batch", ref)
        return _facts.decode(fields[b"facts"]), totals.progress(fields)

    async def slice(self, ref: str, number: int) -> list[CreditInstruction]:
        """Give a slice's instructions. Raises NotFound, also when the slice has been resolved."""
        key = self._keyspace.slice(ref, number)
        for _ in range(LOOKS):
            sealed = await self._link.ask("GET", key) or await self._archived.slice(ref, number)
            if sealed is not None:
                return await to_thread(self._slices.open, sealed, key)
        raise NotFound("slice", f"{ref} {number}")

    async def move(  # noqa: PLR0913 (one commit: what becomes true together is said together)
        self,
        ref: str,
        expected: BatchState,
        to: BatchState,
        *,
        then: Sequence[Task] = (),
        event: Event | None = None,
        done: Entry | None = None,
        reason: str = "",
        now: float = 0.0,
    ) -> bool:
        """Change the state if it is the expected one; False if not.

        REFUSED and CANCELLED make every ongoing payment a failed one and finish the batch at ``now``.
        Raises NotPermitted for a step that the table of transitions does not have.
        """
        if to not in TRANSITIONS[expected]:
            raise NotPermitted("batch", ref, expected)
        outbox = self._outbox.packed(ref, then, event=event, done=done)
        moved = await self._link.call(
            "move", [self._keyspace.batch(ref)], expected.value, to.value, reason, repr(now), outbox
        )
        return bool(moved)

    async def resolved(  # noqa: PLR0913 (one commit: what becomes true together is said together)
        self,
        ref: str,
        number: int,
        chunks: Sequence[tuple[Chunk, ChunkStatus]],
        *,
        then: Sequence[Task] = (),
        event: Event | None = None,
        done: Entry | None = None,
        then_if_finished: Sequence[Task] = (),
        now: float,
    ) -> bool:
        """Replace a slice of a running batch by its chunks, moving the totals; False if that was done before."""
        outbox = self._outbox.packed(ref, then, then_if_finished=then_if_finished, event=event, done=done)
        arguments: list[Argument] = [number, repr(now), msgspec.msgpack.encode(_resolving(chunks)), outbox]
        for chunk, status in chunks:
            arguments += [chunk.id.number, status.version, *await to_thread(self._sealed, ref, chunk, status)]
        return bool(await self._link.call("resolved", [self._keyspace.batch(ref)], *arguments))

    async def chunk(self, ref: str, number: int) -> tuple[Chunk, ChunkStatus]:
        """Give a chunk whole. Raises NotFound."""
        key = self._keyspace.chunk(ref, number)
        sealed, status = await self._sealed_chunk(ref, number)
        return await to_thread(self._opened_chunk, sealed, key), self._opened(ref, number, status)

    async def chunk_status(self, ref: str, number: int) -> ChunkStatus:
        """Give a chunk's changing part. Raises NotFound."""
        for _ in range(LOOKS):
            sealed = await self._link.ask("HGET", *self._status_at(ref, number))
            sealed = sealed or await self._archived.status(ref, number)
            if sealed is not None:
                return self._opened(ref, number, sealed)
        raise NotFound("chunk", f"{ref} {number}")

    async def chunk_numbers(self, ref: str) -> list[int]:
        """Give the numbers of a batch's chunks so far, in order."""
        return await self._archived.chunk_numbers(ref)

    async def advance(  # noqa: PLR0913, PLR0917 (one commit: what becomes true together is said together)
        self,
        ref: str,
        number: int,
        expected_version: int,
        status: ChunkStatus,
        before: dict[Outcome, Tally],
        after: dict[Outcome, Tally],
        currency: str,
        *,
        then: Sequence[Task] = (),
        then_if_finished: Sequence[Task] = (),
        event: Event | None = None,
        done: Entry | None = None,
        now: float,
    ) -> bool:
        """Swap a chunk's changing part if its version is still the expected one; False: read again and retry.

        The totals move from ``before`` to ``after``. A running batch of which nothing is ongoing any more is
        COMPLETED in the same step, and ``then_if_finished`` appended.
        """
        with self._stages.measure("pack commits", len(status.codes)):
            outbox = self._outbox.packed(ref, then, then_if_finished=then_if_finished, event=event, done=done)
            moved = msgspec.msgpack.encode(totals.changes(currency, before, after))
            sealed = self._statuses.seal(status, self._status_name(ref, number))
        arguments = (number, expected_version, status.version, sealed, repr(now), moved, outbox)
        keys = [self._keyspace.batch(ref)]
        if await self._link.call("advance", keys, *arguments):
            return True
        thawed = await self._archived.thaw(ref, number, now)
        return thawed and bool(await self._link.call("advance", keys, *arguments))

    async def find(
        self,
        *,
        source: str = "",
        programme: str = "",
        state: str = "",
        newest: int = 50,
        before: float = math.inf,
    ) -> list[str]:
        """List references, newest first, of batches accepted earlier than ``before`` (Unix seconds)."""
        filters = {"state": state, "source": source, "programme": programme}
        names = [f"{kind}:{value}" for kind, value in filters.items() if value] or ["all"]
        calls: list[Call] = [
            ("find", [f"{base}:index:{name}" for name in names], [repr(before), newest])
            for base in self._keyspace.bases()
        ]
        found = [
            (float(at), ref.decode())
            for part in await self._link.call_all(calls)
            for ref, at in zip(part[::2], part[1::2], strict=True)
        ]
        return [ref for _, ref in nlargest(newest, found)]

    async def by_sender_id(self, batch_id: str, source: str = "") -> str | None:
        """Find the reference behind a batch id as the Source BB knows it.

        A payment goes before the prevalidation of the same id. The newest, where several sources use the same id and
        ``source`` does not say which one is meant.
        """
        names = await self._link.ask("HGETALL", self._keyspace.sender(batch_id))
        meant = sorted((_named(field, value) for field, value in names.items()), reverse=True)
        for name in meant:
            if source in {"", name.source} and await self._link.ask("EXISTS", self._keyspace.batch(name.ref)):
                return name.ref
        return None

    async def _name_by_sender(self, batch: Batch) -> None:
        """Note the sender's id before the batch is made: a name without a batch is harmless, the reverse is not."""
        key = self._keyspace.sender(batch.batch_id)
        field, value = f"{batch.kind} {batch.contract} {batch.source}", f"{batch.accepted_at!r} {batch.ref}"
        await self._link.ask("HSETNX", key, field, value)

    def _order(self, batch: Batch, token: str, chunks: Sequence[tuple[Chunk, ChunkStatus]]) -> dict[str, object]:
        """Say what the function that creates a batch has to write."""
        base = self._keyspace.home(batch.ref)
        everything: dict[Outcome, Tally] = dict.fromkeys(Outcome, Tally(0, 0))
        return {
            "slices": batch.slices,
            "staged": 0 if chunks else batch.slices,
            "token": token,
            "accepted_at": repr(batch.accepted_at),
            "state": (BatchState.RUNNING if chunks else BatchState.ACCEPTED).value,
            "indexes": [f"{base}:index:{name}" for name in _index_names(batch)],
            "currencies": ",".join(batch.expected),
            "totals": [
                change
                for currency, tally in batch.expected.items()
                for change in totals.changes(currency, everything, {**everything, Outcome.ONGOING: tally})
            ]
            + _resolving(chunks),
        }

    def _sealed(self, ref: str, chunk: Chunk, status: ChunkStatus) -> tuple[bytes, bytes]:
        """Seal both parts of a chunk."""
        number = chunk.id.number
        with self._stages.measure("seal chunks", len(chunk.credits)):
            facts = self._chunks.seal(chunk, self._keyspace.chunk(ref, number))
            return facts, self._statuses.seal(status, self._status_name(ref, number))

    async def _sealed_chunk(self, ref: str, number: int) -> tuple[bytes, bytes]:
        """Give both parts of a chunk, out of the store or the archive. Raises NotFound."""
        for _ in range(LOOKS):
            asked = [("GET", self._keyspace.chunk(ref, number)), ("HGET", *self._status_at(ref, number))]
            sealed, status = await self._link.ask_all(asked)
            if sealed is not None and status is not None:
                return sealed, status
            if found := await self._archived.chunk(ref, number):
                return found
        raise NotFound("chunk", f"{ref} {number}")

    def _opened_chunk(self, sealed: bytes, key: str) -> Chunk:
        laps = self._stages.laps()
        chunk = self._chunks.open(sealed, key)
        laps.end("open chunks")
        laps.count("", len(chunk.credits))
        return chunk

    def _status_at(self, ref: str, number: int) -> tuple[str, int]:
        return f"{self._keyspace.batch(ref)}:status", number

    def _status_name(self, ref: str, number: int) -> str:
        return f"{self._keyspace.batch(ref)}:status:{number}"

    def _opened(self, ref: str, number: int, sealed: bytes) -> ChunkStatus:
        return self._statuses.open(sealed, self._status_name(ref, number))


def _resolving(chunks: Sequence[tuple[Chunk, ChunkStatus]]) -> list[totals.Change]:
    """Say how the totals move where a slice, all of it ongoing, becomes chunks."""
    return [
        change
        for chunk, status in chunks
        for change in totals.changes(chunk.currency, totals.all_ongoing(chunk), tallies(chunk, status))
    ]


def _named(field: bytes, value: bytes) -> _Named:
    kind, _, source = field.decode().split(" ", 2)
    accepted_at, ref = value.decode().split(" ")
    return _Named(kind == BatchKind.DISBURSEMENT, float(accepted_at), ref, source)


def _index_names(batch: Batch) -> list[str]:
    """Name the indexes that a batch stays in."""
    by_programme = [f"programme:{batch.programme}"] if batch.programme else []
    return ["all", f"source:{batch.source}", *by_programme]

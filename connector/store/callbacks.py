"""Callbacks to the Source BB: a durable record of each, with its attempts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nlargest
from typing import Final

from connector.domain.errors import NotFound
from connector.store.archived import LOOKS, Archived
from connector.store.crypto import Keyring
from connector.store.keyspace import Keyspace
from connector.store.link import Link
from connector.store.outbox import Outbox
from connector.store.packing import Sealer
from connector.store.task import Entry, Task

_ANY, _NEW, _NOT_ARCHIVED = 0, 1, 2
"""What the function is told of a callback; it gives 1 where it wrote it."""
_FIND_OUT: Final = 2
"""What it gives for one that may have been archived."""


class CallbackState(StrEnum):
    """How a callback stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Callback:
    """One message to a Source BB.

    id: unique within its batch, derived so that a repeated step names it again; batch: reference, or the stable id
    of what it is about, without blanks; changed_at: Unix seconds; last_outcome: status line or error of the last
    attempt.
    """

    id: str
    batch: str
    url: str
    body: str
    verb: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0
    state: CallbackState = CallbackState.PENDING
    last_outcome: str = ""
    changed_at: float = 0.0


class Callbacks:
    """Keeps callbacks until they are delivered or given up; all of a callback is sealed."""

    def __init__(self, link: Link, keyspace: Keyspace, keys: Keyring, outbox: Outbox, archived: Archived) -> None:
        """Work on this connection."""
        self._archived = archived
        self._link = link
        self._keyspace = keyspace
        self._outbox = outbox
        self._sealer = Sealer(keys, Callback)

    async def put(self, callback: Callback, *, then: Sequence[Task] = (), done: Entry | None = None) -> bool:
        """Keep a new callback and append its tasks; False where its id is there already (nothing changes)."""
        answer = await self._write(callback, then, done, _NEW)
        if answer == _FIND_OUT and await self._archived.callback(callback.batch, callback.id) is None:
            answer = await self._write(callback, then, done, _NOT_ARCHIVED)
        return answer == 1

    async def get(self, batch: str, identifier: str) -> Callback:
        """Give a callback. Raises NotFound."""
        key = self._keyspace.callback(batch, identifier)
        for _ in range(LOOKS):
            sealed = await self._link.ask("GET", key) or await self._archived.callback(batch, identifier)
            if sealed is not None:
                return self._sealer.open(sealed, key)
        raise NotFound("callback", f"{batch} {identifier}")

    async def save(self, callback: Callback, *, then: Sequence[Task] = (), done: Entry | None = None) -> None:
        """Replace a callback after an attempt, append tasks and strike off the entry, in one step."""
        await self._write(callback, then, done, _ANY)

    async def find(self, state: CallbackState, newest: int = 50) -> list[Callback]:
        """List callbacks in a state, the last changed first; without those that were archived."""
        bases = self._keyspace.bases()
        listed = await self._link.ask_all(
            [("ZREVRANGE", f"{base}:callbacks:{state}", 0, newest - 1, "WITHSCORES") for base in bases]
        )
        members = [(at, member.decode()) for part in listed for member, at in part]
        keys = [self._keyspace.callback(*member.split(" ", 1)) for _, member in nlargest(newest, members)]
        values = await self._link.ask_all([("GET", key) for key in keys]) if keys else []
        return [self._sealer.open(value, key) for key, value in zip(keys, values, strict=True) if value]

    async def _write(self, callback: Callback, then: Sequence[Task], done: Entry | None, kind: int) -> int:
        """Write a callback, list it under its state, and do what goes with it."""
        key = self._keyspace.callback(callback.batch, callback.id)
        home = self._keyspace.home(callback.batch)
        others = [f"{home}:callbacks:{state}" for state in CallbackState if state is not callback.state]
        sealed = self._sealer.seal(callback, key)
        outbox = self._outbox.packed(callback.batch, then, done=done)
        keys = [key, *others, f"{home}:callbacks:{callback.state}"]
        arguments = (sealed, f"{callback.batch} {callback.id}", repr(callback.changed_at), outbox, kind)
        return int(await self._link.call("callback", keys, *arguments))

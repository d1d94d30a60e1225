"""The event log of a batch."""

import msgspec

from connector.domain.event import Event
from connector.store.keyspace import Keyspace
from connector.store.link import Link
from connector.store.outbox import pack_event

_decoder = msgspec.json.Decoder(Event)


class Events:
    """Reads what the commits have written: who, when, what, from where, outcome."""

    def __init__(self, link: Link, keyspace: Keyspace) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace

    async def of(self, ref: str, count: int = 1000) -> list[Event]:
        """Give the first ``count`` events of a batch, oldest first."""
        written = await self._link.ask("XRANGE", self._log(ref), "-", "+", "COUNT", count)
        return [_decoder.decode(fields[b"e"]) for _, fields in written]

    async def add(self, ref: str, event: Event) -> None:
        """Write an event that goes with no change of state."""
        await self._link.call("event", [self._log(ref)], pack_event(event))

    def _log(self, ref: str) -> str:
        return f"{self._keyspace.batch(ref)}:events"

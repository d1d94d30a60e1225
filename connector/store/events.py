"""The event log of a batch."""

import msgspec

from connector.domain.event import Event
from connector.store.archive_file import Gone
from connector.store.archived import MOST_LOOKS, Archived, LoggedEvent
from connector.store.keyspace import Keyspace
from connector.store.link import Link, Reply
from connector.store.outbox import pack_event

_decoder = msgspec.json.Decoder(Event)


class Events:
    """Reads what the commits have written: who, when, what, from where, outcome."""

    def __init__(self, link: Link, keyspace: Keyspace, archived: Archived) -> None:
        """Work on this connection."""
        self._archived = archived
        self._link = link
        self._keyspace = keyspace

    async def of(self, ref: str, count: int = 1000) -> list[Event]:
        """Give the first ``count`` events of a batch, oldest first."""
        older, written = await self._logged(ref, count)
        newer = [_decoder.decode(fields[1]) for _, fields in written]
        return [*(event for _, event in older), *newer][:count]

    async def add(self, ref: str, event: Event) -> None:
        """Write an event that goes with no change of state."""
        await self._link.call("event", [self._keyspace.batch(ref)], pack_event(event), repr(event.at))

    async def _logged(self, ref: str, count: int) -> tuple[list[LoggedEvent], Reply]:
        """Give the archived events, and those in the store."""
        for _ in range(MOST_LOOKS):
            name, written = await self._link.call("events", [self._keyspace.batch(ref)], count)
            if not name:
                return [], written
            try:
                return await self._archived.events(ref, name.decode()), written
            except Gone:
                continue
        raise self._archived.missing(name.decode())

"""Small documents with an end of life, such as the results of a prevalidation."""

from connector.store.crypto import Keyring
from connector.store.keyspace import Keyspace
from connector.store.link import Link
from connector.store.packing import Sealer


class Records:
    """A sealed key/value shelf."""

    def __init__(self, link: Link, keyspace: Keyspace, keys: Keyring) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace
        self._sealer = Sealer(keys, str)

    async def put(self, kind: str, identifier: str, document: str, life_seconds: float) -> None:
        """Keep a document (JSON text) for so long; replaces what was there. kind: lower-case letters and dashes."""
        key = self._keyspace.record(kind, identifier)
        await self._link.ask("SET", key, self._sealer.seal(document, key), "PX", max(1, int(life_seconds * 1000)))

    async def get(self, kind: str, identifier: str) -> str | None:
        """Give a document, if it is still there."""
        key = self._keyspace.record(kind, identifier)
        sealed = await self._link.ask("GET", key)
        return None if sealed is None else self._sealer.open(sealed, key)

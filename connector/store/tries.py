"""Counts of what went wrong, by who did it, within a window of time."""

from connector.store.keyspace import Keyspace
from connector.store.link import Link


class Tries:
    """Counts that begin anew when the window since their first has passed."""

    def __init__(self, link: Link, keyspace: Keyspace) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace

    async def count(self, who: str, window_seconds: int) -> int:
        """Count one more; gives the count. who: a digest."""
        key = self._keyspace.tries(who)
        _, counted = await self._link.ask_all([("SET", key, 0, "EX", window_seconds, "NX"), ("INCR", key)])
        return int(counted)

    async def counted(self, who: str) -> int:
        """Give the count."""
        return int(await self._link.ask("GET", self._keyspace.tries(who)) or 0)

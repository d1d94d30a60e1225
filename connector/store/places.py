"""How many exchanges run with an institution at the same time, counted over all processes."""

from collections.abc import Sequence

from connector.store.keyspace import Keyspace
from connector.store.link import Link

_END = "\x1f"


class Places:
    """Gives out places at institutions. Who dies with a place loses it after a while, or gives it back when revived.

    A place is told by its owner, a process, and a number of the owner's own.
    """

    def __init__(self, link: Link, keyspace: Keyspace) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace

    async def occupy(self, institution: str, owner: str, number: int, places: int, seconds: float) -> bool:
        """Take a place for so many seconds at most, unless all ``places`` are taken; tell whether that was done."""
        arguments = (f"{owner}{_END}{number}{_END}", places, int(seconds * 1000))
        return bool(await self._link.call("occupy", [self._keyspace.places(institution)], *arguments))

    async def vacate(self, institution: str, owner: str, number: int) -> None:
        """Give a place back."""
        key = self._keyspace.places(institution)
        await self._link.ask("ZREM", key, f"{owner}{_END}{number}{_END}")

    async def vacate_all(self, institutions: Sequence[str], owner: str) -> int:
        """Give back all that an owner had when it died; tell how many those were."""
        calls = [("vacate", [self._keyspace.places(code)], [f"{owner}{_END}"]) for code in institutions]
        return sum(await self._link.call_all(calls)) if calls else 0

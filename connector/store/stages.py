"""What the stages of every process have cost, for whoever asks one of them."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import msgspec

from connector.domain.stages import Spent
from connector.store.keyspace import Keyspace
from connector.store.link import Link

LIFE_SECONDS: Final = 3600
"""So long is known what a process has said last."""


class _Said(NamedTuple):
    """What a process has said, and when (Unix seconds)."""

    at: float
    stages: dict[str, Spent]


_decoder = msgspec.msgpack.Decoder(_Said)


class StageBook:
    """Keeps the latest word of each process."""

    def __init__(self, link: Link, keyspace: Keyspace, clock: Callable[[], float]) -> None:
        """Work on this connection."""
        self._link = link
        self._key = keyspace.stages()
        self._clock = clock

    async def put(self, process: str, spent: Mapping[str, Spent]) -> None:
        """Replace what a process has said before."""
        said = msgspec.msgpack.encode(_Said(self._clock(), dict(spent)))
        await self._link.ask_all([("HSET", self._key, process, said), ("EXPIRE", self._key, LIFE_SECONDS)])

    async def all(self) -> dict[str, dict[str, Spent]]:
        """Give what each process has said within the last hour; what is older is struck out."""
        said = {name.decode(): _decoder.decode(value) for name, value in await self._fields()}
        oldest = self._clock() - LIFE_SECONDS
        if gone := [name for name, word in said.items() if word.at < oldest]:
            await self._link.ask("HDEL", self._key, *gone)
        return {name: word.stages for name, word in sorted(said.items()) if word.at >= oldest}

    async def _fields(self) -> list[tuple[bytes, bytes]]:
        found: dict[bytes, bytes] = await self._link.ask("HGETALL", self._key)
        return list(found.items())

"""How fast one process closes payout lists: the busier it is, the more redemptions share a payment message."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

MOST_UNDER_WAY: Final = 1
"""So many payouts of this process are under way before it waits with closing the lists again."""

PATIENCE_SECONDS: Final = 0.5
"""Longer than that no closing waits for a payout: its bank may be slow, or another process finish it."""


class _UnderWay(NamedTuple):
    """A payout that is not decided: since when (time of the loop), and how many of its chunks are not."""

    since: float
    chunks: int


class Pace:
    """Lets one closing through at a time, and tells those who came before it began that it served them as well."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._ended = asyncio.Event()
        self._begun = 0
        self._completed = 0
        self._last = float("-inf")
        self._under_way: dict[str, _UnderWay] = {}

    @property
    def ticket(self) -> int:
        """To be drawn on arrival, for ``served``."""
        return self._begun

    def served(self, ticket: int) -> bool:
        """Tell whether a closing that began after the ticket was drawn is complete: it took whatever was there."""
        return self._completed > ticket

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold the turn."""
        async with self._turn:
            yield

    async def wait(self, interval_seconds: float) -> None:
        """Within the turn: wait until the lists may be closed again, and note that this begins."""
        clock = asyncio.get_running_loop().time
        if (pause := self._last + interval_seconds - clock()) > 0:
            await asyncio.sleep(pause)
        while (pause := self._crowded(clock())) > 0:
            self._ended.clear()
            try:
                await asyncio.wait_for(self._ended.wait(), pause)
            except TimeoutError:
                continue
        self._begun += 1
        self._last = clock()

    def complete(self, payouts: Mapping[str, int]) -> None:
        """Within the turn: the lists of all partitions are closed; payouts: chunks of the batches that pay them."""
        self._completed = self._begun
        now = asyncio.get_running_loop().time()
        self._under_way |= {ref: _UnderWay(now, chunks) for ref, chunks in payouts.items()}

    def ended(self, ref: str) -> None:
        """A chunk of a payout is decided."""
        payout = self._under_way.pop(ref, None)
        if payout is not None and payout.chunks > 1:
            self._under_way[ref] = payout._replace(chunks=payout.chunks - 1)
        elif payout is not None:
            self._ended.set()

    def _crowded(self, now: float) -> float:
        """Say how long to wait for one of the payouts under way, in seconds; 0: no longer."""
        self._under_way = {ref: one for ref, one in self._under_way.items() if now - one.since < PATIENCE_SECONDS}
        if len(self._under_way) < MOST_UNDER_WAY:
            return 0.0
        return min(one.since for one in self._under_way.values()) + PATIENCE_SECONDS - now

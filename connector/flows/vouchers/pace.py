"""How fast one process closes payout lists: the busier it is, the more redemptions share a payment message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

MOST_UNDER_WAY: Final = 2
"""So many payouts of this process may be unfinished when it closes the lists again."""

PATIENCE_SECONDS: Final = 0.1
"""Longer than that no closing waits for a payout: its bank may be slow, or another process finish it."""


class Pace:
    """Lets one closing through at a time, and tells those who came before it began that it served them as well."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._ended = asyncio.Event()
        self._begun = 0
        self._completed = 0
        self._last = float("-inf")
        self._under_way: dict[str, float] = {}

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

    def complete(self, refs: list[str]) -> None:
        """Within the turn: the lists of all partitions are closed, and these batches pay what was on them."""
        self._completed = self._begun
        now = asyncio.get_running_loop().time()
        self._under_way |= dict.fromkeys(refs, now)

    def ended(self, ref: str) -> None:
        """A payout is decided."""
        if self._under_way.pop(ref, None) is not None:
            self._ended.set()

    def _crowded(self, now: float) -> float:
        """Say how long to wait for one of the payouts under way, in seconds; 0: no longer."""
        self._under_way = {ref: at for ref, at in self._under_way.items() if now - at < PATIENCE_SECONDS}
        if len(self._under_way) < MOST_UNDER_WAY:
            return 0.0
        return min(self._under_way.values()) + PATIENCE_SECONDS - now

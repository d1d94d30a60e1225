"""Waiting for the outcome of redemptions: one reader a process wakes all requests that wait.

Who waits begins to listen before the redemption is committed, so no outcome can slip through in between; and reads
the record itself at the end of the wait, so nothing depends on the reader but how soon an outcome is noticed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

from connector.domain.errors import IsoGateError
from connector.domain.voucher import Redemption, RedemptionState, redemption_serial
from connector.store import DecidedRedemption, Store

BLOCK_SECONDS: Final = 2.0
PAUSE_SECONDS: Final = 0.2

_DECIDED: Final = frozenset(RedemptionState) - {RedemptionState.PAYING}


class Watch:
    """One request's wait for the outcome of a voucher's redemption."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._news = asyncio.Event()
        self._heard: dict[str, DecidedRedemption] = {}

    def hear(self, decided: DecidedRedemption) -> None:
        """Take an outcome of the voucher."""
        self._heard[decided.redemption] = decided
        self._news.set()

    async def outcome(self, redemption: Redemption, most_seconds: float) -> Redemption:
        """Give the redemption as it is decided, or as it still is after so many seconds."""
        if redemption.state in _DECIDED:
            return redemption
        with suppress(TimeoutError):
            async with asyncio.timeout(most_seconds):
                while redemption.id not in self._heard:
                    self._news.clear()
                    await self._news.wait()
        heard = self._heard.get(redemption.id)
        if heard is not None and heard.state is RedemptionState.REDEEMED:
            return replace(redemption, state=heard.state)
        return await self._store.vouchers.redemption(redemption.id) or redemption


class Outcomes:
    """Reads the outcome streams of all partitions while anybody waits, and a little longer."""

    def __init__(self) -> None:
        self._watches: dict[int, set[Watch]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    @asynccontextmanager
    async def watch(self, store: Store, serial: int) -> AsyncIterator[Watch]:
        """Listen for a voucher's outcomes from now on; to be entered before the redemption is committed."""
        watch = Watch(store)
        self._watches.setdefault(serial, set()).add(watch)
        try:
            await self._listening(store)
            yield watch
        finally:
            self._watches[serial].discard(watch)
            if not self._watches[serial]:
                del self._watches[serial]

    async def close(self) -> None:
        """Stop reading."""
        while self._reader is not None and not self._reader.done():
            self._reader.cancel()  # again where a connection that was just being opened took no notice
            await asyncio.wait({self._reader}, timeout=0.05)

    async def _listening(self, store: Store) -> None:
        """See to it that there is a reader, which knows from where it reads."""
        if self._reader is not None and not self._reader.done():
            return
        async with self._starting:
            if self._reader is None or self._reader.done():
                position, _ = await store.vouchers.outcomes()
                self._reader = asyncio.create_task(self._read(store, position))

    async def _read(self, store: Store, position: dict[str, str]) -> None:
        """Hand outcomes on until nobody has waited for a whole read; while the store is away, try again."""
        while True:
            try:
                position, decided = await store.vouchers.outcomes(position, BLOCK_SECONDS)
            except IsoGateError:
                await asyncio.sleep(PAUSE_SECONDS)
                decided = []
            for one in decided:
                for watch in self._watches.get(redemption_serial(one.redemption), ()):
                    watch.hear(one)
            if not decided and not self._watches:
                return

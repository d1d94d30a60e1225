"""Waiting for the outcome of redemptions: one reader a process wakes all requests that wait.

Who waits begins to listen before the redemption is committed, so no outcome can slip through in between; and reads
the record itself at the end of the wait, so nothing depends on the reader but how soon an outcome is noticed.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Final, Self

from connector.domain.errors import IsoGateError
from connector.domain.voucher import Redemption, RedemptionState, redemption_serial
from connector.store import DecidedRedemption, Store

BLOCK_SECONDS: Final = 2.0
PAUSE_SECONDS: Final = 0.2

_DECIDED: Final = frozenset(RedemptionState) - {RedemptionState.PAYING}


class Watch:
    """One request's wait for the outcome of a voucher's redemption; listens within ``async with``."""

    def __init__(self, outcomes: "Outcomes", store: Store, serial: int) -> None:
        self._outcomes = outcomes
        self._store = store
        self._serial = serial
        self._news = asyncio.Event()
        self._heard: dict[str, DecidedRedemption] = {}

    async def __aenter__(self) -> Self:
        """Begin to listen: to be done before the redemption is committed."""
        self._outcomes.enter(self._serial, self)
        try:
            await self._outcomes.listen(self._store)
        except BaseException:
            self._outcomes.leave(self._serial, self)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Listen no more."""
        self._outcomes.leave(self._serial, self)

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

    def watch(self, store: Store, serial: int) -> Watch:
        """Make a watch for a voucher's outcomes."""
        return Watch(self, store, serial)

    def enter(self, serial: int, watch: Watch) -> None:
        """Have a watch told of a voucher's outcomes."""
        self._watches.setdefault(serial, set()).add(watch)

    def leave(self, serial: int, watch: Watch) -> None:
        """Tell it no more."""
        watches = self._watches[serial]
        watches.discard(watch)
        if not watches:
            del self._watches[serial]

    async def listen(self, store: Store) -> None:
        """See to it that there is a reader, which knows from where it reads."""
        if self._reader is not None and not self._reader.done():
            return
        async with self._starting:
            if self._reader is None or self._reader.done():
                position, _ = await store.vouchers.outcomes()
                self._reader = asyncio.create_task(self._read(store, position))

    async def close(self) -> None:
        """Stop reading."""
        while self._reader is not None and not self._reader.done():
            self._reader.cancel()  # again where a connection that was just being opened took no notice
            await asyncio.wait({self._reader}, timeout=0.05)

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

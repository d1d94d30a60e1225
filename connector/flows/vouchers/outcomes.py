"""Waiting for the outcome of redemptions: one reader a process wakes all requests that wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connector.domain.voucher import Redemption
from connector.store import Store


class Watch:
    """One request's wait for the outcome of a voucher's redemption."""

    async def outcome(self, redemption: Redemption, deadline_seconds: float) -> Redemption:
        """Give the redemption as it is decided, or as it still is after so many seconds."""
        raise NotImplementedError


class Outcomes:
    """Reads the outcome streams of all partitions while anybody waits."""

    @asynccontextmanager
    async def watch(self, store: Store, serial: int) -> AsyncIterator[Watch]:
        """Listen for a voucher's outcomes from now on; to be entered before the redemption is committed."""
        await asyncio.sleep(0)
        yield Watch()

    async def close(self) -> None:
        """Stop reading."""

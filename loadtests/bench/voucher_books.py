"""The books after vouchers were redeemed: stock, budget, and what the simulated institutions credited to whom."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Self

import aiohttp

from connector.cli.ledgers import LedgerProof, proof
from connector.domain.errors import Unavailable
from connector.domain.voucher import VoucherState
from connector.settings import Settings
from loadtests.bench.voucher_world import CURRENCY, GROUP, MERCHANTS, PROGRAMME, Merchant, amount, merchant

PATIENCE_SECONDS: Final = 120.0
LOOK_EVERY_SECONDS: Final = 0.02
MOST_LISTED: Final = 10_000
"""Movements of one account that a simulated institution lists."""


class Books:
    """The books of an instance, in which vouchers are redeemed in the order of their numbers in the run."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._redeemed = 0

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: Settings) -> AsyncIterator[Self]:
        """Open them."""
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            yield cls(settings, session)

    async def settle(self, redeemed: int) -> None:
        """Wait until the budget knows of so many more vouchers; raises ``Unavailable`` when that takes too long."""
        self._redeemed += redeemed
        expected, late = sum(map(amount, range(self._redeemed))), time.monotonic() + PATIENCE_SECONDS
        while (await self._funds())["spent"] != expected:
            if time.monotonic() > late:
                raise Unavailable("budget", "it does not come to what was redeemed")
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def problems(self, vouchers: int) -> list[str]:
        """Say what does not come out after all of so many vouchers were redeemed."""
        ledgers = await self._quiet()
        ledgers.expect_spent(PROGRAMME, CURRENCY, sum(map(amount, range(vouchers))))
        found = list(ledgers.problems)
        if reserved := (await self._funds())["reserved"]:
            found.append(f"{reserved} minor units are still reserved")
        items = (await self._ask(f"{self._settings.api_url}/admin/voucher-stock?group={GROUP}"))["items"]
        counted = {(one["state"], one["currency"]): one["count"] for one in items}
        if counted != {(VoucherState.REDEEMED.value, CURRENCY): vouchers}:
            found.append(f"the stock does not count {vouchers} redeemed vouchers and no others")
        for paid in MERCHANTS:
            found += await self._credits(paid, [amount(n) for n in range(vouchers) if merchant(n) is paid])
        return found

    async def _quiet(self) -> LedgerProof:
        """Prove the ledgers once the institutions have delivered what they had to."""
        late = time.monotonic() + PATIENCE_SECONDS
        while True:
            ledgers = await proof(self._settings)
            if ledgers.balanced or time.monotonic() > late:
                return ledgers
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def _credits(self, paid: Merchant, amounts: list[int]) -> list[str]:
        """Compare what a merchant was credited with the vouchers presented there, one by one."""
        base = f"{self._settings.simulators_base}/sim/{paid.institution}"
        account = paid.account.lstrip("+")  # operators keep their books without it
        movements = await self._ask(f"{base}/statements/{account}?limit={MOST_LISTED}")
        found = sorted(abs(one["minor"]) for one in movements)
        if len(amounts) <= MOST_LISTED and found != sorted(amounts):
            return [f"{paid.name} was credited {len(found)} times, {len(amounts)} vouchers were presented there"]
        return []

    async def _funds(self) -> dict[str, int]:
        said = await self._ask(f"{self._settings.api_url}/admin/programmes/{PROGRAMME}/funds")
        funds: dict[str, int] = said[CURRENCY]
        return funds

    async def _ask(self, url: str) -> Any:  # noqa: ANN401 - JSON
        async with self._session.get(url) as answer:
            return await answer.json()

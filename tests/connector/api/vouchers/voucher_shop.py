"""Vouchers in every state, merchants of every kind, and what one does with them."""

import asyncio
import json
from dataclasses import replace

from aiohttp.test_utils import TestClient

from connector.domain.directory import Directory, Programme
from connector.domain.voucher import Command, Issued, Merchant, VoucherGroup, VoucherState
from connector.flows.services import Services
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.issue import Wanted, issue
from connector.sandbox import sandbox_directory
from connector.store import CallbackState
from connector.store.vouchers import PayoutOutcome

BB = "bb-digital-registries"
CALLER = Caller("govstack-v1", BB, "test")
MERCHANT = {"merchant_name": "Corner Shop", "merchant_bank_details": "1000000042", "merchant_voucher_group": "FOOD"}


def shop_directory() -> Directory:
    """The sandbox with groups and merchants."""
    plain = sandbox_directory("http://localhost:1")
    empty = Programme("EMPTY", "Empty", "TREAXU22", "TREAXU22", "9000000001", "Ministry", budgets={"USD": 0})
    groups = [
        VoucherGroup("FOOD", "Food", "SANDBOX"),
        VoucherGroup("FIXED", "Fixed price", "SANDBOX", currency="USD", amount_minor=2500),
        VoucherGroup("STOCK", "Stock only", "SANDBOX", on_demand=False),
        VoucherGroup("POOR", "Unfunded", "EMPTY"),
    ]
    merchants = [
        Merchant("CORNER", "Corner Shop", institution="UNIOXU22", address="1000000042"),
        Merchant("CASHONLY", "Cash Only"),
        Merchant("POORSHOP", "Poor Shop", institution="UNIOXU22", address="1000000045", programme="EMPTY"),
        Merchant("BAKER", "Baker", groups=("BREAD",), institution="UNIOXU22", address="1000000046"),
    ]
    return replace(
        plain,
        programmes=plain.programmes | {"EMPTY": empty},
        groups={group.code: group for group in groups},
        merchants={merchant.id: merchant for merchant in merchants},
    )


class Shop:
    """A client, one to whom redemptions answer at once that their outcome is not known, and the house behind them."""

    def __init__(self, services: Services, client: TestClient, hasty: TestClient) -> None:
        self.services = services
        self.client = client
        self.hasty = hasty

    async def voucher(self, state: str = "activated", amount_minor: int = 1521, currency: str = "USD") -> Issued:
        """Make a voucher and lead it to a state."""
        at_once = {"activated": VoucherState.ACTIVATED, "pre-activated": VoucherState.PRE_ACTIVATED}
        start = VoucherState.IN_STOCK if state == "in-stock" else at_once.get(state, VoucherState.ACTIVATED)
        issued = (await issue(self.services, CALLER, "", [Wanted("FOOD", currency, amount_minor)], state=start))[0]
        move, now = self.services.store.vouchers.move, self.services.clock()
        commands = {"suspended": Command.SUSPEND, "cancelled": Command.CANCEL, "blocked": Command.BLOCK}
        if state in commands:
            await move(commands[state], [issued.serial], actor="test", now=now)
        if state == "expired":
            later = now + 400 * 86_400
            await move(Command.EXPIRE, [issued.serial], actor="test", now=later)
        if state in {"redeemed", "redeeming"}:
            await self.begin(self.redemption(issued))
        if state == "redeemed":
            await self.decide(issued.serial)
        return issued

    @staticmethod
    def redemption(issued: Issued, **changed: object) -> dict[str, object]:
        return {"voucher_number": int(issued.number), "Gov_Stack_BB": BB, **MERCHANT, "override": False, **changed}

    async def begin(self, body: dict[str, object]) -> None:
        answer = await self.hasty.post("/vouchers/voucher_redemption", json=body)
        assert answer.status == 503, await answer.text()

    async def decide(self, serial: int, *, paid: bool = True, reason: str = "") -> None:
        """Say what became of the payment of the voucher's last redemption."""
        found = (await self.services.store.vouchers.read([serial]))[0]
        outcome = PayoutOutcome(f"{serial}-{found.redemptions}", paid, reason, "BATCHAAAAAAAAAAAAAAA")
        await self.services.store.vouchers.decide([outcome])

    async def decided(self, request, serial: int, *, paid: bool = True, reason: str = ""):
        """Send a request and say what becomes of the payment while it waits."""
        asked = asyncio.ensure_future(request)
        async with asyncio.timeout(5):
            while await self.state(serial) != "redeeming":  # noqa: ASYNC110 - it is the store that is looked at
                await asyncio.sleep(0)
        await self.decide(serial, paid=paid, reason=reason)
        return await asked

    async def state(self, serial: int) -> str:
        return (await self.services.store.vouchers.read([serial]))[0].state.value

    async def callback(self) -> dict[str, object]:
        """Take the only callback that is waiting."""
        found = await self.services.store.callbacks.find(CallbackState.PENDING)
        assert len(found) == 1
        return {"url": found[0].url, "body": json.loads(found[0].body)}

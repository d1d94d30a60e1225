"""A world with vouchers, merchants and a bank, and requests that wait while the steps are carried."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from flow_world import World, directory

from connector.domain.directory import Directory, Programme, SourceBB
from connector.domain.ids import batch_reference
from connector.domain.messages import PaymentReturn, ReturnedTransfer
from connector.domain.voucher import (
    GOVSTACK_POLICY,
    Lot,
    Merchant,
    NewVoucher,
    Redemption,
    Voucher,
    VoucherGroup,
    VoucherPolicy,
    VoucherState,
)
from connector.flows import inbound
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.redemption import Presentation, redeem

SHOP = Caller("govstack-v1", "SHOP_BB", "test")
OTHER = Caller("govstack-v1", "OTHER_BB", "test")


class Made:
    """A voucher whose number is known."""

    def __init__(self, serial: int, number: str) -> None:
        self.serial = serial
        self.number = number


class RedeemWorld(World):
    """Makes vouchers, redeems them, and looks at what became of them."""

    async def make(
        self,
        *amounts: int,
        policy: VoucherPolicy = GOVSTACK_POLICY,
        state: VoucherState = VoucherState.ACTIVATED,
        group: str = "FOOD",
    ) -> list[Made]:
        store = self.services.store
        first = await store.vouchers.next_serials(len(amounts))
        made = [Made(first + i, f"4{(first + i) * 7 % 10**15:015d}") for i in range(len(amounts))]
        assert await store.vouchers.claim_numbers([(one.number, one.serial) for one in made]) == []
        lot = Lot(
            batch_reference("lot", "test", str(first)),
            group,
            "PENSIONS",
            "USD",
            policy,
            90 * 86_400,
            state,
            self.services.clock(),
        )
        assert await store.funds.reserve("PENSIONS", lot.id, {"USD": sum(amounts)}, False) == ""
        vouchers = [NewVoucher(one.serial, one.number, amount) for one, amount in zip(made, amounts, strict=True)]
        await store.vouchers.create(lot, vouchers, actor="test")
        return made

    async def redeem(self, voucher: Made, caller: Caller = SHOP, **fields: object) -> Redemption:
        return await redeem(self.services, caller, presented(voucher, **fields))

    async def redeem_paid(self, *vouchers: Made, **fields: object) -> list[Redemption | BaseException]:
        """Redeem them at once while the steps are carried; gives what each request was told."""
        requests = [asyncio.create_task(self.redeem(voucher, **fields)) for voucher in vouchers]
        gathered = asyncio.gather(*requests, return_exceptions=True)
        while not gathered.done():
            await self.carry()
            await asyncio.sleep(0.002)
        return await gathered

    async def ordered(self, voucher: Made, **fields: object) -> asyncio.Task[Redemption]:
        """Begin a redemption; given back when the voucher is locked and the request waits."""
        request = asyncio.create_task(self.redeem(voucher, **fields))
        for _ in range(1000):
            if (await self.voucher(voucher)).state is VoucherState.REDEEMING or request.done():
                break
        return request

    async def voucher(self, made: Made) -> Voucher:
        found = (await self.services.store.vouchers.read([made.serial]))[0]
        assert found is not None
        return found

    async def states(self, *made: Made) -> list[str]:
        return [(await self.voucher(one)).state.value for one in made]

    @property
    def clock(self) -> Any:
        return self.services.clock

    def settings(self, **changes: object) -> None:
        self.services = replace(self.services, settings=replace(self.services.settings, **changes))

    def impatient(self) -> None:
        """Requests wait hardly at all from now on."""
        self.settings(redemption_wait_seconds=0.05)

    async def report_late(self) -> None:
        """The bank pushes the report on its last message."""
        body = self.fsp.report(self.fsp.messages[-1])
        await inbound.message(self.services, "TREAXU22", body)

    async def report_returned(self) -> None:
        """The bank gives the credits of its last message back."""
        message = self.fsp.messages[-1]
        items = [
            ReturnedTransfer(
                f"RT{one.end_to_end_id}", one.instruction_id, one.end_to_end_id, "", one.amount_minor, "AC04"
            )
            for one in message.transfers
        ]
        value = PaymentReturn(
            "RETURN1",
            datetime.now(UTC).replace(microsecond=0),
            "USD",
            sum(item.amount_minor for item in items),
            message.message_id,
            "pain.001.001.09",
            date(2027, 1, 1),
            items,
            "UNIOXU22",
            "TREAXU22",
        )
        await inbound.message(self.services, "TREAXU22", self.fsp.engine.write("generic", "pacs.004.001.09", value))

    def paid(self) -> list[str]:
        """The end-to-end ids of all credits that the bank was ordered to pay, however often."""
        return sorted(transfer.end_to_end_id for message in self.fsp.messages for transfer in message.transfers)


def presented(voucher: Made, **fields: object) -> Presentation:
    plain = Presentation(voucher.number, merchant_name="Corner Shop", merchant_account="1000000042")
    return replace(plain, **fields)


def redeem_directory(url: str) -> Directory:
    """The world of the flows with shops, a group and building blocks that take vouchers."""
    plain = directory(url)
    payer = ("TREAXU22", "TREAXU22", "9000000001", "Ministry")
    programmes = [
        Programme("EMPTY", "Empty", *payer, budgets={"USD": 0}),
        Programme("LOST", "Lost", "NOWHERE", *payer[1:], open_budget=True),
    ]
    shops = [
        Merchant("CORNER", "Corner Shop", institution="UNIOXU22", address="1000000042"),
        Merchant("PHONE", "Phone Shop", address="+99970123456"),
        Merchant("BAKER", "Baker", groups=("BREAD",), institution="UNIOXU22", address="1000000043"),
        Merchant("CASHONLY", "Cash Only"),
        Merchant("CLOSED", "Closed Shop", institution="UNIOXU22", address="1000000044", active=False),
        Merchant("POOR", "Poor Shop", institution="UNIOXU22", address="1000000045", programme="EMPTY"),
        Merchant("CUTOFF", "Cut Off", institution="UNIOXU22", address="1000000046", programme="LOST"),
    ]
    return replace(
        plain,
        programmes=plain.programmes | {one.id: one for one in programmes},
        sources=plain.sources | {name: SourceBB(name, name, "PENSIONS") for name in ("SHOP_BB", "OTHER_BB")},
        groups={"FOOD": VoucherGroup("FOOD", "Food", "PENSIONS", accepted_at=("GROCERY",))},
        merchants={shop.id: shop for shop in shops},
        open_sources=True,
    )

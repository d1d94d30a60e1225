"""Vouchers for the tests of the store."""

from dataclasses import replace

from connector.domain.voucher import RETAIL_POLICY, Lot, NewVoucher, VoucherPolicy, VoucherState
from connector.store import RedeemOrder, Store

NOW = 1_800_000_000.0
DAY = 86_400
LOT = Lot("LOT45678901234567890", "FOOD", "RELIEF", "USD", RETAIL_POLICY, DAY, VoucherState.ACTIVATED, NOW)
PAYING = VoucherPolicy()


def number(serial: int) -> str:
    return str(8_999_999_999_999_999 - serial)


async def made(store: Store, amounts: list[int], **changes: object) -> list[int]:
    """Make vouchers of one lot; ``changes`` are those of the lot, and pin_hash, balances."""
    first = await store.vouchers.next_serials(len(amounts))
    serials = list(range(first, first + len(amounts)))
    pin, balances = str(changes.pop("pin_hash", "")), changes.pop("balances", None)
    lot = replace(LOT, **changes)
    vouchers = [
        NewVoucher(serial, number(serial), amount, f"I{serial}", "P1", "Food", pin)
        for serial, amount in zip(serials, amounts, strict=True)
    ]
    assert await store.vouchers.claim_numbers([(one.number, one.serial) for one in vouchers]) == []
    left = balances and {serial: balances[place] for place, serial in enumerate(serials)}
    await store.vouchers.create(lot, vouchers, actor="TREASURY", balances=left)
    return serials


def order(serial: int, **changes: object) -> RedeemOrder:
    return replace(
        RedeemOrder(serial, "SHOP", "RELIEF", "presenter", "", "suv", "SHOP", 0, pays=False, now=NOW), **changes
    )

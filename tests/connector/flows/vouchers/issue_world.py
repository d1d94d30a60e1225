"""Voucher groups and callers of a small world."""

from dataclasses import replace

from flow_world import World

from connector.domain.voucher import VoucherGroup
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.issue import Wanted

MINISTRY = Caller("govstack-v3", "MINISTRY")
STRANGER = Caller("govstack-v3", "STRANGER")
DAY = 86_400.0


async def with_groups(world: World, **changes: object) -> VoucherGroup:
    """Add the group FOOD, with changes, and BOOKS of a fixed price in euros; both are paid by PENSIONS or so."""
    food = replace(VoucherGroup("FOOD", "Food", "PENSIONS", validity_seconds=int(10 * DAY)), **changes)
    await world.services.store.directory.save_group(food)
    await world.services.store.directory.save_group(VoucherGroup("BOOKS", "Books", "ASKING", "EUR", 700))
    return food


def food(minor: int = 500, **fields: object) -> Wanted:
    return Wanted("FOOD", "USD", minor)._replace(**fields)


async def money(world: World, programme: str = "PENSIONS", currency: str = "USD") -> tuple[int, int, int]:
    """What is reserved, spent and available."""
    balance = (await world.services.store.funds.balances(programme))[currency]
    assert balance.budget == balance.reserved + balance.spent + balance.available
    return balance.reserved, balance.spent, balance.available

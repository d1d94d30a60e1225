"""What may be known of vouchers: one by one, and of groups in numbers. Never a voucher number."""

from typing import NamedTuple

from connector.domain.voucher import Redemption, Voucher, VoucherEvent, VoucherGroup, VoucherState
from connector.flows.services import Services


class StockLine(NamedTuple):
    """How many vouchers of a group are in a state, and their face value in minor units."""

    group: str
    state: VoucherState
    currency: str
    vouchers: int
    minor: int


class GroupStanding(NamedTuple):
    """How many vouchers of a group are in stock, and how many are out: handed out and not over."""

    group: VoucherGroup
    in_stock: int
    out: int


async def voucher(services: Services, serial: int) -> Voucher:
    """Show a voucher, from the archive if it was purged; raises ``VoucherRefused`` UNKNOWN_SERIAL."""
    raise NotImplementedError


async def by_number(services: Services, number: str) -> Voucher:
    """Show the voucher with a number, to who holds it; raises ``VoucherRefused`` UNKNOWN_NUMBER."""
    raise NotImplementedError


async def history(services: Services, serial: int) -> list[VoucherEvent]:
    """Tell what was done to a voucher, the oldest first; raises ``VoucherRefused`` UNKNOWN_SERIAL."""
    raise NotImplementedError


async def redemptions(services: Services, serial: int) -> list[Redemption]:
    """Tell how a voucher was redeemed, the oldest first; raises ``VoucherRefused`` UNKNOWN_SERIAL."""
    raise NotImplementedError


async def stock(services: Services, group: str = "") -> list[StockLine]:
    """Report the stock per group ("": of all), state and currency; raises ``VoucherRefused`` UNKNOWN_GROUP."""
    raise NotImplementedError


async def standing(services: Services, group: str) -> GroupStanding:
    """Tell how a group stands against its limit and restock threshold; raises ``VoucherRefused`` UNKNOWN_GROUP."""
    raise NotImplementedError

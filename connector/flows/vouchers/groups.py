"""Voucher groups: which there are, what their vouchers may be worth, how many are out."""

from typing import Final, NamedTuple

from connector.domain.directory import Directory
from connector.domain.money import is_currency
from connector.domain.voucher import LARGEST_AMOUNT, VoucherFault, VoucherGroup, VoucherRefused, VoucherState
from connector.flows.services import Services
from connector.flows.vouchers.caller import Caller, check_programme

_V = VoucherState
OUT: Final = frozenset({_V.PRE_ACTIVATED, _V.ACTIVATED, _V.REDEEMING, _V.SUSPENDED, _V.BLOCKED})
"""Handed out and not over: what a group's limit counts."""


class GroupStanding(NamedTuple):
    """How many vouchers of a group are in stock, and how many are out."""

    group: VoucherGroup
    in_stock: int
    out: int


def known_group(directory: Directory, code: str, where: str = "") -> VoucherGroup:
    """Find a group whose programme is there to pay; raises ``VoucherRefused`` UNKNOWN_GROUP."""
    group = directory.groups.get(code)
    if group is None or group.programme not in directory.programmes:
        raise VoucherRefused(VoucherFault.UNKNOWN_GROUP, "There is no such voucher group.", where=where)
    return group


def group_for(directory: Directory, caller: Caller, code: str, where: str = "") -> VoucherGroup:
    """Find a group that the caller may have vouchers made of; raises ``VoucherRefused``."""
    group = known_group(directory, code, where)
    check_programme(directory.programmes[group.programme], caller)
    return group


def price(group: VoucherGroup, currency: str, amount_minor: int, where: str = "") -> int:
    """Say what a voucher of the group is worth (minor units; asked for 0: the fixed price). ``VoucherRefused``."""
    if not is_currency(currency) or (group.currency and currency != group.currency):
        raise VoucherRefused(VoucherFault.CURRENCY, "The voucher group is not issued in this currency.", where=where)
    amount = amount_minor or group.amount_minor
    if not 0 < amount <= LARGEST_AMOUNT or (group.amount_minor and amount != group.amount_minor):
        raise VoucherRefused(VoucherFault.AMOUNT, "The voucher group is not issued in this amount.", where=where)
    return amount


async def standing(services: Services, group: VoucherGroup) -> GroupStanding:
    """Count a group's vouchers."""
    counted = await services.store.vouchers.stock(group.code)
    in_stock = sum(tally.payments for (state, _), tally in counted.items() if state is VoucherState.IN_STOCK)
    return GroupStanding(
        group, in_stock, sum(tally.payments for (state, _), tally in counted.items() if state in OUT)
    )


async def check_limit(services: Services, group: VoucherGroup, more: int) -> None:
    """Raise ``VoucherRefused`` EXHAUSTED where ``more`` vouchers would go beyond the group's limit.

    Counted is what was out a moment ago: requests that come in the same moment may go beyond it together.
    """
    if group.limit and (await standing(services, group)).out + more > group.limit:
        raise VoucherRefused(VoucherFault.EXHAUSTED, "The voucher group's limit is reached.")

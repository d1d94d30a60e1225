"""Redemption: from a voucher's number to the merchant's money; confirmation, reversal and refund."""

from dataclasses import dataclass, field

from connector.domain.voucher import Redemption
from connector.flows.services import Services
from connector.flows.vouchers.caller import Caller


@dataclass(frozen=True, slots=True)
class Presentation:
    """A voucher as it is presented for redemption. number and pin are secrets, merchant_account is personal.

    serial: 0 where the dialect has none; merchant: its id, or name and bank details (v1); merchant_group: the group
    as which it takes the voucher ("": one of its own); override: whatever the group; amount_minor: 0 for all that is
    left; currency: "" for the voucher's; request: the redeemer's own id of this redemption, under which a retry gets
    the same redemption for ever; correlation: an id that only tells retries within the repeat window.
    """

    number: str = field(repr=False)
    serial: int = 0
    merchant: str = ""
    merchant_name: str = ""
    merchant_account: str = field(default="", repr=False)
    merchant_group: str = ""
    override: bool = False
    amount_minor: int = 0
    currency: str = ""
    request: str = ""
    pin: str = field(default="", repr=False)
    correlation: str = ""


async def redeem(services: Services, caller: Caller, presentation: Presentation) -> Redemption:
    """Redeem a voucher and wait for the merchant's payment; still PAYING at the end of the wait means: not known yet.

    Checks, in this order: the caller, the number, the merchant, who pays, the group, the voucher's state. Raises
    ``VoucherRefused``, also (MERCHANT or FUNDING) where the payment was rejected: then the voucher is free again.
    """
    raise NotImplementedError


async def confirm(
    services: Services, caller: Caller, redemption: str, *, final_minor: int | None = None
) -> Redemption:
    """Note that a redemption will not be reversed; final_minor: what of it stands, ``None`` for all."""
    raise NotImplementedError


async def reverse(services: Services, caller: Caller, redemption: str, *, keep_minor: int = 0) -> Redemption:
    """Undo a redemption that is not confirmed, down to what is kept."""
    raise NotImplementedError


async def refund(services: Services, caller: Caller, redemption: str, *, amount_minor: int = 0) -> Redemption:
    """Give a redeemed amount back to the voucher; 0: all of it."""
    raise NotImplementedError

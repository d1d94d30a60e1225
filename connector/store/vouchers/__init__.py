"""Vouchers in the store: secret numbers, states, stock, redemptions, payout lists."""

from connector.store.vouchers.values import (
    ArchivedVoucher,
    DecidedRedemption,
    LotAccount,
    PayoutMember,
    PayoutOutcome,
    Redeemed,
    RedeemOrder,
    ResealCounts,
)
from connector.store.vouchers.vouchers import Vouchers

__all__ = [
    "ArchivedVoucher",
    "DecidedRedemption",
    "LotAccount",
    "PayoutMember",
    "PayoutOutcome",
    "RedeemOrder",
    "Redeemed",
    "ResealCounts",
    "Vouchers",
]

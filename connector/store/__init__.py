"""The only code that speaks Redis or Valkey: batches, work queue, account mapper, funds, callbacks, directory.

``Store.connect`` opens it; ``embedded.EmbeddedServer`` starts a server where none is given.
"""

from connector.store.callbacks import Callback, CallbackState
from connector.store.crypto import Keyring
from connector.store.embedded import EmbeddedServer
from connector.store.funds import FundsBalance
from connector.store.store import Store
from connector.store.task import Entry, Task
from connector.store.vouchers import (
    ArchivedVoucher,
    DecidedRedemption,
    LotAccount,
    PayoutMember,
    PayoutOutcome,
    Redeemed,
    RedeemOrder,
    ResealCounts,
)

__all__ = [
    "ArchivedVoucher",
    "Callback",
    "CallbackState",
    "DecidedRedemption",
    "EmbeddedServer",
    "Entry",
    "FundsBalance",
    "Keyring",
    "LotAccount",
    "PayoutMember",
    "PayoutOutcome",
    "RedeemOrder",
    "Redeemed",
    "ResealCounts",
    "Store",
    "Task",
]

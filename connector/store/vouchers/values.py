"""What goes into the voucher store and comes out of it, beside the values of ``domain.voucher``."""

from dataclasses import dataclass, field
from typing import NamedTuple

from connector.domain.voucher import Lot, Redemption, RedemptionState, Voucher, VoucherEvent


@dataclass(frozen=True, slots=True)
class RedeemOrder:
    """A redemption that somebody asks for.

    programme: out of whose account the merchant is paid; presenter: keyed digest of who asks (dialect, caller,
    merchant, request or correlation id); request: the redeemer's own id, "" where the dialect has none; amount_minor:
    0: all that is left; pays: the merchant is credited through the connector; now: Unix seconds; repeat_seconds: for
    so long after the decision the same presenter without a request id is given the same outcome again; pin_hash: what
    ``Vouchers.pin_hash`` made of the PIN, "" where none was given; wrong_limit: so many wrong PINs block the voucher
    (0: never). receipt: somebody is to be told of the decision (task ``voucher-notice``).
    """

    serial: int
    merchant: str
    programme: str
    presenter: str
    request: str
    dialect: str
    actor: str
    amount_minor: int
    pays: bool
    now: float
    repeat_seconds: float = 1.0
    pin_hash: str = field(default="", repr=False)
    wrong_limit: int = 5
    receipt: bool = False


class Redeemed(NamedTuple):
    """What became of an order. repeated: the redemption was there already; its state may still be PAYING."""

    redemption: Redemption
    repeated: bool


class PayoutMember(NamedTuple):
    """A redemption whose merchant is to be paid."""

    redemption: str
    serial: int
    programme: str
    merchant: str
    amount_minor: int
    currency: str


class PayoutOutcome(NamedTuple):
    """What became of a merchant's payment. reason: ISO code and sentence of a failure; batch: reference that paid."""

    redemption: str
    paid: bool
    reason: str = ""
    batch: str = ""


class DecidedRedemption(NamedTuple):
    """A line of the stream of outcomes."""

    redemption: str
    state: RedemptionState


class LotAccount(NamedTuple):
    """What of a lot has happened in one block, absolute, in minor units; its serials are between first and last."""

    lot: Lot
    version: int
    spent: int
    released: int
    first: int
    last: int


class ArchivedVoucher(NamedTuple):
    """All that is known of a voucher but its number, for the archive."""

    voucher: Voucher
    redemptions: tuple[Redemption, ...]
    history: tuple[VoucherEvent, ...]


class ResealCounts(NamedTuple):
    """How far a change of keys is: blocks looked at, vouchers in them, and those put under the newest key."""

    blocks: int
    vouchers: int
    resealed: int

"""Vouchers: their states, what may be done in each, and the values that speak of them.

A voucher has a secret *number*, by which its holder redeems it, and a *serial number*, by which everybody else speaks
of it. Nothing here carries the number but ``NewVoucher``, ``Issued`` and ``Presentation``, whose texts hide it.

Source: GovStack Payments, voucher management (states, whole amount, expiry from activation); Single Use Voucher
Service Interface 1.14 (reversal, refund, partial redemption).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from connector.domain.errors import Refused

NUMBER_DIGITS: Final = 16
BLOCK: Final = 1000
"""Serial numbers of one thousand are kept together: all of a block is in one partition of the store."""

FIRST_SERIAL: Final = 10**15
"""Serial numbers have 16 digits and grow by one."""

LARGEST_AMOUNT: Final = 10**15
"""In minor units; larger ones could not be compared exactly on the server."""


class VoucherState(StrEnum):
    """Where a voucher is."""

    IN_STOCK = "in-stock"  # provisioned, not handed out (GovStack: Not Pre-Activated)
    PRE_ACTIVATED = "pre-activated"  # handed out, worth nothing yet (SUV: provisioned, not confirmed)
    ACTIVATED = "activated"
    REDEEMING = "redeeming"  # locked: the merchant's payment is on its way, or its outcome unknown
    REDEEMED = "redeemed"  # consumed
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"  # after repeated wrong numbers
    EXPIRED = "expired"
    PURGED = "purged"  # in the archive


class Command(StrEnum):
    """What can be done to vouchers by their serial numbers."""

    PRE_ACTIVATE = "pre-activate"
    ACTIVATE = "activate"
    SUSPEND = "suspend"
    REACTIVATE = "reactivate"  # back to what it was before the suspension
    CANCEL = "cancel"
    BLOCK = "block"
    UNBLOCK = "unblock"  # back to what it was before
    EXPIRE = "expire"
    PURGE = "purge"


class Transition(NamedTuple):
    """From which states a command leads, and where to; ``None``: back to the state before."""

    sources: frozenset[VoucherState]
    target: VoucherState | None


_V = VoucherState
_LIVING: Final = frozenset({_V.PRE_ACTIVATED, _V.ACTIVATED})

TRANSITIONS: Final[Mapping[Command, Transition]] = MappingProxyType(
    {
        Command.PRE_ACTIVATE: Transition(frozenset({_V.IN_STOCK}), _V.PRE_ACTIVATED),
        Command.ACTIVATE: Transition(frozenset({_V.PRE_ACTIVATED}), _V.ACTIVATED),
        Command.SUSPEND: Transition(_LIVING, _V.SUSPENDED),
        Command.REACTIVATE: Transition(frozenset({_V.SUSPENDED}), None),
        Command.CANCEL: Transition(_LIVING | {_V.IN_STOCK, _V.SUSPENDED, _V.BLOCKED}, _V.CANCELLED),
        Command.BLOCK: Transition(_LIVING | {_V.SUSPENDED}, _V.BLOCKED),
        Command.UNBLOCK: Transition(frozenset({_V.BLOCKED}), None),
        Command.EXPIRE: Transition(frozenset({_V.ACTIVATED, _V.SUSPENDED, _V.BLOCKED}), _V.EXPIRED),
        Command.PURGE: Transition(frozenset({_V.REDEEMED, _V.CANCELLED, _V.EXPIRED}), _V.PURGED),
    }
)
"""Redemption, its outcome, reversal and refund change the balance as well: the store has a function for each.

Redeem: activated → redeeming (a payment follows) → redeemed, or back to activated; activated → redeemed where the
merchant is settled with elsewhere; a partial one leaves it activated with what is left. Reversal and refund:
redeemed or activated → activated with the balance that was."""


class RedemptionState(StrEnum):
    """Where a redemption is."""

    PAYING = "paying"  # the merchant's payment is not final
    REDEEMED = "redeemed"
    CONFIRMED = "confirmed"  # the redeemer will not reverse it
    FAILED = "failed"  # the merchant could not be paid; the voucher is free again
    REVERSED = "reversed"
    REFUNDED = "refunded"


class VoucherFault(StrEnum):
    """Why something cannot be done; the ``code`` of a fault, which each dialect puts into its own words."""

    UNKNOWN_CALLER = "unknown_caller"
    UNKNOWN_GROUP = "unknown_group"
    EXHAUSTED = "group_exhausted"  # nothing in stock and none made on demand, or the group's limit is reached
    BUDGET = "budget"  # the programme's budget does not cover it
    AMOUNT = "amount"
    CURRENCY = "currency"
    UNKNOWN_SERIAL = "unknown_serial"
    UNKNOWN_NUMBER = "unknown_number"
    WRONG_NUMBER = "wrong_number"  # not the number that goes with the serial number
    WRONG_PIN = "wrong_pin"
    WRONG_GROUP = "wrong_group"  # not redeemable at this merchant
    MERCHANT = "merchant"  # unknown, switched off, or its account cannot be credited
    FUNDING = "funding"  # the account that pays is empty
    STATE = "state"  # the voucher's state forbids it; the fault says which state that is
    EXPIRED = "expired"
    USED = "used"
    IN_PROGRESS = "in_progress"  # somebody else's redemption of it is not decided
    PARTIAL = "partial_forbidden"
    INSUFFICIENT = "insufficient"  # more than is left was asked for
    REVERSAL = "reversal_forbidden"
    REFUND = "refund_forbidden"
    TOO_MANY_TRIES = "too_many_tries"
    DUPLICATE = "duplicate"  # the request id was used before
    NUMBER_TAKEN = "number_taken"  # a number that the caller chose exists already


class VoucherRefused(Refused):
    """A voucher request that cannot be done; nothing was changed."""

    def __init__(
        self, fault: VoucherFault, sentence: str, *, where: str = "", state: VoucherState | None = None
    ) -> None:
        """Say why, and the voucher's state where that is the reason; the sentence never has the number."""
        self.fault = fault
        self.state = state
        super().__init__(Refused.because(where, fault.value, sentence).faults)


@dataclass(frozen=True, slots=True)
class VoucherPolicy:
    """What a product allows. GovStack: none of the first three; SUV: all of them.

    pays_merchant: a redemption credits the merchant through the connector at once; otherwise somebody else settles
    with the merchant (SUV: the settlement entity).
    """

    partial: bool = False
    reversal: bool = False
    refund: bool = False
    pays_merchant: bool = True


GOVSTACK_POLICY: Final = VoucherPolicy()
RETAIL_POLICY: Final = VoucherPolicy(partial=True, reversal=True, refund=True, pays_merchant=False)


@dataclass(frozen=True, slots=True)
class VoucherGroup:
    """A kind of voucher (SUV: a product): who pays, what it may be worth, how long it lives.

    code: GovStack groupCode, SUV productId; currency "": any; amount_minor: fixed price, 0: any; validity_seconds:
    from activation; on_demand: vouchers are made when asked for, also when the stock is empty (``False``: only those
    in stock are handed out, by pre-activation); limit: most vouchers that may be out (handed out and not over), 0: no
    limit; restock_threshold: a notice is sent when the stock falls below it, 0: never, to restock_url; accepted_at:
    merchant groups where it can be redeemed (empty: only the group's own code, see ``Merchant.groups``).
    """

    code: str
    name: str
    programme: str
    currency: str = ""
    amount_minor: int = 0
    validity_seconds: int = 90 * 86_400
    policy: VoucherPolicy = GOVSTACK_POLICY
    on_demand: bool = True
    limit: int = 0
    restock_threshold: int = 0
    restock_url: str = ""
    accepted_at: tuple[str, ...] = ()


class MerchantKind(StrEnum):
    """What is given for a voucher."""

    MERCHANT = "merchant"  # goods and services
    AGENT = "agent"  # cash (GovStack agent, cash-out)


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who takes vouchers, and where they are credited.

    id: own id, GovStack agentID (≤ 10) or SUV merchantId; groups: voucher groups that it takes (``*``: all);
    institution and address: its account or mobile-money number ("": it cannot be credited), never logged;
    modality: as of a beneficiary ("": by the institution); programme: out of whose account it is paid ("": the
    voucher's own programme); active: false once switched off; notify_url: where it is told of each credit ("": not).
    """

    id: str
    name: str
    groups: tuple[str, ...] = ("*",)
    institution: str = ""
    address: str = field(default="", repr=False)
    modality: str = ""
    kind: MerchantKind = MerchantKind.MERCHANT
    programme: str = ""
    active: bool = True
    notify_url: str = ""

    def takes(self, group: VoucherGroup, presented_as: str = "") -> bool:
        """Tell whether a voucher of the group may be redeemed here; presented_as: the group the merchant named."""
        wanted = {group.code, *group.accepted_at}
        return (presented_as in wanted) if presented_as else ("*" in self.groups or bool(wanted & set(self.groups)))


class NewVoucher(NamedTuple):
    """A voucher about to be stored. number and pin_hash are secrets; amounts in minor units; activated: at once."""

    serial: int
    number: str
    amount_minor: int
    instruction_id: str = ""
    payee_functional_id: str = ""
    narration: str = ""
    pin_hash: str = ""

    def __repr__(self) -> str:
        """Hide the secrets."""
        return f"NewVoucher(serial={self.serial})"


@dataclass(frozen=True, slots=True)
class Lot:
    """What the vouchers of one request have in common within one group and currency.

    id: 20 characters, derived from the request; the budget is reserved under it ("funded" false: paid for already,
    as with vouchers that a bulk payment issued); batch: reference of that bulk payment ("": none).
    """

    id: str
    group: str
    programme: str
    currency: str
    policy: VoucherPolicy
    validity_seconds: int
    state: VoucherState
    created_at: float
    source: str = ""
    dialect: str = ""
    batch: str = ""
    chunk: int = 0
    funded: bool = True


@dataclass(frozen=True, slots=True)
class Voucher:
    """A voucher as everybody may see it: without its number.

    balance_minor: what can still be redeemed; activated_at, expires_at: Unix seconds, 0 before activation; before:
    the state before a suspension or block; redemption: the last one's id; redeemer: keyed digest of who presented it.
    """

    serial: int
    lot: str
    group: str
    programme: str
    currency: str
    amount_minor: int
    balance_minor: int
    state: VoucherState
    policy: VoucherPolicy
    validity_seconds: int
    created_at: float
    activated_at: float = 0.0
    expires_at: float = 0.0
    before: VoucherState | None = None
    wrong_tries: int = 0
    redemptions: int = 0
    source: str = ""
    instruction_id: str = ""
    payee_functional_id: str = ""
    narration: str = ""


@dataclass(frozen=True, slots=True)
class Redemption:
    """One redemption of a voucher.

    id: ``<serial>-<n>``, the end-to-end id of the merchant's payment; request: the redeemer's own id for it;
    presenter: keyed digest of caller, merchant and request, by which a retry is told from another redeemer;
    amount_minor: what was redeemed, after reversals and refunds what remains; reason: ISO code and sentence of a
    failure, or, after ``RETURNED``, why the merchant's bank has given the money back; batch: reference of the batch
    that pays the merchant.
    """

    id: str
    serial: int
    state: RedemptionState
    amount_minor: int
    currency: str
    merchant: str
    dialect: str
    at: float
    request: str = ""
    presenter: str = ""
    reason: str = ""
    decided_at: float = 0.0
    batch: str = ""


RETURNED: Final = "returned:"
"""Begins the reason of a redemption whose merchant was paid, and whose bank has given the money back."""


class Issued(NamedTuple):
    """A voucher as its creator learns of it, this once with the number."""

    serial: int
    number: str
    amount_minor: int
    currency: str
    group: str
    state: VoucherState
    expires_at: float
    instruction_id: str = ""
    payee_functional_id: str = ""
    narration: str = ""

    def __repr__(self) -> str:
        """Hide the number."""
        return f"Issued(serial={self.serial})"


class Moved(NamedTuple):
    """What became of one voucher under a command. fault ``None``: done (or so already, with ``repeated``)."""

    serial: int
    state: VoucherState | None
    fault: VoucherFault | None = None
    repeated: bool = False


class VoucherEvent(NamedTuple):
    """One line of a voucher's history: Unix seconds, who, which command, from where to where, and why."""

    at: float
    actor: str
    action: str
    before: str
    after: str
    amount_minor: int = 0
    detail: str = ""


def block_of(serial: int) -> int:
    """Say in which block a serial number is."""
    return serial // BLOCK


def is_serial(text: str) -> bool:
    """Tell whether a text could be a serial number: ours have 16 digits, those given in demo data may have fewer."""
    return text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS and not text.startswith("0")


def unknown_serial() -> VoucherRefused:
    """Say that no voucher has the serial number."""
    return VoucherRefused(VoucherFault.UNKNOWN_SERIAL, "There is no voucher with this serial number.")


def redemption_serial(redemption: str) -> int:
    """Read back which voucher a redemption id speaks of; 0 where it is none of ours."""
    serial, dash, number = redemption.partition("-")
    return int(serial) if dash and is_serial(serial) and number.isascii() and number.isdecimal() else 0

"""All that can be done with vouchers in the store."""

from collections.abc import Callable, Mapping, Sequence

from connector.domain.chunk import Tally
from connector.domain.voucher import (
    Command,
    Lot,
    Moved,
    NewVoucher,
    Redemption,
    Voucher,
    VoucherEvent,
    VoucherState,
)
from connector.store.crypto import Keyring
from connector.store.keyspace import Keyspace
from connector.store.link import Link
from connector.store.outbox import Outbox
from connector.store.task import Task
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


class Vouchers:
    """Vouchers by serial number; every change is one server-side function with the expected state checked there."""

    def __init__(
        self, link: Link, keyspace: Keyspace, keys: Keyring, outbox: Outbox, clock: Callable[[], float]
    ) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace
        self._keys = keys
        self._outbox = outbox
        self._clock = clock

    async def next_serials(self, count: int) -> int:
        """Set apart consecutive serial numbers; gives the first."""
        raise NotImplementedError

    async def claim_numbers(self, numbers: Sequence[tuple[str, int]]) -> list[int]:
        """Claim (number, serial) pairs; gives the positions whose number another serial has, the others are claimed.

        The same pair may be claimed again. A number named twice is taken by the first.
        """
        raise NotImplementedError

    async def release_numbers(self, numbers: Sequence[tuple[str, int]]) -> None:
        """Give (number, serial) claims back, where the voucher was not made after all; claims of others stay."""
        raise NotImplementedError

    async def serial_of(self, number: str) -> int | None:
        """Find a voucher by its number; the serial may be of one that was never created (``read`` gives None)."""
        raise NotImplementedError

    async def numbers(self, serials: Sequence[int]) -> list[str]:
        """Give the secret numbers, for creation answers and encrypted export only. Raises NotFound."""
        raise NotImplementedError

    def pin_hash(self, number: str, pin: str) -> str:
        """Hash a PIN for ``NewVoucher.pin_hash`` and ``RedeemOrder.pin_hash``; it does not depend on the key ring."""
        raise NotImplementedError

    async def create(  # noqa: PLR0913 (one commit: what becomes true together is said together)
        self,
        lot: Lot,
        vouchers: Sequence[NewVoucher],
        *,
        actor: str,
        activated_at: float = 0.0,
        expires_at: float = 0.0,
        then: Sequence[Task] = (),
        balances: Mapping[int, int] | None = None,
    ) -> None:
        """Make the vouchers of a lot, in state ``lot.state``; a block that has the lot already is left as it is.

        One function call a block, all blocks at once; ``then`` goes with the block of the highest serial, after all
        others, so its tasks have ``batch=str(block_of(highest serial))``. Vouchers in stock go on the shelf.
        activated_at, expires_at: for those made activated (0: ``lot.created_at`` and the lot's validity from then).
        balances: serial -> what is left, for demo data; the difference counts as spent.
        """
        raise NotImplementedError

    async def created(self, lot_id: str, first: int, count: int) -> bool:
        """Tell whether every block of these serials has vouchers of the lot."""
        raise NotImplementedError

    async def read(self, serials: Sequence[int]) -> list[Voucher | None]:
        """Give vouchers in one round trip; those whose time has passed are shown EXPIRED though nobody touched them.

        A purged voucher is there in state PURGED, without its facts.
        """
        raise NotImplementedError

    async def history(self, serial: int) -> list[VoucherEvent]:
        """Give what happened to a voucher, oldest first."""
        raise NotImplementedError

    async def redemption(self, identifier: str) -> Redemption | None:
        """Give a redemption."""
        raise NotImplementedError

    async def redemptions(self, serial: int) -> list[Redemption]:
        """Give a voucher's redemptions, oldest first."""
        raise NotImplementedError

    async def stock(self, group: str) -> dict[tuple[VoucherState, str], Tally]:
        """Count a group's vouchers by state and currency: how many (payments), and their face value (minor)."""
        raise NotImplementedError

    async def take_stock(self, group: str, currency: str, amount_minor: int, *, actor: str, now: float) -> int | None:
        """Take a voucher in stock and make it PRE_ACTIVATED; its serial, or None where the shelf is empty."""
        raise NotImplementedError

    async def move(
        self, command: Command, serials: Sequence[int], *, actor: str, now: float, detail: str = ""
    ) -> list[Moved]:
        """Do a command to vouchers, each for itself; the answers are in the order of ``serials``.

        A voucher whose time has passed becomes EXPIRED first, whatever is asked. Faults: UNKNOWN_SERIAL, EXPIRED,
        USED (redeemed), IN_PROGRESS (redeeming), STATE (any other state). Found in the target state already (after
        REACTIVATE and UNBLOCK: in a living one): no fault, ``repeated``; CANCEL of a cancelled one is STATE.
        EXPIRE does nothing (STATE) before the time has come; PURGE has a method of its own.
        """
        raise NotImplementedError

    async def wrong_number(self, serial: int, limit: int, *, actor: str, now: float) -> Moved:
        """Count a wrong number (fault WRONG_NUMBER); at the limit (0: none) the voucher is BLOCKED."""
        raise NotImplementedError

    async def lot_account(self, lot_id: str, block: int) -> LotAccount:
        """Give what a lot has spent and released in a block, for ``voucher-funds``; later changes append a new task.

        The task is appended for every change of a funded lot, and for releases of one that is not. Raises NotFound.
        """
        raise NotImplementedError

    async def redeem(self, order: RedeemOrder) -> Redeemed:
        """Lock the voucher and put the redemption on the open payout list, or redeem at once where nobody is paid.

        Refusals raise VoucherRefused with the voucher's state: UNKNOWN_SERIAL, REVERSAL (undone before it came),
        WRONG_PIN, EXPIRED, USED, IN_PROGRESS, STATE, INSUFFICIENT, PARTIAL.
        """
        raise NotImplementedError

    async def decide(self, outcomes: Sequence[PayoutOutcome]) -> None:
        """Note what became of merchants' payments; one that is decided already stays as it is.

        Appends ``Task("voucher-notice", batch=str(block), data=redemption id)`` and a line to the outcomes.
        """
        raise NotImplementedError

    async def outcomes(
        self, partition: int, after: str = "$", block_seconds: float = 0.0
    ) -> tuple[str, list[DecidedRedemption]]:
        """Wait for decided redemptions of a partition; gives the position to go on from, and what was decided.

        after: "$" (from now on) or a position given before; keyspace.partition(str(block)) says the partition.
        """
        raise NotImplementedError

    async def confirm(self, redemption: str, final_minor: int | None, *, actor: str, now: float) -> Redemption:
        """Make a redemption final; a smaller final amount gives the difference back (PARTIAL where not allowed).

        Done before with the same amount: the same redemption. Raises NotFound, VoucherRefused: IN_PROGRESS,
        INSUFFICIENT, PARTIAL, REVERSAL (reversed or refunded before), STATE.
        """
        raise NotImplementedError

    async def reverse(self, redemption: str, keep_minor: int, *, actor: str, now: float) -> Redemption:
        """Take a redemption back but for ``keep_minor``. Done before: the same redemption; a failed one stays failed.

        Raises NotFound, VoucherRefused: IN_PROGRESS, REVERSAL (forbidden, confirmed, refunded, or the merchant was
        paid by us), INSUFFICIENT, PARTIAL. Where the voucher's time has passed the money is released.
        """
        raise NotImplementedError

    async def refund(
        self, redemption: str, amount_minor: int, *, actor: str, now: float, request: str = ""
    ) -> Redemption:
        """Give back a part of a redemption, up to what remains of it; the same ``request`` (not "") counts once.

        Raises NotFound, VoucherRefused: IN_PROGRESS, REFUND (forbidden, reversed, or the merchant was paid by us),
        INSUFFICIENT, PARTIAL, STATE.
        """
        raise NotImplementedError

    async def undo_unseen(self, serial: int, request: str) -> Redemption | None:
        """Refuse the redemption with this request id from now on (REVERSAL): its reversal came before it.

        Where it came in the meantime nothing is noted, and the redemption is given: reverse that.
        """
        raise NotImplementedError

    async def close_payouts(self, name: str) -> list[PayoutMember]:
        """Close the open payout lists under a name, ``<partition>.<turn>``; the same members on every repetition.

        The name's own partition goes first; where it was empty, nothing else is closed.
        """
        raise NotImplementedError

    async def due(self, now: float, limit: int) -> list[int]:
        """Give serials whose time has passed, at most ``limit`` a partition."""
        raise NotImplementedError

    async def blocks(self) -> range:
        """Give the blocks that have serial numbers so far."""
        raise NotImplementedError

    async def purgeable(self, block: int, before: float) -> list[int]:
        """Give the block's redeemed, cancelled and expired vouchers that nothing happened to since ``before``."""
        raise NotImplementedError

    async def to_archive(self, serials: Sequence[int]) -> list[ArchivedVoucher]:
        """Give what the archive keeps, changing nothing: written first, then ``purge``, nothing can be lost."""
        raise NotImplementedError

    async def purge(self, serials: Sequence[int], *, actor: str, now: float) -> list[ArchivedVoucher]:
        """Remove numbers, facts and redemptions of vouchers that are over; gives what was there, of those purged.

        Can be repeated; vouchers in another state are left alone and not given.
        """
        raise NotImplementedError

    async def reseal(
        self, progress: Callable[[ResealCounts], None] | None = None, first_block: int = 0
    ) -> ResealCounts:
        """Put numbers, facts and index under the newest key, block by block; told after each. Can be repeated."""
        raise NotImplementedError

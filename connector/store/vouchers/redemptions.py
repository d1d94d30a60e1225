"""Redemption, its confirmation, reversal and refund: each one server-side step on the voucher and its lot."""

from collections.abc import Sequence
from typing import Final

from connector.domain.errors import NotFound
from connector.domain.voucher import (
    Redemption,
    VoucherFault,
    VoucherRefused,
    VoucherState,
    block_of,
    redemption_serial,
)
from connector.store.link import Call
from connector.store.vouchers import records
from connector.store.vouchers.commands import Commands
from connector.store.vouchers.values import Redeemed, RedeemOrder

SENTENCES: Final = {
    VoucherFault.UNKNOWN_SERIAL: "There is no such voucher.",
    VoucherFault.WRONG_PIN: "The PIN is wrong.",
    VoucherFault.STATE: "The voucher's state does not permit this.",
    VoucherFault.EXPIRED: "The voucher has expired.",
    VoucherFault.USED: "The voucher is used already.",
    VoucherFault.IN_PROGRESS: "A redemption of the voucher is not decided yet.",
    VoucherFault.PARTIAL: "The voucher is redeemed and given back as a whole only.",
    VoucherFault.INSUFFICIENT: "More was asked for than is left.",
    VoucherFault.REVERSAL: "The redemption cannot be reversed any more, or was reversed before it came.",
    VoucherFault.REFUND: "The redemption cannot be refunded.",
}


class Redemptions(Commands):
    """Redeems vouchers and takes redemptions back."""

    async def redeem(self, order: RedeemOrder) -> Redeemed:
        """Lock the voucher and put the redemption on the open payout list, or redeem at once where nobody is paid.

        Refusals raise VoucherRefused with the voucher's state: UNKNOWN_SERIAL, REVERSAL (undone before it came),
        WRONG_PIN, EXPIRED, USED, IN_PROGRESS, STATE, INSUFFICIENT, PARTIAL.
        """
        key = self._keyspace.vouchers(block_of(order.serial))
        fault, state, *found = await self._link.call("voucher_redeem", [key], records.pack(order))
        if fault:
            raise _refused(fault, state)
        identifier, packed, repeated = found
        return Redeemed(records.redemption(identifier.decode(), packed), bool(repeated))

    async def redemption(self, identifier: str) -> Redemption | None:
        """Give a redemption."""
        if not redemption_serial(identifier):
            return None
        packed = await self._link.ask("HGET", f"{self._home(identifier)}:redemptions", identifier)
        return None if packed is None else records.redemption(identifier, packed)

    async def redemptions(self, serial: int) -> list[Redemption]:
        """Give a voucher's redemptions, oldest first."""
        return (await self._redemptions([serial]))[0]

    async def confirm(self, redemption: str, final_minor: int | None, *, actor: str, now: float) -> Redemption:
        """Make a redemption final; a smaller final amount gives the difference back (PARTIAL where not allowed).

        Done before with the same amount: the same redemption. Raises NotFound, VoucherRefused: IN_PROGRESS,
        INSUFFICIENT, PARTIAL, REVERSAL (reversed or refunded before), STATE.
        """
        return await self._step("confirm", redemption, -1 if final_minor is None else final_minor, actor, now)

    async def reverse(self, redemption: str, keep_minor: int, *, actor: str, now: float) -> Redemption:
        """Take a redemption back but for ``keep_minor``. Done before: the same redemption; a failed one stays failed.

        Raises NotFound, VoucherRefused: IN_PROGRESS, REVERSAL (forbidden, confirmed, refunded, or the merchant was
        paid by us), INSUFFICIENT, PARTIAL. Where the voucher's time has passed the money is released.
        """
        return await self._step("reverse", redemption, keep_minor, actor, now)

    async def refund(
        self, redemption: str, amount_minor: int, *, actor: str, now: float, request: str = ""
    ) -> Redemption:
        """Give back a part of a redemption (0: all that remains of it); the same ``request`` (not "") counts once.

        Raises NotFound, VoucherRefused: IN_PROGRESS, REFUND (forbidden, reversed, or the merchant was paid by us),
        INSUFFICIENT, PARTIAL, STATE. Where the voucher's time has passed the money is released.
        """
        return await self._step("refund", redemption, amount_minor or -1, actor, now, request)

    async def undo_refund(
        self, redemption: str, request: str, keep_minor: int, *, actor: str, now: float
    ) -> Redemption:
        """Redeem again what a refund gave back, but for ``keep_minor``; done before: nothing changes.

        Raises NotFound (also for a refund that never came), VoucherRefused with the voucher's state: INSUFFICIENT or
        that state's fault where what was given back is spent or over.
        """
        return await self._step("undo_refund", redemption, keep_minor, actor, now, request)

    async def undo_unseen(self, serial: int, request: str) -> Redemption | None:
        """Refuse the redemption with this request id from now on (REVERSAL): its reversal came before it.

        Where it came in the meantime nothing is noted, and the redemption is given: reverse that.
        """
        key = self._keyspace.vouchers(block_of(serial))
        found = await self._link.call("voucher_undo", [key], serial, request, repr(self._clock()))
        return None if found is None else records.redemption(found[0].decode(), found[1])

    async def _redemptions(self, serials: Sequence[int]) -> list[list[Redemption]]:
        """Give the redemptions of several vouchers, in one round trip."""
        calls: list[Call] = [
            ("voucher_redemptions", [self._keyspace.vouchers(block_of(serial))], [serial]) for serial in serials
        ]
        return [
            [records.redemption(found[i].decode(), found[i + 1]) for i in range(0, len(found), 2)]
            for found in (await self._link.call_all(calls) if calls else [])
        ]

    async def _step(
        self, step: str, identifier: str, amount: int, actor: str, now: float, request: str = ""
    ) -> Redemption:
        if not redemption_serial(identifier):
            raise NotFound("redemption", identifier)
        order = records.pack({"amount": amount, "request": request, "now": now, "actor": actor})
        fault, found = await self._link.call("voucher_step", [self._home(identifier)], step, identifier, order)
        if fault == b"unknown":
            raise NotFound("redemption", identifier)
        if fault:
            raise _refused(fault, found)
        return records.redemption(identifier, found)

    def _home(self, redemption: str) -> str:
        return self._keyspace.vouchers(block_of(redemption_serial(redemption)))


def _refused(fault: bytes, state: bytes) -> VoucherRefused:
    reason = VoucherFault(fault.decode())
    return VoucherRefused(reason, SENTENCES[reason], state=VoucherState(state.decode()) if state else None)

"""The life of vouchers between issue and redemption: activate, suspend, reactivate, cancel, block, unblock."""

from collections.abc import Sequence
from typing import Final

from connector.domain.errors import NotPermitted
from connector.domain.voucher import Command, Moved
from connector.flows.services import Services
from connector.flows.vouchers.caller import Caller, check_caller

AT_ONCE: Final = 10_000
"""Vouchers that one round trip to the store is about."""


async def change(
    services: Services, caller: Caller, command: Command, serials: Sequence[int], *, detail: str = ""
) -> list[Moved]:
    """Do something to vouchers, each for itself; the answers are in the order of the serial numbers.

    Activation sets the expiry. Raises ``VoucherRefused`` UNKNOWN_CALLER, and ``NotPermitted`` for PURGE, which needs
    an archive (``purge.purge``); what cannot be done to a voucher is the ``fault`` of its answer.
    """
    check_caller(await services.store.directory.load(), caller)
    if command is Command.PURGE:
        raise NotPermitted("command", command, "for the archive only")
    move, now = services.store.vouchers.move, services.clock()
    moved: list[Moved] = []
    for start in range(0, len(serials), AT_ONCE):
        part = serials[start : start + AT_ONCE]
        moved += await move(command, part, actor=caller.actor, now=now, detail=detail)
    return moved

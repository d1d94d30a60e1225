"""The life of vouchers between issue and redemption: activate, suspend, reactivate, cancel, block, unblock."""

from collections.abc import Sequence

from connector.domain.voucher import Command, Moved
from connector.flows.services import Services
from connector.flows.vouchers.caller import Caller


async def change(
    services: Services, caller: Caller, command: Command, serials: Sequence[int], *, detail: str = ""
) -> list[Moved]:
    """Do something to vouchers, each for itself; the answers are in the order of the serial numbers.

    Activation sets the expiry. Raises ``VoucherRefused`` UNKNOWN_CALLER; what cannot be done to a voucher is the
    ``fault`` of its answer.
    """
    raise NotImplementedError

"""Retail: what a voucher is worth, by its number, serial number or the request that made it."""

from connector.domain.retail import RetailFault, RetailKind, RetailRefused
from connector.domain.voucher import Voucher, VoucherFault, VoucherRefused, VoucherState
from connector.flows.services import Services
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.retail_messages import find
from connector.flows.vouchers.retail_redemption import by_number, guarded


async def voucher(services: Services, caller: Caller, *, number: str, serial: int, request: str) -> Voucher:
    """Find the voucher that everything given speaks of (""/0: not given); who guesses numbers is kept out.

    Raises ``RetailRefused`` UNKNOWN_REQUEST for none, ``VoucherRefused`` TOO_MANY_TRIES.
    """
    serials = {serial} if serial else set()
    if number:
        serials.add(await _serial_of(services, caller, number))
    if request:
        serials.add((await find(services, caller, RetailKind.PROVISION, request)).serial)
    if len(serials) != 1:
        raise unknown_voucher()
    [found] = await services.store.vouchers.read([serials.pop()])
    if found is None or found.state is VoucherState.PURGED:
        raise unknown_voucher()
    return found


def unknown_voucher() -> RetailRefused:
    """There is no such voucher."""
    return RetailRefused(RetailFault.UNKNOWN_REQUEST, "There is no such voucher.", RetailKind.PROVISION)


async def _serial_of(services: Services, caller: Caller, number: str) -> int:
    try:
        return (await guarded(services, caller, "", await by_number(services, number))).serial
    except VoucherRefused as refused:
        if refused.fault is VoucherFault.UNKNOWN_NUMBER:
            raise unknown_voucher() from None
        raise

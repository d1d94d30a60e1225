"""What may be known of vouchers: one by one, and of groups in numbers. Never a voucher number."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from connector.domain.errors import NotFound
from connector.domain.voucher import (
    Redemption,
    Voucher,
    VoucherEvent,
    VoucherFault,
    VoucherRefused,
    VoucherState,
    redemption_serial,
    unknown_serial,
)
from connector.flows.services import Services
from connector.flows.vouchers import groups
from connector.flows.vouchers.caller import Caller, may_use
from connector.flows.vouchers.groups import GroupStanding, known_group
from connector.flows.vouchers.purge import archive_of
from connector.store.vouchers import ArchivedVoucher

__all__ = [
    "GroupStanding",
    "StockLine",
    "by_number",
    "history",
    "redemption",
    "redemptions",
    "standing",
    "stock",
    "voucher",
]


class StockLine(NamedTuple):
    """How many vouchers of a group are in a state, and their face value in minor units."""

    group: str
    state: VoucherState
    currency: str
    vouchers: int
    minor: int


async def voucher(services: Services, serial: int, *, facts: bool = True, asker: Caller | None = None) -> Voucher:
    """Show a voucher, from the archive if it was purged; raises ``VoucherRefused`` UNKNOWN_SERIAL.

    facts: also those that are sealed (payee, narration); asker: for whom programmes that are closed to it do not
    exist, ``None`` where nobody is known by name.
    """
    found = await _stored(services, serial, facts=facts)
    if asker is not None and not await _may_see(services, found, asker):
        raise unknown_serial()
    archived = await _archived(services, found)
    return replace(archived.voucher, state=VoucherState.PURGED) if archived else found


async def _may_see(services: Services, found: Voucher, asker: Caller) -> bool:
    programme = (await services.store.directory.load()).programmes.get(found.programme)
    return programme is None or may_use(programme, asker)


async def by_number(services: Services, number: str) -> Voucher:
    """Show the voucher with a number, to who holds it; raises ``VoucherRefused`` UNKNOWN_NUMBER."""
    serial = await services.store.vouchers.serial_of(number)
    found = None if serial is None else (await services.store.vouchers.read([serial]))[0]
    if found is None:
        raise VoucherRefused(VoucherFault.UNKNOWN_NUMBER, "There is no voucher with this number.")
    return found


async def history(services: Services, serial: int) -> list[VoucherEvent]:
    """Tell what was done to a voucher, the oldest first; raises ``VoucherRefused`` UNKNOWN_SERIAL."""
    archived = await _archived(services, await _stored(services, serial))
    before = list(archived.history) if archived else []
    return before + [event for event in await services.store.vouchers.history(serial) if event not in before]


async def redemptions(services: Services, serial: int) -> list[Redemption]:
    """Tell how a voucher was redeemed, the oldest first; raises ``VoucherRefused`` UNKNOWN_SERIAL."""
    archived = await _archived(services, await _stored(services, serial))
    return list(archived.redemptions) if archived else await services.store.vouchers.redemptions(serial)


async def redemption(services: Services, identifier: str) -> Redemption:
    """Show a redemption, from the archive if its voucher was purged; raises ``NotFound``."""
    found = await services.store.vouchers.redemption(identifier)
    serial = redemption_serial(identifier)
    if found is None and serial:
        try:
            found = next((one for one in await redemptions(services, serial) if one.id == identifier), None)
        except VoucherRefused:
            found = None
    if found is None:
        raise NotFound("redemption", identifier)
    return found


async def stock(services: Services, group: str = "") -> list[StockLine]:
    """Report the stock per group ("": of all), state and currency; raises ``VoucherRefused`` UNKNOWN_GROUP."""
    directory = await services.store.directory.load()
    codes = [known_group(directory, group).code] if group else sorted(directory.groups)
    counted = await asyncio.gather(*(services.store.vouchers.stock(code) for code in codes))
    return [
        StockLine(code, state, currency, tally.payments, tally.minor)
        for code, tallies in zip(codes, counted, strict=True)
        for (state, currency), tally in sorted(tallies.items())
        if tally.payments
    ]


async def outstanding(services: Services, lines: Sequence[StockLine]) -> dict[tuple[str, str], int]:
    """Say what may still be redeemed of what is out, by group and currency: without what was redeemed in parts."""
    codes = sorted({line.group for line in lines})
    sums = await asyncio.gather(*(services.store.vouchers.left(code) for code in codes))
    found = zip(codes, sums, strict=True)
    left = Counter({(code, currency): minor for code, sum_ in found for currency, minor in sum_.items()})
    left.subtract({(line.group, line.currency): line.minor for line in lines if line.state is VoucherState.IN_STOCK})
    return left


async def standing(services: Services, group: str) -> GroupStanding:
    """Tell how a group stands against its limit and restock threshold; raises ``VoucherRefused`` UNKNOWN_GROUP."""
    return await groups.standing(services, known_group(await services.store.directory.load(), group))


async def _stored(services: Services, serial: int, *, facts: bool = False) -> Voucher:
    found = (await services.store.vouchers.read([serial], facts=facts))[0]
    if found is None:
        raise unknown_serial()
    return found


async def _archived(services: Services, found: Voucher) -> ArchivedVoucher | None:
    """Look a purged voucher up in the archive."""
    archive = archive_of(services) if found.state is VoucherState.PURGED else None
    return await asyncio.to_thread(archive.find, found.serial) if archive else None

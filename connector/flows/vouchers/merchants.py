"""Who is to be paid for a voucher, and whether that is possible.

A merchant is known by its id, by its account or by its name. In the sandbox, whose contract names a merchant only by
name and bank details, one that nobody entered is taken as it comes if an institution claims the account.
"""

import json
from collections.abc import Collection
from typing import Final

from connector.domain.batch import BatchKind
from connector.domain.directory import Directory, Institution
from connector.domain.errors import Refused
from connector.domain.voucher import Merchant, Voucher, VoucherFault, VoucherRefused
from connector.flows.routing import way_of
from connector.flows.services import Services

PASSING: Final = "passing-"
"""Begins the id of a merchant that nobody entered."""

PASSING_LIFE_SECONDS: Final = 90 * 24 * 3600.0

Place = tuple[str, str, str, str]
"""Institution, address and modality of a merchant's account, and the merchant's name."""


async def find(services: Services, directory: Directory, identifier: str, name: str, account: str) -> Merchant | None:
    """Find a merchant by its id, else by its account, else by its name; ``None`` where there is none."""
    if identifier:
        return directory.merchants.get(identifier)
    register, (code, address) = services.desk.register, _split(directory, account)
    entered = register.by_account(directory, code, address) or register.by_name(directory, name)
    if entered is not None or not directory.open_sources:
        return entered
    place = directory.institutions[code] if code else directory.institution_of(address)
    if place is None or not place.owns(address):
        return None
    return await _remembered(services, place, name, address)


def check(directory: Directory, merchant: Merchant | None, *, pays: bool) -> Merchant:
    """Give the merchant if it takes vouchers and, where we pay it, can be credited; ``VoucherRefused`` MERCHANT."""
    if merchant is None or not merchant.active:
        raise VoucherRefused(VoucherFault.MERCHANT, "The merchant is not known here, or switched off.")
    if pays and not _creditable(directory, merchant):
        raise VoucherRefused(VoucherFault.MERCHANT, "The merchant has no account that can be credited.")
    return merchant


async def payer(services: Services, directory: Directory, merchant: Merchant, voucher: Voucher) -> str:
    """Give the programme out of whose account the merchant is paid; ``VoucherRefused`` FUNDING where it cannot.

    The voucher's own programme has set the money apart when the voucher was made.
    """
    name = merchant.programme or voucher.programme
    try:
        way_of(directory, name, BatchKind.DISBURSEMENT)
    except Refused:
        raise _unfunded() from None
    if name != voucher.programme and not directory.programmes[name].open_budget:
        balance = (await services.store.funds.balances(name)).get(voucher.currency)
        if balance is None or balance.reserved + balance.available <= 0:
            raise _unfunded()
    return name


async def places(services: Services, directory: Directory, identifiers: Collection[str]) -> dict[str, Place]:
    """Say where merchants are credited, as far as they are still known."""
    found: dict[str, Place] = {}
    for identifier in identifiers:
        merchant = directory.merchants.get(identifier)
        if merchant is not None:
            found[identifier] = (merchant.institution, merchant.address, merchant.modality, merchant.name)
        elif identifier.startswith(PASSING):
            found |= await _recalled(services, identifier)
    return found


def _split(directory: Directory, account: str) -> tuple[str, str]:
    """Read bank details: an address, or an institution's code, a slash and an address."""
    code, slash, address = account.strip().partition("/")
    if slash and code in directory.institutions:
        return code, address.replace(" ", "")
    return "", account.replace(" ", "")


def _creditable(directory: Directory, merchant: Merchant) -> bool:
    if not merchant.address:
        return False
    if merchant.institution:
        return merchant.institution in directory.institutions
    return directory.institution_of(merchant.address) is not None


def _unfunded() -> VoucherRefused:
    return VoucherRefused(VoucherFault.FUNDING, "The account that pays the merchant is empty or not connected.")


async def _remembered(services: Services, place: Institution, name: str, address: str) -> Merchant:
    """Keep a merchant that nobody entered, sealed, for as long as it may have to be paid."""
    identifier = PASSING + services.store.digest(f"{place.code}/{address}/{name}")[:20]
    register, now = services.desk.register, services.clock()
    if not register.is_kept(identifier, now):
        kept = json.dumps([place.code, address, "", name])
        await services.store.records.put("merchant", identifier, kept, PASSING_LIFE_SECONDS)
        register.kept(identifier, now + PASSING_LIFE_SECONDS / 3)
    return Merchant(identifier, name, institution=place.code, address=address)


async def _recalled(services: Services, identifier: str) -> dict[str, Place]:
    kept = await services.store.records.get("merchant", identifier)
    if kept is None:
        return {}
    institution, address, modality, name = json.loads(kept)
    return {identifier: (institution, address, modality, name)}

"""Who is to be paid for a voucher, and whether that is possible."""

from connector.domain.voucher import Merchant
from connector.flows.services import Services


async def known(services: Services, identifier: str) -> Merchant | None:
    """Find a merchant by the id under which a redemption names it."""
    return (await services.store.directory.load()).merchants.get(identifier)

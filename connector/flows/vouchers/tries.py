"""Wrong numbers by presenter: who guesses is kept out for a while, also with a right number."""

from typing import Final

from connector.domain.voucher import VoucherFault, VoucherRefused
from connector.flows.services import Services

WINDOW_SECONDS: Final = 15 * 60


async def check(services: Services, presenter: str) -> None:
    """Refuse who has presented too many wrong numbers: ``VoucherRefused`` TOO_MANY_TRIES."""
    limit, store = services.settings.presenter_wrong_tries, services.store
    if limit and await store.tries.counted(store.digest(presenter)) >= limit:
        raise VoucherRefused(VoucherFault.TOO_MANY_TRIES, "Too many wrong numbers; try again later.")


async def count(services: Services, presenter: str) -> None:
    """Note a wrong number."""
    if services.settings.presenter_wrong_tries:
        await services.store.tries.count(services.store.digest(presenter), WINDOW_SECONDS)

"""Old used vouchers go into an archive of compressed files; the store keeps nothing but that they were purged."""

from typing import NamedTuple

from connector.flows.services import Services


class Purged(NamedTuple):
    """How many vouchers were archived, and into how many files."""

    vouchers: int
    files: int


async def purge(services: Services, older_than_seconds: float, *, most: int = 100_000) -> Purged:
    """Archive vouchers that have been redeemed, cancelled or expired for so long; a repeat goes on where it stopped.

    Raises ``NotPermitted`` where no archive folder is configured (``FlowSettings.voucher_archive``).
    """
    raise NotImplementedError

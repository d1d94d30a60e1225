"""Wrong numbers by presenter: who guesses is kept out for a while."""

from connector.flows.services import Services


async def check(services: Services, presenter: str) -> None:
    """Refuse a presenter with too many wrong numbers: ``VoucherRefused`` TOO_MANY_TRIES."""


async def count(services: Services, presenter: str) -> None:
    """Note a wrong number."""

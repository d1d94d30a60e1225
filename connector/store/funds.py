"""Programme funds: budget = available + reserved + spent, per currency, in minor units."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FundsBalance:
    """A programme's money in one currency, in minor units; available may be negative under an open budget."""

    budget: int
    reserved: int
    spent: int
    available: int


class Funds:
    """Reserves, spends and releases a programme's money; every step can be repeated."""

    async def open(self, programme: str, currency: str, minor: int) -> None:
        """Set the budget that the programme starts with; a change of it changes what is available."""
        raise NotImplementedError

    async def deposit(self, programme: str, currency: str, minor: int, reference: str) -> None:
        """Add to the budget, once a reference."""
        raise NotImplementedError

    async def reserve(self, programme: str, ref: str, amounts: Mapping[str, int], open_budget: bool) -> str:
        """Reserve all amounts (minor units by currency) for a batch, or none.

        "" when reserved, now or before; else the first currency that is short.
        """
        raise NotImplementedError

    async def settle(  # noqa: PLR0913 (the facts of one chunk)
        self, programme: str, ref: str, chunk: int, version: int, currency: str, spent: int, released: int
    ) -> None:
        """Note what of a chunk has been spent and released so far, in minor units; older versions are ignored.

        Raises NotFound without a reservation, NotPermitted beyond it or after its release.
        """
        raise NotImplementedError

    async def release(self, programme: str, ref: str, reason: str) -> None:
        """Give back what is left of a batch's reservation and close it."""
        raise NotImplementedError

    async def balances(self, programme: str) -> dict[str, FundsBalance]:
        """Give the balances by currency."""
        raise NotImplementedError

"""Programme funds: budget = available + reserved + spent, per currency, in minor units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.domain.errors import NotFound, NotPermitted, Refused
from connector.store.keyspace import Keyspace
from connector.store.link import Link

LARGEST_AMOUNT: Final = 2**62
"""Counters have 63 bits; amounts above this are refused before they can overflow one."""


@dataclass(frozen=True, slots=True)
class FundsBalance:
    """A programme's money in one currency, in minor units; available may be negative under an open budget."""

    budget: int
    reserved: int
    spent: int
    available: int


class Funds:
    """Reserves, spends and releases a programme's money; every step can be repeated."""

    def __init__(self, link: Link, keyspace: Keyspace) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace

    async def open(self, programme: str, currency: str, minor: int) -> None:
        """Set the budget that the programme starts with; a change of it changes what is available."""
        await self._link.call("open", [self._keyspace.funds(programme)], currency, _text(minor))

    async def deposit(self, programme: str, currency: str, minor: int, reference: str) -> None:
        """Add to the budget, once a reference."""
        keys = [self._keyspace.funds(programme), self._keyspace.deposits(programme)]
        await self._link.call("deposit", keys, currency, _text(minor), reference)

    async def reserve(self, programme: str, ref: str, amounts: Mapping[str, int], open_budget: bool) -> str:
        """Reserve all amounts (minor units by currency) for a batch, or none.

        "" when reserved, now or before; else the first currency that is short: all of them after a release.
        """
        pairs = [text for currency, minor in amounts.items() for text in (currency, _text(minor))]
        short: bytes = await self._link.call("reserve", self._keys(programme, ref), int(open_budget), *pairs)
        return short.decode()

    async def settle(  # noqa: PLR0913, PLR0917 (the facts of one chunk)
        self, programme: str, ref: str, chunk: int, version: int, currency: str, spent: int, released: int
    ) -> None:
        """Note what of a chunk has been spent and released so far, in minor units; older versions are ignored.

        Raises NotFound without a reservation, NotPermitted beyond it or after its release.
        """
        arguments = (chunk, version, currency, _text(spent), _text(released))
        answer: bytes = await self._link.call("settle", self._keys(programme, ref), *arguments)
        if answer == b"unknown":
            raise NotFound("reservation", f"{ref} {currency}")
        if answer in {b"closed", b"beyond"}:
            raise NotPermitted("reservation", f"{ref} {currency}", "closed" if answer == b"closed" else "used up")

    async def release(self, programme: str, ref: str, reason: str) -> None:
        """Give back what is left of a batch's reservation and close it, so that nothing can be reserved any more."""
        await self._link.call("release", self._keys(programme, ref), reason or "released")

    async def balances(self, programme: str) -> dict[str, FundsBalance]:
        """Give the balances by currency."""
        fields = await self._link.ask("HGETALL", self._keyspace.funds(programme))
        amounts = {name.decode(): int(amount) for name, amount in fields.items()}
        currencies = sorted({name.partition(":")[0] for name in amounts})
        return {
            currency: FundsBalance(
                *(amounts.get(f"{currency}:{name}", 0) for name in ("budget", "reserved", "spent", "available"))
            )
            for currency in currencies
        }

    def _keys(self, programme: str, ref: str) -> list[str]:
        return [self._keyspace.funds(programme), self._keyspace.hold(programme, ref)]


def _text(minor: int) -> str:
    """Write an amount for the server. Raises Refused where it is negative or beyond the counters."""
    if not 0 <= minor <= LARGEST_AMOUNT:
        raise Refused.because("/", "AM12", "The sum is negative or too large.")
    return str(minor)

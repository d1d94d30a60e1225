"""What is to be issued by a voucher request, noted before any of it is: whoever repeats the request completes it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from connector.domain.errors import Unavailable
from connector.domain.voucher import Lot, NewVoucher
from connector.store.crypto import Keyring
from connector.store.keyspace import Keyspace
from connector.store.link import Link

MOST: Final = 1000
"""Plans that ``pending`` gives of a partition."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The vouchers of one request, with their numbers.

    id: derived from the request (20 characters of base 32); contract, source, request_id: under which the request is
    claimed (request_id "": nobody can repeat it); first, count: the range of serial numbers; chosen: the serials
    whose numbers the caller chose; lots: what is to be made.
    """

    id: str
    contract: str
    source: str
    request_id: str
    actor: str
    first: int
    count: int
    chosen: tuple[int, ...] = ()
    lots: tuple[tuple[Lot, tuple[NewVoucher, ...]], ...] = field(default=(), repr=False)


class Plans:
    """Plans that are not carried out yet; sealed, since they have the numbers. A plan lives for milliseconds."""

    def __init__(self, link: Link, keyspace: Keyspace, keys: Keyring, clock: Callable[[], float]) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace
        self._keys = keys
        self._clock = clock
        self._decoder = msgspec.msgpack.Decoder(Plan)

    async def keep(self, plan: Plan) -> Plan:
        """Note a plan; gives the one that stands, which is another where two callers make the same request at once.

        Raises Unavailable where that other one was carried out in this very moment.
        """
        key = self._keyspace.plan(plan.id)
        listing = ("ZADD", self._listing(plan.id), "NX", repr(self._clock()), plan.id)
        _, mine = await self._link.ask_all([listing, ("SET", key, self._sealed(plan), "NX")])
        if mine is not None:
            return plan
        standing = await self.get(plan.id)
        if standing is None:
            raise Unavailable("request", "it is being done by somebody else")
        return standing

    async def replace(self, plan: Plan) -> None:
        """Change a plan that is there."""
        await self._link.ask("SET", self._keyspace.plan(plan.id), self._sealed(plan), "XX")

    async def get(self, identifier: str) -> Plan | None:
        """Give a plan."""
        key = self._keyspace.plan(identifier)
        sealed = await self._link.ask("GET", key)
        return None if sealed is None else self._decoder.decode(self._keys.open(sealed, key.encode()))

    async def drop(self, identifier: str) -> None:
        """Forget a plan that was carried out or given up."""
        await self._link.ask_all(
            [("DEL", self._keyspace.plan(identifier)), ("ZREM", self._listing(identifier), identifier)]
        )

    async def pending(self, before: float) -> list[str]:
        """List plans noted before a time (Unix seconds)."""
        commands = [
            ("ZRANGE", f"{base}:plans", "-inf", repr(before), "BYSCORE", "LIMIT", 0, MOST)
            for base in self._keyspace.bases()
        ]
        return [identifier.decode() for part in await self._link.ask_all(commands) for identifier in part]

    def _sealed(self, plan: Plan) -> bytes:
        return self._keys.seal(msgspec.msgpack.encode(plan), self._keyspace.plan(plan.id).encode())

    def _listing(self, identifier: str) -> str:
        return f"{self._keyspace.home(identifier)}:plans"

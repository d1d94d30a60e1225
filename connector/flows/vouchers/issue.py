"""Issuing vouchers: reserve the money, draw the numbers, store them; all of a request or nothing, and once."""

from collections.abc import Sequence
from typing import NamedTuple

from connector.domain.voucher import Issued, VoucherState
from connector.flows.services import Services
from connector.flows.vouchers.caller import Caller


class Wanted(NamedTuple):
    """A voucher that somebody asks for.

    amount_minor: 0 for the group's fixed price; number: "" to have one drawn (a secret, as pin_hash is).
    """

    group: str
    currency: str
    amount_minor: int
    instruction_id: str = ""
    payee_functional_id: str = ""
    narration: str = ""
    number: str = ""
    pin_hash: str = ""

    def __repr__(self) -> str:
        """Hide the secrets."""
        return f"Wanted(group={self.group!r}, currency={self.currency!r}, amount_minor={self.amount_minor})"


class Provisioned(NamedTuple):
    """Vouchers put into stock: their lot, the first serial number, and how many."""

    lot: str
    first: int
    count: int


async def issue(  # noqa: PLR0913 (what is asked, and what a bulk payment adds to it)
    services: Services,
    caller: Caller,
    request_id: str,
    wanted: Sequence[Wanted],
    *,
    state: VoucherState = VoucherState.PRE_ACTIVATED,
    batch: str = "",
    chunk: int = 0,
    funded: bool = True,
) -> list[Issued]:
    """Issue vouchers, all or none, with growing serial numbers; a repeated request gets the same ones.

    request_id "": a request of its own each time. ``Issued.expires_at`` is when it expires if activated at once.
    Raises ``VoucherRefused`` (UNKNOWN_CALLER, UNKNOWN_GROUP, AMOUNT, CURRENCY, BUDGET, EXHAUSTED, NUMBER_TAKEN; where:
    ``/<index>``) and ``Conflict`` for a request id that came with other content before.
    """
    raise NotImplementedError


async def provision(  # noqa: PLR0913, PLR0917 (what is to be made, for whom)
    services: Services,
    caller: Caller,
    group: str,
    currency: str,
    amount_minor: int,
    count: int,
    request_id: str,
) -> Provisioned:
    """Put vouchers into stock (IN_STOCK) and reserve the money for them; a repeat gives the same. Raises as issue."""
    raise NotImplementedError


async def pre_activate(services: Services, caller: Caller, wanted: Wanted) -> Issued:
    """Hand out one voucher: from stock, else made on demand; raises as issue, EXHAUSTED where there is neither."""
    raise NotImplementedError

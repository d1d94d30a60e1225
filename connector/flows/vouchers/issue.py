"""Issuing vouchers: reserve the money, draw the numbers, store them; all of a request or nothing, and once.

What is to be made is noted before anything else happens (a *plan*, with serial numbers and numbers). Whoever comes
across it later, a repetition of the request or the sweep after a crash, makes exactly those vouchers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from connector.domain.errors import Conflict, Refused, Unavailable
from connector.domain.voucher import Command, Issued, Voucher, VoucherFault, VoucherRefused, VoucherState
from connector.flows.services import Services
from connector.flows.vouchers import notices
from connector.flows.vouchers.caller import ISOGATE, Caller, check_caller
from connector.flows.vouchers.groups import check_limit, group_for, price
from connector.flows.vouchers.plan import Order, Wanted, complete, draft
from connector.store.plans import Plan

__all__ = ["MOST_AT_ONCE", "Provisioned", "Wanted", "carry_out", "issue", "pre_activate", "provision", "recover"]

MOST_AT_ONCE: Final = 100_000
"""Vouchers that one request may ask for."""

LEFT_ALONE_SECONDS: Final = 300.0
"""A plan that is older is nobody's any more."""

_OWNER: Final = "issue"


@dataclass(frozen=True, slots=True)
class Provisioned:
    """Vouchers put into stock: their lot, the first serial number, and how many."""

    lot: str
    first: int
    count: int


class _Made(NamedTuple):
    """Vouchers that were made: their lot (the first, of several) and range; the plan, where its numbers hold."""

    lot: str
    first: int
    size: int
    plan: Plan | None = None


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
    Raises ``Conflict`` for a request id that came with other content before, and ``VoucherRefused``: UNKNOWN_CALLER,
    UNKNOWN_GROUP, AMOUNT, CURRENCY, BUDGET, EXHAUSTED, NUMBER_TAKEN; where: ``/<index>``.
    """
    return await carry_out(services, Order(caller, request_id, wanted, state, batch, chunk, funded))


async def carry_out(services: Services, order: Order) -> list[Issued]:
    """Issue what is ordered; see ``issue``."""
    made = await _make(services, order)
    issued = _of_plan(made.plan) if made.plan else await _of_store(services, made.first, made.size)
    if any(wanted.number and wanted.number != one.number for wanted, one in zip(order.wanted, issued, strict=True)):
        raise Conflict("request id", order.request_id)
    return issued


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
    wanted = [Wanted(group, currency, amount_minor)] * min(count, MOST_AT_ONCE + 1)
    made = await _make(services, Order(caller, request_id, wanted, VoucherState.IN_STOCK))
    await notices.restocked(services, group, made.first)
    return Provisioned(made.lot, made.first, made.size)


async def pre_activate(services: Services, caller: Caller, wanted: Wanted) -> Issued:
    """Hand out one voucher: from stock, else made on demand; raises as issue, EXHAUSTED where there is neither."""
    directory = await services.store.directory.load()
    check_caller(directory, caller)
    group = group_for(directory, caller, wanted.group)
    amount = price(group, wanted.currency, wanted.amount_minor)
    await check_limit(services, group, 1)
    vouchers, now = services.store.vouchers, services.clock()
    serial = await vouchers.take_stock(group.code, wanted.currency, amount, actor=caller.actor, now=now)
    if serial is None and not group.on_demand:
        await notices.restock(services, group)
        raise VoucherRefused(VoucherFault.EXHAUSTED, "The voucher group has no such voucher in stock.")
    if serial is None:
        issued = await issue(services, caller, "", [wanted])
    else:
        issued = await _of_store(services, serial, 1)
    await notices.restock(services, group)
    return issued[0]


async def recover(services: Services) -> int:
    """Make what a crash kept from being made, and cancel what of it nobody can ask for; gives how many plans."""
    plans = services.store.plans
    waiting = await plans.pending(services.clock() - LEFT_ALONE_SECONDS)
    for identifier in waiting:
        plan = await plans.get(identifier)
        if plan is None:
            await plans.drop(identifier)
        else:
            await _recover(services, plan)
    return len(waiting)


async def _recover(services: Services, plan: Plan) -> None:
    name = (plan.contract, plan.source, plan.request_id)
    if plan.request_id and await services.store.requests.answer_of(*name):  # all of it is made, maybe by another plan
        return await services.store.plans.drop(plan.id)
    try:
        await complete(services, plan)
    except VoucherRefused:
        return await _give_back(services, name)
    if not plan.request_id:
        serials = range(plan.first, plan.first + plan.count)
        now, why = services.clock(), "never handed out"
        await services.store.vouchers.move(Command.CANCEL, serials, actor=ISOGATE.actor, now=now, detail=why)
    return None


async def _make(services: Services, order: Order) -> _Made:
    """Make what is ordered, or find it made; a refused request leaves nothing, not even its claim of the id."""
    check_caller(await services.store.directory.load(), order.caller)
    _check_size(order)
    identifier = order.plan_id(services.random)
    plan: Plan | None = None
    new = not order.request_id or await _is_new(services, order)
    if not new:
        if made := await _made(services, order):
            return made
        plan = await services.store.plans.get(identifier)
    try:
        if plan is None:
            plan = await services.store.plans.keep(await draft(services, order, identifier))
            if made := await _made(services, order):  # by a repetition that was faster, and whose plan is gone
                await services.store.plans.drop(identifier)
                return made
        holds = await complete(services, plan)
    except VoucherRefused:
        if not new and (made := await _made(services, order)):  # it was made in this very moment, and is in the way
            return made
        if new:
            await _give_back(services, order.name)
        raise
    return _Made(plan.lots[0][0].id, plan.first, plan.count, holds)


def _check_size(order: Order) -> None:
    if not 0 < len(order.wanted) <= MOST_AT_ONCE:
        raise Refused.because("", "range", f"A request asks for 1 to {MOST_AT_ONCE} vouchers.")


async def _made(services: Services, order: Order) -> _Made | None:
    """Find what was made of a request that came before."""
    if not order.request_id:
        return None
    answer = await services.store.requests.answer_of(*order.name)
    if answer is None:
        return None
    lot, first, size = answer.split(" ")
    return _Made(lot, int(first), int(size))


async def _is_new(services: Services, order: Order) -> bool:
    """Claim the request id; raises ``Conflict`` where it came with other content before."""
    claimed = await services.store.requests.claim(*order.name, order.digest, _OWNER)
    if claimed == "conflict":
        raise Conflict("request id", order.request_id)
    return claimed == "new"


async def _give_back(services: Services, name: tuple[str, str, str]) -> None:
    if name[2]:
        await services.store.requests.give_back(*name, _OWNER)


def _of_plan(plan: Plan) -> list[Issued]:
    """Tell the creator of vouchers that were just made, in the order of the serial numbers."""
    make = Issued._make
    issued = [
        make((one[0], one[1], one[2], lot.currency, lot.group, lot.state, expires_at, *one[3:6]))
        for lot, made, expires_at in ((lot, made, lot.created_at + lot.validity_seconds) for lot, made in plan.lots)
        for one in made
    ]
    return issued if len(plan.lots) == 1 else sorted(issued)


async def _of_store(services: Services, first: int, count: int) -> list[Issued]:
    """Tell the creator of vouchers that were made before."""
    serials = range(first, first + count)
    found = await services.store.vouchers.read(serials)
    numbers = await services.store.vouchers.numbers(serials)
    return [
        Issued(
            one.serial,
            number,
            one.amount_minor,
            one.currency,
            one.group,
            one.state,
            one.expires_at or one.created_at + one.validity_seconds,
            one.instruction_id,
            one.payee_functional_id,
            one.narration,
        )
        for one, number in zip(_complete(found), numbers, strict=True)
    ]


def _complete(found: Sequence[Voucher | None]) -> list[Voucher]:
    """Insist on all of them; raises ``Unavailable`` while somebody else is still making them."""
    vouchers = [voucher for voucher in found if voucher is not None]
    if len(vouchers) < len(found):
        raise Unavailable("vouchers", "they are being made")
    return vouchers

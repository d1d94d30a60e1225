"""From an order of vouchers to the plan of what is to be made, and from the plan to vouchers.

Nothing here is done voucher by voucher that can be done for all: a thousand are made in a few milliseconds.
"""

import hashlib
from base64 import b32encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, NamedTuple

import msgspec

from connector.domain.directory import Directory
from connector.domain.errors import Unavailable
from connector.domain.ids import REFERENCE_LENGTH, batch_reference
from connector.domain.voucher import Lot, NewVoucher, VoucherFault, VoucherGroup, VoucherRefused, VoucherState
from connector.flows.services import Services
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.groups import check_limit, group_for, price
from connector.flows.vouchers.numbers import draw
from connector.store.funds import LARGEST_AMOUNT
from connector.store.plans import Plan

MOST_DRAWS: Final = 20


class Wanted(NamedTuple):
    """A voucher that somebody asks for.

    amount_minor: 0 for the group's fixed price; number: "" to have one drawn; pin: that the redeemer will have to
    know, or its hash (``Vouchers.pin_hash``) where the number is the caller's. Number and PIN are secrets.
    """

    group: str
    currency: str
    amount_minor: int
    instruction_id: str = ""
    payee_functional_id: str = ""
    narration: str = ""
    number: str = ""
    pin_hash: str = ""
    pin: str = ""

    def __repr__(self) -> str:
        """Hide the secrets."""
        return f"Wanted(group={self.group!r}, currency={self.currency!r}, amount_minor={self.amount_minor})"


@dataclass(frozen=True, slots=True)
class Order:
    """A request for vouchers.

    request_id "": nobody can repeat it; batch, chunk, funded: see ``Lot``; programme: that pays, "" for the group's.
    """

    caller: Caller
    request_id: str
    wanted: Sequence[Wanted]
    state: VoucherState
    batch: str = ""
    chunk: int = 0
    funded: bool = True
    programme: str = ""

    @property
    def name(self) -> tuple[str, str, str]:
        """Under which the request is claimed: contract, source, request id."""
        return f"vouchers {self.caller.dialect}", self.caller.name, self.request_id

    @property
    def digest(self) -> str:
        """What stands for the content, by which a repeat is told from a conflict; of secrets only that there are any.

        It is kept as it is, and a digest of something as short as a number or a PIN can be turned around.
        """
        wanted = [(*one[:6], bool(one.number), bool(one.pin or one.pin_hash)) for one in self.wanted]
        content = (self.state, self.batch, self.chunk, self.funded, wanted)
        return hashlib.sha256(msgspec.msgpack.encode(content)).hexdigest()

    def plan_id(self, random: Callable[[int], bytes]) -> str:
        """Derive the id of the request's plan; a request without an id gets a fresh one."""
        return batch_reference(*self.name) if self.request_id else b32encode(random(13)).decode()[:REFERENCE_LENGTH]


class _Kind(NamedTuple):
    """Vouchers of an order that are alike: their group, and what one is worth."""

    group: VoucherGroup
    amount_minor: int


async def draft(services: Services, order: Order, identifier: str) -> Plan:
    """Check an order and set serials and numbers apart for it; raises ``VoucherRefused``, and nothing is changed."""
    kinds = _kinds(await services.store.directory.load(), order)
    await _check_limits(services, order, kinds)
    await _check_chosen(services, order.wanted)
    first = await services.store.vouchers.next_serials(len(order.wanted))
    drawn = iter(draw(services.random, sum(not wanted.number for wanted in order.wanted)))
    lots: dict[tuple[str, str], list[NewVoucher]] = {}
    chosen: list[int] = []
    pin_hash, make = services.store.vouchers.pin_hash, NewVoucher._make
    for serial, wanted in zip(count(first), order.wanted, strict=False):
        group, currency, asked, instruction, payee, narration, number, pin, secret = wanted
        if number:
            chosen.append(serial)
        else:
            number = next(drawn)
        amount = kinds[group, currency, asked].amount_minor
        if secret:
            pin = pin_hash(number, secret)
        made = make((serial, number, amount, instruction, payee, narration, pin))
        if (lot := lots.get((group, currency))) is None:
            lot = lots[group, currency] = []
        lot.append(made)
    groups = {key[0]: kind.group for key, kind in kinds.items()}
    whole = tuple(
        (_lot(services, order, identifier, groups[group], currency, first), tuple(made))
        for (group, currency), made in lots.items()
    )
    _check_sums(whole)
    return Plan(identifier, *order.name, order.caller.actor, first, len(order.wanted), tuple(chosen), whole)


async def complete(services: Services, plan: Plan) -> Plan | None:
    """Carry a plan out, from wherever it is; gives it where the numbers in it hold, ``None`` where the store knows.

    Raises ``VoucherRefused`` (BUDGET, NUMBER_TAKEN): then nothing is reserved any more and the plan is gone.
    """
    await _reserve(services, plan)
    holds = await _claim(services, plan)
    for lot, made in plan.lots if holds is plan else holds.lots:
        await services.store.vouchers.create(lot, made, actor=plan.actor)
    if plan.request_id:
        answer = f"{plan.lots[0][0].id} {plan.first} {plan.count}"
        await services.store.requests.keep_answer(plan.contract, plan.source, plan.request_id, answer)
    await services.store.plans.drop(plan.id)
    return plan if holds is plan else None


async def give_up(services: Services, plan: Plan, reserved: int) -> None:
    """Undo what was begun of a plan: the money of its first ``reserved`` lots, and the plan itself."""
    for lot, _ in plan.lots[:reserved]:
        if lot.funded:
            await services.store.funds.release(lot.programme, lot.id, "refused")
    await services.store.plans.drop(plan.id)


async def _reserve(services: Services, plan: Plan) -> None:
    """Reserve the money of each lot, or of none."""
    directory = await services.store.directory.load()
    for index, (lot, made) in enumerate(plan.lots):
        if not lot.funded:
            continue
        programme = directory.programmes.get(lot.programme)
        amounts = {lot.currency: sum(voucher.amount_minor for voucher in made)}
        open_budget = programme is not None and programme.open_budget
        if await services.store.funds.reserve(lot.programme, lot.id, amounts, open_budget):
            await give_up(services, plan, index)
            where = f"/{made[0].serial - plan.first}"
            raise VoucherRefused(VoucherFault.BUDGET, "The programme's budget does not cover it.", where=where)


async def _claim(services: Services, plan: Plan) -> Plan:
    """Claim the numbers; a drawn one that exists already is drawn anew, a chosen one refused."""
    vouchers = services.store.vouchers
    for _ in range(MOST_DRAWS):
        pairs = [(voucher.number, voucher.serial) for _, made in plan.lots for voucher in made]
        taken = {pairs[position][1] for position in await vouchers.claim_numbers(pairs)}
        if not taken:
            return plan
        if refused := sorted(taken & set(plan.chosen)):
            await vouchers.release_numbers([pair for pair in pairs if pair[1] not in taken])
            await give_up(services, plan, len(plan.lots))
            raise _number_taken(refused[0] - plan.first)
        plan = replace(plan, lots=_redrawn(services, plan, taken))
        await services.store.plans.replace(plan)
    raise Unavailable("voucher numbers", "the numbers that are drawn exist already")


def _redrawn(services: Services, plan: Plan, taken: set[int]) -> tuple[tuple[Lot, tuple[NewVoucher, ...]], ...]:
    drawn = iter(draw(services.random, len(taken)))
    return tuple(
        (lot, tuple(one._replace(number=next(drawn)) if one.serial in taken else one for one in made))
        for lot, made in plan.lots
    )


def _kinds(directory: Directory, order: Order) -> dict[tuple[str, str, int], _Kind]:
    """Check what is asked for, each kind once; a fault names the first voucher that has it."""
    kinds: dict[tuple[str, str, int], _Kind] = {}
    for index, (code, currency, amount, *_) in enumerate(order.wanted):
        if (code, currency, amount) not in kinds:
            where = f"/{index}"
            group = group_for(directory, order.caller, code, where)
            kinds[code, currency, amount] = _Kind(group, price(group, currency, amount, where))
    return kinds


async def _check_limits(services: Services, order: Order, kinds: dict[tuple[str, str, int], _Kind]) -> None:
    """What goes into stock is not out yet."""
    if order.state is VoucherState.IN_STOCK:
        return
    for group in {kind.group.code: kind.group for kind in kinds.values() if kind.group.limit}.values():
        await check_limit(services, group, sum(wanted.group == group.code for wanted in order.wanted))


async def _check_chosen(services: Services, wanted: Sequence[Wanted]) -> None:
    """Refuse numbers that exist, before anything is reserved; the claim is what decides."""
    seen: set[str] = set()
    for index, one in enumerate(wanted):
        if one.number:
            if one.number in seen or await services.store.vouchers.serial_of(one.number) is not None:
                raise _number_taken(index)
            seen.add(one.number)


def _check_sums(lots: Sequence[tuple[Lot, tuple[NewVoucher, ...]]]) -> None:
    for _, made in lots:
        if sum(voucher.amount_minor for voucher in made) > LARGEST_AMOUNT:
            raise VoucherRefused(VoucherFault.AMOUNT, "The sum of the vouchers is too large.")


def _number_taken(index: int) -> VoucherRefused:
    return VoucherRefused(VoucherFault.NUMBER_TAKEN, "There is a voucher with this number.", where=f"/{index}")


def _lot(services: Services, order: Order, plan: str, group: VoucherGroup, currency: str, first: int) -> Lot:
    """The serial number in a lot's id sets a second try of a refused request apart: that has money of its own."""
    return Lot(
        id=batch_reference("voucher-lot", plan, f"{first} {group.code} {currency}"),
        group=group.code,
        programme=order.programme or group.programme,
        currency=currency,
        policy=group.policy if order.funded else replace(group.policy, partial=False),  # it is returned whole
        validity_seconds=group.validity_seconds,
        state=order.state,
        created_at=services.clock(),
        source=order.caller.name,
        dialect=order.caller.dialect,
        batch=order.batch,
        chunk=order.chunk,
        funded=order.funded,
    )

"""Demo data into a store, by the same functions as real data; loading the same data again changes nothing."""

import hashlib
from base64 import b32encode
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from connector.demo.entries import institution, merchant, programme, source, voucher_group
from connector.demo.format import DemoData, DemoState, DemoVoucher
from connector.domain.beneficiary import Beneficiary
from connector.domain.directory import Directory
from connector.domain.errors import Refused
from connector.domain.ids import REFERENCE_LENGTH
from connector.domain.money import minor_units
from connector.domain.voucher import (
    FIRST_SERIAL,
    Command,
    Lot,
    NewVoucher,
    VoucherFault,
    VoucherRefused,
    VoucherState,
)
from connector.store import Store
from connector.store.vouchers import RedeemOrder

T = TypeVar("T")

ACTOR: Final = "demo data"
DAY_SECONDS: Final = 86_400.0
NEAR: Final = 10**9
"""As far from the first serial number the counter may come; serials beyond are taken for ones that it never gives."""

_STARTS: Final[Mapping[DemoState, VoucherState]] = {
    DemoState.IN_STOCK: VoucherState.IN_STOCK,
    DemoState.PRE_ACTIVATED: VoucherState.PRE_ACTIVATED,
}
"""How a voucher is created; all others are activated first, and led from there to their state."""

_COMMANDS: Final[Mapping[DemoState, Command]] = {
    DemoState.SUSPENDED: Command.SUSPEND,
    DemoState.CANCELLED: Command.CANCEL,
    DemoState.PURGED: Command.CANCEL,
    DemoState.BLOCKED: Command.BLOCK,
    DemoState.EXPIRED: Command.EXPIRE,
}


class Loaded(NamedTuple):
    """What was in the data, and how many of its vouchers are new."""

    sources: int
    programmes: int
    groups: int
    merchants: int
    beneficiaries: int
    vouchers: int
    created: int


class _Kind(NamedTuple):
    """What the vouchers of one lot have in common."""

    group: str
    currency: str
    start: VoucherState
    over: bool


async def load(store: Store, clock: Callable[[], float], data: DemoData) -> Loaded:
    """Put the data in; what is there under the same id is replaced, but vouchers that are there stay as they are.

    Can be interrupted and repeated. Raises ``Refused`` and ``VoucherRefused`` with the place in the data.
    """
    await _directory(store, data)
    _check(await store.directory.load(), data)
    await _beneficiaries(store, data)
    created = await _vouchers(store, clock(), data.vouchers)
    await _lead(store, clock(), data.vouchers)
    return Loaded(
        sources=len(data.sources),
        programmes=len(data.programmes),
        groups=len(data.groups),
        merchants=len(data.merchants),
        beneficiaries=len(data.beneficiaries),
        vouchers=len(data.vouchers),
        created=created,
    )


async def _directory(store: Store, data: DemoData) -> None:
    there, kept = await store.directory.load(), store.directory
    await _save(
        kept.save_institution, there.institutions, {said.code: institution(said) for said in data.institutions}
    )
    await _save(kept.save_programme, there.programmes, {said.id: programme(said) for said in data.programmes})
    await _save(kept.save_source, there.sources, {said.id: source(said) for said in data.sources})
    await _save(kept.save_group, there.groups, {said.code: voucher_group(said) for said in data.groups})
    await _save(kept.save_merchant, there.merchants, {said.id: merchant(said) for said in data.merchants})


async def _save(save: Callable[[T], Awaitable[None]], there: Mapping[str, T], wanted: Mapping[str, T]) -> None:
    """Save what is not there as wanted."""
    for name, value in wanted.items():
        if there.get(name) != value:
            await save(value)


def _check(directory: Directory, data: DemoData) -> None:
    """Refuse references to what is not there, before anything of them is stored."""
    for place, group in enumerate(data.groups):
        _known(group.programme in directory.programmes, f"/groups/{place}/programme", "programme")
    for place, voucher in enumerate(data.vouchers):
        _known(voucher.group in directory.groups, f"/vouchers/{place}/group", "voucher group")
        found = not voucher.merchant or voucher.merchant in directory.merchants
        _known(found, f"/vouchers/{place}/merchant", "merchant")
    for name, values in {
        "serial": [str(voucher.serial) for voucher in data.vouchers],
        "number": [voucher.number for voucher in data.vouchers],
    }.items():
        twice = {value for value, times in Counter(values).items() if times > 1}
        if twice:
            where = f"/vouchers/{next(place for place, value in enumerate(values) if value in twice)}/{name}"
            raise Refused.because(where, "twice", f"Another voucher of the data has the same {name}.")


def _known(found: bool, where: str, what: str) -> None:
    if not found:
        raise Refused.because(where, "unknown", f"There is no such {what}.")


async def _beneficiaries(store: Store, data: DemoData) -> None:
    by_source: dict[str, list[Beneficiary]] = defaultdict(list)
    for said in data.beneficiaries:
        entry = Beneficiary(said.functional_id, said.modality.value, said.institution, said.address, said.name)
        by_source[said.source].append(entry)
    for name, entries in by_source.items():
        failed = {case.functional_id for case in await store.mapper.register(name, entries)}
        await store.mapper.update(name, [entry for entry in entries if entry.functional_id in failed])


async def _vouchers(store: Store, now: float, vouchers: Sequence[DemoVoucher]) -> int:
    """Create those that are not there."""
    there = await store.vouchers.read([voucher.serial for voucher in vouchers]) if vouchers else []
    new = {place: said for place, (said, kept) in enumerate(zip(vouchers, there, strict=True)) if kept is None}
    taken = await store.vouchers.claim_numbers([(said.number, said.serial) for said in new.values()]) if new else []
    if taken:
        where = f"/vouchers/{list(new)[taken[0]]}/number"
        raise VoucherRefused(VoucherFault.NUMBER_TAKEN, "Another voucher has this number.", where=where)
    await _set_apart(store, [said.serial for said in new.values()])
    lots: dict[_Kind, list[DemoVoucher]] = defaultdict(list)
    for said in new.values():
        start = _STARTS.get(said.state, VoucherState.ACTIVATED)
        lots[_Kind(said.group, said.currency, start, said.state is DemoState.EXPIRED)].append(said)
    for kind, members in lots.items():
        await _create(store, now, kind, members)
    return len(new)


async def _set_apart(store: Store, serials: Sequence[int]) -> None:
    """Keep the counter of serial numbers away from those given here."""
    near = [serial for serial in serials if FIRST_SERIAL <= serial < FIRST_SERIAL + NEAR]
    if near:
        await store.vouchers.skip_serials(max(near))
    if far := set(serials) - set(near):
        await store.vouchers.adopt_blocks(far)


async def _create(store: Store, now: float, kind: _Kind, members: Sequence[DemoVoucher]) -> None:
    directory = await store.directory.load()
    group = directory.groups[kind.group]
    payer = directory.programmes[group.programme]
    begun = now - group.validity_seconds - DAY_SECONDS if kind.over else now
    activated = begun if kind.start is VoucherState.ACTIVATED else 0.0
    lot = Lot(
        _lot_id(kind, members), group.code, payer.id, kind.currency, group.policy, group.validity_seconds, kind.start,
        begun, source=ACTOR, dialect="demo",
    )  # fmt: skip
    made = [NewVoucher(said.serial, said.number, _minor(said)) for said in members]
    total = sum(voucher.amount_minor for voucher in made)
    if await store.funds.reserve(payer.id, lot.id, {kind.currency: total}, payer.open_budget):
        raise VoucherRefused(VoucherFault.BUDGET, f"The budget of {payer.id} does not cover them.", where="/vouchers")
    expires = activated + group.validity_seconds if activated else 0.0
    await store.vouchers.create(lot, made, actor=ACTOR, activated_at=activated, expires_at=expires)


def _lot_id(kind: _Kind, members: Sequence[DemoVoucher]) -> str:
    """Derive it from everything in it: what is created in a second attempt is the same lot, anything else is not."""
    parts = ["demo", *map(str, kind), *(f"{said.serial} {said.amount}" for said in members)]
    return b32encode(hashlib.sha256("\x1f".join(parts).encode()).digest()[:13]).decode()[:REFERENCE_LENGTH]


async def _lead(store: Store, now: float, vouchers: Sequence[DemoVoucher]) -> None:
    """Lead vouchers that nobody has touched since their creation to their states."""
    waiting = [said for said in vouchers if said.state in _COMMANDS or _redeemed(said)]
    waiting = [said for said in waiting if len(await store.vouchers.history(said.serial)) == 1]
    for said in waiting:
        if _redeemed(said):
            await store.vouchers.redeem(_order(said, now))
    for command in dict.fromkeys(_COMMANDS.values()):
        serials = [said.serial for said in waiting if _COMMANDS.get(said.state) is command]
        if serials:
            await store.vouchers.move(command, serials, actor=ACTOR, now=now)
    purged = [said.serial for said in waiting if said.state is DemoState.PURGED]
    if purged:
        await store.vouchers.purge(purged, actor=ACTOR, now=now)


def _redeemed(said: DemoVoucher) -> bool:
    return said.state is DemoState.REDEEMED or (said.state is DemoState.ACTIVATED and said.redeemed > 0)


def _order(said: DemoVoucher, now: float) -> RedeemOrder:
    """Nobody is paid for it: the money went long ago, as far as the demo is concerned."""
    amount = minor_units(said.redeemed, said.currency) if said.state is DemoState.ACTIVATED else 0
    return RedeemOrder(
        said.serial, said.merchant, "", presenter=ACTOR, request=ACTOR, dialect="demo", actor=ACTOR,
        amount_minor=amount, pays=False, now=now,
    )  # fmt: skip


def _minor(said: DemoVoucher) -> int:
    return minor_units(said.amount, said.currency, "/vouchers/amount")

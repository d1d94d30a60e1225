"""Redemption: from a voucher's number to the merchant's money; confirmation, reversal and refund.

The commit that locks the voucher is also the order to pay the merchant, so there is no moment at which a crash could
lose one of the two. The request then waits a while for the outcome. Where that does not come in time, the voucher
stays locked until it does, and the same request again waits on for the same payment.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from connector.domain.batch import CallbackTarget
from connector.domain.directory import Directory
from connector.domain.errors import NotFound
from connector.domain.voucher import (
    Merchant,
    Redemption,
    RedemptionState,
    Voucher,
    VoucherFault,
    VoucherGroup,
    VoucherRefused,
    VoucherState,
    unknown_serial,
)
from connector.flows.services import Services
from connector.flows.vouchers import merchants, notices, tries
from connector.flows.vouchers.caller import ADMIN, Caller, check_caller
from connector.store import RedeemOrder

FUNDING_REASONS: Final = frozenset({"AM04", "AC02", "AC05", "AC13", "AM23"})
"""Reasons (ISO 20022) for which a bank rejects a payment on account of who pays it; all others speak of the payee."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """A voucher as it is presented for redemption. number and pin are secrets, merchant_account is personal.

    serial: 0 where the dialect has none; merchant: its id, or name and bank details (v1); merchant_group: the group
    as which it takes the voucher ("": one of its own); override: whatever the group; amount_minor: 0 for all that is
    left; currency: "" for the voucher's; request: the redeemer's own id of this redemption, under which a retry gets
    the same redemption for ever; correlation: an id that only tells retries within the repeat window; receipt: who is
    to be told how the merchant's payment ended.
    """

    number: str = field(repr=False)
    serial: int = 0
    merchant: str = ""
    merchant_name: str = ""
    merchant_account: str = field(default="", repr=False)
    merchant_group: str = ""
    override: bool = False
    amount_minor: int = 0
    currency: str = ""
    request: str = ""
    pin: str = field(default="", repr=False)
    correlation: str = ""
    receipt: CallbackTarget = field(default_factory=CallbackTarget)


class _Way(NamedTuple):
    """Who is paid by which programme for whose presentation, and whether anybody is told how that ends."""

    merchant: str
    programme: str
    presenter: str
    told: bool


async def redeem(services: Services, caller: Caller, presentation: Presentation) -> Redemption:
    """Redeem a voucher and wait for the merchant's payment; still PAYING at the end of the wait means: not known yet.

    Checks, in this order: the caller, the number, the merchant, who pays, the group, the voucher's state. Raises
    ``VoucherRefused``, also (MERCHANT or FUNDING) where the payment was rejected: then the voucher is free again.
    """
    directory, serial = await services.store.presented(presentation.number)
    check_caller(directory, caller)
    merchant = await merchants.find(
        services, directory, presentation.merchant, presentation.merchant_name, presentation.merchant_account
    )
    voucher = await _voucher(services, caller, presentation, serial, merchant.id if merchant else "")
    presenter = _presenter(services, caller, presentation)
    try:
        merchant, programme = await _checked(services, directory, presentation, voucher, merchant)
    except VoucherRefused:
        begun = await _begun(services, voucher, presenter)
        if begun is None:
            raise
        return _told(begun)
    way = _Way(merchant.id, programme, presenter, bool(presentation.receipt.url or merchant.notify_url))
    order = _order(services, caller, presentation, voucher, way)
    if order.receipt:
        await notices.expect_receipt(services, voucher.serial, presenter, presentation.receipt)
    return _told(await _redeemed(services, order))


async def confirm(
    services: Services, caller: Caller, redemption: str, *, final_minor: int | None = None
) -> Redemption:
    """Note that a redemption will not be reversed; final_minor: what of it stands, ``None`` for all.

    Raises ``NotFound``, ``VoucherRefused``; the same again gives the same.
    """
    await _known(services, caller, redemption)
    now, change = services.clock(), services.store.vouchers.confirm
    return await change(redemption, final_minor, actor=caller.actor, now=now)


async def reverse(services: Services, caller: Caller, redemption: str, *, keep_minor: int = 0) -> Redemption:
    """Undo a redemption that is not confirmed, down to what is kept; raises as ``confirm``."""
    await _known(services, caller, redemption)
    now, change = services.clock(), services.store.vouchers.reverse
    return await change(redemption, keep_minor, actor=caller.actor, now=now)


async def refund(
    services: Services, caller: Caller, redemption: str, *, amount_minor: int = 0, request: str = ""
) -> Redemption:
    """Give a redeemed amount back to the voucher, 0: all of it; request: counts once. Raises as ``confirm``."""
    await _known(services, caller, redemption)
    now, change = services.clock(), services.store.vouchers.refund
    return await change(redemption, amount_minor, actor=caller.actor, now=now, request=request)


async def _known(services: Services, caller: Caller, redemption: str) -> Redemption:
    """Find a redemption that the caller may change: one of its own dialect; raises ``NotFound`` for any other."""
    check_caller(await services.store.directory.load(), caller)
    known = await services.store.vouchers.redemption(redemption)
    if known is None or caller.dialect not in {ADMIN, known.dialect}:
        raise NotFound("redemption", redemption)
    return known


async def _voucher(
    services: Services, caller: Caller, presentation: Presentation, serial: int | None, merchant: str
) -> Voucher:
    """Find the voucher that was presented; a number that is wrong counts against whoever may be guessing."""
    guesser = f"{caller.dialect}\x1f{caller.name}\x1f{merchant}"
    await tries.check(services, guesser)
    if presentation.serial:
        return await _by_serial(services, caller, guesser, presentation.serial, serial)
    voucher = (await services.store.vouchers.read([serial], facts=False))[0] if serial else None
    if voucher is None:
        await tries.count(services, guesser)
        raise VoucherRefused(VoucherFault.UNKNOWN_NUMBER, "There is no voucher with this number.")
    return voucher


async def _by_serial(services: Services, caller: Caller, guesser: str, named: int, serial: int | None) -> Voucher:
    """Find the voucher by its serial number; the number must go with it.

    A wrong one counts against both: serial numbers are known to all, and nobody may block vouchers by the thousand.
    """
    voucher = (await services.store.vouchers.read([named], facts=False))[0]
    if voucher is None:
        raise unknown_serial()
    if serial != named:
        limit, now = services.settings.voucher_wrong_tries, services.clock()
        counted = await services.store.vouchers.wrong_number(named, limit, actor=caller.actor, now=now)
        await tries.count(services, guesser)
        sentence = "The number does not go with the serial number."
        raise VoucherRefused(VoucherFault.WRONG_NUMBER, sentence, state=counted.state)
    return voucher


async def _checked(
    services: Services, directory: Directory, presentation: Presentation, voucher: Voucher, found: Merchant | None
) -> tuple[Merchant, str]:
    """Check all that does not change with the voucher; gives who is paid by which programme."""
    pays = voucher.policy.pays_merchant
    merchant = merchants.check(directory, found, pays=pays)
    programme = await merchants.payer(services, directory, merchant, voucher) if pays else voucher.programme
    group = directory.groups.get(voucher.group) or VoucherGroup(voucher.group, voucher.group, voucher.programme)
    if not presentation.override and not merchant.takes(group, presentation.merchant_group):
        raise VoucherRefused(VoucherFault.WRONG_GROUP, "The voucher is not redeemable at this merchant.")
    if presentation.currency not in {"", voucher.currency}:
        raise VoucherRefused(VoucherFault.CURRENCY, f"The voucher is in {voucher.currency}.")
    return merchant, programme


def _presenter(services: Services, caller: Caller, presentation: Presentation) -> str:
    """Name who presents the voucher as the request says it, so that a retry can be told from somebody else."""
    asked = presentation
    said = (asked.merchant, asked.merchant_name, asked.merchant_account, asked.request or asked.correlation)
    return services.store.digest("\x1f".join((caller.dialect, caller.name, *said)))


async def _begun(services: Services, voucher: Voucher, presenter: str) -> Redemption | None:
    """Find this presenter's redemption that goes on, or is of this very request, whatever the directory says since.

    The presenter's digest has the request's id in it.
    """
    if not voucher.redemptions:
        return None
    async with services.desk.outcomes.watch(services.store, voucher.serial) as watch:
        made = await services.store.vouchers.redemptions(voucher.serial)
        own = (one for one in reversed(made) if one.presenter == presenter)
        begun = next((one for one in own if one.request or one.state is RedemptionState.PAYING), None)
        return await watch.outcome(begun, services.settings.redemption_wait_seconds) if begun else None


def _order(
    services: Services, caller: Caller, presentation: Presentation, voucher: Voucher, way: _Way
) -> RedeemOrder:
    """Write the order."""
    pin = presentation.pin
    return RedeemOrder(
        serial=voucher.serial,
        merchant=way.merchant,
        programme=way.programme,
        presenter=way.presenter,
        request=presentation.request,
        dialect=caller.dialect,
        actor=caller.actor,
        amount_minor=presentation.amount_minor,
        pays=voucher.policy.pays_merchant,
        now=services.clock(),
        repeat_seconds=services.settings.redemption_repeat_seconds,
        pin_hash=services.store.vouchers.pin_hash(presentation.number, pin) if pin else "",
        wrong_limit=services.settings.voucher_wrong_tries,
        receipt=way.told and voucher.policy.pays_merchant,
    )


async def _redeemed(services: Services, order: RedeemOrder) -> Redemption:
    """Commit the order, and wait for the merchant's payment where there is one."""
    if not order.pays:
        return (await services.store.vouchers.redeem(order)).redemption
    async with services.desk.outcomes.watch(services.store, order.serial) as watch:
        redemption = (await services.store.vouchers.redeem(order)).redemption
        return await watch.outcome(redemption, services.settings.redemption_wait_seconds)


def _told(redemption: Redemption) -> Redemption:
    """Give the redemption, or say why it failed."""
    if redemption.state is not RedemptionState.FAILED:
        return redemption
    code = redemption.reason.partition(" ")[0]
    fault = VoucherFault.FUNDING if code in FUNDING_REASONS else VoucherFault.MERCHANT
    raise VoucherRefused(fault, f"The merchant could not be paid ({code}).", state=VoucherState.ACTIVATED)

"""Retail: a redemption is refunded. The voucher is worth something again once the refund is confirmed.

Until then the refund only has the redemption to itself, so that reversing it takes nothing back from anybody.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from connector.domain.errors import Unavailable
from connector.domain.retail import RetailFault, RetailKind, RetailRefused
from connector.domain.voucher import (
    Redemption,
    RedemptionState,
    Voucher,
    VoucherFault,
    VoucherRefused,
    redemption_serial,
)
from connector.flows.services import Services
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.retail_messages import (
    Advice,
    Approval,
    Asked,
    answered,
    check_currency,
    claim,
    confirmed_before,
    decide,
    drafted,
    find,
    not_begun,
    reversed_before,
    unknown_request,
)
from connector.flows.vouchers.retail_redemption import by_number, guarded
from connector.store.vouchers.messages import Message, MessageDecision, MessageId, Verdict

KIND: Final = RetailKind.REFUND

_S = RedemptionState


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """What is to be refunded: a voucher's latest redemption, or the one that is named.

    number: of the voucher, a secret; request: the id of the caller's own redemption; reference: the redemption's id
    here, from whatever system; amount_minor: 0 for all of it.
    """

    number: str = field(repr=False)
    merchant: str = ""
    request: str = ""
    reference: str = ""
    amount_minor: int = 0
    currency: str = ""


async def refund(services: Services, caller: Caller, asked: Asked, order: RefundOrder) -> Approval:
    """Refund a confirmed redemption, once a request id.

    Raises ``RetailRefused`` (DUPLICATE, REVERSED, NOT_REDEEMED, NOT_CONFIRMED, REFUNDED, VOUCHER, AMOUNT, NOT_BEGUN),
    ``VoucherRefused``.
    """
    message = drafted(caller, KIND, asked, services.clock())
    try:
        voucher = await by_number(services, order.number) if order.number else None
        meant = await _meant(services, caller, order, voucher)
    except Unavailable as error:
        raise not_begun(KIND) from error
    if meant:
        message = replace(message, serial=meant.serial, redemption=meant.id)
    await claim(services, message)

    async def undo(_: Approval) -> None:
        await _let_go(services, message, for_good=True)

    return await answered(services, message, _held(services, caller, message, order, (voucher, meant)), undo)


async def confirm(services: Services, caller: Caller, advice: Advice) -> None:
    """Put the refunded amount, or what the advice leaves of it, back into the voucher.

    Raises ``RetailRefused`` (UNKNOWN_REQUEST, REVERSED, NOT_REFUNDED: confirmed by another advice, AMOUNT),
    ``VoucherRefused``.
    """
    await _check_currency(services, caller, advice)
    verdict, by = await decide(services, caller, KIND, MessageDecision.CONFIRMED, advice)
    if verdict is Verdict.REVERSED:
        raise reversed_before(KIND, by)
    if verdict is Verdict.UNANSWERED:
        raise unknown_request(KIND)
    await _carry_out(services, caller, await find(services, caller, KIND, advice.request))
    if verdict is Verdict.CONFIRMED:
        raise RetailRefused(RetailFault.NOT_REFUNDED, "The refund was confirmed before.", KIND, other=by)


async def reverse(services: Services, caller: Caller, advice: Advice) -> None:
    """Undo a refund down to what the advice leaves; one that never came is refused from now on.

    Raises ``RetailRefused`` UNKNOWN_REQUEST (nothing to undo), CONFIRMED, AMOUNT.
    """
    await _check_currency(services, caller, advice)
    verdict, by = await decide(services, caller, KIND, MessageDecision.REVERSED, advice)
    if verdict is Verdict.CONFIRMED:
        raise confirmed_before(KIND, by)
    if verdict is Verdict.UNANSWERED:
        raise unknown_request(KIND)
    message = await find(services, caller, KIND, advice.request)
    await _carry_out(services, caller, message)
    if verdict is Verdict.REVERSED:
        raise unknown_request(KIND)


async def _meant(
    services: Services, caller: Caller, order: RefundOrder, voucher: Voucher | None
) -> Redemption | None:
    """Find the redemption that is to be refunded: the one named, else the voucher's latest, a confirmed one first."""
    if order.request:
        own = await services.store.messages.find(MessageId(caller.name, order.request))
        named = own.redemption if own and own.kind is RetailKind.REDEMPTION else ""
        return await services.store.vouchers.redemption(named) if named else None
    if order.reference:
        known = redemption_serial(order.reference)
        return await services.store.vouchers.redemption(order.reference) if known else None
    made = await services.store.vouchers.redemptions(voucher.serial) if voucher else []
    confirmed = [each for each in made if each.state is _S.CONFIRMED]
    return (confirmed or made)[-1] if made else None


async def _held(
    services: Services,
    caller: Caller,
    message: Message,
    order: RefundOrder,
    found: tuple[Voucher | None, Redemption | None],
) -> Approval:
    """Let the refund have the redemption to itself, and look at it then: from here on nobody else refunds it."""
    voucher, meant = await _checked(services, caller, order, *found)
    held = await services.store.messages.hold_refund(meant.id, meant.serial, message.id.token)
    if held is None:
        raise reversed_before(KIND, message.advice)
    if not held:
        raise RetailRefused(RetailFault.REFUNDED, "The voucher is being refunded already.", KIND)
    try:
        amount = _refundable(order, await services.store.vouchers.redemption(meant.id))
    except (VoucherRefused, RetailRefused):
        await _let_go(services, message, for_good=False)
        raise
    return Approval(meant.serial, meant.id, amount, meant.currency, voucher.balance_minor, voucher.expires_at)


async def _checked(
    services: Services, caller: Caller, order: RefundOrder, voucher: Voucher | None, meant: Redemption | None
) -> tuple[Voucher, Redemption]:
    """Check that voucher and redemption are there, belong together, and may be refunded."""
    if order.number:
        voucher = await guarded(services, caller, order.merchant, voucher)
    elif meant:
        [voucher] = await services.store.vouchers.read([meant.serial])
    if meant is None or voucher is None:
        raise RetailRefused(RetailFault.NOT_REDEEMED, "There is no such redemption of the voucher.", KIND)
    if meant.serial != voucher.serial:
        raise RetailRefused(RetailFault.VOUCHER, "The redemption is another voucher's.", KIND)
    if not voucher.policy.refund:
        raise VoucherRefused(VoucherFault.REFUND, "This voucher's redemption cannot be refunded.")
    if order.currency not in {"", voucher.currency}:
        raise VoucherRefused(VoucherFault.CURRENCY, f"The voucher is in {voucher.currency}.")
    if 0 < order.amount_minor < meant.amount_minor and not voucher.policy.partial:
        raise VoucherRefused(VoucherFault.PARTIAL, "The redemption can only be refunded whole.")
    return voucher, meant


def _refundable(order: RefundOrder, meant: Redemption | None) -> int:
    """Say how much is refunded; raises what the redemption's state forbids."""
    state = meant.state if meant else _S.REVERSED
    if state is _S.PAYING:
        raise VoucherRefused(VoucherFault.IN_PROGRESS, "The redemption is not decided yet.")
    if state is _S.REDEEMED:
        raise RetailRefused(RetailFault.NOT_CONFIRMED, "The redemption is not confirmed.", KIND)
    if meant is None or state is not _S.CONFIRMED:
        raise RetailRefused(RetailFault.NOT_REDEEMED, "The voucher is not redeemed.", KIND)
    if order.amount_minor > meant.amount_minor:
        raise RetailRefused(RetailFault.AMOUNT, "This is more than was redeemed.", KIND)
    return order.amount_minor or meant.amount_minor


async def _carry_out(services: Services, caller: Caller, message: Message) -> None:
    """Refund what stands, once, and let go of the redemption."""
    reversed_whole = message.decision is MessageDecision.REVERSED and not message.approved_minor
    if message.approved_minor and message.redemption:
        now, name = services.clock(), message.id.token
        await services.store.vouchers.refund(
            message.redemption, message.approved_minor, actor=caller.actor, now=now, request=name
        )
    if message.redemption:
        await _let_go(services, message, for_good=reversed_whole)


async def _let_go(services: Services, message: Message, *, for_good: bool) -> None:
    await services.store.messages.drop_refund(message.redemption, message.serial, message.id.token, for_good=for_good)


async def _check_currency(services: Services, caller: Caller, advice: Advice) -> None:
    """Raise ``RetailRefused`` AMOUNT for an advice in another currency."""
    if advice.currency:
        known = await services.store.messages.find(MessageId(caller.name, advice.request))
        if known and known.kind is KIND:
            check_currency(known, advice)

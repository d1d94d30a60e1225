"""Retail: a voucher is redeemed, in part or whole; the redemption is confirmed, reversed or asked about."""

from dataclasses import replace
from typing import Final, NoReturn

from connector.domain.directory import Directory
from connector.domain.errors import Unavailable
from connector.domain.retail import ANSWER_WITHIN_SECONDS, RetailFault, RetailKind, RetailRefused, Undecided
from connector.domain.voucher import (
    Redemption,
    RedemptionState,
    Voucher,
    VoucherFault,
    VoucherRefused,
)
from connector.flows.services import Services
from connector.flows.vouchers import redemption, tries
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.redemption import FUNDING_REASONS, Presentation
from connector.flows.vouchers.retail_messages import (
    Advice,
    Approval,
    Asked,
    Kept,
    answered,
    check_currency,
    claim,
    confirmed_before,
    decide,
    drafted,
    find,
    keep_approval,
    keep_decline,
    kept_of,
    not_begun,
    reversed_before,
    unknown_request,
)
from connector.store import RedeemOrder
from connector.store.vouchers.messages import Message, MessageDecision, MessageId, Verdict

KIND: Final = RetailKind.REDEMPTION


async def redeem(services: Services, caller: Caller, asked: Asked, presentation: Presentation) -> Approval:
    """Redeem a voucher, once a request id.

    Raises ``RetailRefused`` (DUPLICATE, REVERSED, NOT_BEGUN), ``VoucherRefused``, ``Undecided`` while the merchant's
    payment is on its way.
    """
    message = drafted(caller, KIND, asked, services.clock())
    try:
        voucher = await by_number(services, presentation.number)
    except Unavailable as error:
        raise not_begun(KIND) from error
    if voucher:
        message = replace(message, serial=voucher.serial, reversible=voucher.policy.reversal)
    await claim(services, message)

    async def undo(approval: Approval) -> None:
        await redemption.reverse(services, caller, approval.redemption)

    return await answered(services, message, _redeemed(services, caller, message, presentation, voucher), undo)


async def confirm(services: Services, caller: Caller, advice: Advice) -> None:
    """Make a redemption final, or a part of it; the same advice again changes nothing.

    Raises ``RetailRefused`` (UNKNOWN_REQUEST, REVERSED, NOT_REDEEMED: confirmed by another advice, AMOUNT),
    ``VoucherRefused``, ``Undecided``.
    """
    await _prepare(services, caller, advice)
    verdict, by = await decide(services, caller, KIND, MessageDecision.CONFIRMED, advice)
    if verdict is Verdict.REVERSED:
        raise reversed_before(KIND, by)
    if verdict is Verdict.UNANSWERED:
        raise Undecided(KIND)
    message = await find(services, caller, KIND, advice.request)
    await redemption.confirm(services, caller, message.redemption, final_minor=message.approved_minor)
    if verdict is Verdict.CONFIRMED:
        raise RetailRefused(RetailFault.NOT_REDEEMED, "The redemption was confirmed before.", KIND, other=by)


async def reverse(services: Services, caller: Caller, advice: Advice) -> None:
    """Undo a redemption, also one that is at work; one that never came is refused from now on.

    Raises ``RetailRefused`` (UNKNOWN_REQUEST: nothing to undo, CONFIRMED, AMOUNT), ``VoucherRefused`` REVERSAL where
    the voucher's policy forbids it, ``Undecided``.
    """
    if advice.final_minor:
        await _prepare(services, caller, advice)
    verdict, by = await decide(services, caller, KIND, MessageDecision.REVERSED, advice)
    if verdict is Verdict.CONFIRMED:
        raise confirmed_before(KIND, by)
    if verdict is Verdict.UNANSWERED:
        raise Undecided(KIND)
    message = await find(services, caller, KIND, advice.request)
    if verdict is Verdict.FORBIDDEN:
        await _refuse_to_undo(services, message)
    await _undo(services, caller, message)
    if verdict is Verdict.REVERSED:
        raise unknown_request(KIND)


async def recall(services: Services, caller: Caller, request: str) -> Kept:
    """Give what was answered to a redemption, also where its answer was lost; ``Undecided`` while it is at work.

    Raises ``RetailRefused`` NOT_YOURS for another client's, UNKNOWN_REQUEST for one that was never received.
    """
    message = await services.store.messages.find(MessageId(caller.name, request))
    if message is None or message.kind is not KIND:
        if message is None and await services.store.messages.is_somebody_elses(request):
            raise RetailRefused(RetailFault.NOT_YOURS, "This is not your redemption.", KIND)
        raise unknown_request(KIND)
    message = await _settled(services, message)
    if message.outcome is None:
        raise Undecided(KIND)
    return kept_of(message)


async def by_number(services: Services, number: str) -> Voucher | None:
    """Find a voucher by its number."""
    serial = await services.store.vouchers.serial_of(number)
    return None if serial is None else (await services.store.vouchers.read([serial]))[0]


async def guarded(services: Services, caller: Caller, merchant: str, voucher: Voucher | None) -> Voucher:
    """Give the voucher whose number was said; who says too many wrong ones is kept out. ``VoucherRefused``."""
    guesser = services.store.digest(f"{caller.dialect}\x1f{caller.name}\x1f{merchant}")
    await tries.check(services, guesser)
    if voucher is None:
        await tries.count(services, guesser)
        raise VoucherRefused(VoucherFault.UNKNOWN_NUMBER, "There is no voucher with this number.")
    return voucher


async def _redeemed(
    services: Services, caller: Caller, message: Message, presentation: Presentation, found: Voucher | None
) -> Approval:
    voucher = await guarded(services, caller, presentation.merchant, found)
    own = replace(presentation, serial=voucher.serial, request=message.id.token)
    if voucher.policy.pays_merchant:
        done = await redemption.redeem(services, caller, own)
    else:
        done = await _settled_elsewhere(services, caller, own, voucher)
    if done.state is RedemptionState.PAYING:
        raise Undecided(KIND)
    return await _approval(services, done)


async def _settled_elsewhere(
    services: Services, caller: Caller, presentation: Presentation, voucher: Voucher
) -> Redemption:
    """Redeem at a merchant with whom the settlement entity settles: it need not be known here, but may be."""
    directory = await services.store.directory.load()
    _check_merchant(directory, presentation.merchant, voucher)
    if presentation.currency not in {"", voucher.currency}:
        raise VoucherRefused(VoucherFault.CURRENCY, f"The voucher is in {voucher.currency}.")
    pin, presenter = presentation.pin, f"{caller.dialect}\x1f{caller.name}\x1f{presentation.request}"
    order = RedeemOrder(
        serial=voucher.serial,
        merchant=presentation.merchant,
        programme=voucher.programme,
        presenter=services.store.digest(presenter),
        request=presentation.request,
        dialect=caller.dialect,
        actor=caller.actor,
        amount_minor=presentation.amount_minor,
        pays=False,
        now=services.clock(),
        pin_hash=services.store.vouchers.pin_hash(presentation.number, pin) if pin else "",
        wrong_limit=services.settings.voucher_wrong_tries,
    )
    return (await services.store.vouchers.redeem(order)).redemption


def _check_merchant(directory: Directory, identifier: str, voucher: Voucher) -> None:
    merchant, group = directory.merchants.get(identifier), directory.groups.get(voucher.group)
    if merchant and not merchant.active:
        raise VoucherRefused(VoucherFault.MERCHANT, "The merchant is switched off.")
    if merchant and group and not merchant.takes(group):
        raise VoucherRefused(VoucherFault.WRONG_GROUP, "The voucher is not redeemable at this merchant.")


async def _approval(services: Services, done: Redemption) -> Approval:
    [voucher] = await services.store.vouchers.read([done.serial])
    left, expires_at = (voucher.balance_minor, voucher.expires_at) if voucher else (0, 0.0)
    return Approval(done.serial, done.id, done.amount_minor, done.currency, left, expires_at)


async def _prepare(services: Services, caller: Caller, advice: Advice) -> None:
    """Answer what a crash left unanswered, and check the amount that the advice names."""
    known = await services.store.messages.find(MessageId(caller.name, advice.request))
    if known is None or known.kind is not KIND:
        return
    message = await _settled(services, known)
    check_currency(message, advice)
    if advice.final_minor is None or advice.final_minor >= message.approved_minor:
        return
    [voucher] = await services.store.vouchers.read([message.serial])
    if voucher and not voucher.policy.partial:
        raise VoucherRefused(VoucherFault.PARTIAL, "The voucher is only redeemable whole.")


async def _undo(services: Services, caller: Caller, message: Message) -> None:
    """Carry a reversal out: keep the redemption from happening, or take it back."""
    identifier = message.redemption
    if not identifier and message.serial:
        overtaken = await services.store.vouchers.undo_unseen(message.serial, message.id.token)
        identifier = overtaken.id if overtaken else ""
    if identifier:
        await redemption.reverse(services, caller, identifier, keep_minor=message.approved_minor)


async def _refuse_to_undo(services: Services, message: Message) -> NoReturn:
    """A redemption that cannot be reversed can still be kept from happening; raises what is so now."""
    there = await services.store.vouchers.undo_unseen(message.serial, message.id.token)
    if there is None or there.state is RedemptionState.FAILED:
        raise unknown_request(KIND)
    raise VoucherRefused(VoucherFault.REVERSAL, "This voucher's redemption cannot be reversed.")


async def _settled(services: Services, message: Message) -> Message:
    """Answer a request whose answer was lost, from what became of its redemption; gives it as it is now."""
    if message.outcome is not None:
        return message
    made = await services.store.vouchers.redemptions(message.serial) if message.serial else []
    found = next((each for each in made if each.request == message.id.token), None)
    late = message.decision is not None or services.clock() - message.at >= ANSWER_WITHIN_SECONDS
    if found is None and late and message.serial:
        found = await services.store.vouchers.undo_unseen(message.serial, message.id.token)
    if found is None and late:
        await keep_decline(services, message, _given_up(message))
    elif found and found.state is not RedemptionState.PAYING:
        await _answer_late(services, message, found)
    return await services.store.messages.find(message.id) or message


async def _answer_late(services: Services, message: Message, found: Redemption) -> None:
    match found.state:
        case RedemptionState.FAILED:
            await keep_decline(services, message, _unpaid(found))
        case RedemptionState.REVERSED:
            await keep_decline(services, message, reversed_before(KIND, message.advice))
        case _:
            await keep_approval(services, message, await _approval(services, found))


def _given_up(message: Message) -> RetailRefused:
    if message.decision is MessageDecision.REVERSED:
        return reversed_before(KIND, message.advice)
    return RetailRefused(RetailFault.LAPSED, "The request was interrupted; nothing was done.", KIND)


def _unpaid(failed: Redemption) -> VoucherRefused:
    code = failed.reason.partition(" ")[0]
    fault = VoucherFault.FUNDING if code in FUNDING_REASONS else VoucherFault.MERCHANT
    return VoucherRefused(fault, f"The merchant could not be paid ({code}).")

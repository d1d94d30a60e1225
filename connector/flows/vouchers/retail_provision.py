"""Retail: a voucher is sold. It is worth nothing until the sale is confirmed, and gone when the sale is reversed."""

from typing import Final

from connector.domain.retail import RetailFault, RetailKind, RetailRefused
from connector.domain.voucher import Command, Issued, Moved, Voucher, VoucherFault, VoucherRefused, unknown_serial
from connector.flows.services import Services
from connector.flows.vouchers import issue
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.lifecycle import change
from connector.flows.vouchers.plan import Wanted
from connector.flows.vouchers.retail_messages import (
    Advice,
    Approval,
    Asked,
    answered,
    check_currency,
    claim,
    confirmed_before,
    decide,
    draft_of,
    drafted,
    find,
    reversed_before,
    unknown_request,
)
from connector.store.vouchers.messages import Message, MessageDecision, MessageOutcome, Verdict

KIND: Final = RetailKind.PROVISION

_LIVED: Final = frozenset({VoucherFault.USED, VoucherFault.IN_PROGRESS, VoucherFault.EXPIRED})
"""What only an activated voucher can have come to."""


async def provision(services: Services, caller: Caller, asked: Asked, wanted: Wanted) -> Issued:
    """Make a voucher that waits for its confirmation, once a request id.

    Raises ``RetailRefused`` (DUPLICATE with the serial number, REVERSED, CODE, NOT_BEGUN), ``VoucherRefused``.
    """
    message = drafted(caller, KIND, asked, services.clock(), wanted)
    await claim(services, message)

    async def undo(approval: Approval) -> None:
        await change(services, caller, Command.CANCEL, [approval.serial], detail="reversed")

    approval = await answered(services, message, _made(services, caller, message), undo)
    return await provisioned(services, approval.serial)


async def provisioned(services: Services, serial: int) -> Issued:
    """Show a voucher to the client that it was made for, with its number. Raises ``VoucherRefused``, NotFound."""
    voucher = await _voucher(services, serial)
    [number] = await services.store.vouchers.numbers([serial])
    return Issued(
        serial,
        number,
        voucher.amount_minor,
        voucher.currency,
        voucher.group,
        voucher.state,
        voucher.expires_at or voucher.created_at + voucher.validity_seconds,
    )


async def confirm(services: Services, caller: Caller, advice: Advice) -> None:
    """Activate the voucher of a request; again and again, it stays what it has become since.

    Raises ``RetailRefused`` (UNKNOWN_REQUEST, REVERSED, PARTIAL, AMOUNT), ``VoucherRefused``.
    """
    if advice.final_minor is not None:
        await _check_amount(services, caller, advice)
    verdict, by = await decide(services, caller, KIND, MessageDecision.CONFIRMED, advice._replace(final_minor=None))
    if verdict is Verdict.REVERSED:
        raise reversed_before(KIND, by)
    if verdict is Verdict.UNANSWERED:
        raise unknown_request(KIND)
    message = await find(services, caller, KIND, advice.request)
    [moved] = await change(services, caller, Command.ACTIVATE, [message.serial])
    if moved.fault and not await _has_lived(services, moved):
        raise VoucherRefused(moved.fault, "The voucher cannot be activated.", state=moved.state)


async def reverse(services: Services, caller: Caller, advice: Advice) -> None:
    """Cancel the voucher of a request, also one that is being made; a request that never came is refused from now on.

    Raises ``RetailRefused`` (UNKNOWN_REQUEST: nothing to undo, CONFIRMED, PARTIAL), ``VoucherRefused`` USED.
    """
    if advice.final_minor:
        raise RetailRefused(RetailFault.PARTIAL, "A provision can only be reversed whole.", KIND)
    verdict, by = await decide(services, caller, KIND, MessageDecision.REVERSED, advice)
    if verdict is Verdict.CONFIRMED:
        raise confirmed_before(KIND, by)
    serial = await _to_cancel(services, caller, await find(services, caller, KIND, advice.request))
    if serial:
        [moved] = await change(services, caller, Command.CANCEL, [serial], detail="reversed")
        if moved.fault in {VoucherFault.USED, VoucherFault.IN_PROGRESS}:
            raise VoucherRefused(VoucherFault.USED, "The voucher was redeemed.", state=moved.state)


async def _made(services: Services, caller: Caller, message: Message) -> Approval:
    wanted = draft_of(message).wanted
    if wanted is None:
        raise unknown_request(KIND)
    wanted = await _for_group(services, wanted)
    [issued] = await issue.issue(services, caller, message.id.id.lower(), [wanted])
    amount = issued.amount_minor
    return Approval(issued.serial, "", amount, issued.currency, amount, issued.expires_at)


async def _for_group(services: Services, wanted: Wanted) -> Wanted:
    """Say in which currency a product without amount is; its code may be chosen where no programme gives it away."""
    group = (await services.store.directory.load()).groups.get(wanted.group)
    if wanted.number and group and group.policy.pays_merchant:
        raise RetailRefused(RetailFault.CODE, "This product does not let the client choose the code.", KIND)
    return wanted._replace(currency=group.currency) if group and not wanted.currency else wanted


async def _to_cancel(services: Services, caller: Caller, message: Message) -> int:
    """Say which voucher a reversed request made, 0 for none.

    Where its maker is still at it, or died over it, the same voucher is made here: the plan of a request is one.
    """
    if message.outcome is not None:
        return message.serial
    try:
        return (await _made(services, caller, message)).serial
    except (VoucherRefused, RetailRefused):
        return 0


async def _has_lived(services: Services, moved: Moved) -> bool:
    """Tell whether a voucher that cannot be activated was so before."""
    return moved.fault in _LIVED or (await _voucher(services, moved.serial)).activated_at > 0


async def _check_amount(services: Services, caller: Caller, advice: Advice) -> None:
    """A confirmation that names an amount names the one that was approved."""
    message = await find(services, caller, KIND, advice.request)
    check_currency(message, advice)
    standing = message.outcome is MessageOutcome.APPROVED and message.decision is not MessageDecision.REVERSED
    if standing and advice.final_minor != message.approved_minor:
        more = (advice.final_minor or 0) > message.approved_minor
        sentence = "This is more than was approved." if more else "A provision can only be confirmed whole."
        raise RetailRefused(RetailFault.AMOUNT if more else RetailFault.PARTIAL, sentence, KIND)


async def _voucher(services: Services, serial: int) -> Voucher:
    [voucher] = await services.store.vouchers.read([serial])
    if voucher is None:
        raise unknown_serial()
    return voucher

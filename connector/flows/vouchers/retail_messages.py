"""The requests and advices of retail: claimed, answered and decided once, under the client and the request's id.

A request's id is claimed, with what it is about, before anything is done; its answer is kept when it is done. Whether
it is confirmed or reversed is decided once, under its id; what that means for the voucher is then carried out, and
again by whoever comes across it after a crash. So a reversal may arrive before its request, or while that is at work.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec

from connector.domain.errors import Unavailable
from connector.domain.retail import RetailFault, RetailKind, RetailRefused
from connector.domain.voucher import VoucherFault, VoucherRefused, VoucherState
from connector.flows.services import Services
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.plan import Wanted
from connector.store.vouchers.messages import Claim, Message, MessageDecision, MessageId, MessageOutcome, Verdict

TOKEN_BYTES: Final = 8


class Asked(NamedTuple):
    """A request's id, and whatever its answer will be written from, kept for whoever writes it again."""

    id: str
    echo: str


class Advice(NamedTuple):
    """A confirmation or reversal: its own id, its request's, and what is to stand (``None``: all, or nothing)."""

    id: str
    request: str
    final_minor: int | None = None
    currency: str = ""


class Approval(NamedTuple):
    """What was done: the voucher, the redemption (made or refunded), how much, and what is left in the voucher."""

    serial: int
    redemption: str
    amount_minor: int
    currency: str
    balance_minor: int
    expires_at: float = 0.0


class Decline(NamedTuple):
    """Why nothing was done, in the words of ``VoucherRefused`` or, with a kind, of ``RetailRefused``."""

    fault: str
    sentence: str
    kind: RetailKind | None = None
    other: str = ""
    state: VoucherState | None = None

    def error(self) -> VoucherRefused | RetailRefused:
        """Make the error again that was raised at the time."""
        if self.kind is None:
            return VoucherRefused(VoucherFault(self.fault), self.sentence, state=self.state)
        return RetailRefused(RetailFault(self.fault), self.sentence, self.kind, other=self.other)


class Draft(msgspec.Struct):
    """What is kept of a request until it is answered. wanted: what to make again, for a provision."""

    echo: str
    wanted: Wanted | None = None


class Kept(msgspec.Struct):
    """What is kept of a request for good: one of approval and decline."""

    echo: str
    approval: Approval | None = None
    decline: Decline | None = None


def drafted(caller: Caller, kind: RetailKind, asked: Asked, now: float, wanted: Wanted | None = None) -> Message:
    """Write down a request as it came."""
    draft = msgspec.json.encode(Draft(asked.echo, wanted)).decode()
    return Message(MessageId(caller.name, asked.id), kind, now, draft=draft)


def draft_of(message: Message) -> Draft:
    """Read back what was noted of a request that is not answered."""
    return msgspec.json.decode(message.draft, type=Draft)


def kept_of(message: Message) -> Kept:
    """Read back an answer."""
    return msgspec.json.decode(message.answer, type=Kept)


async def claim(services: Services, message: Message) -> None:
    """Claim the request's id; raises ``RetailRefused`` DUPLICATE, REVERSED (before it came) and NOT_BEGUN."""
    try:
        found, early = await services.store.messages.claim(message, services.random(TOKEN_BYTES).hex())
        there = await services.store.messages.find(message.id) if found is Claim.SEEN else None
    except Unavailable as error:
        raise not_begun(message.kind) from error
    if found is Claim.EARLY:
        raise reversed_before(message.kind, early)
    if found is Claim.SEEN:
        made = there is not None and there.kind is message.kind and there.outcome is MessageOutcome.APPROVED
        serial = there.serial if there and made else 0
        raise RetailRefused(RetailFault.DUPLICATE, "This id was used before.", message.kind, serial=serial)


async def answered(
    services: Services,
    message: Message,
    work: Awaitable[Approval],
    undo: Callable[[Approval], Awaitable[None]],
) -> Approval:
    """Do the work of a claimed request and keep its answer; where it was reversed meanwhile, undo it and refuse."""
    try:
        approval = await work
    except (VoucherRefused, RetailRefused) as refused:
        raise await _declined(services, message, refused) from None
    decision, advice = await keep_approval(services, message, approval)
    if decision is not MessageDecision.REVERSED:
        return approval
    await undo(approval)
    raise await _declined(services, message, reversed_before(message.kind, advice))


async def keep_approval(
    services: Services, message: Message, approval: Approval
) -> tuple[MessageDecision | None, str]:
    """Keep that a request was done, unless it was reversed; gives what was decided about it, and by which advice."""
    done = replace(
        message, serial=approval.serial, redemption=approval.redemption, approved_minor=approval.amount_minor
    )
    kept = Kept(draft_of(message).echo, approval)
    return await services.store.messages.keep(done, MessageOutcome.APPROVED, msgspec.json.encode(kept).decode())


async def keep_decline(services: Services, message: Message, refused: VoucherRefused | RetailRefused) -> None:
    """Keep that a request was refused."""
    sentence = refused.faults[0].sentence
    if isinstance(refused, VoucherRefused):
        decline = Decline(refused.fault, sentence, state=refused.state)
    else:
        decline = Decline(refused.fault, sentence, refused.kind, refused.other)
    kept = Kept(draft_of(message).echo, decline=decline)
    await services.store.messages.keep(message, MessageOutcome.REFUSED, msgspec.json.encode(kept).decode())


async def _declined(
    services: Services, message: Message, refused: VoucherRefused | RetailRefused
) -> VoucherRefused | RetailRefused:
    """Keep a refusal and give it; what the voucher refuses to a reversed request is told as what it is."""
    if refused.fault in {VoucherFault.REVERSAL, RetailFault.REVERSED}:
        there = await services.store.messages.find(message.id)
        refused = reversed_before(message.kind, there.advice if there else "")
    await keep_decline(services, message, refused)
    return refused


async def decide(
    services: Services, caller: Caller, kind: RetailKind, decision: MessageDecision, advice: Advice
) -> tuple[Verdict, str]:
    """Decide about a request, once; raises ``RetailRefused`` UNKNOWN_REQUEST (or nothing came of it) and AMOUNT."""
    final = None if decision is MessageDecision.REVERSED and not advice.final_minor else advice.final_minor
    request = MessageId(caller.name, advice.request)
    verdict, by = await services.store.messages.decide(request, kind, decision, advice.id, final)
    if verdict in {Verdict.UNKNOWN, Verdict.REFUSED}:
        raise unknown_request(kind)
    if verdict is Verdict.BEYOND:
        raise RetailRefused(RetailFault.AMOUNT, "This is more than was approved.", kind)
    return verdict, by


async def find(services: Services, caller: Caller, kind: RetailKind, request: str) -> Message:
    """Find a request of the caller; raises ``RetailRefused`` UNKNOWN_REQUEST."""
    message = await services.store.messages.find(MessageId(caller.name, request))
    if message is None or message.kind is not kind:
        raise unknown_request(kind)
    return message


def check_currency(message: Message, advice: Advice) -> None:
    """Raise ``RetailRefused`` AMOUNT for an advice in another currency than its answered request."""
    approval = kept_of(message).approval if message.outcome is MessageOutcome.APPROVED else None
    if approval and advice.currency not in {"", approval.currency}:
        raise RetailRefused(RetailFault.AMOUNT, f"The {message.kind} is in {approval.currency}.", message.kind)


def not_begun(kind: RetailKind) -> RetailRefused:
    """The store does not answer, and nothing was done."""
    return RetailRefused(RetailFault.NOT_BEGUN, "Nothing was done; try again later.", kind)


def reversed_before(kind: RetailKind, advice: str) -> RetailRefused:
    """The request's reversal was here before it, or overtook it."""
    return RetailRefused(RetailFault.REVERSED, f"The {kind} was reversed before.", kind, other=advice)


def confirmed_before(kind: RetailKind, advice: str) -> RetailRefused:
    """What is to be reversed is final."""
    return RetailRefused(RetailFault.CONFIRMED, f"The {kind} was confirmed before.", kind, other=advice)


def unknown_request(kind: RetailKind) -> RetailRefused:
    """There is no such request, or nothing came of it."""
    return RetailRefused(RetailFault.UNKNOWN_REQUEST, f"There is no such {kind}.", kind)

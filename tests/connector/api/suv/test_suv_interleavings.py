"""Requests and advices that meet, at every point at which they may, and crashes at each of them."""

import pytest
from retail_till import new_id
from turns import Flow, crashes, deaths_after, install, interleavings

from connector.domain.retail import RetailFault, RetailRefused
from connector.domain.voucher import RedemptionState, VoucherFault, VoucherRefused, VoucherState
from connector.flows.services import Services
from connector.flows.vouchers import retail_provision as provisions
from connector.flows.vouchers import retail_redemption as redemptions
from connector.flows.vouchers import retail_refund as refunds
from connector.flows.vouchers.caller import SUV, Caller
from connector.flows.vouchers.issue import Wanted, issue
from connector.flows.vouchers.redemption import Presentation
from connector.flows.vouchers.retail_messages import Advice, Approval, Asked
from connector.flows.vouchers.retail_refund import RefundOrder
from connector.store.vouchers.messages import MessageId

CALLER = Caller(SUV, "SHOPS", "test")
WANTED = Wanted("RETAIL", "USD", 1000)


class Counter:
    """One voucher after another, each with the messages about it."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.request = self.other = self.number = ""
        self.serial = 0
        self.advice = self.second = ""

    def fresh(self) -> None:
        self.request, self.other, self.advice, self.second = (new_id() for _ in range(4))

    async def sell(self) -> None:
        self.fresh()
        [issued] = await issue(self.services, CALLER, "", [WANTED], state=VoucherState.ACTIVATED)
        self.serial, self.number = issued.serial, issued.number

    async def redeemed(self) -> None:
        await self.sell()
        await self.redeem()

    async def refundable(self) -> None:
        await self.redeemed()
        await redemptions.confirm(self.services, CALLER, Advice(new_id(), self.request))
        self.fresh()

    def provide(self):
        return provisions.provision(self.services, CALLER, Asked(self.request, "{}"), WANTED)

    def redeem(self, request: str = ""):
        asked = Asked(request or self.request, "{}")
        return redemptions.redeem(self.services, CALLER, asked, Presentation(self.number, merchant="CORNER"))

    def refund(self, request: str = ""):
        order = RefundOrder(self.number)
        return refunds.refund(self.services, CALLER, Asked(request or self.request, "{}"), order)

    def reverse(self, flow, advice: str = ""):
        return flow.reverse(self.services, CALLER, Advice(advice or self.advice, self.request))

    def confirm(self, flow, advice: str = ""):
        return flow.confirm(self.services, CALLER, Advice(advice or self.second, self.request))

    async def look(self) -> tuple[VoucherState, int]:
        [found] = await self.services.store.vouchers.read([self.serial])
        return found.state, found.balance_minor

    async def made(self) -> list[RedemptionState]:
        return [each.state for each in await self.services.store.vouchers.redemptions(self.serial)]


@pytest.fixture
def counter(services, monkeypatch) -> Counter:
    install(services.store.link, monkeypatch)
    return Counter(services)


def fault(outcome: object) -> str:
    """Give a refusal's fault, "" for success; anything else is a failure of the test."""
    if isinstance(outcome, RetailRefused | VoucherRefused):
        return outcome.fault
    if isinstance(outcome, BaseException):
        raise outcome
    return ""


async def each(counter: Counter, ready, first, second):
    """Meet in every way, each time about something fresh."""

    async def begin(act) -> object:
        return await act()

    prepared = False

    def one() -> Flow:
        return lambda: begin(first)

    def other() -> Flow:
        return lambda: begin(second)

    await ready()
    async for outcomes in interleavings(one, other):
        prepared = True
        yield tuple(fault(outcome) for outcome in outcomes)
        await ready()
    assert prepared


async def test_a_redemption_that_meets_its_reversal_never_stands(counter: Counter) -> None:
    seen = set()
    async for redeemed, reversed_ in each(
        counter, counter.sell, counter.redeem, lambda: counter.reverse(redemptions)
    ):
        seen.add((redeemed, reversed_))
        assert await counter.look() == (VoucherState.ACTIVATED, 1000), (redeemed, reversed_)
        assert RedemptionState.REDEEMED not in await counter.made()
        with pytest.raises(RetailRefused):
            await counter.redeem()
    refused, unknown = RetailFault.REVERSED, RetailFault.UNKNOWN_REQUEST
    assert seen == {("", ""), (refused, ""), (refused, unknown)}


async def test_a_redemption_that_dies_anywhere_can_be_reversed_or_asked_about(counter: Counter, clock) -> None:
    await counter.sell()
    async for _ in crashes(lambda: counter.redeem):
        found = await _recalled(counter)
        if not found:
            clock.pass_seconds(61)
            found = await _recalled(counter)
        state = await counter.look()
        assert (found, state) in {
            ("approved", (VoucherState.REDEEMED, 0)),
            (RetailFault.LAPSED, (VoucherState.ACTIVATED, 1000)),
            (RetailFault.UNKNOWN_REQUEST, (VoucherState.ACTIVATED, 1000)),
        }
        outcome = await _outcome(counter.reverse(redemptions))
        assert fault(outcome) in {"", RetailFault.UNKNOWN_REQUEST}
        assert await counter.look() == (VoucherState.ACTIVATED, 1000)
        await counter.sell()


async def test_a_reversal_that_dies_anywhere_is_completed_by_its_repetition(counter: Counter) -> None:
    await counter.redeemed()
    async for _ in crashes(lambda: lambda: counter.reverse(redemptions)):
        await counter.reverse(redemptions)
        assert await counter.look() == (VoucherState.ACTIVATED, 1000)
        await counter.redeemed()


async def test_a_redemption_between_the_steps_of_a_dying_reversal_never_stands(counter: Counter) -> None:
    await counter.sell()
    async for _ in crashes(lambda: lambda: counter.reverse(redemptions)):
        await _outcome(counter.redeem())
        await _outcome(counter.reverse(redemptions))
        assert await counter.look() == (VoucherState.ACTIVATED, 1000)
        await counter.sell()


async def test_nothing_comes_of_a_redemption_that_dies_after_its_reversal_was_answered(counter: Counter) -> None:
    await counter.sell()
    async for outcome in deaths_after(lambda: counter.redeem, lambda: lambda: counter.reverse(redemptions)):
        assert fault(outcome) in {"", RetailFault.UNKNOWN_REQUEST}
        assert await counter.look() == (VoucherState.ACTIVATED, 1000)
        await counter.sell()


async def test_one_id_redeems_once_however_often_it_comes_at_once(counter: Counter) -> None:
    async for outcomes in each(counter, counter.sell, counter.redeem, counter.redeem):
        assert sorted(outcomes) == ["", RetailFault.DUPLICATE]
        assert await counter.made() == [RedemptionState.REDEEMED]


async def test_a_voucher_is_redeemed_once_by_two_messages(counter: Counter) -> None:
    async for outcomes in each(counter, counter.sell, counter.redeem, lambda: counter.redeem(counter.other)):
        assert sorted(outcomes) == ["", VoucherFault.USED]
        assert await counter.made() == [RedemptionState.REDEEMED]


async def test_a_redemption_is_either_confirmed_or_reversed(counter: Counter) -> None:
    seen = set()
    confirm, reverse = (lambda: counter.confirm(redemptions)), (lambda: counter.reverse(redemptions))
    async for outcomes in each(counter, counter.redeemed, confirm, reverse):
        seen.add(outcomes)
        state = (await counter.made(), await counter.look())
        if outcomes == ("", RetailFault.CONFIRMED):
            assert state == ([RedemptionState.CONFIRMED], (VoucherState.REDEEMED, 0))
        else:
            assert outcomes == (RetailFault.REVERSED, "")
            assert state == ([RedemptionState.REVERSED], (VoucherState.ACTIVATED, 1000))
    assert len(seen) == 2


async def test_two_confirmations_confirm_once(counter: Counter) -> None:
    confirm, again = (lambda: counter.confirm(redemptions)), (lambda: counter.confirm(redemptions, counter.other))
    async for outcomes in each(counter, counter.redeemed, confirm, again):
        assert sorted(outcomes) == ["", RetailFault.NOT_REDEEMED]
        assert await counter.made() == [RedemptionState.CONFIRMED]


async def test_a_provision_that_meets_its_reversal_leaves_nothing_alive(counter: Counter) -> None:
    async def ready() -> None:
        counter.fresh()

    seen = set()
    async for provided, reversed_ in each(counter, ready, counter.provide, lambda: counter.reverse(provisions)):
        seen.add((provided, reversed_))
        assert provided in {"", RetailFault.REVERSED}
        with pytest.raises(RetailRefused):
            await counter.provide()
        await _outcome(counter.reverse(provisions))
    assert await _alive(counter.services) == 0
    refused, unknown = RetailFault.REVERSED, RetailFault.UNKNOWN_REQUEST
    assert {("", ""), (refused, ""), (refused, unknown)} <= seen


async def test_a_provision_that_dies_anywhere_can_be_reversed(counter: Counter) -> None:
    counter.fresh()
    async for _ in crashes(lambda: counter.provide):
        outcome = await _outcome(counter.reverse(provisions))
        assert fault(outcome) in {"", RetailFault.UNKNOWN_REQUEST}
        counter.fresh()
    assert await _alive(counter.services) == 0


async def test_nothing_comes_of_a_provision_that_dies_after_its_reversal_was_answered(counter: Counter) -> None:
    counter.fresh()
    async for outcome in deaths_after(lambda: counter.provide, lambda: lambda: counter.reverse(provisions)):
        assert fault(outcome) in {"", RetailFault.UNKNOWN_REQUEST}
        counter.fresh()
    assert await _alive(counter.services) == 0


async def test_a_provision_is_either_confirmed_or_reversed(counter: Counter) -> None:
    async def ready() -> None:
        counter.fresh()
        counter.serial = (await counter.provide()).serial

    confirm, reverse = (lambda: counter.confirm(provisions)), (lambda: counter.reverse(provisions))
    seen = set()
    async for outcomes in each(counter, ready, confirm, reverse):
        seen.add(outcomes)
        state = (await counter.look())[0]
        if outcomes == ("", RetailFault.CONFIRMED):
            assert state is VoucherState.ACTIVATED
        else:
            assert (outcomes, state) == ((RetailFault.REVERSED, ""), VoucherState.CANCELLED)
    assert len(seen) == 2


async def test_a_redemption_is_refunded_by_one_of_two(counter: Counter) -> None:
    async for outcomes in each(counter, counter.refundable, counter.refund, lambda: counter.refund(counter.other)):
        assert sorted(outcomes) == ["", RetailFault.REFUNDED]


async def test_a_refund_that_meets_its_reversal_leaves_the_redemption_to_others(counter: Counter) -> None:
    async for refunded, reversed_ in each(
        counter, counter.refundable, counter.refund, lambda: counter.reverse(refunds)
    ):
        assert refunded in {"", RetailFault.REVERSED}
        assert reversed_ in {"", RetailFault.UNKNOWN_REQUEST}
        assert await counter.look() == (VoucherState.REDEEMED, 0)
        assert isinstance(await counter.refund(counter.other), Approval)


async def test_nothing_comes_of_a_refund_that_dies_after_its_reversal_was_answered(counter: Counter) -> None:
    await counter.refundable()
    async for outcome in deaths_after(lambda: counter.refund, lambda: lambda: counter.reverse(refunds)):
        assert fault(outcome) in {"", RetailFault.UNKNOWN_REQUEST}
        assert isinstance(await counter.refund(counter.other), Approval)
        await counter.refundable()


async def test_a_refund_is_either_confirmed_or_reversed(counter: Counter) -> None:
    async def ready() -> None:
        await counter.refundable()
        await counter.refund()

    confirm, reverse = (lambda: counter.confirm(refunds)), (lambda: counter.reverse(refunds))
    seen = set()
    async for outcomes in each(counter, ready, confirm, reverse):
        seen.add(outcomes)
        if outcomes == ("", RetailFault.CONFIRMED):
            assert await counter.look() == (VoucherState.ACTIVATED, 1000)
        else:
            assert outcomes == (RetailFault.REVERSED, "")
            assert await counter.look() == (VoucherState.REDEEMED, 0)
    assert len(seen) == 2


async def test_a_confirmed_refund_that_dies_anywhere_gives_back_once(counter: Counter) -> None:
    await counter.refundable()
    await counter.refund()
    async for _ in crashes(lambda: lambda: counter.confirm(refunds)):
        await counter.confirm(refunds)
        await counter.confirm(refunds)
        assert await counter.look() == (VoucherState.ACTIVATED, 1000)
        await counter.refundable()
        await counter.refund()


async def test_a_reversal_of_what_cannot_be_reversed_still_keeps_it_from_happening(
    services, counter: Counter
) -> None:
    async def sell() -> None:
        counter.fresh()
        wanted = Wanted("FOOD", "USD", 1000)
        [issued] = await issue(services, CALLER, "", [wanted], state=VoucherState.ACTIVATED)
        counter.serial, counter.number = issued.serial, issued.number

    await sell()
    async for _ in crashes(lambda: lambda: _at_a_known_shop(counter)):
        outcome = await _outcome(counter.reverse(redemptions))
        state, left = await counter.look()
        if fault(outcome) == VoucherFault.REVERSAL:
            assert state is VoucherState.REDEEMING
        else:
            assert (fault(outcome), state, left) == (RetailFault.UNKNOWN_REQUEST, VoucherState.ACTIVATED, 1000)
            found = await services.store.messages.find(MessageId(CALLER.name, counter.request))
            refused = await _outcome(_at_a_known_shop(counter))
            assert fault(refused) == (RetailFault.DUPLICATE if found else RetailFault.REVERSED)
        await sell()


def _at_a_known_shop(counter: Counter):
    presentation = Presentation(counter.number, merchant="KNOWNSHOP000001")
    return redemptions.redeem(counter.services, CALLER, Asked(counter.request, "{}"), presentation)


async def _recalled(counter: Counter) -> str:
    try:
        kept = await redemptions.recall(counter.services, CALLER, counter.request)
    except RetailRefused as refused:
        return refused.fault
    except redemptions.Undecided:
        return ""
    return kept.decline.fault if kept.decline else "approved"


async def _outcome(work) -> object:
    try:
        return await work
    except (RetailRefused, VoucherRefused) as refused:
        return refused


async def _alive(services: Services) -> int:
    counted = await services.store.vouchers.stock("RETAIL")
    over = {VoucherState.CANCELLED}
    return sum(tally.payments for (state, _), tally in counted.items() if state not in over)

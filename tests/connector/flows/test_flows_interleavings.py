"""What may happen between any two steps: lost answers of the store, two workers with one entry, crashes, races."""

import asyncio
from dataclasses import replace

import pytest
from aiohttp import web
from flow_world import World, pay, person

from connector.domain.batch import BatchState
from connector.domain.errors import Refused
from connector.domain.messages import CreditTransfer, TransactionStatus
from connector.flows import control, inbound, status
from connector.flows.steps import STEPS


async def statuses(world: World, ref: str) -> list[str]:
    return [record.status for record in await status.details(world.services, ref, page=0, size=100)]


async def state(world: World, ref: str) -> BatchState:
    return (await status.summary(world.services, ref)).progress.state


async def ready(world: World, payments: int = 1):
    """A batch whose only chunk is to be sent, and the entry that says so."""
    await world.onboard(*(person(number) for number in range(payments)))
    batch = await world.submit(*(pay(number) for number in range(payments)))
    for step in ("admit", "resolve"):
        await STEPS[step].run(world.services, (await world.take(step))[0])
    return batch, (await world.take("dispatch"))[0]


def part(world: World, message: CreditTransfer, *indexes: int, code: str = "ACSC") -> bytes:
    said = [
        TransactionStatus(transfer.instruction_id, transfer.end_to_end_id, "", code)
        for transfer in (message.transfers[index] for index in indexes)
    ]
    return world.fsp.report(message, transactions=said)


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_commit_whose_answer_was_lost_does_not_end_the_chunk(world: World, clock, monkeypatch, lost) -> None:
    batch, entry = await ready(world)
    world.fsp.mode = "accept"
    batches, calls = world.services.store.batches, []
    advance = batches.advance

    async def repeated_after_a_broken_connection(*args, **kwargs) -> bool:
        calls.append(args)
        done = await advance(*args, **kwargs)
        return done and len(calls) != lost

    monkeypatch.setattr(type(batches), "advance", staticmethod(repeated_after_a_broken_connection))
    await STEPS["dispatch"].run(world.services, entry)
    for _ in range(4):
        clock.pass_seconds(61)
        await world.carry()
    world.fsp.mode = "report"
    clock.pass_seconds(600)
    await world.carry()
    assert await statuses(world, batch.ref) == ["ACSC"]
    assert len(world.fsp.messages) == 1


async def test_while_one_worker_sends_another_with_the_same_entry_waits(world: World, clock) -> None:
    batch, entry = await ready(world)

    async def taken_over(_: object) -> None:
        world.fsp.meanwhile, world.fsp.forgetful = None, True
        await STEPS["dispatch"].run(world.services, replace(entry, deliveries=2))
        world.fsp.forgetful = False

    world.fsp.meanwhile = taken_over
    await STEPS["dispatch"].run(world.services, entry)
    clock.pass_seconds(61)
    await world.carry()
    assert len(world.fsp.messages) == 1
    assert await statuses(world, batch.ref) == ["ACSC"]


@pytest.mark.parametrize("crash", [False, True])
async def test_a_part_reported_before_the_answer_leaves_the_rest_to_be_asked_about(
    world: World, clock, crash: bool
) -> None:
    batch, entry = await ready(world, 2)

    async def push(message: CreditTransfer) -> web.Response:
        await inbound.message(world.services, "TREAXU22", part(world, message, 0))
        return web.Response(status=202)

    world.fsp.meanwhile = push
    if crash:  # the worker dies before it has the answer; another takes the entry over
        stopped = asyncio.create_task(STEPS["dispatch"].run(world.services, entry))
        while (await statuses(world, batch.ref))[0] != "ACSC":  # noqa: ASYNC110 (the condition is in the store)
            await asyncio.sleep(0.005)
        stopped.cancel()
        entry = replace(entry, deliveries=2)
    await STEPS["dispatch"].run(world.services, entry)
    clock.pass_seconds(31)
    await world.carry()
    assert await statuses(world, batch.ref) == ["ACSC", "ACSC"]
    assert len(world.fsp.messages) == 1


async def test_a_report_that_overtakes_an_inquiry_does_not_end_the_asking(world: World, clock) -> None:
    batch, entry = await ready(world, 2)
    world.fsp.mode = "accept"
    await STEPS["dispatch"].run(world.services, entry)
    message = world.fsp.messages[0]
    clock.pass_seconds(31)
    inquiry = (await world.take("inquire"))[0]
    ask = world.services.channels.send

    async def overtaken(*args: object):
        answer = await ask(*args)
        await inbound.message(world.services, "TREAXU22", part(world, message, 0))
        return answer

    world.fsp.forgetful = True
    services = replace(world.services, channels=Overtaking(world.services.channels, overtaken))
    await STEPS["inquire"].run(services, inquiry)
    world.fsp.forgetful, world.fsp.mode = False, "report"
    clock.pass_seconds(120)
    await world.carry()
    assert await statuses(world, batch.ref) == ["ACSC", "ACSC"]
    assert len(world.fsp.messages) == 1


class Overtaking:
    """Channels that something happens to while they send."""

    def __init__(self, channels, send) -> None:
        self._channels = channels
        self.send = send

    def __getattr__(self, name: str):
        return getattr(self._channels, name)


async def test_what_a_bank_reported_on_and_then_forgot_is_not_sent_again(world: World, clock) -> None:
    batch, entry = await ready(world, 2)
    world.fsp.mode = "accept"
    await STEPS["dispatch"].run(world.services, entry)
    await inbound.message(world.services, "TREAXU22", part(world, world.fsp.messages[0], 0))
    world.fsp.forgetful = True
    for _ in range(3):
        clock.pass_seconds(3600)
        await world.carry()
    assert len(world.fsp.messages) == 1
    world.fsp.forgetful, world.fsp.mode = False, "report"
    clock.pass_seconds(3600)
    await world.carry()
    assert await statuses(world, batch.ref) == ["ACSC", "ACSC"]


@pytest.mark.parametrize("by", ["status", "report"])
async def test_a_repetition_refused_as_a_duplicate_proves_that_the_first_arrived(
    world: World, clock, by: str
) -> None:
    batch, entry = await ready(world)
    world.fsp.mode, world.fsp.forgetful = "lose", True
    await STEPS["dispatch"].run(world.services, entry)

    async def seen_before(message: CreditTransfer) -> web.Response:
        world.fsp.messages.pop()
        world.fsp.forgetful, world.fsp.mode = False, "report"
        if by == "status":
            return web.Response(status=400)
        refusal = {"group_status": "RJCT", "group_reason": "DU01", "transactions": [], "blocks": []}
        return web.Response(body=world.fsp.report(message, **refusal), content_type="application/xml")

    world.fsp.meanwhile = seen_before
    clock.pass_seconds(2)
    await world.carry()
    clock.pass_seconds(31)
    await world.carry()
    assert await statuses(world, batch.ref) == ["ACSC"]


async def test_a_resend_is_the_very_same_message(world: World, clock) -> None:
    _, entry = await ready(world)
    world.fsp.mode, world.fsp.forgetful = "lose", True
    await STEPS["dispatch"].run(world.services, entry)
    clock.pass_seconds(86_400)
    world.fsp.mode = "report"
    await world.carry()
    first, again = world.fsp.messages
    assert first == again


async def test_an_answer_about_another_message_says_nothing_of_this_one(world: World, clock) -> None:
    batch, entry = await ready(world)

    async def confused(message: CreditTransfer) -> web.Response:
        world.fsp.meanwhile = None
        other = {"original_message_id": "SOMETHINGELSE", "group_status": "RJCT", "transactions": [], "blocks": []}
        return web.Response(body=world.fsp.report(message, **other), content_type="application/xml")

    world.fsp.meanwhile = confused
    await STEPS["dispatch"].run(world.services, entry)
    assert await statuses(world, batch.ref) == ["RCVD"]
    clock.pass_seconds(2)
    await world.carry()
    assert await statuses(world, batch.ref) == ["ACSC"]
    assert len(world.fsp.messages) == 1


async def test_a_chunk_stays_with_the_bank_that_it_was_sent_to(world: World, clock) -> None:
    batch, entry = await ready(world)
    world.fsp.mode = "lose"
    await STEPS["dispatch"].run(world.services, entry)
    directory = await world.services.store.directory.load()
    other = replace(directory.institutions["UNIOXU22"], url=f"{world.url}/UNIOXU22")
    await world.services.store.directory.save_institution(other)
    await world.services.store.directory.save_programme(
        replace(directory.programmes["PENSIONS"], payer_bank="UNIOXU22")
    )
    with pytest.raises(Refused):
        await inbound.message(world.services, "UNIOXU22", world.fsp.report(world.fsp.messages[0]))
    taken = await inbound.message(world.services, "TREAXU22", world.fsp.report(world.fsp.messages[0]))
    assert taken.status == "processed"
    assert await statuses(world, batch.ref) == ["ACSC"]


async def test_a_cancellation_during_admission_leaves_nothing_reserved(world: World, monkeypatch) -> None:
    batch = await world.submit(pay(1))
    entry = (await world.take("admit"))[0]
    funds = world.services.store.funds
    reserve = funds.reserve

    async def cancelled_first(*args):
        await control.cancel(world.services, batch.ref, "operator", "test")
        await world.carry()
        return await reserve(*args)

    monkeypatch.setattr(type(funds), "reserve", staticmethod(cancelled_first))
    await STEPS["admit"].run(world.services, entry)
    await world.carry()
    assert await state(world, batch.ref) is BatchState.CANCELLED
    balance = (await funds.balances("PENSIONS"))["USD"]
    assert (balance.reserved, balance.available) == (0, 1_000_000)


async def test_a_crash_between_the_banks_yes_and_the_start_is_made_good(world: World, clock) -> None:
    await world.onboard(person(1))
    batch = await world.submit(pay(1), programme="ASKING")
    await world.carry()
    await world.services.store.records.put("authorisation", f"{batch.ref}/0", "Y", 3600)
    clock.pass_seconds(31)
    await world.carry()
    assert await state(world, batch.ref) is BatchState.COMPLETED


async def test_sums_beyond_the_counters_are_refused_and_burn_no_id(world: World) -> None:
    with pytest.raises(Refused):
        await world.submit(*(pay(number, 10**18 - 1) for number in range(5)))
    await world.submit(pay(1), digest="e" * 64)


async def test_another_slice_size_after_a_restart_gives_no_payment_anothers_name(world: World) -> None:
    await world.onboard(*(person(number) for number in range(15)))
    batch = await world.submit(*(pay(number) for number in range(15)), programme="RELIEF")
    settings = replace(world.services.settings, slice_size=3)
    world.services = replace(world.services, settings=settings)
    await world.carry()
    names = [transfer.transaction_id for message in world.fsp.messages for transfer in message.transfers]
    assert sorted(names) == sorted(f"{batch.ref}{position}" for position in range(15))


async def test_a_crash_while_a_lost_message_goes_out_again_leaves_it_in_somebodys_hands(world: World, clock) -> None:
    batch, entry = await ready(world)
    world.fsp.mode = "accept"
    await STEPS["dispatch"].run(world.services, entry)
    world.fsp.forgetful = True
    clock.pass_seconds(31)
    inquiry = (await world.take("inquire"))[0]
    sending = asyncio.Event()

    async def hang(_: object) -> None:
        world.fsp.meanwhile = None
        sending.set()
        await asyncio.sleep(30)

    world.fsp.meanwhile = hang
    dying = asyncio.create_task(STEPS["inquire"].run(world.services, inquiry))
    await sending.wait()
    dying.cancel()
    world.fsp.forgetful, world.fsp.mode = False, "report"
    await STEPS["inquire"].run(world.services, replace(inquiry, deliveries=2))
    clock.pass_seconds(61)
    await world.carry()
    assert await statuses(world, batch.ref) == ["ACSC"]
    assert len(world.fsp.messages) == 2

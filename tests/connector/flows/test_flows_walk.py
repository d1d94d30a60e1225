"""The walk of a batch, end to end, over the real store, real messages and real HTTP."""

import pytest
from flow_world import World, pay, person

from connector.domain.batch import BatchState
from connector.domain.chunk import Tally
from connector.domain.status import Outcome
from connector.flows import status

NOTHING = Tally(0, 0)


async def totals(world: World, ref: str) -> dict[Outcome, Tally]:
    _, progress = await world.services.store.batches.read(ref)
    return progress.totals["USD"]


@pytest.mark.parametrize("repeat", [False, True])
async def test_every_payment_gets_its_outcome(world: World, repeat: bool) -> None:
    await world.onboard(*(person(number) for number in range(25)), person(25, "99970000025", modality="01"))
    world.fsp.reject = {pay(3).instruction_id: "AC04"}
    batch = await world.submit(*(pay(number) for number in range(27)), callback=world.callback)
    await world.carry(repeat=repeat)

    summary = await status.summary(world.services, batch.ref)
    assert summary.progress.state is BatchState.COMPLETED
    assert (await totals(world, batch.ref))[Outcome.COMPLETED] == Tally(25, 25_000)
    assert (await totals(world, batch.ref))[Outcome.FAILED] == Tally(2, 2_000)
    assert len({message.message_id for message in world.fsp.messages}) == len(world.fsp.messages) == 4

    failed = await status.details(world.services, batch.ref, page=0, size=10, status="failed")
    assert [(record.instruction_id, record.reason) for record in failed] == [
        (pay(3).instruction_id, "AC04"),
        (pay(26).instruction_id, "BE06"),
    ]
    balance = (await world.services.store.funds.balances("PENSIONS"))["USD"]
    assert (balance.spent, balance.reserved) == (25_000, 0)
    assert [(body["completed"], body["failed"], body["completed_amount"]) for body in world.fsp.callbacks] == [
        (25, 2, 250.0)
    ]


async def test_a_switch_programme_goes_out_as_pacs_008(world: World) -> None:
    await world.onboard(person(1))
    batch = await world.submit(pay(1), programme="RELIEF")
    await world.carry()
    assert world.fsp.messages[0].instructing_agent == "TREAXU22"
    assert (await totals(world, batch.ref))[Outcome.COMPLETED] == Tally(1, 1000)


async def test_a_batch_over_budget_is_refused_as_a_whole(world: World) -> None:
    batch = await world.submit(pay(1, 2_000_000), pay(2))
    await world.carry()
    summary = await status.summary(world.services, batch.ref)
    assert summary.progress.state is BatchState.REFUSED
    records = await status.details(world.services, batch.ref, page=0, size=10)
    assert {(record.status, record.reason) for record in records} == {("RJCT", "AM04")}
    balance = (await world.services.store.funds.balances("PENSIONS"))["USD"]
    assert (balance.reserved, balance.available) == (0, 1_000_000)


async def test_a_scheduled_batch_waits_for_its_date(world: World, clock) -> None:
    await world.onboard(person(1))
    batch = await world.submit(pay(1), execute_at=clock() + 3600)
    await world.carry()
    assert (await status.summary(world.services, batch.ref)).progress.state is BatchState.SCHEDULED
    assert world.fsp.messages == []
    clock.pass_seconds(3601)
    await world.carry()
    assert (await status.summary(world.services, batch.ref)).progress.state is BatchState.COMPLETED


async def test_a_lost_answer_is_asked_about_and_not_sent_again(world: World, clock) -> None:
    await world.onboard(person(1))
    world.fsp.mode = "lose"
    batch = await world.submit(pay(1))
    await world.carry()
    assert (await totals(world, batch.ref))[Outcome.ONGOING] == Tally(1, 1000)
    clock.pass_seconds(2)
    await world.carry()
    assert len(world.fsp.messages) == 1
    assert (await totals(world, batch.ref))[Outcome.COMPLETED] == Tally(1, 1000)


async def test_what_the_bank_never_saw_is_sent_again_under_the_same_id(world: World, clock) -> None:
    await world.onboard(person(1))
    world.fsp.mode = "down"
    batch = await world.submit(pay(1))
    await world.carry()
    world.fsp.mode = "report"
    clock.pass_seconds(2)
    await world.carry()
    assert [message.message_id for message in world.fsp.messages] == [f"{batch.ref}P0"]
    assert (await world.services.store.batches.chunk_status(batch.ref, 0)).attempts == 2
    assert (await totals(world, batch.ref))[Outcome.COMPLETED] == Tally(1, 1000)


async def test_silence_after_acceptance_is_asked_about(world: World, clock) -> None:
    await world.onboard(person(1))
    world.fsp.mode = "accept"
    batch = await world.submit(pay(1))
    await world.carry()
    assert [record.status for record in await status.details(world.services, batch.ref, page=0, size=5)] == ["PDNG"]
    clock.pass_seconds(31)
    await world.carry()
    assert [inquiry.original_message_id for inquiry in world.fsp.inquiries] == [f"{batch.ref}P0"]
    world.fsp.mode = "report"
    clock.pass_seconds(31)
    await world.carry()
    assert (await totals(world, batch.ref))[Outcome.COMPLETED] == Tally(1, 1000)


async def test_a_message_that_the_bank_refuses_rejects_its_payments(world: World) -> None:
    await world.onboard(person(1))
    world.fsp.mode = "refuse"
    batch = await world.submit(pay(1))
    await world.carry()
    records = await status.details(world.services, batch.ref, page=0, size=5)
    assert [(record.status, record.reason) for record in records] == [("RJCT", "NARR")]


async def test_details_come_in_pages(world: World) -> None:
    await world.onboard(*(person(number) for number in range(25)))
    batch = await world.submit(*(pay(number) for number in range(25)))
    before = await status.details(world.services, batch.ref, page=1, size=10)
    await world.carry()
    after = await status.details(world.services, batch.ref, page=1, size=10)
    assert [record.instruction_id for record in before] == [pay(number).instruction_id for number in range(10, 20)]
    assert [record.instruction_id for record in after] == [record.instruction_id for record in before]
    assert len(await status.details(world.services, batch.ref, page=2, size=10)) == 5
    assert await status.details(world.services, batch.ref, page=0, size=10, status="RJCT") == []

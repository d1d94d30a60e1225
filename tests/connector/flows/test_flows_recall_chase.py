"""Silence about recalls: the answer is asked for so many times, and nothing is made up for a missing one."""

from dataclasses import replace

import pytest
from flow_world import World, pay, person

from connector.domain.batch import Batch
from connector.domain.directory import Inquiry, RecallPolicy, Unanswered
from connector.domain.instruction import Reason
from connector.flows import inbound, recall_order, recall_records, status
from connector.flows.recall_order import Order

EACH_STEP = pytest.mark.parametrize("repeat", [False, True])


async def recalled(world: World, *numbers: int, **fields: object) -> Batch:
    directory = await world.services.store.directory.load()
    terms = {"inquiries": 3, **fields}
    await world.services.store.directory.save_institution(replace(directory.institutions["TREAXU22"], **terms))
    programme = replace(directory.programmes["PENSIONS"], recall=RecallPolicy.ALLOWED)
    await world.services.store.directory.save_programme(programme)
    await world.onboard(*(person(number) for number in range(3)))
    batch = await world.submit(*(pay(number) for number in range(3)))
    await world.carry()
    order = Order(Reason("DUPL"), tuple(pay(number).instruction_id for number in numbers))
    await recall_order.ask(world.services, batch.ref, order, "operator", "10.0.0.1")
    await world.carry()
    return batch


async def wait(world: World, clock, *, repeat: bool, seconds: float = 1800, times: int = 20) -> None:
    for _ in range(times):
        clock.pass_seconds(seconds)
        await world.carry(repeat=repeat)


async def states(world: World, batch: Batch) -> list[str]:
    return [record.state.value for record in await recall_records.records(world.services, batch.ref, page=0, size=9)]


async def actions(world: World, batch: Batch) -> list[str]:
    return [event.action for event in await status.events(world.services, batch.ref)]


@EACH_STEP
async def test_after_the_last_inquiry_it_stays_asked_and_the_operator_is_alerted(
    world: World, clock, repeat: bool
) -> None:
    batch = await recalled(world, 0)
    await wait(world, clock, repeat=repeat)
    assert {(recall.message_id, recall.case_id) for recall in world.fsp.recalls} == {(f"{batch.ref}C0-0",) * 2}
    assert len(world.fsp.recalls) == 1 + 3 * (1 + repeat)
    assert world.fsp.asked == []
    assert await states(world, batch) == ["asked"]
    assert set(await actions(world, batch)) >= {"alert: recall unanswered"}
    assert (await world.services.store.queue.depth()).get("timers", 0) == 0

    answer = world.fsp.resolution(world.fsp.recalls[0], "ACCR")
    body = world.fsp.engine.write("generic", "camt.029.001.09", answer)
    assert (await inbound.message(world.services, "TREAXU22", body)).status == "processed"
    assert await states(world, batch) == ["accepted"]


@EACH_STEP
@pytest.mark.parametrize("word", ["ACCR", "RJCR", "PDCR"])
async def test_the_repetition_brings_the_answer(world: World, clock, word: str, repeat: bool) -> None:
    batch = await recalled(world, 0, 2)
    world.fsp.resolve = word
    await wait(world, clock, repeat=repeat)
    assert len(world.fsp.recalls) == 2
    assert set(await states(world, batch)) == {{"ACCR": "accepted", "RJCR": "refused", "PDCR": "pending"}[word]}
    assert "alert: recall unanswered" not in await actions(world, batch)


@EACH_STEP
@pytest.mark.parametrize("means", [Inquiry.FETCH, Inquiry.MESSAGE_OR_FETCH])
async def test_the_answer_is_fetched_where_that_is_possible(
    world: World, clock, means: Inquiry, repeat: bool
) -> None:
    batch = await recalled(world, 0, inquiry=means)
    await wait(world, clock, repeat=repeat, seconds=31, times=1)
    world.fsp.resolve = "ACCR"
    await wait(world, clock, repeat=repeat)
    assert world.fsp.asked == [f"{batch.ref}C0-0"] * (2 + repeat)
    assert len(world.fsp.recalls) == 1
    assert await states(world, batch) == ["accepted"]


async def test_one_that_the_institution_has_lost_is_sent_again(world: World, clock) -> None:
    batch = await recalled(world, 0, inquiry=Inquiry.FETCH)
    world.fsp.forgetful, world.fsp.resolve = True, "ACCR"
    await wait(world, clock, repeat=False, seconds=31, times=1)
    assert [recall.message_id for recall in world.fsp.recalls] == [f"{batch.ref}C0-0"] * 2
    assert await states(world, batch) == ["accepted"]


async def test_a_refused_repetition_is_no_answer(world: World, clock) -> None:
    batch = await recalled(world, 0)
    world.fsp.mode = "refuse"
    await wait(world, clock, repeat=True)
    assert await states(world, batch) == ["asked"]


async def test_nothing_is_chased_whose_payments_have_ended(world: World, clock) -> None:
    world.fsp.mode = "accept"
    batch = await recalled(world, 0)
    world.fsp.status = "RJCT"
    await inbound.message(world.services, "TREAXU22", world.fsp.report(world.fsp.messages[0]))
    await wait(world, clock, repeat=True)
    assert len(world.fsp.recalls) == 1
    assert await states(world, batch) == ["overtaken"]


async def test_an_institution_that_is_to_be_asked_on_is(world: World, clock) -> None:
    batch = await recalled(world, 0, unanswered=Unanswered.KEEP_ASKING)
    await wait(world, clock, repeat=False)
    assert len(world.fsp.recalls) > 6
    assert (await actions(world, batch)).count("alert: recall unanswered") == 1


async def test_each_case_is_chased_by_itself(world: World, clock) -> None:
    batch = await recalled(world, 0)
    order = Order(Reason("FRAD"), (pay(1).instruction_id,))
    await recall_order.ask(world.services, batch.ref, order, "operator", "10.0.0.1")
    await world.carry()
    world.fsp.resolve = "ACCR"
    await wait(world, clock, repeat=False, seconds=31, times=1)
    assert [recall.case_id[-1] for recall in world.fsp.recalls] == ["0", "1", "0", "1"]
    assert await states(world, batch) == ["accepted", "accepted"]

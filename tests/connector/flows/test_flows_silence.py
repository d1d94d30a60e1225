"""Silence: who is asked, how often, by what means, and that nothing moves on without an answer."""

from dataclasses import replace

import pytest
from flow_world import World, pay, person

from connector.domain.batch import Batch, BatchKind
from connector.domain.directory import Inquiry, Institution, InstitutionKind, Unanswered
from connector.domain.messages import CreditTransfer, TransactionStatus
from connector.flows import ask_again, inbound, status
from connector.flows.routing import terms_of
from connector.iso20022.scheme import Limits, Scheme


async def institution(world: World, code: str = "TREAXU22", **fields: object) -> None:
    found = (await world.services.store.directory.load()).institutions[code]
    await world.services.store.directory.save_institution(replace(found, **fields))


async def silent(world: World, **fields: object) -> Batch:
    await institution(world, **fields)
    await world.onboard(person(0), person(1))
    world.fsp.mode = "accept"
    batch = await world.submit(pay(0), pay(1), callback=world.callback)
    await world.carry()
    return batch


async def wait(world: World, clock, hours: float) -> None:
    for _ in range(int(hours * 2)):
        clock.pass_seconds(1800)
        await world.carry()


async def statuses(world: World, batch: Batch) -> list[str]:
    return [record.status for record in await status.details(world.services, batch.ref, page=0, size=9)]


async def alerts(world: World, batch: Batch) -> list[str]:
    return [event.action for event in await status.events(world.services, batch.ref) if "alert" in event.action]


def sent(world: World) -> CreditTransfer:
    [message] = world.fsp.messages
    assert isinstance(message, CreditTransfer)
    return message


async def test_after_the_last_inquiry_all_stays_pending_and_the_operator_is_alerted(world: World, clock) -> None:
    batch = await silent(world, inquiries=3)
    await wait(world, clock, 12)
    assert [inquiry.message_id for inquiry in world.fsp.inquiries] == [f"{batch.ref}Q0-{n}" for n in range(3)]
    assert {inquiry.original_message for inquiry in world.fsp.inquiries} == {"pain.001.001.09"}
    assert len(world.fsp.messages) == 1
    assert await statuses(world, batch) == ["PDNG", "PDNG"]
    assert await alerts(world, batch) == ["alert: no answer"]
    assert (await world.services.store.queue.depth()).get("timers", 0) == 0

    assert (await inbound.message(world.services, "TREAXU22", world.fsp.report(sent(world)))).status == "processed"
    assert await statuses(world, batch) == ["ACSC", "ACSC"]


async def test_an_institution_that_is_to_be_asked_on_is(world: World, clock) -> None:
    batch = await silent(world, inquiries=2, unanswered=Unanswered.KEEP_ASKING)
    await wait(world, clock, 6)
    assert len(world.fsp.inquiries) > 4
    assert await alerts(world, batch) == ["alert: no answer"]
    assert await statuses(world, batch) == ["PDNG", "PDNG"]


async def test_a_report_in_between_is_an_answer(world: World, clock) -> None:
    batch = await silent(world, inquiries=2)
    clock.pass_seconds(31)
    await world.carry()
    await inbound.message(
        world.services, "TREAXU22", world.fsp.report(sent(world), group_status="ACSP", transactions=[])
    )
    clock.pass_seconds(31)
    await world.carry()
    assert len(world.fsp.inquiries) == 2
    assert await alerts(world, batch) == []


@pytest.mark.parametrize("late_first", [False, True])
async def test_the_late_report_and_the_answer_agree_on_one_end(world: World, clock, late_first: bool) -> None:
    batch = await silent(world)
    late = world.fsp.report(sent(world))
    world.fsp.reject = {pay(1).instruction_id: "AC04"}
    world.fsp.mode = "report"
    if late_first:
        await inbound.message(world.services, "TREAXU22", late)
    clock.pass_seconds(31)
    await world.carry()
    if not late_first:
        assert (await inbound.message(world.services, "TREAXU22", late)).status == "repeated"
    assert await statuses(world, batch) == (["ACSC", "ACSC"] if late_first else ["ACSC", "RJCT"])
    assert await alerts(world, batch) == ([] if late_first else ["alert: report contradicts"])
    assert len(world.fsp.callbacks) == 1


async def test_an_operator_can_ask_when_the_inquiries_are_used_up(world: World, clock) -> None:
    batch = await silent(world, inquiries=1)
    await wait(world, clock, 2)
    assert len(world.fsp.inquiries) == 1
    world.fsp.mode = "report"
    assert await ask_again.now(world.services, batch.ref, "operator", "10.0.0.1") == 1
    await world.carry(repeat=True)
    assert await statuses(world, batch) == ["ACSC", "ACSC"]
    assert await ask_again.now(world.services, batch.ref, "operator", "10.0.0.1") == 0


@pytest.mark.parametrize(
    ("means", "by_message", "fetched"),
    [(Inquiry.MESSAGE, 1, 0), (Inquiry.FETCH, 0, 1), (Inquiry.MESSAGE_OR_FETCH, 1, 1)],
)
async def test_the_institution_is_asked_by_the_means_that_it_has(
    world: World, clock, means: Inquiry, by_message: int, fetched: int
) -> None:
    await silent(world, inquiry=means)
    clock.pass_seconds(31)
    await world.carry()
    assert (len(world.fsp.inquiries), len(world.fsp.asked)) == (by_message, fetched)


async def test_an_inquiry_that_the_bank_rejects_says_nothing_of_the_payments(world: World, clock) -> None:
    batch = await silent(world, inquiries=2)
    world.fsp.reject_with = "UNSUPPORTED"
    await wait(world, clock, 6)
    assert await statuses(world, batch) == ["PDNG", "PDNG"]
    assert await alerts(world, batch) == ["alert: no answer"]


async def test_an_answer_that_names_the_inquiry_counts_for_single_payments_only(world: World, clock) -> None:
    batch = await silent(world)
    clock.pass_seconds(31)
    await world.carry()
    asked = world.fsp.inquiries[0].message_id
    refusal = {"original_message_id": asked, "group_status": "RJCT", "transactions": [], "blocks": []}
    assert (await _push(world, **refusal)) == "repeated"
    assert await statuses(world, batch) == ["PDNG", "PDNG"]
    first = sent(world).transfers[0]
    item = TransactionStatus(first.instruction_id, first.end_to_end_id, "", "ACSC")
    assert (await _push(world, original_message_id=asked, transactions=[item])) == "processed"
    assert await statuses(world, batch) == ["ACSC", "PDNG"]


async def _push(world: World, **changes: object) -> str:
    return (await inbound.message(world.services, "TREAXU22", world.fsp.report(sent(world), **changes))).status


async def test_a_lost_answer_is_not_resent_on_the_strength_of_a_taken_question(world: World, clock) -> None:
    await world.onboard(person(0))
    world.fsp.mode = "lose"
    batch = await world.submit(pay(0))
    await world.carry()
    world.fsp.mode = "accept"
    await wait(world, clock, 3)
    assert len(world.fsp.messages) == 1
    assert await statuses(world, batch) == ["RCVD"]
    assert (await inbound.message(world.services, "TREAXU22", world.fsp.report(sent(world)))).status == "processed"
    await wait(world, clock, 2)
    assert await statuses(world, batch) == ["ACSC"]


async def test_a_report_that_came_before_the_lost_answer_is_followed_up(world: World, clock) -> None:
    await world.onboard(person(0))
    world.fsp.mode = "lose"
    batch = await world.submit(pay(0))
    await world.carry()
    await _push(world, group_status="ACSP", transactions=[])
    world.fsp.mode = "report"
    clock.pass_seconds(60)
    await world.carry()
    clock.pass_seconds(60)
    await world.carry()
    assert await statuses(world, batch) == ["ACSC"]


async def test_a_verification_is_repeated_where_nothing_can_ask_about_it(world: World, clock) -> None:
    await world.onboard(person(0))
    world.fsp.mode = "lose"
    await world.submit(pay(0), kind=BatchKind.PREVALIDATION)
    await world.carry()
    world.fsp.mode = "report"
    clock.pass_seconds(2)
    await world.carry()
    assert len({message.message_id for message in world.fsp.messages}) == 1
    assert len(world.fsp.messages) == 2


def test_terms_are_the_institutions_else_the_schemes_else_the_defaults() -> None:
    bank = Institution("BANK", "Bank", InstitutionKind.BANK, chunk_size=500)
    plain = terms_of(Scheme("plain"), bank)
    assert (plain.answer_seconds, plain.inquiries, plain.transactions) == (30.0, 10, 500)
    fast = Scheme("fast", answer_seconds=20, inquiries=5, limits=Limits(transactions=100))
    theirs = terms_of(fast, bank)
    assert (theirs.answer_seconds, theirs.inquiries, theirs.transactions) == (20, 5, 100)
    own = terms_of(fast, replace(bank, answer_within_seconds=7, inquiries=2, chunk_size=50))
    assert (own.answer_seconds, own.inquiries, own.transactions) == (7, 2, 50)

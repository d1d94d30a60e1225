"""Recalls, end to end: over the real store, real messages and real HTTP, each step also twice."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from flow_world import World, pay, person

from connector.domain.batch import Batch, BatchState
from connector.domain.directory import ChannelKind, RecallPolicy
from connector.domain.errors import NotPermitted, Refused
from connector.domain.instruction import Reason
from connector.domain.messages import CreditTransfer, PaymentReturn, RecallResult, Rejection, ReturnedTransfer
from connector.flows import inbound, recall_order, recall_records, status
from connector.flows.recall_order import Asked, Order
from connector.flows.steps import STEPS

pytestmark = pytest.mark.archiving

DUPL = Reason("DUPL", "Paid twice")
EACH_STEP = pytest.mark.parametrize("repeat", [False, True])


async def sent(world: World, payments: int = 3, programme: str = "PENSIONS", mode: str = "accept") -> Batch:
    await world.onboard(*(person(number) for number in range(payments)))
    await policy(world, programme, RecallPolicy.ALLOWED)
    world.fsp.mode = mode
    batch = await world.submit(*(pay(number) for number in range(payments)), programme=programme)
    await world.carry()
    return batch


async def policy(world: World, programme: str, rule: RecallPolicy) -> None:
    found = (await world.services.store.directory.load()).programmes[programme]
    await world.services.store.directory.save_programme(replace(found, recall=rule))


async def order(world: World, batch: Batch, *numbers: int, reason: Reason = DUPL, message_id: str = "") -> Asked:
    names = tuple(pay(number).instruction_id for number in numbers)
    return await recall_order.ask(world.services, batch.ref, Order(reason, names, message_id), "operator", "10.0.0.1")


async def answer(world: World, word: str, institution: str = "TREAXU22", **changes: object) -> str:
    value = world.fsp.resolution(world.fsp.recalls[-1], word, **changes)
    body = world.fsp.engine.write("generic", "camt.029.001.09", value)
    return (await inbound.message(world.services, institution, body)).status


async def statuses(world: World, batch: Batch) -> list[str]:
    return [record.status for record in await status.details(world.services, batch.ref, page=0, size=100)]


async def states(world: World, batch: Batch) -> list[tuple[str, str]]:
    found = await recall_records.records(world.services, batch.ref, page=0, size=100)
    return [(record.state.value, record.answer) for record in found]


async def give_back(world: World, *indexes: int) -> str:
    message = world.fsp.messages[0]
    assert isinstance(message, CreditTransfer)
    items = [
        ReturnedTransfer(
            f"RT{index}", message.transfers[index].instruction_id, message.transfers[index].end_to_end_id, "", 1000,
            "FOCR",
        )
        for index in indexes
    ]  # fmt: skip
    now, day = datetime.now(UTC).replace(microsecond=0), date(2027, 1, 1)
    original = (message.message_id, "pain.001.001.09")
    value = PaymentReturn("RETURN1", now, "USD", 1000 * len(items), *original, day, items, "UNIOXU22", "TREAXU22")
    body = world.fsp.engine.write("generic", "pacs.004.001.09", value)
    return (await inbound.message(world.services, "TREAXU22", body)).status


@EACH_STEP
async def test_an_accepted_recall_before_settlement_cancels_and_releases(world: World, repeat: bool) -> None:
    batch = await sent(world)
    assert await order(world, batch, 0, 2) == Asked(asked=2)
    assert await order(world, batch, 0, 2) == Asked(asked=2)
    await world.carry(repeat=repeat)
    [recall] = world.fsp.recalls
    assert (recall.case_id, recall.original_message_id) == (f"{batch.ref}C0-0", f"{batch.ref}P0")
    assert [(item.end_to_end_id, item.reason, item.amount_minor) for item in recall.transfers] == [
        (pay(0).instruction_id, "DUPL", 1000),
        (pay(2).instruction_id, "DUPL", 1000),
    ]
    assert await states(world, batch) == [("asked", ""), ("asked", "")]

    assert await answer(world, "ACCR") == "processed"
    assert await answer(world, "ACCR") == "repeated"
    await world.carry(repeat=repeat)
    records = await status.details(world.services, batch.ref, page=0, size=9)
    assert [(record.status, record.reason) for record in records] == [
        ("CANC", "DUPL"),
        ("PDNG", ""),
        ("CANC", "DUPL"),
    ]
    assert await states(world, batch) == [("accepted", ""), ("accepted", "")]
    balance = (await world.services.store.funds.balances("PENSIONS"))["USD"]
    assert (balance.reserved, balance.available) == (1000, 999_000)


@EACH_STEP
async def test_an_accepted_recall_after_settlement_ends_by_the_return(world: World, repeat: bool) -> None:
    batch = await sent(world, mode="report")
    world.fsp.resolve = "ACCR"
    await order(world, batch, 1)
    await world.carry(repeat=repeat)
    assert await statuses(world, batch) == ["ACSC"] * 3
    assert await states(world, batch) == [("accepted", "")]
    assert await give_back(world, 1) == "processed"
    await world.carry(repeat=repeat)
    assert await statuses(world, batch) == ["ACSC", "RTND", "ACSC"]
    balance = (await world.services.store.funds.balances("PENSIONS"))["USD"]
    assert (balance.spent, balance.available) == (2000, 998_000)


async def test_a_refused_recall_leaves_the_payment_as_it_was(world: World) -> None:
    batch = await sent(world, mode="report")
    world.fsp.resolve = "RJCR"
    await order(world, batch, 1)
    await world.carry(repeat=True)
    assert await statuses(world, batch) == ["ACSC"] * 3
    assert await states(world, batch) == [("refused", "LEGL")]
    assert await answer(world, "ACCR") == "repeated"  # the first word stands
    await order(world, batch, 1)
    await world.carry()
    assert len(world.fsp.recalls) == 1
    await order(world, batch, 1, reason=Reason("FRAD"))
    await world.carry()
    assert [recall.case_id for recall in world.fsp.recalls] == [f"{batch.ref}C0-0", f"{batch.ref}C0-1"]


async def test_a_pending_one_is_decided_later(world: World) -> None:
    batch = await sent(world)
    world.fsp.resolve = "PDCR"
    await order(world, batch, 0)
    await world.carry()
    assert await states(world, batch) == [("pending", "")]
    assert await answer(world, "ACCR") == "processed"
    assert await statuses(world, batch) == ["CANC", "PDNG", "PDNG"]


@EACH_STEP
@pytest.mark.parametrize("programme", ["PENSIONS", "RELIEF"])
async def test_a_whole_batch_goes_back_chunk_by_chunk(world: World, programme: str, repeat: bool) -> None:
    batch = await sent(world, 25, programme)
    executor = "TREAXU22" if programme == "PENSIONS" else "NSWIXU22"
    assert await order(world, batch) == Asked(asked=25)
    await world.carry(repeat=repeat)
    assert len({recall.message_id for recall in world.fsp.recalls}) == 3
    assert {(len(recall.transfers), recall.reason) for recall in world.fsp.recalls} == {(0, "DUPL")}
    for recall in list({recall.message_id: recall for recall in world.fsp.recalls}.values()):
        value = world.fsp.resolution(recall, "ACCR")
        body = world.fsp.engine.write("generic", "camt.029.001.09", value)
        assert (await inbound.message(world.services, executor, body)).status == "processed"
    await world.carry(repeat=repeat)
    assert set(await statuses(world, batch)) == {"CANC"}
    assert (await status.summary(world.services, batch.ref)).progress.state is BatchState.COMPLETED
    balance = (await world.services.store.funds.balances(programme))["USD"]
    assert (balance.spent, balance.reserved, balance.available) == (0, 0, 1_000_000)


async def test_a_single_chunk_is_meant_by_its_message(world: World) -> None:
    batch = await sent(world, 25)
    assert await order(world, batch, message_id=f"{batch.ref}P1000") == Asked(asked=10)
    await world.carry()
    assert [recall.original_message_id for recall in world.fsp.recalls] == [f"{batch.ref}P1000"]
    with pytest.raises(Refused):
        await order(world, batch, message_id="NOTHING")


async def test_what_was_not_sent_yet_is_cancelled(world: World) -> None:
    await world.onboard(*(person(number) for number in range(3)))
    batch = await world.submit(pay(0), pay(1), pay(2))
    assert await order(world, batch) == Asked(cancelled=3)
    assert (await status.summary(world.services, batch.ref)).progress.state is BatchState.CANCELLED


async def test_a_chunk_that_is_ready_is_cancelled_and_never_sent(world: World) -> None:
    await world.onboard(person(0))
    batch = await world.submit(pay(0))
    for step in ("admit", "resolve"):
        await _one(world, step)
    assert await order(world, batch) == Asked(cancelled=1)
    await world.carry()
    assert world.fsp.messages == world.fsp.recalls == []
    assert await statuses(world, batch) == ["CANC"]


async def _one(world: World, step: str) -> None:
    for entry in await world.take(step):
        await STEPS[step].run(world.services, entry)


async def test_a_recall_waits_until_its_payments_have_arrived(world: World, clock) -> None:
    await world.onboard(person(0), person(1))
    world.fsp.mode = "down"
    batch = await world.submit(pay(0), pay(1))
    await world.carry()
    await order(world, batch, 0)
    await world.carry()
    assert world.fsp.recalls == []
    world.fsp.mode, world.fsp.resolve = "accept", "ACCR"
    for _ in range(4):
        clock.pass_seconds(5)
        await world.carry()
    assert len(world.fsp.messages) == len(world.fsp.recalls) == 1
    assert await statuses(world, batch) == ["CANC", "PDNG"]


async def test_a_recall_without_answer_goes_out_again_under_the_same_ids(world: World, clock) -> None:
    batch = await sent(world)
    world.fsp.mode = "down"
    await order(world, batch, 0)
    await world.carry()
    assert world.fsp.recalls == []
    world.fsp.mode = "accept"
    clock.pass_seconds(2)
    await world.carry()
    assert [recall.message_id for recall in world.fsp.recalls] == [f"{batch.ref}C0-0"]


@pytest.mark.parametrize("mode", ["sync", "push"])
async def test_a_rejected_recall_message_is_refused(world: World, mode: str) -> None:
    batch = await sent(world)
    world.fsp.reject_with = "BADFORM" if mode == "sync" else None
    await order(world, batch, 0)
    await world.carry(repeat=True)
    if mode == "push":
        body = world.fsp.engine.write("generic", "admi.002.001.01", Rejection(f"{batch.ref}C0-0", "BADFORM", "No"))
        assert (await inbound.message(world.services, "TREAXU22", body)).status == "processed"
        assert (await inbound.message(world.services, "TREAXU22", body)).status == "repeated"
    assert await states(world, batch) == [("refused", "NARR")]
    assert await statuses(world, batch) == ["PDNG"] * 3


async def test_programmes_rule_over_recalls(world: World) -> None:
    batch = await sent(world, mode="report")
    await policy(world, "PENSIONS", RecallPolicy.BEFORE_SETTLEMENT)
    with pytest.raises(Refused) as refused:
        await order(world, batch, 1, 2)
    assert [(fault.where, fault.code) for fault in refused.value.faults] == [
        ("/instructions/0", "not_recallable"),
        ("/instructions/1", "not_recallable"),
    ]
    assert await order(world, batch) == Asked(left=3)
    await policy(world, "PENSIONS", RecallPolicy.FORBIDDEN)
    with pytest.raises(NotPermitted):
        await order(world, batch, 1)
    assert await states(world, batch) == []


async def test_orders_that_cannot_be_carried_out_change_nothing(world: World) -> None:
    batch = await sent(world)
    with pytest.raises(Refused) as refused:
        await order(world, batch, 0, 77)
    assert refused.value.faults[0][:2] == ("/instructions/1", "unknown_instruction")
    with pytest.raises(Refused):
        await order(world, batch, 0, reason=Reason("XXXX"))
    bank = (await world.services.store.directory.load()).institutions["TREAXU22"]
    await world.services.store.directory.save_institution(replace(bank, channel=ChannelKind.GOVSTACK_JSON))
    with pytest.raises(NotPermitted):
        await order(world, batch, 0)
    assert await states(world, batch) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"case_id": "A" * 20 + "C0-0"}, "unknown_message"),
        ({"case_id": "THEIRS", "original_message_id": "THEIRS"}, "unknown_message"),
        ({"results": [RecallResult("", "NOBODY", "NOBODY", "", "ACCR")]}, "unknown_transaction"),
    ],
)
async def test_an_answer_that_does_not_fit_changes_nothing(world: World, changes: dict, code: str) -> None:
    batch = await sent(world)
    await order(world, batch, 0)
    await world.carry()
    with pytest.raises(Refused) as refused:
        await answer(world, "ACCR", **changes)
    assert refused.value.faults[0].code == code
    with pytest.raises(Refused):
        await answer(world, "ACCR", institution="UNIOXU22")
    assert await states(world, batch) == [("asked", "")]


async def test_an_answer_to_what_was_never_asked_is_refused(world: World) -> None:
    batch = await sent(world)
    await order(world, batch, 0)
    await world.carry()
    with pytest.raises(Refused) as refused:
        await answer(world, "ACCR", case_id=f"{batch.ref}C0-7")
    assert refused.value.faults[0].code == "unknown_case"


async def test_an_answer_is_found_by_the_payments_message_too(world: World) -> None:
    batch = await sent(world)
    await order(world, batch, 0)
    await world.carry()
    assert await answer(world, "ACCR", case_id="THEIR-CASE") == "processed"
    assert await statuses(world, batch) == ["CANC", "PDNG", "PDNG"]


async def test_a_payment_reported_settled_after_its_cancellation_alerts_the_operator(world: World) -> None:
    batch = await sent(world)
    world.fsp.resolve = "ACCR"
    await order(world, batch, 0)
    await world.carry()
    message = world.fsp.messages[0]
    assert isinstance(message, CreditTransfer)
    await inbound.message(world.services, "TREAXU22", world.fsp.report(message))
    assert await statuses(world, batch) == ["CANC", "ACSC", "ACSC"]
    events = await status.events(world.services, batch.ref)
    assert [event.outcome for event in events if event.action == "alert: report contradicts"] == [
        "1 payments have ended otherwise; their first ending stands"
    ]

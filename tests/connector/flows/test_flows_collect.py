"""Reports that an FSP pushes: whole, partial, repeated, late, wrong, foreign."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from flow_world import World, pay, person

from connector.domain.batch import Batch, BatchState
from connector.domain.errors import Refused
from connector.domain.messages import BlockStatus, CreditTransfer, PaymentReturn, ReturnedTransfer, TransactionStatus
from connector.flows import collect, inbound, status


async def sent(world: World, payments: int = 3) -> tuple[Batch, CreditTransfer]:
    """A batch that the bank has accepted and not yet reported on."""
    await world.onboard(*(person(number) for number in range(payments)))
    world.fsp.mode = "accept"
    batch = await world.submit(*(pay(number) for number in range(payments)), callback=world.callback)
    await world.carry()
    message = world.fsp.messages[0]
    assert isinstance(message, CreditTransfer)
    return batch, message


async def push(world: World, message: CreditTransfer, **changes: object) -> str:
    body = world.fsp.report(message, **changes)
    return (await inbound.message(world.services, "TREAXU22", body)).status


async def statuses(world: World, batch: Batch) -> list[str]:
    return [record.status for record in await status.details(world.services, batch.ref, page=0, size=100)]


def of(message: CreditTransfer, index: int, code: str, reason: str = "") -> TransactionStatus:
    transfer = message.transfers[index]
    return TransactionStatus(transfer.instruction_id, transfer.end_to_end_id, "", code, reason)


async def test_parts_arrive_in_any_order_and_twice(world: World) -> None:
    batch, message = await sent(world)
    last = [of(message, 2, "ACSC")]
    assert await push(world, message, transactions=last) == "processed"
    assert await push(world, message, transactions=last) == "repeated"
    assert (
        await push(world, message, transactions=[of(message, 0, "ACSP"), of(message, 1, "RJCT", "AC04")])
        == "processed"
    )
    assert await statuses(world, batch) == ["ACSP", "RJCT", "ACSC"]
    assert await push(world, message, transactions=[of(message, 0, "ACSC"), of(message, 1, "ACSC")]) == "processed"
    assert await push(world, message, transactions=[of(message, 0, "ACSP")]) == "repeated"
    assert await statuses(world, batch) == ["ACSC", "RJCT", "ACSC"]
    await world.carry()
    assert (await status.summary(world.services, batch.ref)).progress.state is BatchState.COMPLETED
    assert [body["callback_id"] for body in world.fsp.callbacks] == [f"{batch.ref}-final-USD"]


async def test_parts_that_arrive_at_once_all_count(world: World) -> None:
    batch, message = await sent(world, 8)
    parts = [[of(message, index, "ACSC" if index % 2 else "RJCT", "")] for index in range(8)]
    taken = await asyncio.gather(*(push(world, message, transactions=part) for part in parts * 2))
    assert sorted(taken) == ["processed"] * 8 + ["repeated"] * 8
    assert await statuses(world, batch) == ["RJCT", "ACSC"] * 4
    await world.carry()
    assert len(world.fsp.callbacks) == 1
    balance = (await world.services.store.funds.balances("PENSIONS"))["USD"]
    assert (balance.spent, balance.reserved) == (4000, 0)


async def test_the_group_speaks_for_all_that_are_not_named(world: World) -> None:
    batch, message = await sent(world)
    await push(world, message, group_status="ACSC", transactions=[of(message, 1, "RJCT", "AC06")])
    assert await statuses(world, batch) == ["ACSC", "RJCT", "ACSC"]


async def test_a_rejected_group_rejects_all(world: World) -> None:
    batch, message = await sent(world)
    await push(world, message, group_status="RJCT", group_reason="FF01", transactions=[], blocks=[])
    records = await status.details(world.services, batch.ref, page=0, size=9)
    assert {(record.status, record.reason) for record in records} == {("RJCT", "FF01")}


async def test_a_block_goes_before_its_group(world: World) -> None:
    batch, message = await sent(world)
    blocks = [BlockStatus(message.payment_information_id, "RJCT", "AM04")]
    await push(world, message, group_status="PART", transactions=[], blocks=blocks)
    assert await statuses(world, batch) == ["RJCT"] * 3


async def test_progress_of_a_group_only_moves_forward(world: World) -> None:
    batch, message = await sent(world)
    assert await push(world, message, group_status="ACSP", transactions=[], blocks=[]) == "processed"
    assert await push(world, message, group_status="ACTC", transactions=[], blocks=[]) == "repeated"
    assert await statuses(world, batch) == ["ACSP"] * 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"original_count": 4}, "AM19"),
        ({"original_total": "31.00"}, "AM10"),
        ({"original_message_id": "SOMEBODYELSES"}, "unknown_message"),
        ({"original_message_id": "A" * 20 + "P0"}, "unknown_message"),
        ({"transactions": [TransactionStatus("NOBODY", "NOBODY", "", "ACSC")]}, "unknown_transaction"),
        ({"blocks": [BlockStatus("OTHER", "ACSC")], "transactions": []}, "unknown_block"),
    ],
)
async def test_a_report_that_does_not_fit_changes_nothing(world: World, changes: dict, code: str) -> None:
    batch, message = await sent(world)
    with pytest.raises(Refused) as refused:
        await push(world, message, **changes)
    assert refused.value.faults[0].code == code
    assert await statuses(world, batch) == ["PDNG"] * 3


async def test_a_foreign_institution_is_refused(world: World) -> None:
    batch, message = await sent(world)
    for institution, code in (("UNIOXU22", "foreign_chunk"), ("NOBODY", "unknown_institution")):
        with pytest.raises(Refused) as refused:
            await inbound.message(world.services, institution, world.fsp.report(message))
        assert refused.value.faults[0].code == code
    assert await statuses(world, batch) == ["PDNG"] * 3


@pytest.mark.parametrize("body", [b"", b"<", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", b"\xff\x00", b"{}"])
async def test_what_is_no_message_is_refused(world: World, body: bytes) -> None:
    with pytest.raises(Refused):
        await inbound.message(world.services, "TREAXU22", body)


def returned(message: CreditTransfer, index: int, minor: int = 1000) -> PaymentReturn:
    transfer, now = message.transfers[index], datetime.now(UTC).replace(microsecond=0)
    item = ReturnedTransfer(f"RT{index}", transfer.instruction_id, transfer.end_to_end_id, "", minor, "AC04", "")
    return PaymentReturn(
        "RETURN1",
        now,
        "USD",
        minor,
        message.message_id,
        "pain.001.001.09",
        date(2027, 1, 1),
        [item],
        "UNIOXU22",
        "TREAXU22",
    )


async def test_a_return_takes_a_completed_payment_back_and_is_told(world: World) -> None:
    batch, message = await sent(world)
    await push(world, message)
    await world.carry()
    body = world.fsp.engine.write("generic", "pacs.004.001.09", returned(message, 1))
    assert (await inbound.message(world.services, "TREAXU22", body)).status == "processed"
    assert (await inbound.message(world.services, "TREAXU22", body)).status == "repeated"
    assert await push(world, message) == "repeated"
    await world.carry()
    assert await statuses(world, batch) == ["ACSC", "RTND", "ACSC"]
    assert [(body["completed"], body["failed"]) for body in world.fsp.callbacks] == [(3, 0), (2, 1)]
    balance = (await world.services.store.funds.balances("PENSIONS"))["USD"]
    assert (balance.spent, balance.reserved, balance.available) == (2000, 0, 998_000)


async def test_a_return_before_the_final_report_counts(world: World) -> None:
    batch, message = await sent(world)
    body = world.fsp.engine.write("generic", "pacs.004.001.09", returned(message, 0))
    await inbound.message(world.services, "TREAXU22", body)
    await push(world, message)
    assert await statuses(world, batch) == ["RTND", "ACSC", "ACSC"]


async def test_a_return_may_carry_the_banks_own_transaction_id(world: World) -> None:
    batch, message = await sent(world)
    await push(world, message)
    value = returned(message, 2)
    value = replace(value, returns=[value.returns[0]._replace(transaction_id="TREAXU2200000001L0.2")])
    await inbound.message(world.services, "TREAXU22", world.fsp.engine.write("generic", "pacs.004.001.09", value))
    assert await statuses(world, batch) == ["ACSC", "ACSC", "RTND"]


async def test_a_return_of_another_amount_is_refused(world: World) -> None:
    _, message = await sent(world)
    await push(world, message)
    body = world.fsp.engine.write("generic", "pacs.004.001.09", returned(message, 0, 999))
    with pytest.raises(Refused):
        await inbound.message(world.services, "TREAXU22", body)


async def test_the_log_has_no_account_number(world: World) -> None:
    batch, message = await sent(world)
    await push(world, message)
    events = await status.events(world.services, batch.ref)
    assert [event.action for event in events] == [
        "batch accepted", "batch started", "slice resolved", "chunk sending", "chunk sent", "report taken",
    ]  # fmt: skip
    accounts = [transfer.creditor_account for transfer in message.transfers]
    assert not any(account in repr(events) for account in accounts)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda world, message: world.fsp.report(message, original_count=4),
        lambda world, message: world.fsp.report(message, transactions=[TransactionStatus("X", "X", "", "ACSC")]),
        lambda world, message: world.fsp.report(message).replace(b"</OrgnlMsgId>", b"</OrgnlMsgId><Bad/>"),
        lambda world, message: world.fsp.report(message)[:-9],
        lambda world, message: world.fsp.report(message, original_message_id=message.message_id[:-1] + "7"),
    ],
)
async def test_a_refused_report_stands_in_the_batchs_log(world: World, spoil) -> None:
    batch, message = await sent(world)
    with pytest.raises(Refused) as refused:
        await inbound.message(world.services, "TREAXU22", spoil(world, message))
    last = (await status.events(world.services, batch.ref))[-1]
    assert (last.actor, last.action, last.outcome) == ("TREAXU22", "report refused", str(refused.value)[:300])


async def test_a_foreign_report_stands_in_the_batchs_log(world: World) -> None:
    batch, message = await sent(world)
    with pytest.raises(Refused):
        await inbound.message(world.services, "UNIOXU22", world.fsp.report(message))
    assert (await status.events(world.services, batch.ref))[-1].actor == "UNIOXU22"


async def test_what_a_bank_says_is_kept_without_account_numbers(world: World) -> None:
    batch, message = await sent(world, 1)
    account = message.transfers[0].creditor_account
    said = of(message, 0, "RJCT", "AC04")._replace(information=f"Account {account} is closed")
    await push(world, message, transactions=[said])
    records = await status.details(world.services, batch.ref, page=0, size=9)
    assert [record.information for record in records] == ["Account … is closed"]


async def test_a_denial_is_told_without_account_numbers(world: World) -> None:
    batch = await world.submit(pay(1), programme="ASKING", callback=world.callback)
    await world.carry()
    await collect.authorisation_answer(world.services, "TREAXU22", batch.ref, False, "9000000001 is empty")
    await world.carry()
    assert "9000000001" not in repr(await status.events(world.services, batch.ref))
    assert "9000000001" not in repr(world.fsp.callbacks)
    assert "is empty" in str(world.fsp.callbacks[0]["note"])


async def test_a_report_that_contradicts_a_final_status_is_written_down(world: World) -> None:
    batch, message = await sent(world)
    await push(world, message, transactions=[of(message, 0, "RJCT", "AC04")])
    assert await push(world, message, transactions=[of(message, 0, "ACSC")]) == "repeated"
    assert await statuses(world, batch) == ["RJCT", "PDNG", "PDNG"]
    last = (await status.events(world.services, batch.ref))[-1]
    assert (last.action, last.outcome) == (
        "alert: report contradicts",
        "1 payments have ended otherwise; their first ending stands",
    )


async def test_a_reason_belongs_to_the_status_that_it_came_with(world: World) -> None:
    batch, message = await sent(world, 1)
    await push(world, message, transactions=[of(message, 0, "ACSP", "NARR")])
    await push(world, message, transactions=[of(message, 0, "ACSC")])
    records = await status.details(world.services, batch.ref, page=0, size=9)
    assert [(record.status, record.reason) for record in records] == [("ACSC", "")]

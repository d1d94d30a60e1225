"""Payments that a message cannot carry: they alone are rejected, and before anything is sent."""

from dataclasses import replace

import pytest
from flow_world import World, pay, person

from connector.channels import Channels
from connector.domain.batch import Batch, BatchState
from connector.domain.errors import Refused
from connector.flows import inbound, status
from connector.flows.steps import STEPS

BAD = "\x07"


async def paid(world: World, *bad: int, payments: int = 6) -> Batch:
    await world.onboard(*(person(number, name=BAD if number in bad else "") for number in range(payments)))
    return await world.submit(*(pay(number) for number in range(payments)), callback=world.callback)


async def statuses(world: World, batch: Batch) -> list[str]:
    return [record.status for record in await status.details(world.services, batch.ref, page=0, size=99)]


@pytest.mark.parametrize("repeat", [False, True])
async def test_only_the_payments_that_cannot_be_written_are_rejected(world: World, repeat: bool) -> None:
    batch = await paid(world, 1, 4)
    await world.carry(repeat=repeat)
    assert await statuses(world, batch) == ["ACSC", "RJCT", "ACSC", "ACSC", "RJCT", "ACSC"]
    assert [message.message_id for message in world.fsp.messages] == [f"{batch.ref}P0"]
    assert world.fsp.messages[0].total_minor == 4000
    failed = await status.details(world.services, batch.ref, page=0, size=9, status="failed")
    assert {record.reason for record in failed} == {"CH16"}
    assert all("Cdtr/Nm: The text has control characters" in record.information for record in failed)
    balance = (await world.services.store.funds.balances("PENSIONS"))["USD"]
    assert (balance.spent, balance.reserved) == (4000, 0)
    assert [(body["completed"], body["failed"]) for body in world.fsp.callbacks] == [(4, 2)]


async def test_the_bank_reports_on_what_it_was_sent(world: World) -> None:
    world.fsp.mode = "accept"
    batch = await paid(world, 0)
    await world.carry()
    message = world.fsp.messages[0]
    whole = {"group_status": "ACSC", "transactions": [], "blocks": []}
    with pytest.raises(Refused):
        await inbound.message(world.services, "TREAXU22", world.fsp.report(message, original_count=6, **whole))
    sums = {"original_count": 5, "original_total": "50.00"}
    await inbound.message(world.services, "TREAXU22", world.fsp.report(message, **whole, **sums))
    assert await statuses(world, batch) == ["RJCT"] + ["ACSC"] * 5


async def test_a_repetition_goes_without_them_as_well(world: World, clock) -> None:
    world.fsp.mode, world.fsp.forgetful = "lose", True
    batch = await paid(world, 2)
    await world.carry()
    clock.pass_seconds(2)
    world.fsp.mode = "report"
    await world.carry()
    first, again = world.fsp.messages
    assert first == again
    assert await statuses(world, batch) == ["ACSC", "ACSC", "RJCT", "ACSC", "ACSC", "ACSC"]


async def test_a_crash_before_they_are_rejected_changes_nothing(world: World, clock, monkeypatch) -> None:
    batch = await paid(world, 2)
    for step in ("admit", "resolve"):
        await STEPS[step].run(world.services, (await world.take(step))[0])
    entry = (await world.take("dispatch"))[0]

    def crash(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Channels, "check", crash)
        with pytest.raises(ZeroDivisionError):
            await STEPS["dispatch"].run(world.services, entry)
    clock.pass_seconds(61)
    await STEPS["dispatch"].run(world.services, replace(entry, deliveries=2))
    assert await statuses(world, batch) == ["ACSC", "ACSC", "RJCT", "ACSC", "ACSC", "ACSC"]
    assert len(world.fsp.messages) == 1


async def test_a_chunk_of_which_nothing_can_be_written_is_closed(world: World) -> None:
    batch = await paid(world, 0, 1, payments=2)
    await world.carry()
    assert world.fsp.messages == []
    summary = await status.summary(world.services, batch.ref)
    assert summary.progress.state is BatchState.COMPLETED
    failed = await status.details(world.services, batch.ref, page=0, size=9, status="failed")
    assert [record.reason for record in failed] == ["CH16", "CH16"]


async def test_a_message_that_fails_as_a_whole_rejects_all(world: World) -> None:
    programme = (await world.services.store.directory.load()).programmes["PENSIONS"]
    await world.services.store.directory.save_programme(replace(programme, account_name=BAD))
    batch = await paid(world, payments=3)
    await world.carry()
    assert await statuses(world, batch) == ["RJCT"] * 3
    assert world.fsp.messages == []

"""admi.002: a message of ours was refused before it was processed."""

import pytest
from flow_world import World, pay, person

from connector.domain.batch import Batch, BatchState
from connector.domain.errors import Refused
from connector.domain.messages import CreditTransfer, Rejection
from connector.flows import inbound, status


async def sent(world: World, mode: str = "accept") -> Batch:
    await world.onboard(person(0), person(1))
    world.fsp.mode = mode
    batch = await world.submit(pay(0), pay(1), callback=world.callback)
    await world.carry()
    return batch


async def reject(world: World, reference: str, reason: str = "FF01", institution: str = "TREAXU22") -> str:
    body = world.fsp.engine.write("generic", "admi.002.001.01", Rejection(reference, reason, "Not readable"))
    return (await inbound.message(world.services, institution, body)).status


async def ends(world: World, batch: Batch) -> set[tuple[str, str, str]]:
    records = await status.details(world.services, batch.ref, page=0, size=9)
    return {(record.status, record.reason, record.information) for record in records}


async def test_a_rejected_message_ends_its_chunk_and_releases_its_funds(world: World) -> None:
    batch = await sent(world)
    assert await reject(world, f"{batch.ref}P0") == "processed"
    assert await reject(world, f"{batch.ref}P0") == "repeated"
    await world.carry(repeat=True)
    assert await ends(world, batch) == {("RJCT", "FF01", "FF01 Not readable")}
    assert (await status.summary(world.services, batch.ref)).progress.state is BatchState.COMPLETED
    balance = (await world.services.store.funds.balances("PENSIONS"))["USD"]
    assert (balance.reserved, balance.available) == (0, 1_000_000)
    assert len(world.fsp.callbacks) == 1


async def test_a_rejection_in_the_answer_ends_the_chunk(world: World) -> None:
    world.fsp.reject_with = "PARSE"
    batch = await sent(world)
    assert await ends(world, batch) == {("RJCT", "NARR", "TREAXU22 rejected the message: PARSE Not like this")}


async def test_a_rejection_of_what_was_reported_on_changes_nothing_and_alerts(world: World) -> None:
    batch = await sent(world)
    message = world.fsp.messages[0]
    assert isinstance(message, CreditTransfer)
    await inbound.message(world.services, "TREAXU22", world.fsp.report(message))
    assert await reject(world, f"{batch.ref}P0") == "repeated"
    assert await ends(world, batch) == {("ACSC", "", "")}
    assert "alert: message rejected" in [event.action for event in await status.events(world.services, batch.ref)]


async def test_a_rejected_inquiry_is_noted_only(world: World) -> None:
    batch = await sent(world)
    assert await reject(world, f"{batch.ref}Q0-0") == "repeated"
    assert await ends(world, batch) == {("PDNG", "", "")}


@pytest.mark.parametrize(("reference", "institution"), [("THEIRS", "TREAXU22"), ("", "UNIOXU22")])
async def test_a_rejection_of_what_was_never_sent_is_refused(world: World, reference: str, institution: str) -> None:
    batch = await sent(world)
    with pytest.raises(Refused):
        await reject(world, reference or f"{batch.ref}P0", institution=institution)
    assert await ends(world, batch) == {("PDNG", "", "")}

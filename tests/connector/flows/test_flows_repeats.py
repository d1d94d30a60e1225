"""Whatever is repeated, in whatever order: sums, funds and final statuses hold."""

import asyncio
from dataclasses import replace
from random import Random

import pytest
from flow_world import World, pay, person

from connector.domain.batch import BatchState
from connector.domain.messages import CreditTransfer, TransactionStatus
from connector.domain.status import Outcome
from connector.flows import inbound, status
from connector.flows.steps import STEPS
from connector.store import Entry

STEPS_OF_ONE_BATCH = 400


async def once(world: World, dice: Random, seen: list[Entry]) -> None:
    """Run some due entry, or one from before again; sometimes cut it short, as a crash would."""
    entries = await world.take()
    seen += entries
    for entry in entries:
        await fallible(world, entry, dice)
    if seen and dice.random() < 0.5:
        await fallible(world, replace(dice.choice(seen), deliveries=2), dice)


async def fallible(world: World, entry: Entry, dice: Random) -> None:
    work = asyncio.create_task(STEPS[entry.task.step].run(world.services, entry))
    _, pending = await asyncio.wait({work}, timeout=dice.choice([0.0, 0.001, 0.003, 1.0]))
    if pending:
        work.cancel()
        await asyncio.wait({work})
        await STEPS[entry.task.step].run(world.services, replace(entry, deliveries=2))


async def push(world: World, message: CreditTransfer, dice: Random) -> None:
    """Any report on any part, again and again."""
    some = dice.sample(range(len(message.transfers)), dice.randint(1, len(message.transfers)))
    said = [
        TransactionStatus(message.transfers[i].instruction_id, message.transfers[i].end_to_end_id, "", code)
        for i in some
        for code in [dice.choice(["ACSP", "ACTC", "ACSC", "RJCT", "PDNG"])]
    ]
    await inbound.message(world.services, "TREAXU22", world.fsp.report(message, transactions=said))


@pytest.mark.parametrize("seed", range(4))
async def test_any_mixture_of_crashes_repeats_and_reports_ends_well(world: World, clock, seed: int) -> None:
    dice, seen = Random(seed), list[Entry]()
    await world.onboard(*(person(number) for number in range(22)))
    batch = await world.submit(*(pay(number) for number in range(25)), callback=world.callback)
    for turn in range(STEPS_OF_ONE_BATCH):
        world.fsp.mode = dice.choice(["accept", "lose", "down", "accept"]) if turn < 60 else "report"
        await once(world, dice, seen)
        if turn < 60 and world.fsp.messages and dice.random() < 0.3:
            await push(world, dice.choice(world.fsp.messages), dice)
        clock.pass_seconds(dice.choice([0, 1, 40]) if turn < 60 else 61)
        if turn > 60 and (await status.summary(world.services, batch.ref)).progress.state is BatchState.COMPLETED:
            break
    await settled(world, clock)
    whole = await status.summary(world.services, batch.ref)
    totals = whole.progress.totals["USD"]
    records = await status.details(world.services, batch.ref, page=0, size=99)
    assert whole.progress.state is BatchState.COMPLETED
    assert totals[Outcome.COMPLETED].payments + totals[Outcome.FAILED].payments == len(records) == 25
    assert totals[Outcome.COMPLETED].payments == sum(record.outcome == "completed" for record in records)
    balance = (await world.services.store.funds.balances("PENSIONS"))["USD"]
    assert (balance.spent, balance.reserved) == (totals[Outcome.COMPLETED].minor, 0)
    final = {body["callback_id"]: (body["completed"], body["failed"]) for body in world.fsp.callbacks}
    assert final == {f"{batch.ref}-final-USD": (totals[Outcome.COMPLETED].payments, totals[Outcome.FAILED].payments)}
    assert len({message.message_id for message in world.fsp.messages}) == 3


async def settled(world: World, clock) -> None:
    for _ in range(5):
        clock.pass_seconds(3600)
        await world.carry()

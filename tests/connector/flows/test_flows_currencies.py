"""Several currencies in one batch, of none to three decimals, from the instruction to the callback."""

from datetime import UTC, date, datetime

import pytest
from flow_world import World, pay, person

from connector.domain.batch import BatchState
from connector.domain.directory import Programme
from connector.domain.errors import Refused
from connector.domain.messages import CreditTransfer, PaymentReturn, ReturnedTransfer
from connector.flows import inbound, status

BUDGET = {"USD": 1_000_000, "JPY": 1_000_000, "KWD": 1_000_000}


async def funded(world: World) -> None:
    directory = await world.services.store.directory.load()
    pensions: Programme = directory.programmes["PENSIONS"]
    object.__setattr__(pensions, "budgets", BUDGET)
    await world.services.store.directory.save_programme(pensions)


async def test_amounts_survive_the_way_there_and_back(world: World) -> None:
    await funded(world)
    await world.onboard(*(person(number) for number in range(6)))
    amounts = {"USD": 1234, "JPY": 1234, "KWD": 1234}
    world.fsp.mode = "accept"
    batch = await world.submit(
        *(pay(number, minor, currency) for number, (currency, minor) in enumerate(amounts.items())),
        pay(3, 7, "KWD"),
        pay(9, 5, "JPY"),
        callback=world.callback,
    )
    await world.carry()
    totals = {message.currency: message for message in world.fsp.messages}
    assert {currency: message.total_minor for currency, message in totals.items()} == {
        "USD": 1234,
        "JPY": 1234,
        "KWD": 1241,
    }
    sums = {"USD": "12.34", "JPY": "1234", "KWD": "1.241"}
    for currency, message in totals.items():
        counts = {"original_count": len(message.transfers), "original_total": sums[currency]}
        with pytest.raises(Refused):
            await inbound.message(
                world.services, "TREAXU22", world.fsp.report(message, **{**counts, "original_total": "1.23"})
            )
        await inbound.message(world.services, "TREAXU22", world.fsp.report(message, **counts))
    await world.carry()
    assert (await status.summary(world.services, batch.ref)).progress.state is BatchState.COMPLETED
    told = {body["currency"]: (body["completed_amount"], body["failed_amount"]) for body in world.fsp.callbacks}
    assert told == {"USD": (12.34, 0), "JPY": (1234, 5), "KWD": (1.241, 0)}
    balances = await world.services.store.funds.balances("PENSIONS")
    assert {currency: (balance.spent, balance.reserved) for currency, balance in balances.items()} == {
        "USD": (1234, 0),
        "JPY": (1234, 0),
        "KWD": (1241, 0),
    }


async def test_one_currency_short_reserves_none(world: World) -> None:
    await funded(world)
    batch = await world.submit(pay(1, 100, "USD"), pay(2, 2_000_000, "KWD"), pay(3, 100, "JPY"))
    await world.carry()
    assert (await status.summary(world.services, batch.ref)).progress.state is BatchState.REFUSED
    balances = await world.services.store.funds.balances("PENSIONS")
    assert all((balance.reserved, balance.available) == (0, 1_000_000) for balance in balances.values())


async def test_a_batch_that_leads_nowhere_is_finished_and_told(world: World) -> None:
    await funded(world)
    batch = await world.submit(pay(1), pay(2, 5, "JPY"), callback=world.callback)
    await world.carry()
    assert (await status.summary(world.services, batch.ref)).progress.state is BatchState.COMPLETED
    assert [(body["failed"], body["ongoing"]) for body in world.fsp.callbacks] == [(1, 0)] * 2
    balances = await world.services.store.funds.balances("PENSIONS")
    assert all(balance.reserved == 0 for balance in balances.values())


async def test_a_chunk_whose_sum_has_too_many_digits_is_cut(world: World) -> None:
    directory = await world.services.store.directory.load()
    pensions = directory.programmes["PENSIONS"]
    object.__setattr__(pensions, "budgets", {"USD": 2**62})
    await world.services.store.directory.save_programme(pensions)
    await world.onboard(*(person(number) for number in range(4)))
    batch = await world.submit(*(pay(number, 9 * 10**17 + 1) for number in range(4)))
    await world.carry()
    records = await status.details(world.services, batch.ref, page=0, size=9)
    assert [record.status for record in records] == ["ACSC"] * 4


async def test_a_returned_yen_goes_back_to_the_budget(world: World) -> None:
    await funded(world)
    await world.onboard(person(1))
    batch = await world.submit(pay(1, 1234, "JPY"))
    await world.carry()
    message = world.fsp.messages[0]
    assert isinstance(message, CreditTransfer)
    item = returned(message)
    await inbound.message(world.services, "TREAXU22", world.fsp.engine.write("generic", "pacs.004.001.09", item))
    await world.carry()
    assert [record.status for record in await status.details(world.services, batch.ref, page=0, size=9)] == ["RTND"]
    balance = (await world.services.store.funds.balances("PENSIONS"))["JPY"]
    assert (balance.spent, balance.reserved, balance.available) == (0, 0, 1_000_000)


def returned(message: CreditTransfer) -> PaymentReturn:
    transfer, now = message.transfers[0], datetime.now(UTC).replace(microsecond=0)
    item = ReturnedTransfer("RT1", transfer.instruction_id, transfer.end_to_end_id, "", 1234, "AC04", "")
    facts = ("JPY", 1234, message.message_id, "pain.001.001.09", date(2027, 1, 1), [item], "UNIOXU22", "TREAXU22")
    return PaymentReturn("RETURN1", now, *facts)

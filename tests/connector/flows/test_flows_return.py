"""Returns, end to end: money that was settled and comes back, in every version, in parts, twice, and wrongly."""

from datetime import UTC, date, datetime

import pytest
from flow_world import World, pay, person

from connector.domain.batch import Batch
from connector.domain.errors import Refused
from connector.domain.messages import CreditTransfer, PaymentReturn, ReturnedTransfer
from connector.flows import inbound, status

pytestmark = pytest.mark.archiving

VERSIONS = ("pacs.004.001.09", "pacs.004.001.11")


async def settled(world: World, programme: str = "PENSIONS") -> Batch:
    await world.onboard(*(person(number) for number in range(3)))
    batch = await world.submit(*(pay(number) for number in range(3)), programme=programme, callback=world.callback)
    await world.carry()
    return batch


def sent(world: World) -> CreditTransfer:
    message = world.fsp.messages[0]
    assert isinstance(message, CreditTransfer)
    return message


async def push(
    world: World,
    *items: ReturnedTransfer,
    version: str = VERSIONS[0],
    institution: str = "TREAXU22",
    original: str = "",
    currency: str = "USD",
) -> str:
    value = PaymentReturn(
        f"RETURN{len(items)}",
        datetime.now(UTC).replace(microsecond=0),
        currency,
        sum(item.amount_minor for item in items),
        original or sent(world).message_id,
        "pain.001.001.09",
        date(2027, 1, 1),
        items,
        "UNIOXU22",
        "TREAXU22",
    )
    body = world.fsp.engine.write("generic", version, value)
    return (await inbound.message(world.services, institution, body)).status


def item(world: World, index: int, minor: int = 1000, reason: str = "AC04") -> ReturnedTransfer:
    transfer = sent(world).transfers[index]
    name = transfer.transaction_id
    return ReturnedTransfer(f"RT{index}", transfer.instruction_id, transfer.end_to_end_id, name, minor, reason)


async def statuses(world: World, batch: Batch) -> list[tuple[str, str]]:
    records = await status.details(world.services, batch.ref, page=0, size=9)
    return [(record.status, record.reason) for record in records]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("repeat", [False, True])
@pytest.mark.parametrize(("programme", "institution"), [("PENSIONS", "TREAXU22"), ("RELIEF", "NSWIXU22")])
async def test_a_return_gives_the_money_back_and_is_told(
    world: World, version: str, repeat: bool, programme: str, institution: str
) -> None:
    batch = await settled(world, programme)
    for _ in range(2):
        await push(world, item(world, 1), version=version, institution=institution)
    await world.carry(repeat=repeat)
    assert await statuses(world, batch) == [("ACSC", ""), ("RTND", "AC04"), ("ACSC", "")]
    balance = (await world.services.store.funds.balances(programme))["USD"]
    assert (balance.spent, balance.reserved, balance.available) == (2000, 0, 998_000)
    told = {body["callback_id"]: (body["completed"], body["failed"]) for body in world.fsp.callbacks}
    assert list(told.values()) == [(3, 0), (2, 1)]


async def test_the_parts_of_a_message_come_back_one_after_the_other(world: World) -> None:
    batch = await settled(world)
    assert await push(world, item(world, 0), item(world, 2)) == "processed"
    assert await push(world, item(world, 0)) == "repeated"
    assert await push(world, item(world, 0), item(world, 1, reason="MD07")) == "processed"
    await world.carry(repeat=True)
    assert await statuses(world, batch) == [("RTND", "AC04"), ("RTND", "MD07"), ("RTND", "AC04")]
    balance = (await world.services.store.funds.balances("PENSIONS"))["USD"]
    assert (balance.spent, balance.available) == (0, 1_000_000)


async def test_a_return_with_anything_wrong_in_it_changes_nothing(world: World) -> None:
    batch = await settled(world)
    stranger = ReturnedTransfer("RT9", "NOBODY", "NOBODY", "", 1000, "AC04")
    wrong = [
        ({}, (item(world, 0), stranger), "unknown_transaction"),
        ({}, (item(world, 0), item(world, 1, 999)), "AM09"),
        ({"currency": "EUR"}, (item(world, 0),), "AM09"),
        ({"original": "THEIRS"}, (item(world, 0),), "unknown_message"),
        ({"institution": "UNIOXU22"}, (item(world, 0),), "foreign_chunk"),
    ]
    for fields, items, code in wrong:
        with pytest.raises(Refused) as refused:
            await push(world, *items, **fields)
        assert refused.value.faults[0].code == code
    assert {code for code, _ in await statuses(world, batch)} == {"ACSC"}


async def test_a_rejected_payment_cannot_come_back(world: World) -> None:
    world.fsp.reject = {pay(1).instruction_id: "AC01"}
    batch = await settled(world)
    assert await push(world, item(world, 1)) == "repeated"
    assert (await statuses(world, batch))[1] == ("RJCT", "AC01")

"""Payments by voucher: a bulk payment whose payees are given vouchers, and what becomes of its money."""

from dataclasses import replace

import pytest
from flow_world import World, pay, person
from issue_world import DAY, with_groups

from connector.domain.batch import Batch, BatchKind, BatchState
from connector.domain.beneficiary import Beneficiary, PaymentModality
from connector.domain.chunk import Dispatch
from connector.domain.errors import NotPermitted, Unavailable
from connector.domain.instruction import Reason
from connector.domain.voucher import Command, VoucherState
from connector.flows import control, prevalidation, recall_order, status
from connector.flows.vouchers import bulk, queries
from connector.flows.vouchers.caller import Caller
from connector.flows.vouchers.lifecycle import change
from connector.flows.vouchers.secrecy import correspondent, opened_number
from connector.store.vouchers import Vouchers

ADMIN = Caller("admin", "operator")


def without_account(number: int) -> Beneficiary:
    return person(number)._replace(modality=PaymentModality.VOUCHER, address="")


@pytest.fixture
async def giving(world: World) -> World:
    """PENSIONS gives vouchers of the group FOOD, and its ministry has exchanged a key."""
    await with_groups(world)
    store = world.services.store.directory
    directory = await store.load()
    await store.save_programme(replace(directory.programmes["PENSIONS"], voucher_group="FOOD"))
    await store.save_source(replace(directory.sources["MINISTRY"], voucher_key="QUJD" * 21 + "QQ=="))
    await world.onboard(person(1), without_account(2), without_account(3))
    return world


async def statuses(world: World, batch: Batch) -> dict[str, tuple[str, str]]:
    records = await status.details(world.services, batch.ref, page=0, size=100)
    return {record.instruction_id[-1]: (record.status, record.reason) for record in records}


async def money(world: World) -> tuple[int, int]:
    """What is reserved, and spent."""
    balance = (await world.services.store.funds.balances("PENSIONS"))["USD"]
    return balance.reserved, balance.spent


async def serials(world: World) -> list[int]:
    blocks = await world.services.store.vouchers.blocks()
    everything = [serial for block in blocks for serial in range(block * 1000, block * 1000 + 20)]
    found = await world.services.store.vouchers.read(everything)
    return [one.serial for one in found if one is not None]


async def test_payees_without_account_are_given_vouchers(giving: World) -> None:
    batch = await giving.submit(pay(1), pay(2), pay(3, 2000), callback=giving.callback)
    await giving.carry(repeat=True)
    assert (await status.summary(giving.services, batch.ref)).progress.state is BatchState.COMPLETED
    assert {code for code, _ in (await statuses(giving, batch)).values()} == {"ACSC"}
    assert await money(giving) == (0, 4000)
    [details] = [body for body in giving.fsp.callbacks if "voucherInstructions" in body]
    assert details["batchID"] == batch.batch_id
    reader = correspondent(await giving.services.store.directory.load(), "MINISTRY")
    for told, amount in zip(details["voucherInstructions"], (1000, 2000), strict=True):
        number = opened_number(reader, int(told["serialNumber"]), told["voucherNumber"])
        voucher = await queries.by_number(giving.services, number)
        assert (voucher.state, voucher.amount_minor, voucher.programme) == (
            VoucherState.ACTIVATED,
            amount,
            "PENSIONS",
        )
        assert voucher.instruction_id == told["instructionID"]
    assert len(giving.fsp.messages) == 1  # to the one with an account


async def test_a_programme_without_vouchers_rejects_them(world: World) -> None:
    await world.onboard(person(1), without_account(2))
    batch = await world.submit(pay(1), pay(2))
    await world.carry()
    assert await statuses(world, batch) == {"1": ("ACSC", ""), "2": ("RJCT", "AG03")}


async def test_what_the_group_does_not_issue_is_rejected_with_its_reason(giving: World) -> None:
    await with_groups(giving, amount_minor=1000)
    batch = await giving.submit(pay(2), pay(3, 2000))
    await giving.carry()
    assert await statuses(giving, batch) == {"2": ("ACSC", ""), "3": ("RJCT", "AM12")}
    assert await money(giving) == (0, 1000)
    await with_groups(giving, limit=1)
    again = await giving.submit(pay(2), batch_id="BATCH0000002", request_id="REQ000000002", digest="e" * 64)
    await giving.carry()
    assert await statuses(giving, again) == {"2": ("RJCT", "NARR")}
    assert await money(giving) == (0, 1000)


@pytest.mark.parametrize("stage", ["create", "claim_numbers"])
async def test_a_crash_while_issuing_makes_no_voucher_twice(giving: World, monkeypatch, stage: str) -> None:
    batch = await giving.submit(pay(2), pay(3))
    real, crashes = getattr(Vouchers, stage), [Unavailable("store", "gone")]

    async def crash(*args, **named):
        answer = await real(*args, **named)
        if crashes:
            raise crashes.pop()
        return answer

    monkeypatch.setattr(Vouchers, stage, crash)
    with pytest.raises(Unavailable):
        await giving.carry()
    chunk = (await giving.services.store.batches.chunk_numbers(batch.ref))[0]
    assert (await giving.services.store.batches.chunk_status(batch.ref, chunk)).dispatch is Dispatch.SENDING
    for entry in await giving.services.store.queue.take_over("other", 0.0, 10, ("issue-vouchers",)):
        await bulk.run(giving.services, entry)
    await giving.carry()
    assert {code for code, _ in (await statuses(giving, batch)).values()} == {"ACSC"}
    assert len(await serials(giving)) == 2
    assert await money(giving) == (0, 2000)


async def test_a_voucher_that_ends_unused_returns_its_payment(giving: World, clock) -> None:
    batch = await giving.submit(pay(2), pay(3), callback=giving.callback)
    await giving.carry()
    first, second = await serials(giving)
    await change(giving.services, ADMIN, Command.CANCEL, [first])
    await giving.carry(repeat=True)
    assert await statuses(giving, batch) == {"2": ("RTND", "CUST"), "3": ("ACSC", "")}
    assert await money(giving) == (0, 1000)
    clock.pass_seconds(10 * DAY)
    await change(giving.services, ADMIN, Command.EXPIRE, [second])
    await giving.carry(repeat=True)
    assert await statuses(giving, batch) == {"2": ("RTND", "CUST"), "3": ("RTND", "NARR")}
    assert await money(giving) == (0, 0)
    assert giving.fsp.callbacks[-1]["failed"] == 2


async def test_a_prevalidation_says_whether_vouchers_can_be_given(giving: World) -> None:
    await with_groups(giving, amount_minor=1000)
    batch = await giving.submit(pay(1), pay(2), pay(3, 2000), kind=BatchKind.PREVALIDATION)
    await prevalidation.remember(giving.services, batch)
    await giving.carry(repeat=True)
    result = await prevalidation.result(giving.services, "MINISTRY", batch.request_id, batch.batch_id)
    assert result is not None
    assert result.finished
    assert [name[-1] for name, _ in result.failed] == ["3"]
    assert await serials(giving) == []


async def test_vouchers_are_neither_recalled_nor_cancelled_with_their_batch(giving: World) -> None:
    batch = await giving.submit(pay(2))
    await giving.carry()
    with pytest.raises(NotPermitted):
        await control.cancel(giving.services, batch.ref, "operator", "test")
    asked = await recall_order.ask(
        giving.services, batch.ref, recall_order.Order(Reason("CUST", "Mistake")), "operator", "test"
    )
    assert (asked.asked, asked.left) == (0, 1)
    await giving.carry()
    assert giving.fsp.recalls == []


async def test_without_an_exchanged_key_the_details_stay_here_and_the_log_says_so(giving: World) -> None:
    directory = await giving.services.store.directory.load()
    await giving.services.store.directory.save_source(replace(directory.sources["MINISTRY"], voucher_key=""))
    batch = await giving.submit(pay(2), callback=giving.callback)
    await giving.carry()
    assert (await statuses(giving, batch))["2"] == ("ACSC", "")
    assert not any("voucherInstructions" in body for body in giving.fsp.callbacks)
    assert "voucher details not sent" in [event.action for event in await status.events(giving.services, batch.ref)]

"""Demo data go through the engine: every state is reached, the money fits, and a second loading changes nothing."""

import json

import pytest

from connector.demo import DemoData, default, load, read
from connector.demo.format import DemoState
from connector.domain.errors import Misconfigured, Refused
from connector.domain.voucher import Command, VoucherState
from connector.sandbox import furnish, sandbox_directory
from connector.store import Store

LONG = "12345678901234567"


def directory():
    return sandbox_directory("http://localhost:1")


@pytest.fixture
async def furnished(store: Store, clock) -> Store:
    await furnish(store, clock, directory(), default())
    return store


async def test_every_voucher_is_in_the_state_that_the_data_say(furnished: Store):
    said = default().vouchers
    there = await furnished.vouchers.read([voucher.serial for voucher in said])
    assert [voucher and voucher.state.value for voucher in there] == [voucher.state.value for voucher in said]
    assert {voucher.state for voucher in said} == set(DemoState)


async def test_vouchers_are_found_by_the_numbers_that_the_data_say(furnished: Store):
    for said in default().vouchers:
        expected = None if said.state is DemoState.PURGED else said.serial
        assert await furnished.vouchers.serial_of(said.number) == expected


async def test_stock_and_balances_fit_the_states(furnished: Store):
    stock = await furnished.vouchers.stock("FOOD")
    assert {state.value: (tally.payments, tally.minor) for (state, _), tally in stock.items() if tally.payments} == {
        state.value: (2, 5000) for state in DemoState
    }
    partly = next(voucher for voucher in default().vouchers if voucher.redeemed)
    [found] = await furnished.vouchers.read([partly.serial])
    assert (found.balance_minor, found.redemptions) == (6000, 1)


async def test_everything_is_reserved_in_the_budget(furnished: Store):
    funds = await furnished.funds.balances("FOODAID")
    assert funds["USD"].reserved + funds["USD"].spent == sum(
        2500 for voucher in default().vouchers if voucher.group == "FOOD"
    )


async def test_loading_again_changes_nothing_not_even_what_was_done_since(furnished: Store, clock):
    serial = 6003
    await furnished.vouchers.move(Command.SUSPEND, [serial], actor="test", now=clock())
    before = await furnished.vouchers.stock("Payment Voucher"), await furnished.funds.balances("VOUCHERS")
    assert await furnish(furnished, clock, directory(), default()) is None
    loaded = await load(furnished, clock, default())
    assert loaded.created == 0
    assert (await furnished.vouchers.read([serial]))[0].state is VoucherState.SUSPENDED
    assert before == (await furnished.vouchers.stock("Payment Voucher"), await furnished.funds.balances("VOUCHERS"))


async def test_an_interrupted_loading_is_finished_by_the_next(store: Store, clock, monkeypatch):
    async def broken(*_, **__):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(store.vouchers, "move", broken)
        with pytest.raises(ConnectionError):
            await furnish(store, clock, directory(), default())
    await furnish(store, clock, directory(), default())
    there = await store.vouchers.read([voucher.serial for voucher in default().vouchers])
    assert [voucher.state.value for voucher in there] == [voucher.state.value for voucher in default().vouchers]


async def test_beneficiaries_and_merchants_are_there(furnished: Store):
    said = default().beneficiaries[0]
    [found] = await furnished.mapper.resolve(said.source, [said.functional_id])
    assert found.address == said.address
    there = await furnished.directory.load()
    assert there.merchants["NOACCOUNT1"].address == ""
    assert there.merchants["NOFUNDING1"].programme == "EMPTY"
    assert await furnished.funds.balances("EMPTY") == {}


async def test_a_serial_number_from_the_data_is_never_given_out(furnished: Store, clock):
    near = DemoData.model_validate(
        {"vouchers": [{"serial": 10**15 + 1500, "number": "1234", "group": "string", "amount": "1"}]}
    )
    await load(furnished, clock, near)
    assert await furnished.vouchers.next_serials(1) == 10**15 + 1501


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"groups": [{"code": "G", "programme": "NOBODY"}]}, "/groups/0/programme"),
        ({"vouchers": [{"serial": 1, "number": "1", "group": "NONE", "amount": "1"}]}, "/vouchers/0/group"),
        (
            {"vouchers": [{"serial": 1, "number": "9", "group": "string", "amount": "1"}] * 2},
            "/vouchers/0/serial",
        ),
        ({"vouchers": [{"serial": 77, "number": "6003", "group": "string", "amount": "1"}]}, "/vouchers/0/number"),
    ],
)
async def test_what_does_not_fit_is_refused_with_its_place(furnished: Store, clock, data, where):
    with pytest.raises(Refused) as caught:
        await load(furnished, clock, DemoData.model_validate(data))
    assert caught.value.faults[0].where == where


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (
            {"vouchers": [{"serial": 1, "number": "12345678901234567", "group": "G", "amount": "1"}]},
            "/vouchers/0/number",
        ),
        ({"vouchers": [{"serial": 1, "number": "1", "group": "G", "amount": 15.21}]}, "/vouchers/0/amount"),
        ({"voucher": []}, "/voucher"),
    ],
)
def test_a_malformed_file_is_refused_without_showing_what_is_in_it(tmp_path, data, path):
    file = tmp_path / "demo.json"
    file.write_text(json.dumps(data))
    with pytest.raises(Misconfigured) as caught:
        read(file)
    assert caught.value.path == path
    assert LONG not in str(caught.value)

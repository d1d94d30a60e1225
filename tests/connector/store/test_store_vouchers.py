"""Vouchers in the store: numbers, creation, commands, stock."""

from collections import Counter

import pytest
from voucher_samples import DAY, LOT, NOW, made, number

from connector.domain.chunk import Tally
from connector.domain.errors import Conflict, NotFound, NotPermitted, Refused
from connector.domain.voucher import (
    Command,
    Moved,
    NewVoucher,
    VoucherFault,
    VoucherState,
    block_of,
)
from connector.store import Keyring, Store, Task

pytestmark = pytest.mark.cluster

V = VoucherState


async def states(store: Store, serials: list[int]) -> list[VoucherState]:
    return [found.state for found in await store.vouchers.read(serials)]


async def test_serial_numbers_grow_by_one_and_pass_over_chosen_ones(store: Store) -> None:
    vouchers = store.vouchers
    assert await vouchers.next_serials(3) == 10**15
    await vouchers.skip_serials(10**15 + 1)
    assert await vouchers.next_serials(1) == 10**15 + 3
    await vouchers.skip_serials(10**15 + 2999)
    assert await vouchers.next_serials(1) == 10**15 + 3000
    assert list(await vouchers.blocks()) == list(range(10**12, 10**12 + 4))


async def test_a_number_belongs_to_one_serial(store: Store) -> None:
    claim = store.vouchers.claim_numbers
    assert await claim([("1" * 16, 1), ("2" * 16, 2), ("1" * 16, 3), ("2" * 16, 2)]) == [2]
    assert await claim([("1" * 16, 1), ("2" * 16, 1), ("3" * 16, 3)]) == [1]
    assert await store.vouchers.serial_of("3" * 16) == 3
    await store.vouchers.release_numbers([("3" * 16, 2), ("1" * 16, 1)])
    assert await store.vouchers.serial_of("3" * 16) == 3
    assert await store.vouchers.serial_of("1" * 16) is None


async def test_vouchers_of_several_blocks_are_read_as_they_were_made(store: Store) -> None:
    serials = await made(store, [500] * 1001, state=V.PRE_ACTIVATED)
    assert await store.vouchers.created(LOT.id, serials[0], 1001)
    assert not await store.vouchers.created(LOT.id, serials[0], 3000)
    first, last, unknown = await store.vouchers.read([serials[0], serials[-1], 5 * 10**15])
    assert unknown is None
    assert (last.serial, last.group, last.currency, last.amount_minor) == (serials[-1], "FOOD", "USD", 500)
    assert (first.instruction_id, first.payee_functional_id, first.narration) == (f"I{serials[0]}", "P1", "Food")
    assert (first.state, first.balance_minor, first.expires_at) == (V.PRE_ACTIVATED, 500, 0.0)
    assert await store.vouchers.numbers([serials[1000], serials[3]]) == [number(serials[1000]), number(serials[3])]
    assert await store.vouchers.stock("FOOD") == {(V.PRE_ACTIVATED, "USD"): Tally(1001, 500_500)}
    with pytest.raises(NotFound):
        await store.vouchers.numbers([5 * 10**15])


async def test_nothing_readable_of_a_number_is_stored(store: Store) -> None:
    serials = await made(store, [500])
    for key in await store.link.ask("KEYS", "*"):
        dump = await store.link.ask("DUMP", key)
        assert number(serials[0]).encode() not in key + dump


async def test_creation_is_repeatable_and_never_overwrites(store: Store) -> None:
    serials = await made(store, [500, 700])
    await store.vouchers.move(Command.CANCEL, serials, actor="a", now=NOW)
    again = [NewVoucher(serial, number(serial), 500) for serial in serials]
    await store.vouchers.create(LOT, again, actor="a")
    assert await states(store, serials) == [V.CANCELLED] * 2
    other = LOT.__class__(**{name: getattr(LOT, name) for name in LOT.__slots__} | {"id": "X" * 20})
    with pytest.raises(Conflict):
        await store.vouchers.create(other, again, actor="a")
    for amount in (0, 10**15 + 1):
        with pytest.raises(Refused):
            await store.vouchers.create(other, [NewVoucher(7, "7", amount)], actor="a")


async def test_what_follows_a_creation_is_appended_once(store: Store) -> None:
    first = await store.vouchers.next_serials(1500)
    vouchers = [NewVoucher(first + n, str(n), 100) for n in range(1500)]
    then = [Task("voucher-notice", str(block_of(first + 1499)))]
    for _ in range(2):
        await store.vouchers.create(LOT, vouchers, actor="a", then=then)
    assert (await store.queue.depth())["voucher-notice"] == 1


async def test_demo_vouchers_begin_in_any_state_with_their_account(store: Store) -> None:
    [used] = await made(store, [500], id="A" * 20, state=V.REDEEMED)
    [over] = await made(store, [500], id="B" * 20, state=V.EXPIRED)
    [part] = await made(store, [500], id="C" * 20, balances=[200])
    [held] = await made(store, [500], id="D" * 20, state=V.SUSPENDED)
    accounts = [await store.vouchers.lot_account(lot * 20, block_of(used)) for lot in "ABCD"]
    assert [(account.spent, account.released) for account in accounts] == [(500, 0), (0, 500), (300, 0), (0, 0)]
    assert [found.balance_minor for found in await store.vouchers.read([used, over, part, held])] == [0, 0, 200, 500]
    [back] = await store.vouchers.move(Command.REACTIVATE, [held], actor="a", now=NOW)
    assert back.state is V.PRE_ACTIVATED


async def test_commands_answer_for_each_voucher(store: Store) -> None:
    move = store.vouchers.move
    one, two, three = await made(store, [500, 600, 700], state=V.PRE_ACTIVATED)
    await move(Command.CANCEL, [two], actor="a", now=NOW)
    answers = await move(Command.ACTIVATE, [three, 5, two, one, one], actor="a", now=NOW)
    assert answers == [
        Moved(three, V.ACTIVATED),
        Moved(5, None, VoucherFault.UNKNOWN_SERIAL),
        Moved(two, V.CANCELLED, VoucherFault.STATE),
        Moved(one, V.ACTIVATED),
        Moved(one, V.ACTIVATED, None, repeated=True),
    ]
    assert [found.expires_at for found in await store.vouchers.read([one, two])] == [NOW + DAY, 0.0]
    assert await move(Command.CANCEL, [two], actor="a", now=NOW) == [Moved(two, V.CANCELLED, VoucherFault.STATE)]
    only = frozenset({V.PRE_ACTIVATED})
    assert (await move(Command.CANCEL, [one], actor="a", now=NOW, only=only))[0].fault is VoucherFault.STATE
    with pytest.raises(NotPermitted):
        await move(Command.PURGE, [one], actor="a", now=NOW)


async def test_suspension_and_block_remember_what_was_before(store: Store) -> None:
    [serial] = await made(store, [500])
    trail = [Command.SUSPEND, Command.BLOCK, Command.UNBLOCK, Command.REACTIVATE]
    moved = [(await store.vouchers.move(command, [serial], actor="a", now=NOW))[0].state for command in trail]
    assert moved == [V.SUSPENDED, V.BLOCKED, V.SUSPENDED, V.ACTIVATED]
    assert [event.action for event in await store.vouchers.history(serial)] == ["create", *map(str, trail)]


async def test_wrong_numbers_block_at_the_limit(store: Store) -> None:
    [serial] = await made(store, [500])
    tries = [await store.vouchers.wrong_number(serial, 3, actor="a", now=NOW) for _ in range(4)]
    assert [moved.state for moved in tries] == [V.ACTIVATED, V.ACTIVATED, V.BLOCKED, V.BLOCKED]
    [found] = await store.vouchers.read([serial])
    assert (found.wrong_tries, found.before) == (3, V.ACTIVATED)
    await store.vouchers.move(Command.UNBLOCK, [serial], actor="a", now=NOW)
    assert (await store.vouchers.read([serial]))[0].wrong_tries == 0
    assert (await store.vouchers.wrong_number(7, 3, actor="a", now=NOW)).fault is VoucherFault.UNKNOWN_SERIAL


async def test_time_passes_by_sweep_and_on_touch(store: Store, clock) -> None:
    one, two, three = await made(store, [500, 600, 700])
    await store.vouchers.move(Command.SUSPEND, [three], actor="a", now=NOW)
    assert await store.vouchers.due(NOW + DAY - 1, 10) == []
    early = await store.vouchers.move(Command.EXPIRE, [one], actor="a", now=NOW)
    assert early == [Moved(one, V.ACTIVATED, VoucherFault.STATE)]
    clock.now = NOW + DAY
    assert await states(store, [one, three]) == [V.EXPIRED, V.EXPIRED]
    [touched] = await store.vouchers.move(Command.CANCEL, [one], actor="a", now=clock.now)
    assert touched == Moved(one, V.EXPIRED, VoucherFault.EXPIRED)
    assert sorted(await store.vouchers.due(clock.now, 10)) == [two, three]
    swept = await store.vouchers.move(Command.EXPIRE, [two, three, one], actor="sweep", now=clock.now)
    assert [(moved.fault, moved.repeated) for moved in swept] == [(None, False), (None, False), (None, True)]
    assert await store.vouchers.due(clock.now, 10) == []
    assert (await store.vouchers.lot_account(LOT.id, block_of(one))).released == 1800


async def test_stock_is_taken_from_any_partition_until_it_is_empty(store: Store) -> None:
    serials = await made(store, [500] * 1002, state=V.IN_STOCK)
    await made(store, [900], id="O" * 20, state=V.IN_STOCK)
    await store.vouchers.move(Command.CANCEL, serials[5:], actor="a", now=NOW)
    taken = [await store.vouchers.take_stock("FOOD", "USD", 500, actor="a", now=NOW) for _ in range(6)]
    assert sorted(filter(None, taken)) == serials[:5]
    assert taken[5] is None
    assert {state: tally.payments for (state, _), tally in (await store.vouchers.stock("FOOD")).items()} == {
        V.PRE_ACTIVATED: 5,
        V.CANCELLED: 997,
        V.IN_STOCK: 1,
    }


async def test_a_lot_asks_to_be_settled_once_until_its_account_is_read(store: Store) -> None:
    serials = await made(store, [500] * 4)
    await store.vouchers.move(Command.CANCEL, serials[:2], actor="a", now=NOW)
    await store.vouchers.move(Command.CANCEL, serials[2:3], actor="a", now=NOW)
    assert (await store.queue.depth())["voucher-funds"] == 1
    account = await store.vouchers.lot_account(LOT.id, block_of(serials[0]))
    assert (account.lot, account.version, account.spent, account.released) == (LOT, 2, 0, 1500)
    assert (account.first, account.last) == (serials[0], serials[3])
    await store.vouchers.move(Command.CANCEL, serials[3:], actor="a", now=NOW)
    assert (await store.queue.depth())["voucher-funds"] == 2
    with pytest.raises(NotFound):
        await store.vouchers.lot_account("N" * 20, block_of(serials[0]))


async def test_sums_beyond_what_lua_counts_exactly_are_exact(store: Store) -> None:
    serials = await made(store, [10**15 - 1] * 30)
    await store.vouchers.move(Command.CANCEL, serials, actor="a", now=NOW)
    assert (await store.vouchers.lot_account(LOT.id, block_of(serials[0]))).released == 30 * (10**15 - 1)
    assert await store.vouchers.stock("FOOD") == {(V.CANCELLED, "USD"): Tally(30, 30 * (10**15 - 1))}


async def test_purge_gives_the_archive_everything_but_the_number(store: Store) -> None:
    serials = await made(store, [500] * 3)
    await store.vouchers.move(Command.CANCEL, serials[:2], actor="a", now=NOW)
    assert await store.vouchers.purgeable(block_of(serials[0]), NOW) == []
    assert await store.vouchers.purgeable(block_of(serials[0]), NOW + 1) == serials[:2]
    assert len(await store.vouchers.to_archive(serials)) == 2
    purged = await store.vouchers.purge(serials, actor="a", now=NOW + 1)
    assert [archived.voucher.state for archived in purged] == [V.CANCELLED] * 2
    assert Counter(event.action for event in purged[0].history) == {"create": 1, "cancel": 1}
    assert "number" not in repr(purged).replace(number(serials[0]), "number")
    assert await store.vouchers.purge(serials, actor="a", now=NOW + 1) == []
    assert await states(store, serials) == [V.PURGED, V.PURGED, V.ACTIVATED]
    assert await store.vouchers.serial_of(number(serials[0])) is None
    assert await store.vouchers.purgeable(block_of(serials[0]), NOW + 2) == []


async def test_an_interrupted_purge_is_finished_by_the_next(store: Store) -> None:
    [serial] = await made(store, [500])
    await store.vouchers.move(Command.CANCEL, [serial], actor="a", now=NOW)
    key = store.keyspace.vouchers(block_of(serial))
    record = await store.link.ask("HGET", f"{key}:state", serial)
    await store.link.call("voucher_purge", [key], repr(NOW), "a", serial, record)
    assert await store.vouchers.purgeable(block_of(serial), NOW) == [serial]
    assert await store.vouchers.purge([serial], actor="a", now=NOW) == []
    assert await store.vouchers.purgeable(block_of(serial), NOW) == []
    assert await store.vouchers.serial_of(number(serial)) is None


async def test_a_change_of_keys_leaves_nothing_under_the_old_one(store: Store, store_url: str, clock) -> None:
    serials = await made(store, [500] * 1001)
    secrets = {"test": bytes(range(32)), "next": bytes(32)}
    both = await Store.connect(store_url, keys=Keyring(secrets), clock=clock)
    assert await both.vouchers.serial_of(number(serials[7])) == serials[7]
    assert await both.vouchers.claim_numbers([(number(serials[7]), serials[8])]) == [0]
    seen = []
    counts = await both.vouchers.reseal(seen.append)
    assert (counts, len(seen), (await both.vouchers.reseal()).resealed) == ((2, 1001, 1001), 2, 0)
    await both.close()
    newest = await Store.connect(store_url, keys=Keyring({"next": bytes(32)}), clock=clock)
    assert await newest.vouchers.serial_of(number(serials[1000])) == serials[1000]
    assert await newest.vouchers.numbers(serials[:2]) == [number(serial) for serial in serials[:2]]
    await newest.close()
    assert await store.vouchers.serial_of(number(serials[1000])) is None

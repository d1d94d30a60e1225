"""Changing keys under a running instance: another process, here another ring on the same file, never loses sight."""

import pytest

from connector.cli.rotation import finished, take_new_key
from connector.domain.voucher import GOVSTACK_POLICY, Lot, NewVoucher, VoucherState
from connector.store import Keyring, Store
from connector.store.crypto import secrets_of

FIRST = 10**15


class Interrupted(Exception):
    pass


def lot(number: int) -> Lot:
    return Lot(f"LOT{number}", "G", "P", "USD", GOVSTACK_POLICY, 86_400, VoucherState.ACTIVATED, 1.0, funded=False)


async def make(store: Store, place: int) -> str:
    number = str(2 * 10**15 + place)
    assert await store.vouchers.claim_numbers([(number, FIRST + place)]) == []
    await store.vouchers.create(lot(place), [NewVoucher(FIRST + place, number, 100)], actor="test")
    return number


@pytest.fixture
async def stores(store_server, store, tmp_path, clock):
    """Two processes of one instance: each has a ring of its own."""
    opened = [
        await Store.connect(store_server.url, keys=Keyring.of_file(tmp_path / "keys", clock), clock=clock)
        for _ in range(2)
    ]
    yield opened
    for each in opened:
        await each.close()


async def test_both_processes_find_every_voucher_in_every_moment_of_a_rotation(stores, tmp_path, clock):
    one, other = stores
    await one.vouchers.next_serials(10)
    numbers = [await make(one, 0)]

    async def in_the_pause(seconds):
        numbers.append(await make(one, len(numbers)))
        assert [await other.vouchers.serial_of(number) for number in numbers] == [*range(FIRST, FIRST + len(numbers))]
        clock.pass_seconds(seconds)
        numbers.append(await make(other, len(numbers)))
        assert [await one.vouchers.serial_of(number) for number in numbers] == [*range(FIRST, FIRST + len(numbers))]

    assert await take_new_key(tmp_path / "keys", in_the_pause) == "sandbox-2"
    counts = await one.vouchers.reseal()
    finished(tmp_path / "keys")
    assert (counts.vouchers, counts.resealed) == (5, 4)
    assert await other.vouchers.numbers([*range(FIRST, FIRST + 5)]) == numbers
    newest = Keyring({"sandbox-2": secrets_of((tmp_path / "keys").read_text())["sandbox-2"]})
    alone = Store(other.link, other.keyspace, newest, clock)
    assert await alone.vouchers.numbers([*range(FIRST, FIRST + 5)]) == numbers
    assert [await alone.vouchers.serial_of(number) for number in numbers] == [*range(FIRST, FIRST + 5)]


@pytest.mark.parametrize("at", [1, 2])
async def test_an_interrupted_rotation_goes_on_with_its_key(tmp_path, at):
    file, pauses = tmp_path / "keys", []
    Keyring.of_file(file)

    async def broken(seconds):
        pauses.append(seconds)
        if len(pauses) == at:
            raise Interrupted

    with pytest.raises(Interrupted):
        await take_new_key(file, broken)
    assert await take_new_key(file, broken) == "sandbox-2"
    assert Keyring.of_file(file).ids == ["sandbox", "sandbox-2"]
    finished(file)
    assert await take_new_key(file, broken) == "sandbox-3"
    assert Keyring.of_file(file).ids == ["sandbox", "sandbox-2", "sandbox-3"]

"""The reckoning after a fair: every record of the store is counted again, and the banks' books are compared."""

import asyncio
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise

import aiohttp
import msgspec
from voucher_fair import PATIENCE_SECONDS, PAYER, PROGRAMME, Fair, Given, House, Person

from connector.cli.ledgers import proof
from connector.domain.voucher import RedemptionState, VoucherEvent, VoucherState, block_of
from connector.flows.services import Services
from connector.flows.vouchers.issue import LEFT_ALONE_SECONDS, recover
from connector.store.vouchers import records
from connector.store.vouchers.records import Record, RedemptionRecord

_V, _R = VoucherState, RedemptionState
OVER = {_V.REDEEMED, _V.CANCELLED, _V.EXPIRED, _V.PURGED}
TIMED = {_V.ACTIVATED, _V.SUSPENDED, _V.BLOCKED}
PAID = {_R.REDEEMED, _R.CONFIRMED}
IDLE = {"timers", "dead"}

_redemption = msgspec.msgpack.Decoder(RedemptionRecord)


@dataclass
class Books:
    """Everything that the store has of vouchers, as it is kept. lots: fields by lot and block."""

    vouchers: dict[int, Record]
    redemptions: dict[str, RedemptionRecord]
    lots: dict[tuple[str, int], dict[bytes, bytes]]
    stock: Counter[tuple[str, str]]
    timed: set[int]

    def of(self, serial: int) -> list[RedemptionRecord]:
        """Give a voucher's redemptions, oldest first."""
        return [self.redemptions[f"{serial}-{n + 1}"] for n in range(self.vouchers[serial].redemptions)]

    def used(self, serial: int) -> int:
        """Sum up what was redeemed of a voucher and stands, as its redemptions say."""
        return sum(each.amount for each in self.of(serial) if each.state is not _R.FAILED)

    def lot(self, serial: int) -> tuple[str, int]:
        """Name the lot that a voucher is of."""
        return self.vouchers[serial].lot, block_of(serial)

    def group(self, serial: int) -> str:
        """Tell of which group a voucher is."""
        return records.unpack_lot(self.lots[self.lot(serial)][b"facts"]).group

    def released(self, serial: int) -> int:
        """Tell what of a voucher went back to the budget."""
        record = self.vouchers[serial]
        return record.amount - self.used(serial) if record.state in OVER else 0


async def settle_down(services: Services, house: House) -> float:
    """Wait until nothing is under way any more, and nothing is locked; gives how many seconds that took."""
    began = time.monotonic()
    later = replace(services, clock=lambda: time.time() + LEFT_ALONE_SECONDS + 1)
    await recover(later)  # what a crash interrupted: the sweep does so after a while
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await _is_quiet(services, house):  # noqa: ASYNC110 (it is the store that is looked at)
            await asyncio.sleep(0.05)
    return time.monotonic() - began


async def _is_quiet(services: Services, house: House) -> bool:
    depth = await services.store.queue.depth()
    if any(count for step, count in depth.items() if step not in IDLE):
        return False
    books = await read(services)
    if any(each.state is _V.REDEEMING for each in books.vouchers.values()):
        return False
    if any(fields.get(b"flag") == b"1" for fields in books.lots.values()):
        return False
    async with aiohttp.ClientSession() as http, http.get(f"{house.settings.simulators_base}/sim/ledger") as answer:
        return (await answer.json())["quiet"]


async def read(services: Services) -> Books:
    """Read every key of vouchers."""
    link = services.store.link
    found = [key.decode() for keys in await link.ask_everywhere("KEYS", "ig:*") for key in keys]
    keys = {key: key.split(":", 3) for key in found}  # ig, partition, family, rest
    names = {
        "state": [key for key, part in keys.items() if part[2] == "vouchers" and key.endswith(":state")],
        "redemptions": [key for key, part in keys.items() if part[2] == "vouchers" and key.endswith(":redemptions")],
        "lot": [key for key, part in keys.items() if part[2] == "lot"],
        "stock": [key for key, part in keys.items() if part[2] == "stock"],
    }
    hashes = {
        family: list(zip(names[family], await link.ask_all([("HGETALL", key) for key in names[family]]), strict=True))
        for family in names
    }
    times = [("ZRANGE", key, 0, -1) for key, part in keys.items() if part[2] == "expiry"]
    stock: Counter[tuple[str, str]] = Counter()
    for key, fields in hashes["stock"]:
        for name, number in fields.items():
            stock[keys[key][3], name.decode()] += int(number)
    return Books(
        vouchers={int(k): records.unpack_record(v) for _, fields in hashes["state"] for k, v in fields.items()},
        redemptions={
            k.decode(): _redemption.decode(v) for _, fields in hashes["redemptions"] for k, v in fields.items()
        },
        lots={(keys[key][3].split(":")[0], int(key.rsplit(":", 1)[1])): fields for key, fields in hashes["lot"]},
        stock=stock,
        timed={int(each) for found in (await link.ask_all(times) if times else ()) for each in found},
    )


async def problems(services: Services, house: House, world: Fair) -> list[str]:
    """Compare everything with everything; gives what does not come out."""
    books = await read(services)
    histories = {serial: await services.store.vouchers.history(serial) for serial in books.vouchers}
    ledgers = await proof(house.settings)
    return [
        *(problem for serial in books.vouchers for problem in _of_voucher(books, serial)),
        *(problem for serial in books.vouchers for problem in _of_history(books, serial, histories[serial])),
        *_of_lots(books),
        *_of_stock(books),
        *await _of_budget(services, books),
        *_of_banks(house, books, world),
        *ledgers.problems,
    ]


def _of_voucher(books: Books, serial: int) -> list[str]:
    """Compare a voucher with its redemptions."""
    record, made, used = books.vouchers[serial], books.of(serial), books.used(serial)
    found = []
    if record.state is _V.REDEEMING or any(each.state is _R.PAYING for each in made):
        found.append(f"{serial} is still being redeemed")
    if used > record.amount:
        found.append(f"{serial} was redeemed for {used} of {record.amount}")
    left = 0 if record.state in OVER else record.amount - used
    if record.balance != left or (record.state is _V.REDEEMED) != (used == record.amount):
        found.append(f"{serial} is {record.state} with {record.balance} of {record.amount}, redeemed {used}")
    paid = sum(each.pays and each.state is not _R.FAILED for each in made)
    if paid > 1 or (paid and record.state is not _V.REDEEMED):
        found.append(f"{serial} is {record.state} and was paid {paid} times")
    return found


def _of_history(books: Books, serial: int, history: list[VoucherEvent]) -> list[str]:
    """See that each step of a voucher's life begins where the one before has ended."""
    steps = [*((event.before, event.after) for event in history), (books.vouchers[serial].state.value, "")]
    broken = any(one[1] != following[0] for one, following in pairwise(steps))
    return [f"the history of {serial} is broken: {steps}"] if broken or steps[0][0] else []


def _of_lots(books: Books) -> list[str]:
    spent: Counter[tuple[str, int]] = Counter()
    released: Counter[tuple[str, int]] = Counter()
    for serial in books.vouchers:
        spent[books.lot(serial)] += books.used(serial)
        released[books.lot(serial)] += books.released(serial)
    return [
        f"lot {lot} has spent and released {said}, counted {spent[lot]} and {released[lot]}"
        for lot, fields in books.lots.items()
        if (said := (int(fields[b"spent"]), int(fields[b"released"]))) != (spent[lot], released[lot])
    ]


def _of_stock(books: Books) -> list[str]:
    counted: Counter[tuple[str, str]] = Counter()
    for serial, record in books.vouchers.items():
        lot = records.unpack_lot(books.lots[books.lot(serial)][b"facts"])
        counted[lot.group, f"{record.state}:{lot.currency}:n"] += 1
        counted[lot.group, f"{record.state}:{lot.currency}:m"] += record.amount
    found = [
        f"stock {key} is {books.stock[key]}, counted {counted[key]}"
        for key in sorted(counted.keys() | books.stock.keys())
        if counted[key] != books.stock[key]
    ]
    timed = {serial for serial, each in books.vouchers.items() if each.state in TIMED and each.expires_at}
    if timed != books.timed:
        found.append(f"the times of {sorted(timed ^ books.timed)[:5]} do not go with their states")
    return found


async def _of_budget(services: Services, books: Books) -> list[str]:
    """Compare the programme's balances with the vouchers' own."""
    funds = (await services.store.funds.balances(PROGRAMME))["USD"]
    spent = sum(map(books.used, books.vouchers))
    out = sum(record.amount - books.used(s) - books.released(s) for s, record in books.vouchers.items())
    counted = (spent, out, funds.budget - spent - out)
    found = funds.spent, funds.reserved, funds.available
    return [] if found == counted else [f"spent, reserved and available are {found}, counted {counted}"]


def _of_banks(house: House, books: Books, world: Fair) -> list[str]:
    """See that each merchant's account was credited with its redemptions, each once, and the payer's debited."""
    due: dict[str, Counter[int]] = {account: Counter() for account in world.accounts.values()}
    for each in books.redemptions.values():
        if each.pays and each.state is not _R.FAILED:
            due[world.accounts[each.merchant]][each.amount] += 1
    booked = postings(house)
    found = []
    for account, amounts in due.items():
        credited = booked.get(account) or booked.get(account.lstrip("+")) or Counter()
        if credited != amounts:
            less, more = amounts - credited, credited - amounts
            found.append(f"{account} misses {less.total()} credits and has {more.total()} too many")
    total = -sum(minor * times for minor, times in booked.get(PAYER, Counter()).items())
    paid = sum(minor * times for amounts in due.values() for minor, times in amounts.items())
    if total != paid:
        found.append(f"the payer's account lost {total}, merchants were paid {paid}")
    return found


def check_what_was_told(vouchers: list[Given], people: list[Person], books: Books) -> None:
    """Who was told that it was paid is the one who was, and nobody else was told so."""
    for voucher in vouchers:
        told = [person for person in people if person.told.get(voucher.serial) == "paid"]
        paid = [each for each in books.of(voucher.serial) if each.state in PAID]
        assert len(told) <= len(paid) <= 1, (voucher, told)
        if told:
            assert paid[0].merchant == told[0].merchant
        elif paid:
            assert paid[0].dialect == "govstack-v1", voucher  # its answer can come too late


def postings(house: House) -> dict[str, Counter[int]]:
    """Count the postings on each account by amount, without openings, as the institutions' own files have them."""
    found: dict[str, Counter[int]] = {}
    question = "SELECT account, minor FROM posting JOIN entry ON number = entry WHERE kind != 'opening'"
    for file in (house.settings.data_dir / "simulators").glob("*.sqlite"):
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as link:
            for account, minor in link.execute(question):
                found.setdefault(account, Counter())[minor] += 1
    return found

"""Many people with the same vouchers at once, over two API processes: each voucher pays exactly once, or not at all.

How many people and vouchers: ISOGATE_RACE_PEOPLE and ISOGATE_RACE_VOUCHERS; what they draw: ISOGATE_RACE_SEED.
"""

import asyncio
import os
import random
from collections import Counter

import pytest
import pytest_asyncio
from voucher_fair import BRIEF, Given, Retail, crowd, fair, house_of, http_session
from voucher_reckoning import check_what_was_told, problems, read, settle_down

from connector.app import build_services
from connector.domain.voucher import VoucherState

SEED = int(os.environ.get("ISOGATE_RACE_SEED", "20022"))
PEOPLE = int(os.environ.get("ISOGATE_RACE_PEOPLE", "15"))
VOUCHERS = int(os.environ.get("ISOGATE_RACE_VOUCHERS", "10"))
BRIEF_SECONDS = 1
CALLER = "FAIRCALLER00"
V3 = {"X-Registering-Institution-ID": CALLER}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_fair(tmp_path_factory):
    """Run a fair for all tests here; each has vouchers of its own, half of them food and half gift cards."""
    world = fair(2 * VOUCHERS, 2 * VOUCHERS, SEED)
    async with (
        house_of(world, tmp_path_factory.mktemp("fair"), print) as house,
        http_session() as http,
        build_services(house.settings) as services,
    ):
        yield world, house, http, services


async def reckon(world, house, services):
    await settle_down(services, house)
    assert await problems(services, house, world) == []
    return await read(services)


async def test_whoever_comes_with_a_voucher_it_pays_once(open_fair):
    world, house, http, services = open_fair
    vouchers = world.vouchers[::2]
    people = list(crowd(world, http, house.urls, PEOPLE, SEED))

    async def visit(person):
        for voucher in random.Random(f"{SEED}").sample(vouchers, len(vouchers)):
            await person.redeem(voucher)

    await asyncio.gather(*map(visit, people))
    books = await reckon(world, house, services)
    report(people, vouchers, books)
    check_what_was_told(vouchers, people, books)
    assert {books.vouchers[each.serial].state for each in vouchers} == {VoucherState.REDEEMED}


async def test_whatever_happens_to_a_voucher_at_once_it_has_one_end(open_fair):
    world, house, http, services = open_fair
    draw, vouchers = random.Random(SEED), []
    people = [Meddler(http, house.urls, draw)]
    await let_vouchers_expire(http, house)

    async def happen(voucher):
        vouchers.append(voucher)
        redeemers = list(crowd(world, http, house.urls, 6, draw.randrange(10**9)))
        people.extend(redeemers)
        for each in redeemers:
            if isinstance(each, Retail):
                each.reverses = each.refunds = 0.5
        meddlers = [getattr(people[0], name)(voucher) for name in Meddler.ways]
        redemptions = [each.redeem(voucher) for each in redeemers]
        first = 0.9 * BRIEF_SECONDS if voucher.group == BRIEF else 0
        await asyncio.gather(*(later(first + draw.uniform(0, 0.3), each) for each in [*redemptions, *meddlers]))

    async def expire(number):
        await happen(await brief_voucher(http, house.urls[number % 2]))

    await asyncio.gather(*map(happen, world.vouchers[1::2]), *map(expire, range(VOUCHERS)))
    books = await reckon(world, house, services)
    report(people, vouchers, books)
    check_what_was_told(vouchers, people[1:], books)
    cancelled = {serial for serial, each in books.vouchers.items() if each.state is VoucherState.CANCELLED}
    assert cancelled == people[0].cancelled  # who was told that it is cancelled can rely on it


async def later(seconds, work):
    await asyncio.sleep(seconds)
    return await work


async def let_vouchers_expire(http, house):
    """Have vouchers of one group expire in the middle of everything."""
    group = {"name": "Soon over", "programme": "FAIR", "currency": "USD", "validity_seconds": BRIEF_SECONDS}
    async with http.put(f"{house.urls[0]}/admin/voucher-groups/{BRIEF}", json=group) as answer:
        assert answer.status == 200, await answer.text()


async def brief_voucher(http, url):
    asked = {"voucher_amount": "7.77", "voucher_currency": "USD", "voucher_group": BRIEF, "Gov_Stack_BB": CALLER}
    async with http.post(f"{url}/vouchers/voucher_preactivation", json=asked) as answer:
        made = await answer.json()
    serial = int(made["voucher_serial_number"])
    body = {"voucher_serial_number": serial, "Gov_Stack_BB": CALLER}
    async with http.patch(f"{url}/vouchers/voucher_activation", json=body) as answer:
        assert answer.status == 200
    return Given(serial, made["voucher_number"], BRIEF, 777)


class Meddler:
    """Cancels, suspends, blocks: everything that is not redeeming, each in one way of those that there are."""

    ways = ("cancel_v1", "cancel", "suspend", "block", "guess", "suspend")

    def __init__(self, http, urls, draw):
        self.http = http
        self.urls = urls
        self.draw = draw
        self.cancelled = set()
        self.seen = Counter()

    async def anything(self, voucher):
        """Meddle in any one way; gives its name."""
        way = self.draw.choice(self.ways)
        await getattr(self, way)(voucher)
        return way

    async def send(self, verb, path, body, **headers):
        url = f"{self.draw.choice(self.urls)}{path}"
        async with self.http.request(verb, url, json=body, headers=headers) as answer:
            self.seen[answer.status] += 1
            if answer.status == 503:
                raise ConnectionError(path)
            assert answer.status < 500, await answer.text()
            return answer.status, await answer.json()

    async def cancel_v1(self, voucher):
        if self.draw.random() < 0.5:
            return
        body = {"voucherserialnumber": str(voucher.serial), "Gov_Stack_BB": CALLER}
        status, _ = await self.send("PATCH", f"/vouchers/voucherstatuscheck/{voucher.serial}", body)
        if status in {200, 464}:
            self.cancelled.add(voucher.serial)

    async def cancel(self, voucher):
        if self.draw.random() < 0.5:
            return
        _, said = await self.command("cancel", voucher)
        if said["items"][0]["fault"] == "":
            self.cancelled.add(voucher.serial)

    async def suspend(self, voucher):
        for command in ("suspend", "reactivate"):
            named = {"VoucherInstructions": [{"serialNumber": str(voucher.serial)}]}
            body = {"requestID": f"S{self.draw.randrange(10**11):011d}", **named}
            status, said = await self.send("PUT", f"/vouchers?command={command}", body, **V3)
            assert status == 200, said

    async def block(self, voucher):
        await self.command("block", voucher)
        await self.command("unblock", voucher)

    async def guess(self, voucher):
        wrong = {"voucherSerialNumber": str(voucher.serial), "agentID": "FAIRMERCHANT000", "voucherSecretNumber": "1"}
        for _ in range(5):
            body = {"requestID": f"G{self.draw.randrange(10**11):011d}", **wrong}
            _, said = await self.send("POST", "/vouchers?command=redeem", body, **V3)
            assert said["status"] == 0
        await self.command("unblock", voucher)

    async def command(self, command, voucher):
        body = {"serials": [str(voucher.serial)], "reason": "race"}
        return await self.send("POST", f"/admin/vouchers?command={command}", body)


def report(people, vouchers, books):
    seen = sum((person.seen for person in people), Counter())
    ends = Counter(books.vouchers[each.serial].state.value for each in vouchers)
    print(f"\n{len(people)} people, {len(vouchers)} vouchers, answers {dict(seen)}, in the end {dict(ends)}")

"""kill -9 of anything while vouchers are made, sold, redeemed and called back: none pays twice, none is lost.

The kills and all that people do are drawn from a seed (ISOGATE_CRASH_SEED); ISOGATE_CRASH_KILLS is how many kills.
"""

import asyncio
import base64
import os
import random
from collections import Counter

import pytest
from test_crash import SEED, kill, store_pid
from test_voucher_races import Meddler
from voucher_fair import CARD, FOOD, SERIALS, Given, Retail, crowd, fair, house_of, http_session, insist
from voucher_reckoning import check_what_was_told, problems, read, settle_down

from connector.app import build_services
from connector.cli.source_bb import source_bb
from connector.domain.directory import SourceBB
from connector.domain.voucher import FIRST_SERIAL, VoucherState
from connector.flows.vouchers.secrecy import opened_number, sandbox_key

KILLS = int(os.environ.get("ISOGATE_CRASH_KILLS", "7"))
VOUCHERS = max(60, int(os.environ.get("ISOGATE_CRASH_VOUCHERS", str(20 * KILLS))))
PEOPLE = 18
BATCH = 10
MINISTRY = "FAIRCALLER01"


async def kill_at_random(house, draw):
    """Kill every part once, and then whatever comes."""
    killed = Counter()
    mortal = [*house.supervisor.parts, None]  # None: the server behind its launcher
    for victim in (draw.sample(mortal, len(mortal)) + draw.choices(mortal, k=KILLS))[:KILLS]:
        await asyncio.sleep(draw.uniform(0.05, 0.5))
        kill(victim.pid if victim else store_pid(house.settings))
        killed[victim.name if victim else "server"] += 1
    return killed


class Ministry:
    """Makes vouchers by the batch, activates them, and learns their numbers by callback."""

    def __init__(self, http, urls, source, draw):
        self.http = http
        self.urls = urls
        self.source = source
        self.draw = draw
        self.batches = []
        self.vouchers = []

    async def send(self, verb, path, body):
        headers = {"X-Registering-Institution-ID": MINISTRY, "X-Callback-URL": self.source.callback_url}

        async def attempt():
            url = f"{self.draw.choice(self.urls)}{path}"
            async with self.http.request(verb, url, json=body, headers=headers) as answer:
                assert answer.status in {200, 503}, await answer.text()
                return await answer.json() if answer.status == 200 else None

        return await insist(attempt)

    async def make(self):
        batch = f"BATCH{len(self.batches):07d}"
        self.batches.append(batch)
        wanted = [
            {"instructionID": f"I{n:015d}", "groupCode": FOOD, "currency": "USD", "amount": "5.55"}
            for n in range(BATCH)
        ]
        body = {"requestID": f"M{len(self.batches):011d}", "batchID": batch, "voucherInstructions": wanted}
        await self.send("POST", "/vouchers", body)
        made = await insist(lambda: self._told(batch))
        named = [{"serialNumber": str(each.serial)} for each in made]
        body = {"requestID": f"A{len(self.batches):011d}", "voucherInstructions": named}
        await self.send("PUT", "/vouchers?command=activate", body)
        self.vouchers += made

    async def _told(self, batch):
        said = self.source.callbacks.get(batch)
        key = base64.b64encode(sandbox_key(MINISTRY)).decode()
        source = SourceBB(MINISTRY, MINISTRY, voucher_key=key)
        return said and [
            Given(serial, opened_number(source, serial, each["voucherNumber"]), FOOD, 555)
            for each in said[0]["voucherInstructions"]
            for serial in [int(each["serialNumber"])]
        ]


class Fairground:
    """What everybody does until the killing has ended."""

    def __init__(self, world, house, http, source):
        self.draw = random.Random(SEED)
        self.world = world
        self.people = list(crowd(world, http, house.urls, PEOPLE, SEED))
        self.sellers = [each for each in self.people if isinstance(each, Retail)]
        for each in self.sellers:
            each.reverses = each.refunds = 0.3
        self.ministry = Ministry(http, house.urls, source, self.draw)
        self.meddler = Meddler(http, house.urls, self.draw)
        self.sold = []
        self.killing = asyncio.create_task(kill_at_random(house, self.draw))

    async def run(self):
        """Let all of it go on at once; gives who was killed how often."""
        redeem, sell = map(self.redeem, self.people), map(self.sell, self.sellers[:3])
        await asyncio.gather(*redeem, *sell, self.make(), self.meddle())
        return await self.killing

    async def redeem(self, person):
        for voucher in person.draw.sample(self.world.vouchers, len(self.world.vouchers)):
            await person.redeem(voucher)
            if await self.is_over(person.draw):
                break

    async def sell(self, person):
        while not await self.is_over(person.draw):
            card = await person.sell(person.draw.randrange(100, 1000), keeps=person.draw.random() < 0.7)
            if card:
                self.sold.append(card)
                await self.draw.choice(self.sellers).redeem(card)

    async def make(self):
        while not await self.is_over(self.draw):
            await self.ministry.make()
            await self.draw.choice(self.people).redeem(self.draw.choice(self.ministry.vouchers))

    async def meddle(self):
        while not await self.is_over(self.draw):
            await insist(lambda: self.meddler.anything(self.draw.choice(self.world.vouchers)))

    async def is_over(self, draw):
        await asyncio.sleep(draw.uniform(0, 0.05))
        return self.killing.done()

    def check(self, books):
        """Compare what everybody was told with what the store has."""
        vouchers, made = books.vouchers, self.ministry.vouchers
        check_what_was_told([*self.world.vouchers, *made, *self.sold], self.people, books)
        lost = {serial for serial in self.meddler.cancelled if vouchers[serial].state is not VoucherState.CANCELLED}
        assert lost == set()  # who was told that it is cancelled can rely on it
        new = {serial: books.group(serial) for serial in vouchers if FIRST_SERIAL <= serial < SERIALS}
        assert {serial for serial, group in new.items() if group == FOOD} == {each.serial for each in made}
        living = {serial for serial in new if vouchers[serial].state is not VoucherState.CANCELLED}
        assert {serial for serial in living if new[serial] == CARD} == {each.serial for each in self.sold}


@pytest.mark.skipif(KILLS == 0, reason="ISOGATE_CRASH_KILLS is 0")
async def test_every_voucher_has_one_end_whoever_is_killed(tmp_path):
    notices, world = [], fair(VOUCHERS, VOUCHERS // 2, SEED)
    async with (
        house_of(world, tmp_path, notices.append, workers=2) as house,
        http_session() as http,
        source_bb(house.urls[0], MINISTRY) as source,
    ):
        ground = Fairground(world, house, http, source)
        killed = await ground.run()
        async with build_services(house.settings) as services:
            quiet = await settle_down(services, house)
            books, found = await read(services), await problems(services, house, world)
    report(killed, notices, ground.people, books, quiet)
    assert len(notices) >= KILLS / 2  # the supervisor saw the deaths, so they were real
    assert found == []
    ground.check(books)


def report(killed, notices, people, books, quiet):
    seen = sum((person.seen for person in people), Counter())
    ends = Counter(each.state.value for each in books.vouchers.values())
    told = Counter(what for person in people for what in person.told.values())
    print(f"\nkilled {dict(killed)}, {len(notices)} restarts, quiet after {quiet:.1f} s")
    print(f"{len(books.vouchers)} vouchers, in the end {dict(ends)}, {len(books.redemptions)} redemptions")
    print(f"answers {dict(seen)}, told {dict(told)}")

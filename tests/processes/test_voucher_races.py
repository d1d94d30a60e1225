"""Many people with the same vouchers at once, over two API processes: each voucher pays exactly once, or not at all.

How many people and vouchers: ISOGATE_RACE_PEOPLE and ISOGATE_RACE_VOUCHERS; what they draw: ISOGATE_RACE_SEED.
"""

import asyncio
import os
import random
from collections import Counter

from voucher_fair import crowd, fair, house_of, http_session
from voucher_reckoning import problems, read, settle_down

from connector.app import build_services
from connector.domain.voucher import RedemptionState, VoucherState

SEED = int(os.environ.get("ISOGATE_RACE_SEED", "20022"))
PEOPLE = int(os.environ.get("ISOGATE_RACE_PEOPLE", "24"))
VOUCHERS = int(os.environ.get("ISOGATE_RACE_VOUCHERS", "20"))


async def test_whoever_comes_with_a_voucher_it_pays_once(tmp_path):
    world = fair(VOUCHERS, VOUCHERS // 4, SEED)
    async with house_of(world, tmp_path, print) as house, http_session() as http:
        people = list(crowd(world, http, house.urls, PEOPLE, SEED))

        async def visit(person):
            for voucher in random.Random(f"{SEED}").sample(world.vouchers, len(world.vouchers)):
                await person.redeem(voucher)

        await asyncio.gather(*map(visit, people))
        async with build_services(house.settings) as services:
            await settle_down(services, house)
            books, found = await read(services), await problems(services, house, world)
    seen = sum((person.seen for person in people), Counter())
    print(f"\n{PEOPLE} people, {len(world.vouchers)} vouchers, answers {dict(seen)}")
    assert found == []
    check_what_was_told(world, people, books)
    assert {each.state for each in books.vouchers.values()} == {VoucherState.REDEEMED}


def check_what_was_told(world, people, books):
    """Who was told that it was paid is the one who was; nobody was told so twice."""
    for voucher in world.vouchers:
        told = [person for person in people if person.told.get(voucher.serial) == "paid"]
        paid = [each for each in books.of(voucher.serial) if each.state in PAID]
        assert len(told) <= len(paid) <= 1, (voucher, told)
        if told:
            assert paid[0].merchant == told[0].merchant
        elif paid:
            assert paid[0].dialect == "govstack-v1", voucher  # its answer can come too late


PAID = {RedemptionState.REDEEMED, RedemptionState.CONFIRMED}

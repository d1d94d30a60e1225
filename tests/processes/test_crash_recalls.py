"""kill -9 while payments are asked back: every one ends once, and the money is where its end says.

The kills and the payments that are asked back are drawn from a seed (ISOGATE_CRASH_SEED).
"""

import asyncio
import random
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace

import aiohttp
import msgspec
from test_crash import CURRENCY, FOUR_DAYS, PATIENCE_SECONDS, SEED, SETTINGS, insist, kill, postings, records_of

from connector.cli.instance import fresh_instance
from connector.cli.ledgers import advance_clock, proof
from connector.cli.people import PREFIXES, RETURNED, payable_people
from connector.cli.source_bb import credit_v3, source_bb
from connector.domain.errors import Unavailable

KILLS = 8
PAYMENTS = 200
RECALLED = 48
BANK = "TREAXU22"
ACCOUNT = "9000000001"
FATES = ("0000", "0000", RETURNED, "9904", "9925", "9927", "9928")
"""Agrees, agrees, gives back by itself, was never credited, does not agree, agrees in a day, refuses in a day."""
KEEPING = {"9925", "9928"}
ENDED = {"RETURNED", "FAILED", "CANCELLED"}


def people_of_recall_fates():
    """Everybody's address ends in one of the fates, so that some of each are asked back and some are not."""
    for number, person in enumerate(payable_people(PAYMENTS)):
        fate = FATES[number // 4 % len(FATES)]  # over all four institutions
        head = PREFIXES[person.institution]
        own = person.address[len(head) + 2 : -2]
        yield replace(person, address=f"{head}{own}{fate}")


async def kill_at_random(supervisor, draw):
    killed = Counter()
    mortal = [part for part in supervisor.parts if part.name != "store"]
    for victim in draw.sample(mortal * KILLS, KILLS - len(mortal)) + draw.sample(mortal, len(mortal)):
        await asyncio.sleep(draw.uniform(0.1, 0.6))
        kill(victim.pid)
        killed[victim.name] += 1
    return killed


async def ask_back(http, url, number):
    """Order one payment back until there is a word on it: taken, or not to be asked back."""

    async def order():
        body = {"reason": "DUPL", "instructions": [f"I{number:015d}"]}
        async with http.post(f"{url}/recall", json=body) as answer:
            text = await answer.text()
            if answer.status >= 500 or answer.status in {404, 409} or "unknown_instruction" in text:
                raise Unavailable("recall", text[:200])  # the API is dead, or the payment has not been sent yet
            assert answer.status == 202 or "not_recallable" in text, text

    await insist(order)


async def recalls_of(http, url):
    async def page():
        async with http.get(f"{url}/recalls?size=1000", raise_for_status=True) as answer:
            return {record["instruction_id"]: record for record in (await answer.json())["items"]}

    return await insist(page)


async def wait_until_all_is_said(http, url, ministry, batch, people, recalled):
    """Nobody is told of answers and returns: look until none is missing any more."""
    gone = {number for number in range(len(people)) if goes_back(people[number], number in recalled)}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            records = await recalls_of(http, url)
            details = {record["transactionId"]: record["status"] for record in await records_of(ministry, batch)}
            open_ = [record for record in records.values() if record["state"] in {"asked", "pending"}]
            late = [number for number in gone if details[f"I{number:015d}"] not in ENDED]
            if not open_ and not late:
                return records, details
            await asyncio.sleep(0.2)


def goes_back(person, recalled):
    """Tell whether the payee's institution gives the money back in the end."""
    fate = person.address[-4:]
    return fate == RETURNED or (recalled and fate != "9904" and fate not in KEEPING)


def moved(folder):
    """What the programme's account has lost since it was opened, in minor units, below 0."""
    with closing(sqlite3.connect(f"file:{folder / 'simulators' / f'{BANK}.sqlite'}?mode=ro", uri=True)) as link:
        question = (
            "SELECT sum(minor) FROM posting JOIN entry ON number = entry WHERE account = ? AND kind != 'opening'"
        )
        return link.execute(question, (ACCOUNT,)).fetchone()[0]


def check_payment(person, minor, recalled, status, record, booked):
    """One end, which the recall's and the bank's books agree with."""
    fate = person.address[-4:]
    if fate == "9904":
        assert (status, booked) == ("FAILED", (0, 0)), person
        assert record is None or record["state"] in {"refused", "overtaken"}, record
    elif goes_back(person, recalled):
        assert status == "RETURNED" or (recalled and record["status"] == "CANC"), (person, status, record)
        assert booked in {(0, 2), (0, 0)}, person
        assert record is None or record["state"] in {"accepted", "refused"}, record
    else:
        assert (status, booked) == ("COMPLETED", (minor, 1)), person
        assert (record["state"] if recalled else record) == ("refused" if recalled else None), record


async def test_every_recalled_payment_ends_once_whoever_is_killed(tmp_path):
    draw, notices = random.Random(SEED), []
    people = list(people_of_recall_fates())
    recalled = set(draw.sample(range(PAYMENTS), RECALLED))
    body = msgspec.json.encode([credit_v3(i, person, 1000 + i, CURRENCY) for i, person in enumerate(people)])
    async with (
        fresh_instance(tmp_path, notices.append, **SETTINGS) as (settings, supervisor),
        source_bb(settings.api_url, "CRASHSOURCE2") as ministry,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http,
    ):
        await ministry.register("REG000000001", people)
        batch = await ministry.pay(body, "PENSIONS", "CRASH0000001")
        url = f"{settings.api_url}/admin/batches/{batch}"
        killing = asyncio.create_task(kill_at_random(supervisor, draw))
        for number in sorted(recalled):
            await ask_back(http, url, number)
            await asyncio.sleep(draw.uniform(0, 0.1))
        killed = await killing
        await ministry.finished(batch, PATIENCE_SECONDS)
        await insist(lambda: advance_clock(settings, FOUR_DAYS))
        records, details = await wait_until_all_is_said(http, url, ministry, batch, people, recalled)
        books = await insist(lambda: proof(settings))
    print(f"\n{dict(killed)}, {len(notices)} restarts, {Counter(record['state'] for record in records.values())}")
    accounts = postings(tmp_path)
    assert len(details) == PAYMENTS
    for i, person in enumerate(people):
        name, address = f"I{i:015d}", person.address
        booked = accounts.get(address) or accounts.get(address.lstrip("+")) or (0, 0)
        check_payment(person, 1000 + i, i in recalled, details[name], records.get(name), booked)
    kept = sum(1000 + i for i in range(PAYMENTS) if details[f"I{i:015d}"] == "COMPLETED")
    assert moved(tmp_path) == -kept  # what was given back is there again, once
    books.expect_spent("PENSIONS", CURRENCY, kept)
    assert books.problems == []

"""kill -9 of anything at any moment: every instruction ends once, nobody is credited twice, nothing is forgotten.

Batches are handed over for as long as processes are killed, so that every kill hits work. The kills are drawn from a
seed (ISOGATE_CRASH_SEED), their number is ISOGATE_CRASH_KILLS.
"""

import asyncio
import os
import random
import signal
import sqlite3
from collections import Counter
from contextlib import closing, suppress

import aiohttp
import msgspec
import pytest

from connector.cli.instance import fresh_instance
from connector.cli.ledgers import advance_clock, proof
from connector.cli.people import RETURNED, people_of_all_fates
from connector.cli.source_bb import credit_v3, source_bb
from connector.domain.errors import Unavailable
from connector.store.embedded import EmbeddedServer

SEED = int(os.environ.get("ISOGATE_CRASH_SEED", "20022"))
KILLS = int(os.environ.get("ISOGATE_CRASH_KILLS", "24"))
MOST_BATCHES = 8 + 3 * KILLS
PAYMENTS = 100
CURRENCY = "USD"
SOURCE = "CRASHSOURCE1"
PATIENCE_SECONDS = 90
FOUR_DAYS = 4 * 86_400.0
FAILING = {"", "9901", "9904", "9909"}
SETTINGS = {
    "workers": 2,
    "slice_size": 40,
    "take_over_after_seconds": 1.0,
    "answer_within_seconds": 2.0,
    "callback_first_delay_seconds": 0.2,
    "callback_attempts": 30,
    "progress_interval_seconds": 3600.0,
    "log_level": "ERROR",
}


async def insist(action):
    """Repeat what fails because somebody was just killed, as a careful client does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await action()
            except (Unavailable, aiohttp.ClientError, TimeoutError, ConnectionError):
                await asyncio.sleep(0.05)


def kill(pid):
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def store_pid(settings):
    """Ask the store's own log for the newest process id of the server behind the launcher."""
    lines = (settings.data_dir / "store" / "store.log").read_text(errors="replace").splitlines()
    return next((int(line.split(":")[0]) for line in reversed(lines) if ":M" in line), 0)


async def kill_at_random(settings, supervisor, draw):
    """Kill something, wait a moment, and again; half way through, days pass at the banks."""
    killed = Counter()
    for number in range(KILLS):
        await asyncio.sleep(draw.uniform(0.02, 0.6))
        victim = draw.choice([*supervisor.parts, None])
        kill(victim.pid if victim else store_pid(settings))
        killed[victim.name if victim else "server"] += 1
        if number == KILLS // 2:
            await insist(lambda: advance_clock(settings, FOUR_DAYS))
    return killed


async def pay_until(killing, ministry, groups):
    """Hand over batch after batch until the killing has ended."""
    batches = []
    for number, group in enumerate(groups):
        body = msgspec.json.encode([credit_v3(i, person, 1000 + i, CURRENCY) for i, person in enumerate(group)])
        batches.append(await insist(lambda: ministry.pay(body, "PENSIONS", f"CRASH{number:07d}")))  # noqa: B023 (awaited here)
        if killing.done():
            break
        await asyncio.sleep(0.06)
    return batches


async def records_of(ministry, batch):
    async def all_pages():
        return [record async for record in ministry.details(batch)]

    return await insist(all_pages)


async def wait_for_returns(ministry, batches, expected):
    async with asyncio.timeout(PATIENCE_SECONDS):
        while sum([await insist(lambda b=batch: ministry.count(b, "returned")) for batch in batches]) < expected:  # noqa: ASYNC110 (nobody is told of returns)
            await asyncio.sleep(0.2)


def postings(folder):
    """Sum and number of the postings on each account, read from the banks' own files."""
    found = {}
    for file in (folder / "simulators").glob("*.sqlite"):
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as link:
            rows = link.execute("SELECT account, sum(minor), count(*) FROM posting GROUP BY account").fetchall()
        found.update({account: (minor, lines) for account, minor, lines in rows})
    return found


def expected_of(person, minor):
    """Outcome in the batch, and sum and number of postings at the bank."""
    fate = person.address[-4:]
    if fate == RETURNED:
        return "returned", (0, 2)
    return ("failed", (0, 0)) if fate in FAILING else ("completed", (minor, 1))


def check_batch(records, group, accounts):
    by_id = {record["transactionId"]: record for record in records}
    assert len(by_id) == len(records) == len(group)
    for i, person in enumerate(group):
        outcome, booked = expected_of(person, 1000 + i)
        assert by_id[f"I{i:015d}"]["status"] == outcome.upper(), person
        found = accounts.get(person.address) or accounts.get(person.address.lstrip("+")) or (0, 0)
        assert found == booked, person


@pytest.mark.skipif(KILLS == 0, reason="ISOGATE_CRASH_KILLS is 0")
async def test_every_instruction_ends_exactly_once_whoever_is_killed(tmp_path):
    draw = random.Random(SEED)
    people = list(people_of_all_fates(MOST_BATCHES * PAYMENTS, seed=SEED))
    groups = [people[at : at + PAYMENTS] for at in range(0, len(people), PAYMENTS)]
    notices = []
    async with (
        fresh_instance(tmp_path, notices.append, **SETTINGS) as (settings, supervisor),
        source_bb(settings.api_url, SOURCE) as ministry,
    ):
        await ministry.register("REG000000001", [person for person in people if person.address])
        killing = asyncio.create_task(kill_at_random(settings, supervisor, draw))
        batches = await pay_until(killing, ministry, groups)
        killed = await killing
        await asyncio.gather(*(ministry.finished(batch, PATIENCE_SECONDS) for batch in batches))
        await insist(lambda: advance_clock(settings, FOUR_DAYS))
        paid = groups[: len(batches)]
        returned = sum(person.address.endswith(RETURNED) for group in paid for person in group)
        await wait_for_returns(ministry, batches, returned)
        outcomes = [await records_of(ministry, batch) for batch in batches]
        books = await insist(lambda: proof(settings))
    print(f"\n{len(batches)} batches, {dict(killed)}, {len(notices)} restarts")
    accounts = postings(tmp_path)
    assert len(set(batches)) == len(batches)
    assert len(notices) >= KILLS / 2  # the supervisor saw the deaths, so they were real
    for records, group in zip(outcomes, paid, strict=True):
        check_batch(records, group, accounts)
    kept = sum(expected_of(person, 1000 + i)[1][0] for group in paid for i, person in enumerate(group))
    books.expect_spent("PENSIONS", CURRENCY, kept)
    assert books.problems == []


def test_the_log_of_the_store_tells_the_server_from_its_launcher(tmp_path):
    with EmbeddedServer(tmp_path / "store") as server:

        class Settings:
            data_dir = tmp_path

        assert store_pid(Settings) == server.pid

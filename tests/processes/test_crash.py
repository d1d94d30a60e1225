"""kill -9 of anything at any moment: every instruction ends once, nobody is credited twice, nothing is forgotten."""

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
from connector.cli.ledgers import proof
from connector.cli.people import people_of_all_fates
from connector.cli.source_bb import credit_v3, source_bb
from connector.domain.errors import Unavailable
from connector.store.embedded import EmbeddedServer

SEED = int(os.environ.get("ISOGATE_CRASH_SEED", "20022"))
KILLS = int(os.environ.get("ISOGATE_CRASH_KILLS", "24"))
BATCHES = 8
PAYMENTS = 400
CURRENCY = "USD"
SOURCE = "CRASHSOURCE1"
PATIENCE_SECONDS = 90
SETTINGS = {
    "workers": 2,
    "slice_size": 100,
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
                await asyncio.sleep(0.1)


def kill(pid):
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def store_pid(settings):
    """Ask the store's own log for the newest process id of the server behind the launcher."""
    lines = (settings.data_dir / "store" / "store.log").read_text(errors="replace").splitlines()
    return next((int(line.split(":")[0]) for line in reversed(lines) if ":M" in line), 0)


async def kill_at_random(settings, supervisor, draw):
    """Kill something, wait a moment, and again."""
    killed = Counter()
    for _ in range(KILLS):
        await asyncio.sleep(draw.uniform(0.05, 0.6))
        victim = draw.choice([*supervisor.parts, None])
        kill(victim.pid if victim else store_pid(settings))
        killed[victim.name if victim else "server"] += 1
    return killed


def credited(folder):
    """Sum and number of what each account was credited with, read from the banks' files."""
    found = {}
    for file in sorted((folder / "simulators").glob("*.sqlite*")):
        if file.suffix not in {".sqlite", ".sqlite3"}:
            continue
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as link:
            rows = link.execute("SELECT account, sum(minor), count(*) FROM posting GROUP BY account").fetchall()
        found.update({account: (minor, lines) for account, minor, lines in rows})
    return found


async def pay_all(ministry, groups):
    async def pay(number, group):
        body = msgspec.json.encode([credit_v3(i, person, 1000 + i, CURRENCY) for i, person in enumerate(group)])
        return await insist(lambda: ministry.pay(body, "PENSIONS", f"CRASH{number:07d}"))

    batches = []
    for number, group in enumerate(groups):
        batches.append(await pay(number, group))
        await asyncio.sleep(0.3)
    return batches


async def records_of(ministry, batch):
    async def all_pages():
        return [record async for record in ministry.details(batch)]

    return await insist(all_pages)


def expected_outcome(person):
    return "failed" if person.address[-4:] in {"", "9901", "9904", "9909"} else "completed"


@pytest.mark.skipif(KILLS == 0, reason="ISOGATE_CRASH_KILLS is 0")
async def test_every_instruction_ends_exactly_once_whoever_is_killed(tmp_path):
    draw = random.Random(SEED)
    people = list(people_of_all_fates(BATCHES * PAYMENTS, seed=SEED))
    groups = [people[at : at + PAYMENTS] for at in range(0, len(people), PAYMENTS)]
    notices = []
    async with (
        fresh_instance(tmp_path, notices.append, **SETTINGS) as (settings, supervisor),
        source_bb(settings.api_url, SOURCE) as ministry,
    ):
        for number, group in enumerate(groups):
            known = [person for person in group if person.address]
            await ministry.register(f"REG{number:09d}", known)
        killing = asyncio.create_task(kill_at_random(settings, supervisor, draw))
        batches = await pay_all(ministry, groups)
        killed = await killing
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*(ministry.finished(batch, PATIENCE_SECONDS) for batch in batches))
        outcomes = {batch: await records_of(ministry, batch) for batch in batches}
        books = await insist(lambda: proof(settings))
    assert sum(killed.values()) == KILLS
    assert len(set(batches)) == BATCHES
    accounts = credited(tmp_path)
    for batch, group in zip(batches, groups, strict=True):
        records = outcomes[batch]
        assert [record["transactionId"] for record in records] != []
        by_id = {record["transactionId"]: record for record in records}
        assert len(by_id) == len(records) == PAYMENTS
        for i, person in enumerate(group):
            assert by_id[f"I{i:015d}"]["statusDetail"] == expected_outcome(person)
            account = person.address.lstrip("+")
            minor, lines = accounts.get(person.address) or accounts.get(account) or (0, 0)
            paid = expected_outcome(person) == "completed"
            assert (minor, lines) == ((1000 + i, 1) if paid else (0, 0)), (batch, i, person)
    paid = sum(
        1000 + i for group in groups for i, person in enumerate(group) if expected_outcome(person) == "completed"
    )
    books.expect_spent("PENSIONS", CURRENCY, paid)
    assert books.problems == []
    assert len(notices) >= KILLS / 2  # the supervisor saw the deaths, so they were real


def test_the_log_of_the_store_tells_the_server_from_its_launcher(tmp_path):
    with EmbeddedServer(tmp_path / "store") as server:

        class Settings:
            data_dir = tmp_path

        assert store_pid(Settings) == server.pid

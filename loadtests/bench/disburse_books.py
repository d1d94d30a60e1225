"""Whether every payment was made once, and all books say the same: callbacks, records, ledgers, funds."""

import asyncio
import time
from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import aiohttp

from connector.cli.ledgers import proof
from connector.cli.people import PREFIXES
from connector.domain.chunk import Chunk, ChunkStatus
from connector.domain.errors import Unavailable
from connector.domain.money import minor_units
from connector.domain.status import OUTCOME_OF_BYTE, Outcome
from connector.settings import Settings
from connector.store import Store
from loadtests.bench.bodies import CURRENCY, amount
from loadtests.bench.paying import PROGRAMME, Paid
from loadtests.bench.weights import Settled

PATIENCE_SECONDS: Final = 120.0
LOOK_EVERY_SECONDS: Final = 0.05
CHUNKS_AT_ONCE: Final = 50
LONGEST_PAGE: Final = 10_000
DEAD_LETTER: Final = "dead letter"
TIMERS: Final = "timers"


async def drained(settings: Settings, session: aiohttp.ClientSession) -> None:
    """Wait until no task is left that is due; raises ``Unavailable`` when that takes too long."""
    late = time.monotonic() + PATIENCE_SECONDS
    while any(await _unfinished(settings, session)):
        if time.monotonic() > late:
            raise Unavailable("queue", "its tasks do not come to an end")
        await asyncio.sleep(LOOK_EVERY_SECONDS)


class Records:
    """What the store has of the batches, read chunk by chunk; ``problems``: what does not come out."""

    def __init__(self, store: Store) -> None:
        """Read from this store."""
        self._store = store
        self._names = array("q")
        self.settled: list[Settled] = []
        self.problems: list[str] = []

    async def read(self, paid: Sequence[Paid]) -> None:
        """Read all batches, and compare each with what was asked for."""
        for each in paid:
            await self._batch(each)
        ordered = sorted(self._names)
        repeated = sum(one == other for one, other in pairwise(ordered))
        if repeated:
            self.problems.append(f"{repeated} end-to-end ids are there more than once")

    async def _batch(self, paid: Paid) -> None:
        ref = await reference(self._store, paid)
        batch, _ = await self._store.batches.read(ref)
        payments, minor = 0, 0
        async for chunk, status in self._chunks(ref):
            if any(OUTCOME_OF_BYTE[code] is not Outcome.COMPLETED for code in set(status.codes)):
                self.problems.append(f"batch {ref}: chunk {chunk.id.number} has payments that are not completed")
            self.settled.append(Settled(status.changed_at, len(chunk.credits), batch.accepted_at))
            self._names.extend(hash(credit.end_to_end_id) for credit in chunk.credits)
            payments, minor = payments + len(chunk.credits), minor + chunk.total_minor
        if (payments, minor) != (paid.body.payments, paid.body.total_minor):
            self.problems.append(f"batch {ref}: its chunks have {payments} payments of {minor} minor units")
        if any(event.outcome == DEAD_LETTER for event in await self._store.events.of(ref)):
            self.problems.append(f"batch {ref}: a step of it was set aside")

    async def _chunks(self, ref: str) -> AsyncIterator[tuple[Chunk, ChunkStatus]]:
        numbers = await self._store.batches.chunk_numbers(ref)
        for first in range(0, len(numbers), CHUNKS_AT_ONCE):
            some = numbers[first : first + CHUNKS_AT_ONCE]
            for found in await asyncio.gather(*(self._store.batches.chunk(ref, number) for number in some)):
                yield found


async def reference(store: Store, paid: Paid) -> str:
    """Find the reference of a batch by the id that its sender was given."""
    return await store.batches.by_sender_id(paid.batch_id) or paid.batch_id


def called_problems(paid: Sequence[Paid]) -> list[str]:
    """Compare what the final callbacks say with what was sent."""
    return [
        f"batch {each.batch_id}: {said} were called completed, {asked} were asked for"
        for each in paid
        if (said := _said(each.final)) != (asked := (each.body.payments, each.body.total_minor))
    ]


def _said(final: Mapping[str, Any]) -> tuple[int, int]:
    return int(final["completed"]), minor_units(Decimal(str(final["completed_amount"])), CURRENCY)


async def ledger_problems(settings: Settings, session: aiohttp.ClientSession, payments: int) -> list[str]:
    """Compare ledgers and funds with one another and, account by account, with what was asked for.

    Every person is paid once, so that the balance of an account says whether the payment was made, and only once.
    """
    books = await proof(settings)
    books.expect_spent(PROGRAMME, CURRENCY, sum(map(amount, range(payments))))
    found = list(books.problems)
    for position, institution in enumerate(PREFIXES):
        expected = len(range(position, payments, len(PREFIXES)))
        right, wrong = await _accounts(settings, session, institution)
        if (right, wrong) != (expected, 0):
            found.append(f"{institution}: {right} of {expected} accounts have the right balance, {wrong} a wrong one")
    found += reserved_problems(await _asked(session, f"{settings.api_url}/admin/programmes/{PROGRAMME}/funds"))
    dead = await _asked(session, f"{settings.api_url}/admin/callbacks?state=dead")
    return [*found, *(["callbacks were given up"] if dead["items"] else [])]


def reserved_problems(funds: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Say what the programme still reserves, by currency; it may give vouchers, but none were given here."""
    return [
        f"programme {PROGRAMME}: {balance['reserved']} minor units {currency} still reserved"
        for currency, balance in funds.items()
        if balance["reserved"]
    ]


async def _accounts(settings: Settings, session: aiohttp.ClientSession, institution: str) -> tuple[int, int]:
    """Count the people's accounts whose balance is the amount of their payment, and those where it is not."""
    right, wrong, after = 0, 0, ""
    url = f"{settings.simulators_base}/sim/{institution}/balances"
    while True:
        async with session.get(url, params={"limit": LONGEST_PAGE, "after": after}) as answer:
            rows = await answer.json()
        for row in rows:
            number = person_of(institution, row["account"])
            if number is not None and row["minor"]:
                due = row["minor"] == amount(number)
                right, wrong = right + due, wrong + (not due)
        if len(rows) < LONGEST_PAGE:
            return right, wrong
        after = rows[-1]["account"]


def person_of(institution: str, account: str) -> int | None:
    """Find the number of the person whose account that is; ``None`` for accounts of the institution's own."""
    prefix = PREFIXES[institution].lstrip("+")
    digits = account.lstrip("+")
    if not digits.isdecimal() or not digits.startswith(prefix):
        return None
    return int(digits[len(prefix) : -2]) * len(PREFIXES) + list(PREFIXES).index(institution)


async def _unfinished(settings: Settings, session: aiohttp.ClientSession) -> list[int]:
    """Count the tasks of each step; timers, which ask what became of a message, are none."""
    said = await _asked(session, f"{settings.api_url}/admin/queue")
    return [count for step, count in said.items() if step != TIMERS]


async def _asked(session: aiohttp.ClientSession, url: str) -> Mapping[str, Any]:
    async with session.get(url) as answer:
        answer.raise_for_status()
        said: Mapping[str, Any] = await answer.json()
        return said

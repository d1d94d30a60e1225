"""The demo's programme: people at four institutions, some of whom cannot be paid, and money that comes back.

Everything goes the way of a real programme: JSON over HTTP in, ISO 20022 to the simulated payer bank, callbacks back.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from connector.cli.instance import fresh_instance
from connector.cli.ledgers import advance_clock, proof
from connector.cli.people import RETURNED, Person, people_of_all_fates
from connector.cli.process import unless
from connector.cli.reckoning import Record, reckon, show
from connector.cli.source_bb import SourceBB, credit_v1, credit_v3, source_bb
from connector.domain.errors import Unavailable
from connector.settings import Settings

SOURCE: Final = "MINISTRY0001"
PROGRAMME: Final = "PENSIONS"
CURRENCY: Final = "USD"
REGISTER_AT_ONCE: Final = 10_000
BATCH_SIZE: Final = 25_000
RETURN_AFTER_SECONDS: Final = 4 * 86_400.0
PATIENCE_SECONDS: Final = 120.0
"""How long a step may stand still; every step is long done by then."""


@dataclass
class _Programme:
    """The people of the demo, what each is paid (minor units), and what came of it."""

    people: Sequence[Person]
    amounts: Sequence[int]
    batches: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def slices(self, size: int) -> list[range]:
        """Cut the numbers of the people into pieces."""
        return [range(at, min(at + size, len(self.people))) for at in range(0, len(self.people), size)]


async def rehearse(folder: Path, payments: int, stop: asyncio.Event, *, keep: bool) -> list[str]:
    """Run the programme under ``folder`` and give what does not come out; ``stop`` ends it at any time."""
    console = Console()
    people = list(people_of_all_fates(payments))
    programme = _Programme(people, [2_500 + 25 * (number % 400) for number in range(payments)])
    quick = {"log_level": "ERROR", "progress_interval_seconds": 0.5}
    began = time.monotonic()
    async with (
        fresh_instance(folder, console.print, **quick) as (settings, _),
        source_bb(settings.api_url, SOURCE, PATIENCE_SECONDS) as ministry,
    ):
        programme.seconds["start"] = time.monotonic() - began
        problems = await unless(stop, _run(programme, ministry, settings, console))
        if keep and problems is not None:
            console.print(_next_steps(settings.api_url, programme), markup=False, highlight=False, soft_wrap=True)
            await stop.wait()
    return ["it was stopped before its end"] if problems is None else problems


async def _run(programme: _Programme, ministry: SourceBB, settings: Settings, console: Console) -> list[str]:
    """Take every step, show what came of it, and give what does not come out."""
    with _progress(console) as progress:
        for title, step in (("onboard", _onboard), ("prevalidate", _prevalidate), ("pay", _pay)):
            await _timed(programme, title, step(programme, ministry, progress))
        await _timed(programme, "return", _return(programme, ministry, settings, progress))
    records = [record async for record in _records(programme, ministry)]
    ledgers = await proof(settings)
    ledgers.expect_spent(PROGRAMME, CURRENCY, sum(each.minor for each in records if each.outcome == "completed"))
    problems = [*reckon(programme.people, programme.amounts, records), *ledgers.problems]
    show(console, records, programme.seconds, ledgers, problems)
    return problems


async def _onboard(programme: _Programme, ministry: SourceBB, progress: Progress) -> None:
    known = [person for person in programme.people if person.address]
    bar = progress.add_task("onboard people", total=len(known))
    for number, start in enumerate(range(0, len(known), REGISTER_AT_ONCE)):
        group = known[start : start + REGISTER_AT_ONCE]
        await ministry.register(f"ONBOARD{number:05d}", group)
        progress.advance(bar, len(group))


async def _prevalidate(programme: _Programme, ministry: SourceBB, progress: Progress) -> None:
    bar = progress.add_task("prevalidate", total=len(programme.people))
    for number, part in enumerate(programme.slices(BATCH_SIZE)):
        ids = f"VALREQ{number:06d}", f"VALBAT{number:06d}"
        await ministry.prevalidate(*ids, [credit_v1(n, *_payee(programme, n)) for n in part])
        await _until_validated(ministry, *ids)
        progress.advance(bar, len(part))


async def _until_validated(ministry: SourceBB, request_id: str, batch_id: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "NumberFailedCases" not in await ministry.validation_result(request_id, batch_id):  # noqa: ASYNC110 - polled by contract
            await asyncio.sleep(0.1)


async def _pay(programme: _Programme, ministry: SourceBB, progress: Progress) -> None:
    bar = progress.add_task("pay", total=len(programme.people))
    for number, part in enumerate(programme.slices(BATCH_SIZE)):
        body = msgspec.json.encode([credit_v3(n, *_payee(programme, n)) for n in part])
        programme.batches.append(await ministry.pay(body, PROGRAMME, f"DEMO{number:08d}"))
    waiting = asyncio.gather(*(ministry.finished(batch, PATIENCE_SECONDS) for batch in programme.batches))
    while not waiting.done():
        progress.update(bar, completed=ministry.settled())
        await asyncio.wait({waiting}, timeout=0.1)
    await waiting
    progress.update(bar, completed=ministry.settled())


async def _return(programme: _Programme, ministry: SourceBB, settings: Settings, progress: Progress) -> None:
    """Let the simulated banks' clock run on until they give back what could not be credited after all."""
    expected = sum(person.address.endswith(RETURNED) for person in programme.people)
    bar = progress.add_task("return, days later", total=expected)
    await advance_clock(settings, RETURN_AFTER_SECONDS)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (returned := await _count_returned(programme, ministry)) < expected:
        if time.monotonic() > deadline:
            raise Unavailable("simulated banks", f"returned {returned} of {expected} payments")
        progress.update(bar, completed=returned)
        await asyncio.sleep(0.2)
    progress.update(bar, completed=expected)


async def _count_returned(programme: _Programme, ministry: SourceBB) -> int:
    return sum([await ministry.count(batch, "returned") for batch in programme.batches])


async def _records(programme: _Programme, ministry: SourceBB) -> Any:  # noqa: ANN401 - an asynchronous generator
    for batch in programme.batches:
        async for each in ministry.details(batch):
            yield Record.of(each)


async def _timed(programme: _Programme, title: str, step: Any) -> None:  # noqa: ANN401 - a coroutine
    began = time.monotonic()
    await step
    programme.seconds[title] = time.monotonic() - began


def _payee(programme: _Programme, number: int) -> tuple[Person, int, str]:
    return programme.people[number], programme.amounts[number], CURRENCY


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description:>20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


def _next_steps(base: str, programme: _Programme) -> str:
    batch = programme.batches[0]
    return (
        f"\nIt is still running; Ctrl-C ends it. To try next:\n"
        f"  curl {base}/healthcheck\n"
        f"  curl '{base}/api/v1/batch/detail?batchId={batch}&pageSize=5' -H 'Platform-TenantId: demo'\n"
        f"  curl '{base}/api/v1/batch/detail?batchId={batch}&status=returned' -H 'Platform-TenantId: demo'\n"
        f"  open {base}/docs"
    )

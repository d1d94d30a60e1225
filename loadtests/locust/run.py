"""A load test from beginning to end: the instance, Locust as a process of its own, the books, the verdict."""

import asyncio
import json
import math
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import aiohttp

from connector.cli.check import versions
from connector.domain.errors import Misconfigured, Unavailable
from loadtests.locust import report
from loadtests.locust.books import Books, Difference, compare, read_books, settled_books
from loadtests.locust.figures import figures_of
from loadtests.locust.objectives import Objectives, Outcome, Run, Verdict, judge
from loadtests.locust.process import Terms
from loadtests.locust.shapes import shape_of
from loadtests.locust.target import Own, Target, target
from loadtests.locust.timeline import Timeline
from loadtests.locust.tls import context

LOCUSTFILE: Final = Path(__file__).parent / "locustfile.py"
ROLES: Final = {"source": "SourceBB", "merchant": "Merchant", "bank": "PayerBank", "operator": "Operator"}
RECORD: Final = "timeline.json"
GRACE_SECONDS: Final = 60.0
"""How long Locust may take to start and to end, beside the load and the patience of its users."""


@dataclass(frozen=True)
class Plan:
    """What is to be run. url "": an instance of its own, and how it is.

    users: the most at once; processes: of Locust; ui_port 0: without its page; more: further options for Locust.
    """

    shape: str
    minutes: float
    users: int
    url: str = ""
    own: Own = field(default_factory=Own)
    processes: int = 1
    ui_port: int = 0
    roles: Sequence[str] = tuple(ROLES)
    terms: Terms = field(default_factory=Terms)
    asked: Objectives = field(default_factory=Objectives)
    more: Sequence[str] = ()

    @property
    def seconds(self) -> float:
        """How long the load lasts."""
        return self.minutes * 60


async def execute(plan: Plan, folder: Path, stop: asyncio.Event, tell: Callable[[str], None]) -> Outcome:
    """Run it, keep everything under ``folder``, tell the verdict. Raises ``Misconfigured`` without Locust."""
    run, verdict, facts = await judged(plan, folder, stop, tell)
    tell(report.write(folder, run, verdict, facts))
    tell(f"Kept in {folder}: summary.md, summary.json, locust.html, locust.log, timeline.json")
    return verdict.outcome


async def judged(
    plan: Plan, folder: Path, stop: asyncio.Event, tell: Callable[[str], None]
) -> tuple[Run, Verdict, dict[str, Any]]:
    """Run it, and judge it; gives the facts of how it was run too. Raises ``Misconfigured`` without Locust."""
    if find_spec("locust") is None:
        raise Misconfigured("environment", 0, "locust", "is not installed: pip install 'isogate[load]', or make load")
    tell(f"{plan.shape}: up to {plan.users} users for {plan.minutes:g} minutes")
    async with target(plan.url, plan.own, tell) as instance:
        tell(_announcement(plan, instance))
        run = await _loaded(plan, folder, instance, stop)
        facts = _facts(plan, instance)
    return run, judge(run, plan.asked), facts


async def _loaded(plan: Plan, folder: Path, instance: Target, stop: asyncio.Event) -> Run:
    headers = {"Authorization": f"Bearer {token}"} if (token := os.environ.get("ISOGATE_ADMIN_TOKEN")) else {}
    connector = aiohttp.TCPConnector(ssl=context())
    limit = aiohttp.ClientTimeout(total=30)
    which = plan.terms.currency, plan.terms.voucher_group
    async with aiohttp.ClientSession(headers=headers, connector=connector, timeout=limit) as session:
        before = await read_books(session, instance.url, *which)
        sampling = asyncio.create_task(instance.sample_forever(plan.seconds))
        await _locust(plan, folder, instance, stop)
        sampling.cancel()
        timeline = _timeline(folder)
        after = await settled_books(session, instance.url, *which)
    shape = shape_of(plan.shape, users=plan.users, seconds=plan.seconds)
    windows = [figures_of(timeline, window) for window in shape.windows()]
    books = _difference(plan, timeline, before, after, instance)
    return Run(shape, timeline, windows, books, instance.memory, instance.restarts)


def _timeline(folder: Path) -> Timeline:
    """Read what Locust recorded; raises ``Unavailable`` where it recorded nothing."""
    try:
        return Timeline.of(json.loads((folder / RECORD).read_text()))
    except OSError:
        raise Unavailable("locust", f"it left no record; {folder / 'locust.log'} says why") from None


def _difference(plan: Plan, timeline: Timeline, before: Books, after: Books, instance: Target) -> Difference:
    if timeline.total("batches unfinished") or not timeline.ended:
        return Difference(reason="not all users saw the end of what they began")
    expected = {plan.terms.programme: timeline.total("minor units paid")}
    if before.voucher_programme:
        programme = before.voucher_programme
        expected[programme] = expected.get(programme, 0) + timeline.total("minor units redeemed")
    return compare(before, after, expected, ours_alone=instance.ours)


async def _locust(plan: Plan, folder: Path, instance: Target, stop: asyncio.Event) -> None:
    """Run Locust to its end, or until ``stop``; a record of an earlier run must not pass for that of this one."""
    (folder / RECORD).unlink(missing_ok=True)
    with (folder / "locust.log").open("wb") as log:
        locust = await asyncio.create_subprocess_exec(
            *command(plan, folder, instance.url), stdout=log, stderr=log, start_new_session=True
        )
        ending, told = asyncio.create_task(locust.wait()), asyncio.create_task(stop.wait())
        longest = None if plan.ui_port else plan.seconds + plan.terms.patience + GRACE_SECONDS
        await asyncio.wait({ending, told}, timeout=longest, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            await _end(locust, ending, plan.terms.patience)
        told.cancel()


async def _end(locust: asyncio.subprocess.Process, ending: "asyncio.Task[int]", patience: float) -> None:
    """Ask it to end, which lets its users finish what they began; kill it where that takes too long.

    By SIGINT, as with Ctrl-C: a Locust without its page dies of SIGTERM at once and leaves no record.
    """
    locust.send_signal(signal.SIGINT)
    await asyncio.wait({ending}, timeout=patience + GRACE_SECONDS)
    if not ending.done():
        os.killpg(locust.pid, signal.SIGKILL)
        await ending


def command(plan: Plan, folder: Path, url: str) -> list[str]:
    """Write Locust's command line; a directory named locust beside us must not pass for the package (-P)."""
    options = {
        "shape": plan.shape,
        "peak-users": plan.users,
        "minutes": plan.minutes,
        **{name.replace("_", "-"): getattr(plan.terms, name) for name in Terms.__dataclass_fields__},
        "stop-timeout": math.ceil(plan.terms.patience),
        "record-folder": folder,
        "html": folder / "locust.html",
        "host": url,
    }
    page = ["--autostart", "--web-host", "127.0.0.1", "--web-port", str(plan.ui_port)]
    return [
        *(sys.executable, "-P", "-m", "locust", "-f", str(LOCUSTFILE), "--only-summary"),
        *(word for name, value in options.items() for word in (f"--{name}", str(value))),
        *(page if plan.ui_port else ["--headless"]),
        *(["--processes", str(plan.processes)] if plan.processes > 1 else []),
        *plan.more,
        *(ROLES[role] for role in plan.roles),
    ]


def _announcement(plan: Plan, instance: Target) -> str:
    where = f"{instance.url} (an instance of its own, {plan.own.posture})" if instance.ours else instance.url
    page = f"Locust's page: http://127.0.0.1:{plan.ui_port}; Ctrl-C ends it and gives the verdict"
    return f"loading {where}" + (f"\n{page}" if plan.ui_port else "")


def _facts(plan: Plan, instance: Target) -> dict[str, Any]:
    return {
        "shape": plan.shape,
        "url": instance.url,
        "posture": plan.own.posture if instance.ours else "of the deployment",
        "store_synced": plan.own.fsync if instance.ours else "as the deployment has it",
        "sync": plan.terms.sync,
        "roles": " ".join(plan.roles),
        "batch_size": plan.terms.batch_size,
        "users": plan.users,
        "minutes": plan.minutes,
        "workers": plan.own.workers if instance.ours else None,
        "locust_processes": plan.processes,
        "cores": os.cpu_count(),
        "load_of_machine": [round(each, 1) for each in os.getloadavg()],
        "ended": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "versions": versions(),
    }

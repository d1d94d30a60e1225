"""Reconciliations: asked for by an operator or by the clock, then done step by step from the queue.

For each day the statements are fetched, then compared. The clock is a timer of the store, so it goes off once,
whatever is restarted; a day's reconciliation of an account has a derived id, so it is made once.
"""

import hashlib
from base64 import b32encode
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

import structlog

from connector.domain.errors import Refused
from connector.domain.ids import REFERENCE_LENGTH
from connector.domain.reconciliation import Finding, FindingKind
from connector.flows import reconciliation_day, reconciliation_fetch
from connector.flows.reconciliation_accounts import Account, account_of, accounts
from connector.flows.reconciliation_fetch import today
from connector.flows.services import Services
from connector.store import Entry, Task
from connector.store.reconciliations import DayResult, Reconciliation, ReconciliationProgress

LONGEST_DAYS: Final = 92
DAILY: Final = "daily"
CLOCK: Final = "reconcile-daily"
"""The step of the timer, and the stable id under which it lies in the queue."""

_LAST: Final = "last"
_REMEMBERED_SECONDS: Final = 400 * 86_400.0
_MOST_CATCHING_UP: Final = 31
_FETCH: Final = "fetch"
_DAY: Final = "day"
_TO_LOOK_INTO: Final = (FindingKind.MISSING, FindingKind.UNEXPECTED, FindingKind.DIFFERING)

_log = structlog.get_logger(__name__)


async def start(services: Services, programme: str, first: date, last: date, actor: str) -> Reconciliation:
    """Begin the reconciliation of a programme's account over some days; raises ``NotFound`` and ``Refused``."""
    if not 0 <= (last - first).days < LONGEST_DAYS:
        raise Refused.because(
            "/to", "range", f"A period has 1 to {LONGEST_DAYS} days, and does not end before it begins."
        )
    if last > today(services) + timedelta(days=1):
        raise Refused.because("/to", "future", "There are no statements of days to come.")
    account = account_of(await services.store.directory.load(), programme)
    now = services.clock()
    asked = _asked(services, account, programme, first, last, f"{actor} {now!r}", actor)
    await services.store.reconciliations.create(asked, [_task(asked, 0, _FETCH)])
    return asked


async def run(services: Services, entry: Entry) -> None:
    """Carry one step of a reconciliation."""
    task, kept = entry.task, services.store.reconciliations
    asked = (await kept.read(task.batch)).asked
    if task.data == _FETCH:
        told = await reconciliation_fetch.fetch(services, asked, task.number)
        then = [_task(asked, task.number, _DAY)]
        return await kept.fetched(asked.id, task.number, told, then=then, done=entry)
    result = await reconciliation_day.reconcile(services, asked, task.number)
    following = task.number + 1
    then = [_task(asked, following, _FETCH)] if following < len(asked.days) else []
    _tell(asked, result)
    return await kept.day(asked.id, task.number, result, then=then, done=entry)


async def findings(
    services: Services, found: ReconciliationProgress, kinds: frozenset[str]
) -> AsyncIterator[Finding]:
    """Give the findings of these kinds (none: all), day by day, a piece in memory at a time."""
    first = found.asked.first
    for result in found.days:
        number = (result.day - first).days
        for part in range(result.parts):
            for one in await services.store.reconciliations.findings(found.asked.id, number, part):
                if not kinds or one.kind.value in kinds:
                    yield one


async def page(
    services: Services, found: ReconciliationProgress, kinds: frozenset[str], skip: int, size: int
) -> list[Finding]:
    """Give ``size`` findings of these kinds after the first ``skip``; pieces that lie before them are not opened."""
    rows: list[Finding] = []
    for result in found.days:
        listed = sum(total.findings for total in result.totals if _is_listed(total.kind, kinds))
        if listed <= skip:
            skip -= listed
            continue
        one_day = ReconciliationProgress(found.asked, (result,))
        async for one in findings(services, one_day, kinds):
            if skip:
                skip -= 1
            else:
                rows.append(one)
            if len(rows) == size:
                return rows
    return rows


def _is_listed(kind: str, kinds: frozenset[str]) -> bool:
    return kind in kinds if kinds else kind != FindingKind.NOT_DUE.value


async def arm(services: Services) -> None:
    """Set the clock if reconciliations are to be made daily; one that has gone off unseen goes off at once.

    Every worker does so when it starts: equal timers are one.
    """
    if services.settings.reconcile_at:
        await services.store.queue.put([_timer(await _next(services))])


async def tick(services: Services, entry: Entry) -> None:
    """Reconcile what is due for every account, and set the clock for tomorrow."""
    if services.settings.reconcile_at:
        now = today(services)
        for account in accounts(await services.store.directory.load()):
            for day in await _due(services, now):
                asked = _asked(services, account, account.programmes[0], day, day, DAILY, DAILY)
                await services.store.reconciliations.create(asked, [_task(asked, 0, _FETCH)])
        await services.store.records.put(CLOCK, _LAST, now.isoformat(), _REMEMBERED_SECONDS)
        await arm(services)
    await services.store.queue.done(entry)


async def _due(services: Services, now: date) -> list[date]:
    """Yesterday, and the days before it on which nothing ran to see to them."""
    last = await services.store.records.get(CLOCK, _LAST)
    yesterday = now - timedelta(days=1)
    first = max(date.fromisoformat(last), now - timedelta(days=_MOST_CATCHING_UP)) if last else yesterday
    return [first + timedelta(days=number) for number in range((yesterday - first).days + 1)]


async def _next(services: Services) -> float:
    """When the clock goes off next (Unix seconds): today, unless that is done."""
    done = await services.store.records.get(CLOCK, _LAST) == today(services).isoformat()
    at = datetime.strptime(services.settings.reconcile_at, "%H:%M").replace(tzinfo=UTC)
    day = today(services) + timedelta(days=1 if done else 0)
    return datetime.combine(day, at.timetz()).timestamp()


def _timer(due_at: float) -> Task:
    return Task(CLOCK, CLOCK, due_at=due_at)


def _task(asked: Reconciliation, number: int, what: str) -> Task:
    return Task("reconcile", asked.id, number, data=what)


def _asked(  # noqa: PLR0913, PLR0917 (the facts of a reconciliation)
    services: Services, account: Account, programme: str, first: date, last: date, occasion: str, actor: str
) -> Reconciliation:
    name = f"{account.institution}\x1f{account.number}\x1f{first}\x1f{last}\x1f{programme}\x1f{occasion}"
    identifier = b32encode(hashlib.sha256(name.encode()).digest()[:13]).decode()[:REFERENCE_LENGTH]
    tolerance, now = services.settings.reconcile_tolerance_days, services.clock()
    programmes = account.programmes
    return Reconciliation(identifier, programme, programmes, account.institution, first, last, tolerance, now, actor)


def _tell(asked: Reconciliation, result: DayResult) -> None:
    """Warn of what has to be looked into: in numbers only."""
    counts = {kind.value: 0 for kind in _TO_LOOK_INTO}
    for total in result.totals:
        if total.kind in counts:
            counts[total.kind] += total.findings
    if any(counts.values()):
        _log.warning("statement differs from records", reconciliation=asked.id, day=str(result.day), **counts)

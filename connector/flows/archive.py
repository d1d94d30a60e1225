"""Step ``archive``: batches that have been finished for long enough leave the store for a file each.

A file that cannot be written or a batch that cannot be read is an alert in that batch's log, and it is tried again
later; the others go on.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import structlog

from connector.domain import clawback
from connector.domain.batch import FINISHED
from connector.domain.chunk import ChunkStatus
from connector.domain.errors import Misconfigured, NotFound, NotPermitted, Unavailable
from connector.domain.event import Event
from connector.flows.alerts import ALERT
from connector.flows.services import Services
from connector.store import Entry, Store, Task

CLOCK: Final = "archive"
"""The step of the timer, and the stable id under which it lies in the queue."""

INTERVAL_SECONDS: Final = 60.0
MOST_PAYMENTS: Final = 2_000_000
"""After so many payments a turn ends, and the next one begins at once."""

_MOST_BATCHES: Final = 250
"""Of each partition in a turn."""

_log = structlog.get_logger(__name__)


class Swept(NamedTuple):
    """How many batches were archived, with how many payments; waiting: left for later; more: not looked at yet."""

    batches: int = 0
    payments: int = 0
    waiting: int = 0
    more: bool = False


async def arm(services: Services, *, at_once: bool = False) -> None:
    """Set the timer, where batches are archived by themselves. Every worker does so: equal timers are one."""
    if services.settings.archive_after_seconds > 0:
        due_at = 0.0 if at_once else (services.clock() // INTERVAL_SECONDS + 1) * INTERVAL_SECONDS
        await services.store.queue.put([Task(CLOCK, CLOCK, priority=9, due_at=due_at)])


async def run(services: Services, entry: Entry) -> None:
    """Archive what has been finished for long enough, and set the timer again."""
    swept = Swept()
    if services.settings.archive_after_seconds > 0:
        before = services.clock() - services.settings.archive_after_seconds
        swept = await sweep(services.store, before, services.clock(), most_payments=MOST_PAYMENTS)
    if swept.batches or swept.waiting:
        _log.info("batches archived", batches=swept.batches, payments=swept.payments, waiting=swept.waiting)
    await arm(services, at_once=swept.more)
    await services.store.queue.done(entry)


async def sweep(
    store: Store, before: float, now: float, *, most: int = _MOST_BATCHES, most_payments: int | None = None
) -> Swept:
    """Archive the batches that are finished, or were changed last, before a time (Unix seconds).

    most: batches of each partition; most_payments: after which the turn ends. Raises ``Misconfigured`` where there is
    no folder that can be written.
    """
    await store.archiving.prepare()
    refs = await store.archiving.awaiting(before, most)
    swept = Swept(more=len(refs) >= most)
    for ref in refs:
        swept = await _one(store, ref, now, swept)
        if most_payments is not None and swept.payments >= most_payments:
            return swept._replace(more=True)
    return swept


async def archive_now(store: Store, ref: str, actor: str, origin: str, now: float) -> None:
    """Archive one batch, however lately it was finished; one that is archived stays so.

    Raises ``NotFound``; ``NotPermitted`` for a batch that is not finished, or about which something is left to do;
    ``Misconfigured`` as ``sweep``.
    """
    await store.archiving.prepare()
    _, progress = await store.batches.read(ref)
    if progress.state not in FINISHED:
        raise NotPermitted("batch", ref, progress.state)
    if await store.archiving.is_complete(ref):
        return
    await store.events.add(ref, Event(now, actor, "archived", origin, "ok"))
    try:
        done = await store.archiving.archive_batch(ref, now, over)
    except Misconfigured as error:
        await store.events.add(ref, Event(now, "isogate", "not archived", origin, str(error)[:300]))
        raise
    if not done:
        await store.events.add(ref, Event(now, "isogate", "not archived", origin, "something is left to do"))
        raise NotPermitted("batch", ref, "waiting for callbacks or answers to recalls")


def over(status: ChunkStatus) -> bool:
    """Tell whether nothing is left to do about a chunk of a finished batch: every recall has its answer. Pure."""
    open_cases: Sequence[object] = [case for case in status.recalls if clawback.unanswered(status, case.number)]
    return not open_cases and clawback.undelivered(status) is None


async def _one(store: Store, ref: str, now: float, swept: Swept) -> Swept:
    """Archive one batch; what cannot be is put off, so that the next turn looks at others."""
    try:
        batch, _ = await store.batches.read(ref)
        done = await store.archiving.archive_batch(ref, now, over)
    except (Misconfigured, Unavailable) as error:
        if isinstance(error, Unavailable) and error.what != "archive":
            raise
        await store.events.add(ref, Event(now, "isogate", f"{ALERT}not archived", "worker", str(error)[:300]))
        _log.warning("operator needed", batch=ref, what="not archived", detail=str(error)[:300])
        done = False
    except (NotFound, NotPermitted):
        done = False
    if done:
        return swept._replace(batches=swept.batches + 1, payments=swept.payments + batch.count)
    await store.archiving.postpone(ref, now)
    return swept._replace(waiting=swept.waiting + 1)

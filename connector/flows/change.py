"""How every step changes a chunk: compare and swap, totals and follow-up tasks in the same commit."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from connector.domain.batch import Batch, BatchKind
from connector.domain.chunk import Chunk, ChunkStatus, Tally, tallies
from connector.domain.errors import Unavailable
from connector.domain.event import Event
from connector.domain.status import Outcome
from connector.flows import tasks
from connector.flows.services import Services
from connector.store import Entry, Task

MOST_SWAPS: Final = 50

Alteration = Callable[[ChunkStatus], ChunkStatus]
"""Pure; gives back the very same object where there is nothing to change."""


async def change(  # noqa: PLR0913 (one commit: what becomes true together is said together)
    services: Services,
    batch: Batch,
    chunk: Chunk,
    status: ChunkStatus,
    alter: Alteration,
    *,
    event: Event | None = None,
    then: Callable[[ChunkStatus], Sequence[Task]] = lambda _: (),
    done: Entry | None = None,
) -> tuple[ChunkStatus, bool]:
    """Alter a chunk's status however many others alter it too; gives the status then, and whether this changed it.

    ``status`` is what was read last. ``then`` makes tasks of the new status; settling, and telling the Source BB when
    the batch is finished, are added here. Where nothing changed, ``done`` is still to be struck off by the caller.
    Raises ``Unavailable`` in the unlikely case that others are always faster.
    """
    for _ in range(MOST_SWAPS):
        with services.stages.measure("advance", len(status.codes)):
            after = alter(status)
        if after is status:
            return status, False
        after = replace(after, version=status.version + 1)
        if await _swap(services, batch, chunk, (status, after), [*then(after)], event, done):
            return after, True
        status = await services.store.batches.chunk_status(batch.ref, chunk.id.number)
    raise Unavailable("chunk", "too many changes at once")


async def _swap(  # noqa: PLR0913, PLR0917 (as change)
    services: Services,
    batch: Batch,
    chunk: Chunk,
    step: tuple[ChunkStatus, ChunkStatus],
    then: list[Task],
    event: Event | None,
    done: Entry | None,
) -> bool:
    with services.stages.measure("add up", len(chunk.credits)):
        before, after = _moved_totals(chunk, *step)
    if batch.kind is BatchKind.DISBURSEMENT and _money_moved(before, after):
        then.append(tasks.settle(batch, chunk))
    return await services.store.batches.advance(
        batch.ref,
        chunk.id.number,
        step[0].version,
        step[1],
        before,
        after,
        chunk.currency,
        then=then,
        then_if_finished=tasks.notify(batch, "final"),
        event=event,
        done=done,
        now=services.clock(),
    )


def _moved_totals(
    chunk: Chunk, before: ChunkStatus, after: ChunkStatus
) -> tuple[dict[Outcome, Tally], dict[Outcome, Tally]]:
    """Count both sides; where no credit changed, once is enough."""
    counted = tallies(chunk, before)
    return counted, counted if before.codes == after.codes else tallies(chunk, after)


def _money_moved(before: dict[Outcome, Tally], after: dict[Outcome, Tally]) -> bool:
    return any(before[result] != after[result] for result in Outcome if result is not Outcome.ONGOING)

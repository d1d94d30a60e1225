"""Old used vouchers go into an archive of compressed files; the store keeps nothing but that they were purged."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from connector.domain.errors import NotPermitted
from connector.flows.services import Services
from connector.flows.vouchers.archive import Archive
from connector.flows.vouchers.caller import ISOGATE, Caller
from connector.store import Entry, Task

CLOCK: Final = "voucher-purge"
"""The step of the timer, and the stable id under which it lies in the queue."""

INTERVAL_SECONDS: Final = 3600.0
MOST: Final = 100_000

_AT_ONCE: Final = 64


class Purged(NamedTuple):
    """How many vouchers were archived, and into how many files."""

    vouchers: int
    files: int


async def purge(
    services: Services,
    older_than_seconds: float,
    *,
    caller: Caller = ISOGATE,
    folder: Path | None = None,
    most: int = MOST,
) -> Purged:
    """Archive vouchers that have been redeemed, cancelled or expired for so long; a repeat goes on where it stopped.

    folder: another one than configured; ``queries`` look into the configured one. Stops after the block in which
    ``most`` is reached. Raises ``NotPermitted`` without a folder, ``Misconfigured`` for one that cannot be written.
    """
    archive = archive_of(services, folder)
    if archive is None:
        raise NotPermitted("archive", "of vouchers", "not configured")
    before = services.clock() - older_than_seconds
    vouchers = files = 0
    blocks = await services.store.vouchers.blocks()
    for start in range(0, len(blocks), _AT_ONCE):
        part = blocks[start : start + _AT_ONCE]
        found = await asyncio.gather(*(services.store.vouchers.purgeable(block, before) for block in part))
        for block, serials in zip(part, found, strict=True):
            if serials and vouchers < most:
                vouchers += await _block(services, archive, caller, block, serials)
                files += 1
    return Purged(vouchers, files)


def archive_of(services: Services, folder: Path | None = None) -> Archive | None:
    """Open the archive, if there is one."""
    configured = services.settings.voucher_archive
    return Archive(folder or Path(configured)) if folder or configured else None


async def arm(services: Services) -> None:
    """Set the timer of the purge, where used vouchers have an end; equal timers are one."""
    if services.settings.voucher_retention_seconds > 0 and services.settings.voucher_archive:
        due_at = (services.clock() // INTERVAL_SECONDS + 1) * INTERVAL_SECONDS
        await services.store.queue.put([Task(CLOCK, CLOCK, due_at=due_at)])


async def run(services: Services, entry: Entry) -> None:
    """Step ``voucher-purge``: purge what has been over for long enough, and set the timer again."""
    if services.settings.voucher_retention_seconds > 0 and services.settings.voucher_archive:
        await purge(services, services.settings.voucher_retention_seconds)
    await arm(services)
    await services.store.queue.done(entry)


async def _block(services: Services, archive: Archive, caller: Caller, block: int, serials: Sequence[int]) -> int:
    """Write first, and only then forget: a crash in between leaves a voucher in both places, never in none."""
    archived = await services.store.vouchers.to_archive(serials)
    await asyncio.to_thread(archive.add, block, archived)
    purged = await services.store.vouchers.purge(serials, actor=caller.actor, now=services.clock())
    return len(purged)

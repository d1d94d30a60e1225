"""After a run: the records of its batches as the store has them, and once more when they are archived."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from connector.app import keyring, store_url
from connector.flows.archive import archive_now
from connector.settings import Settings
from connector.store import Store
from loadtests.bench.disburse_books import Records, reference
from loadtests.bench.footprint import StoreBytes
from loadtests.bench.paying import Paid
from loadtests.bench.weights import Settled


class Afterwards(NamedTuple):
    """When the payments became final, and what archiving their batches took and left behind.

    store: what the store holds when all batches are archived; archive_bytes: the files that they are in then.
    """

    settled: list[Settled]
    archive_seconds: float
    archive_bytes: int
    store: StoreBytes
    problems: list[str]


async def look(settings: Settings, paid: Sequence[Paid]) -> Afterwards:
    """Read the batches, archive them, and read them again: nothing may have changed."""
    store = await Store.connect(
        store_url(settings),
        keys=keyring(settings),
        partitions=settings.partitions,
        clock=time.time,
        archive=settings.archive_folder,
    )
    try:
        kept = await _read(store, paid)
        began = time.monotonic()
        for each in paid:
            await archive_now(store, await reference(store, each), "bench", "bench", time.time())
        seconds = time.monotonic() - began
        held = await StoreBytes.read(store.link)
        archived = await _read(store, paid)
    finally:
        await store.close()
    problems = [*kept.problems, *(f"archived: {problem}" for problem in archived.problems)]
    if archived.settled != kept.settled:
        problems.append("what is read from the archive is not what was in the store")
    return Afterwards(kept.settled, seconds, _bytes(settings.archive_folder), held, problems)


async def _read(store: Store, paid: Sequence[Paid]) -> Records:
    records = Records(store)
    await records.read(paid)
    return records


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

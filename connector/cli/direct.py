"""The store of an instance, opened beside it: for what only an operator on this machine may do."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.settings import Settings
    from connector.store import Store


@asynccontextmanager
async def opened_store(data_dir: Path | None, profile: str | None) -> "AsyncIterator[tuple[Store, Settings]]":
    """Open it with the keys of the settings. Raises ``Unavailable`` where no store runs."""
    from connector.app import keyring, store_url
    from connector.settings import load
    from connector.store import Store

    settings = load(data_dir=data_dir, profile=profile)
    store = await Store.connect(
        store_url(settings),
        keys=keyring(settings),
        partitions=settings.partitions,
        clock=time.time,
        archive=settings.archive_folder,
    )
    try:
        yield store, settings
    finally:
        await store.close()

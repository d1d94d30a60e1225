"""One instance a data folder: a lock that an instance's processes hold together, so that none outlives it unseen."""

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from connector.domain.errors import Unavailable

PATIENCE_SECONDS: Final = 15.0
LOOK_EVERY_SECONDS: Final = 0.1


@contextmanager
def claim_file(folder: Path) -> Iterator[int]:
    """Open the lock file of a data folder; children that inherit it hold the lock as well, as long as they live."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / "instance.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


async def claim(handle: int, folder: Path, notice: Callable[[str], None]) -> None:
    """Take the lock; what is left of a killed instance gets the time to end. Raises ``Unavailable``."""
    for attempt in range(int(PATIENCE_SECONDS / LOOK_EVERY_SECONDS)):
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not attempt:
                notice(f"waiting for the processes of another instance on {folder} to end")
            await asyncio.sleep(LOOK_EVERY_SECONDS)
    raise Unavailable("data folder", f"another instance runs on {folder}")

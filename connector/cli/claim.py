"""One instance a data folder: a lock that its processes hold together, so that none outlives it unseen; its ports."""

import asyncio
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from connector.domain.errors import Unavailable

PATIENCE_SECONDS: Final = 15.0
LOOK_EVERY_SECONDS: Final = 0.1
HIGHEST_PORT: Final = 65535


@contextmanager
def claim_file(folder: Path) -> Iterator[int]:
    """Open the lock file of a data folder; children that inherit it hold the lock as well, as long as they live.

    Raises ``Unavailable`` for a folder that cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "instance.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Unavailable("data folder", f"{folder} cannot be used: {error.strerror}") from None
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


def check_port(host: str, port: int) -> None:
    """See that nobody listens at an address; raises ``Unavailable``.

    Without this, what somebody else answers there would pass for the instance that is starting.
    """
    if port > HIGHEST_PORT:
        raise Unavailable(f"{host}:{port}", f"cannot be listened on: ports end at {HIGHEST_PORT}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise Unavailable(f"{host}:{port}", f"cannot be listened on: {error.strerror}") from None

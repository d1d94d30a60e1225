"""A new key for a key file that running processes follow.

They look at the file once a second. So the new key is first one that only reads, and becomes the one that writes when
everybody knows it; and what is resealed is resealed when nobody writes under the old one any more. A note beside the
file has the new key's id until all is done: whoever is interrupted goes on with that key.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from connector.store.crypto import (
    LOOK_EVERY_SECONDS,
    SANDBOX_KEY,
    SECRET_BYTES,
    secrets_of,
    secrets_text,
    write_again,
)

PAUSE_SECONDS: Final = 2 * LOOK_EVERY_SECONDS

Pause = Callable[[float], Awaitable[object]]


async def take_new_key(file: Path, pause: Pause) -> str:
    """Add a key to the file and make it the one that writes; gives its id. pause: waits so many seconds."""
    secrets = secrets_of(await asyncio.to_thread(file.read_text))
    name = _noted(file, list(secrets))
    if name not in secrets:
        *older, writing = secrets.items()
        secrets = dict([*older, (name, os.urandom(SECRET_BYTES)), writing])
        write_again(file, secrets_text(secrets))
        await pause(PAUSE_SECONDS)
    if list(secrets)[-1] != name:
        secrets[name] = secrets.pop(name)
        write_again(file, secrets_text(secrets))
        await pause(PAUSE_SECONDS)
    return name


def finished(file: Path) -> None:
    """Strike the note: the next rotation takes another key."""
    _note(file).unlink(missing_ok=True)


def _noted(file: Path, names: list[str]) -> str:
    """Give the id of the key that an interrupted rotation was about, else note that of a new one."""
    with suppress(FileNotFoundError):
        return _note(file).read_text().strip()
    number = len(names) + 1
    while f"{SANDBOX_KEY}-{number}" in names:
        number += 1
    write_again(_note(file), f"{SANDBOX_KEY}-{number}\n")
    return f"{SANDBOX_KEY}-{number}"


def _note(file: Path) -> Path:
    return file.with_name(f"{file.name}.rotating")

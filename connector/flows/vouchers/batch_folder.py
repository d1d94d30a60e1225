"""A watched folder: files go in, responses come out; each exactly once, whenever the process is killed.

    inbox/NAME.jose            put there by its sender: written elsewhere (or as ``.NAME``) and renamed
    inbox/taken/NAME.jose      taken over by a rename; what a killed process leaves here is worked on again
    inbox/processed, /refused  where it ends; ``<stem>.<12 hex digits of its SHA-256>.jose``
    outbox/.<answer>           the answer while it is written
    outbox/<answer>            ``<stem>.<12 hex digits>.response.jose``, published by a rename once the file has ended

The same file again gives an answer of the same name and content. A lock keeps a second watcher waiting.
"""

import asyncio
import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connector.domain.errors import Misconfigured
from connector.flows.services import Services
from connector.flows.vouchers import batch_file
from connector.flows.vouchers.envelope import MOST_BYTES

SUFFIX: Final = ".jose"
LOOK_EVERY_SECONDS: Final = 0.5
_PAUSE_SECONDS: Final = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Folder:
    """The places of a watched folder."""

    inbox: Path
    outbox: Path

    def __post_init__(self) -> None:
        """Make what is missing; raises ``Misconfigured`` where that is not possible."""
        try:
            for place in (self.taken, self.processed, self.refused, self.outbox):
                place.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Misconfigured(str(error.filename), 0, "", f"cannot be made: {error.strerror}") from None

    @property
    def taken(self) -> Path:
        """Where files are that are worked on."""
        return self.inbox / "taken"

    @property
    def processed(self) -> Path:
        """Where files end whose vouchers were made."""
        return self.inbox / "processed"

    @property
    def refused(self) -> Path:
        """Where files end that were refused."""
        return self.inbox / "refused"


async def watch(services: Services, folder: Folder, stop: asyncio.Event) -> None:
    """Work on whatever is put into the folder until told to stop; waits while another process watches it."""
    with _lock_file(folder) as lock:
        while not _locked(lock):
            if await _stopped(stop, _PAUSE_SECONDS):
                return
        while not stop.is_set():
            calm = await sweep(services, folder)
            await _stopped(stop, LOOK_EVERY_SECONDS if calm else _PAUSE_SECONDS)


async def sweep(services: Services, folder: Folder) -> bool:
    """Work on every file that is there; False where something has to be tried again."""
    calm = all([await _worked(services, folder, file) for file in _files(folder.taken)])
    _publish(folder)
    for file in _files(folder.inbox):
        taken = folder.taken / file.name
        if taken.exists():  # not worked on yet: its namesake waits
            continue
        try:
            file.rename(taken)
        except FileNotFoundError:  # its sender took it back
            continue
        calm = await _worked(services, folder, taken) and calm
        _publish(folder)
    return calm


async def _worked(services: Services, folder: Folder, file: Path) -> bool:
    """Answer one file and let it end; a failure leaves it where it is. False: it has to be tried again."""
    try:
        content = await asyncio.to_thread(_read, file)
        taken = await batch_file.take(services, content, origin="folder", wait=True)
        if not taken.answer:
            return False
        name = f"{file.name.removesuffix(SUFFIX)}.{hashlib.sha256(content).hexdigest()[:12]}"
        await asyncio.to_thread(_end, folder, file, name, taken)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other files go on; its text may carry content
        _log.warning("voucher file put off: %s", type(error).__name__)
        return False
    return True


def _end(folder: Folder, file: Path, name: str, taken: batch_file.Taken) -> None:
    """Write the answer aside, safely on disk, then let the file end; the answer only has to be renamed after that."""
    _write(folder.outbox / f".{name}.response{SUFFIX}", taken.answer)
    file.rename((folder.processed if taken.id else folder.refused) / f"{name}{SUFFIX}")
    _sync(folder.inbox)


def _publish(folder: Folder) -> None:
    """Publish the answers to files that have ended; ``taken`` holds none of theirs any more."""
    waiting = {file.name.removesuffix(SUFFIX) for file in _files(folder.taken)}
    for answer in folder.outbox.glob(f".*.response{SUFFIX}"):
        if answer.name[1:].rsplit(".", 3)[0] not in waiting:
            answer.rename(answer.with_name(answer.name[1:]))
            _sync(folder.outbox)


def _files(place: Path) -> list[Path]:
    """Give the regular files to work on, oldest first; links are not followed."""
    with os.scandir(place) as entries:
        found = [entry for entry in entries if _is_ours(entry)]
        return [Path(entry.path) for entry in sorted(found, key=lambda each: (_age(each), each.name))]


def _is_ours(entry: "os.DirEntry[str]") -> bool:
    return entry.name.endswith(SUFFIX) and not entry.name.startswith(".") and entry.is_file(follow_symlinks=False)


def _age(entry: "os.DirEntry[str]") -> int:
    with suppress(FileNotFoundError):
        return entry.stat(follow_symlinks=False).st_mtime_ns
    return 0


def _read(file: Path) -> bytes:
    """Read a file up to the limit; a longer one is refused by its length."""
    with file.open("rb") as content:
        return content.read(MOST_BYTES + 1)


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(place: Path) -> None:
    """Put the names of a folder on disk."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _lock_file(folder: Folder) -> Iterator[int]:
    handle = os.open(folder.inbox / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()

"""The archive: a folder with one file for each batch that was archived, found by what the store keeps of the batch.

A file's name is never used twice, and a file never changed: a newer one of the same batch stands beside it until the
store says that it counts. A crash may leave one that no batch points to, or a draft (see ``files``).
All methods wait for the disk: call them in a thread.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from connector.domain.errors import Misconfigured, Unavailable
from connector.store.archive_file import Draft, Gone, Index, Place, make_folder, read_index, read_records, verify
from connector.store.crypto import Keyring

INDEXES_KEPT: Final = 16
NAME_BYTES: Final = 8
"""Random bytes in a file's name."""

_NAME: Final = re.compile(r"\d{4}/\d{2}/\d{2}/(?P<ref>[A-Z2-7]{20})-[0-9a-f]{16}\.archive(?P<draft>\.\d+\.draft)?")


class ArchivedFile(NamedTuple):
    """A file of the archive: its name below the folder, its batch, its bytes, and when it was made (Unix seconds)."""

    name: str
    ref: str
    size: int
    changed_at: float = 0.0


class Archive:
    """The files under one folder."""

    def __init__(self, folder: Path, keys: Keyring) -> None:
        """Work in this folder, which is made with the first file."""
        self.folder = folder
        self._keys = keys
        self._index = lru_cache(INDEXES_KEPT)(self._read_index)

    def prepare(self) -> None:
        """See to it that files can be written. Raises Misconfigured."""
        try:
            make_folder(self.folder)
        except OSError as error:
            raise Misconfigured(str(self.folder), 0, "", f"cannot be made: {error.strerror}") from error
        if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
            raise Misconfigured(str(self.folder), 0, "", "cannot be written")

    def draft(self, name: str) -> Draft:
        """Begin a file; raises Misconfigured where it cannot be written."""
        return Draft(self._path(name))

    def index(self, name: str) -> Index:
        """Give what is in a file. Raises Gone, Unavailable, Misconfigured."""
        try:
            return self._index(name)
        except Gone:
            if self.folder.is_dir():
                raise
            raise Unavailable("archive", f"the folder {self.folder} is not there") from None

    def records(self, name: str, *places: Place) -> list[bytes]:
        """Read records; raises as ``index``."""
        return read_records(self._path(name), places)

    def delete(self, name: str) -> None:
        """Delete a file, if it is there."""
        with suppress(OSError):
            self._path(name).unlink(missing_ok=True)

    def verify(self, name: str) -> None:
        """Compare a whole file with its own digest; raises as ``index``."""
        verify(self._path(name))

    def size(self, name: str) -> int:
        """Give a file's bytes; 0 where it is not there."""
        try:
            return self._path(name).stat().st_size
        except OSError:
            return 0

    def files(self) -> Iterator[ArchivedFile]:
        """List the files, drafts among them, the batches accepted last first."""
        return files_in(self.folder)

    def clear(self) -> int:
        """Delete all files, for a sandbox that begins anew; tells how many."""
        names = [file.name for file in self.files()]
        for name in names:
            self.delete(name)
        return len(names)

    def _path(self, name: str) -> Path:
        """Give a file's path; raises Misconfigured for a name that is not one of ours, and might lead elsewhere."""
        if not _NAME.fullmatch(name):
            raise Misconfigured(str(self.folder), 0, "", "the store names an archive file as no file is named")
        return self.folder / name

    def _read_index(self, name: str) -> Index:
        return read_index(self._path(name), name.rpartition("/")[2][:20], self._keys)


def files_in(folder: Path) -> Iterator[ArchivedFile]:
    """List the files of an archive, drafts among them, the batches accepted last first."""
    for day in sorted(folder.glob("[0-9]*/[0-9]*/[0-9]*"), reverse=True):
        for path in sorted(day.iterdir()):
            name = path.relative_to(folder).as_posix()
            if match := _NAME.fullmatch(name):
                try:
                    there = path.stat()
                except FileNotFoundError:  # a newer one took its place
                    continue
                yield ArchivedFile(name, match["ref"], there.st_size, there.st_mtime)


def file_name(ref: str, accepted_at: float, token: bytes) -> str:
    """Name a file of a batch (accepted_at: Unix seconds); token: random bytes."""
    day = datetime.fromtimestamp(accepted_at, UTC)
    return f"{day:%Y/%m/%d}/{ref}-{token.hex()}.archive"

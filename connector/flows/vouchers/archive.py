"""The archive of purged vouchers: one compressed file of JSON lines a block, found by serial number.

It has neither voucher numbers nor what tells of persons: payee ids, narrations and digests of who presented a voucher
are left out. A file is replaced as a whole, so that a crash leaves the old or the new one.
"""

import fcntl
import gzip
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from connector.domain.errors import Misconfigured
from connector.domain.voucher import block_of
from connector.store.vouchers import ArchivedVoucher

BLOCKS_A_FOLDER: Final = 1000

_decoder = msgspec.json.Decoder(ArchivedVoucher)


class Archive:
    """The files under one folder. Its methods wait for the disk: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        """Work in this folder, which is made with the first file."""
        self._folder = folder

    def add(self, block: int, vouchers: Iterable[ArchivedVoucher]) -> None:
        """Add vouchers of one block, durably; one that is there already is replaced.

        Raises Misconfigured where the folder cannot be written or the file that is there cannot be read.
        """
        path = self._path(block)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._alone():
                kept = {one.voucher.serial: one for one in self._read(path)}
                kept |= {one.voucher.serial: anonymous(one) for one in vouchers}
                _write(path, b"".join(msgspec.json.encode(kept[serial]) + b"\n" for serial in sorted(kept)))
        except OSError as error:
            raise Misconfigured(str(path), 0, "", f"cannot be written: {error.strerror}") from error

    def find(self, serial: int) -> ArchivedVoucher | None:
        """Find a voucher; raises Misconfigured where its file cannot be read."""
        path = self._path(block_of(serial))
        return next((one for one in self._read(path) if one.voucher.serial == serial), None)

    def _path(self, block: int) -> Path:
        return self._folder / str(block // BLOCKS_A_FOLDER) / f"{block}.jsonl.gz"

    def _read(self, path: Path) -> Iterator[ArchivedVoucher]:
        try:
            text = gzip.decompress(path.read_bytes())
            yield from map(_decoder.decode, text.splitlines())
        except FileNotFoundError:
            return
        except (OSError, EOFError, zlib.error, msgspec.DecodeError) as error:
            raise Misconfigured(str(path), 0, "", f"is not an archive file ({type(error).__name__})") from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from changing files meanwhile."""
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def anonymous(archived: ArchivedVoucher) -> ArchivedVoucher:
    """Leave out what tells of persons. Pure."""
    return ArchivedVoucher(
        replace(archived.voucher, payee_functional_id="", narration=""),
        tuple(replace(redemption, presenter="") for redemption in archived.redemptions),
        archived.history,
    )


def _write(path: Path, text: bytes) -> None:
    """Replace a file, and only return when that is durable."""
    draft = path.with_name(f"{path.name}.draft")
    with draft.open("wb") as file:
        file.write(gzip.compress(text, mtime=0))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

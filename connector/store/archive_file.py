"""The file of an archived batch: sealed records one behind the other, an index, and where that is.

    offset 0       ``IsoGate archive 1`` and a line feed: kind of file and version of the format
    then           records, each one sealed blob just as it was in the store (events: packed and sealed here)
    then           the index, sealed: which record is what, its offset, length and the beginning of its SHA-256
    last 48 bytes  offset of the index (8 bytes, big-endian), its length (8), SHA-256 of all before these 48 (32)

Every blob is bound to its batch and place by its context (AES-GCM), and by the index to this very file: a record of
another batch, or an older one of the same, is not taken for it. One chunk is read without the others.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from connector.domain.errors import Misconfigured, Unavailable
from connector.store.crypto import Keyring

MAGIC: Final = b"IsoGate archive 1\n"
OWN_FOLDER: Final = 0o700
OWN_FILE: Final = 0o600

_TRAILER: Final = struct.Struct(">QQ32s")
_CHECK_BYTES: Final = 16
_LARGEST_INDEX: Final = 1 << 28
_READ_BYTES: Final = 1 << 20


class Place(NamedTuple):
    """Where a record is in a file; check: the beginning of its SHA-256."""

    offset: int
    length: int
    check: bytes


class ChunkPlaces(NamedTuple):
    """Where both parts of a chunk are, and the version of its changing part."""

    version: int
    facts: Place
    status: Place


class Index(msgspec.Struct, frozen=True, array_like=True):
    """What is in a file.

    ref: of the batch; made_at: Unix seconds; fields: the batch's hash as it was then; chunks and slices by number;
    events: the event log, where there is one; callbacks: those that were delivered, by id.
    """

    ref: str
    made_at: float
    fields: dict[bytes, bytes]
    chunks: dict[int, ChunkPlaces]
    slices: dict[int, Place]
    events: Place | None
    callbacks: dict[str, Place]


_index = msgspec.msgpack.Decoder(Index)


class Gone(Exception):
    """The file is not there (any more)."""


class Draft:
    """A file being written aside; nobody sees it before ``publish``. Its methods wait for the disk."""

    def __init__(self, path: Path) -> None:
        """Begin a file that is to be at this path; raises Misconfigured where it cannot be written."""
        self._path = path
        self._aside = path.with_name(f"{path.name}.{os.getpid()}.draft")
        self._offset = 0
        self._digest = hashlib.sha256()
        with _writing(path):
            make_folder(path.parent)
            self._aside.unlink(missing_ok=True)
            self._file: BinaryIO = open(self._aside, "xb", opener=_own)  # noqa: SIM115 (closed by publish or discard)
            self._write(MAGIC)

    def add(self, blobs: Iterable[bytes]) -> list[Place]:
        """Append records; gives where they are."""
        with _writing(self._path):
            return [Place(self._write(blob), len(blob), check_of(blob)) for blob in blobs]

    def publish(self, index: Index, keys: Keyring) -> int:
        """Complete the file and put it in its place, durably; gives its bytes."""
        sealed = keys.seal(zlib.compress(msgspec.msgpack.encode(index)), _context(index.ref))
        with _writing(self._path):
            start = self._write(sealed)
            self._file.write(_TRAILER.pack(start, len(sealed), self._digest.digest()))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._aside.replace(self._path)
            sync_folder(self._path.parent)
        return self._offset + _TRAILER.size

    def discard(self) -> None:
        """Leave nothing behind; harmless after ``publish``."""
        self._file.close()
        with suppress(OSError):
            self._aside.unlink(missing_ok=True)

    def _write(self, data: bytes) -> int:
        """Append; gives the offset at which it begins."""
        start = self._offset
        self._file.write(data)
        self._digest.update(data)
        self._offset += len(data)
        return start


def read_index(path: Path, ref: str, keys: Keyring) -> Index:
    """Read what is in a batch's file.

    Raises ``Gone``; ``Unavailable`` where the folder cannot be read; ``Misconfigured`` for a file that is damaged, of
    another batch, or sealed under keys that are not there.
    """
    with _reading(path), path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise damaged(path, "is no archive file of a version that is known here")
        start, length, _ = _trailer(file, path)
        file.seek(start)
        sealed = file.read(length)
    try:
        index = _index.decode(zlib.decompress(keys.open(sealed, _context(ref))))
    except (zlib.error, msgspec.DecodeError) as error:
        raise damaged(path, "has an index that cannot be read") from error
    except Misconfigured as error:
        raise damaged(path, f"does not open: {error.sentence}") from error
    if index.ref != ref:
        raise damaged(path, "is the file of another batch")
    return index


def read_records(path: Path, places: Sequence[Place]) -> list[bytes]:
    """Read records out of a file; raises as ``read_index``."""
    with _reading(path), path.open("rb", buffering=0) as file:
        found = [os.pread(file.fileno(), place.length, place.offset) for place in places]
    for place, blob in zip(places, found, strict=True):
        if check_of(blob) != place.check:
            raise damaged(path, f"is damaged at byte {place.offset}")
    return found


def verify(path: Path) -> None:
    """Read a whole file and compare it with its own digest; raises as ``read_index``."""
    digest = hashlib.sha256()
    with _reading(path), path.open("rb") as file:
        *_, expected = _trailer(file, path)
        left = os.fstat(file.fileno()).st_size - _TRAILER.size
        file.seek(0)
        while left and (piece := file.read(min(left, _READ_BYTES))):
            digest.update(piece)
            left -= len(piece)
    if left or digest.digest() != expected:
        raise damaged(path, "does not have the content that it was written with")


def check_of(blob: bytes) -> bytes:
    """Give the beginning of a record's SHA-256."""
    return hashlib.sha256(blob).digest()[:_CHECK_BYTES]


def damaged(path: Path, sentence: str) -> Misconfigured:
    """Make the error for a file that cannot be used."""
    return Misconfigured(str(path), 0, "", sentence)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, for their owner only."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=OWN_FOLDER, exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _trailer(file: BinaryIO, path: Path) -> tuple[int, int, bytes]:
    size = os.fstat(file.fileno()).st_size
    if size < len(MAGIC) + _TRAILER.size:
        raise damaged(path, "is cut off")
    file.seek(size - _TRAILER.size)
    start, length, digest = _TRAILER.unpack(file.read(_TRAILER.size))
    if start + length != size - _TRAILER.size or length > _LARGEST_INDEX:
        raise damaged(path, "is cut off or damaged at its end")
    return start, length, digest


def _context(ref: str) -> bytes:
    return f"archive {ref}".encode()


def _own(path: str, flags: int) -> int:
    """Open a file that only its owner may read and write."""
    return os.open(path, flags, OWN_FILE)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn errors of the disk into ours, naming the file."""
    try:
        yield
    except OSError as error:
        raise Misconfigured(str(path), 0, "", f"cannot be written: {error.strerror}") from error


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Tell what is not there, what an operator has to see to, and what may come back from each other."""
    try:
        yield
    except FileNotFoundError as error:
        raise Gone from error
    except (PermissionError, IsADirectoryError) as error:
        raise damaged(path, f"cannot be read: {error.strerror}") from error
    except OSError as error:
        raise Unavailable("archive", f"{path.parent} cannot be read: {error.strerror}") from error

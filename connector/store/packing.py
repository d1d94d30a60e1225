"""How values become sealed blobs: msgpack, compressed, encrypted; and back."""

import zlib
from typing import Generic, TypeVar

import msgspec

from connector.store.crypto import Keyring

T = TypeVar("T")

_LEVEL = 1
"""The fastest compression; the higher ones cost more time than they save bytes here."""


def compressed(encoded: bytes) -> bytes:
    """Compress a value in msgpack: packed, as a ``Sealer`` seals it."""
    return zlib.compress(encoded, _LEVEL)


def expanded(packed: bytes) -> bytes:
    """Give the msgpack of a packed value."""
    return zlib.decompress(packed)


class Sealer(Generic[T]):
    """Seals values of one type under the name of the key that they are stored at.

    Compression and encryption release the interpreter lock, so large values are best sealed in a thread.
    """

    def __init__(self, keys: Keyring, kind: type[T]) -> None:
        """Work with these keys for values of ``kind``."""
        self._keys = keys
        self._decoder = msgspec.msgpack.Decoder(kind)

    def seal(self, value: T, key: str) -> bytes:
        """Pack and encrypt a value."""
        return self.seal_packed(compressed(msgspec.msgpack.encode(value)), key)

    def seal_packed(self, packed: bytes, key: str) -> bytes:
        """Encrypt a value that is packed already."""
        return self._keys.seal(packed, key.encode())

    def open(self, sealed: bytes, key: str) -> T:
        """Decrypt and unpack a value. Raises Misconfigured where the key ring or the context is another."""
        return self._decoder.decode(expanded(self._keys.open(sealed, key.encode())))

"""HMAC-SHA256 (RFC 2104) under one key, for many short values.

``hmac.digest`` prepares the key anew for every value, which takes three times as long as the hashing.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

_BLOCK_BYTES: Final = 64
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


class KeyedHash:
    """Hashes values under a key of at most 64 bytes."""

    def __init__(self, key: bytes) -> None:
        """Prepare both of its halves."""
        if len(key) > _BLOCK_BYTES:
            raise ValueError("a longer key would have to be hashed first")
        padded = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(padded.translate(_INNER))
        self._outer = hashlib.sha256(padded.translate(_OUTER))

    def digest(self, value: bytes) -> bytes:
        """Give the HMAC, 32 bytes."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(value)
        outer.update(inner.digest())
        return outer.digest()

    def digests(self, values: Iterable[bytes]) -> list[bytes]:
        """Give the HMACs of many values."""
        begin, finish = self._inner.copy, self._outer.copy
        found = []
        for value in values:
            inner, outer = begin(), finish()
            inner.update(value)
            outer.update(inner.digest())
            found.append(outer.digest())
        return found

"""Encryption at rest: sealed blobs and keyed look-up hashes.

A blob is sealed with AES-256-GCM under the newest key; the key's id stands in front of it, so that blobs of older
keys stay readable. What is searched for is found by an HMAC-SHA256. Both keys are derived (HKDF) from one secret a
key id. Random 96-bit nonces allow 2^32 seals a key: change keys before that.
"""

import base64
import binascii
import hmac
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connector.domain.errors import Misconfigured

NONCE_BYTES: Final = 12
SECRET_BYTES: Final = 32
SANDBOX_KEY: Final = "sandbox"


class Keyring:
    """The keys of a store; the last one writes, all of them read."""

    def __init__(self, secrets: Mapping[str, bytes]) -> None:
        """Take 32-byte secrets by key id (1 to 32 letters, digits, ``-`` or ``_``), oldest first."""
        if not secrets:
            raise _unusable("there is no key")
        for identifier, secret in secrets.items():
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", identifier) or len(secret) != SECRET_BYTES:
                raise _unusable("a key needs an id of at most 32 letters, digits, - or _, and 32 bytes")
        self._ciphers = {name.encode(): AESGCM(_derive(secret, b"seal")) for name, secret in secrets.items()}
        self._hash_keys = [_derive(secret, b"lookup") for secret in reversed(list(secrets.values()))]
        self._newest = list(self._ciphers)[-1]

    @classmethod
    def of_text(cls, text: str) -> "Keyring":
        """Read ``id:base64,id:base64`` (oldest first), the form of the setting. Raises Misconfigured."""
        secrets = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            identifier, _, encoded = part.partition(":")
            try:
                secrets[identifier] = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                raise _unusable("a key is not base64") from None
        return cls(secrets)

    @classmethod
    def of_file(cls, path: Path) -> "Keyring":
        """Read the key file, making it (mode 0600) with one fresh key where there is none: for the sandbox."""
        with suppress(FileExistsError):
            write_new(path, f"{SANDBOX_KEY}:{base64.b64encode(os.urandom(SECRET_BYTES)).decode()}\n")
        return cls.of_text(path.read_text().strip())

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt; context (the key it is stored under) must be the same on opening."""
        nonce = os.urandom(NONCE_BYTES)
        head = bytes([len(self._newest)]) + self._newest
        return head + nonce + self._ciphers[self._newest].encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt what ``seal`` made. Raises Misconfigured for an unknown key or a blob that was tampered with."""
        start = 1 + sealed[0]
        cipher = self._ciphers.get(sealed[1:start])
        if cipher is None:
            raise _unusable("the store holds data under a key that is not in the key ring")
        nonce, body = sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, body, context)
        except InvalidTag:
            raise _unusable("the store holds data that this key does not open") from None

    def lookup(self, value: str) -> bytes:
        """Hash a value under the newest key, to be found by (16 bytes)."""
        return self.lookups(value)[0]

    def lookups(self, value: str) -> list[bytes]:
        """Hash a value under every key, newest first."""
        data = value.encode()
        return [hmac.digest(key, data, "sha256")[:16] for key in self._hash_keys]


def _derive(secret: bytes, purpose: bytes) -> bytes:
    """Derive a 32-byte key for one purpose."""
    return HKDF(algorithm=hashes.SHA256(), length=SECRET_BYTES, salt=None, info=b"isogate " + purpose).derive(secret)


def write_new(path: Path, text: str) -> None:
    """Write a file that only its owner may read; raises FileExistsError where there is one.

    Written aside and linked into place, so that a reader never sees half of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    finally:
        draft.unlink()


def _unusable(sentence: str) -> Misconfigured:
    return Misconfigured("key ring", 0, "", sentence)

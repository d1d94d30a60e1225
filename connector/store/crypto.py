"""Encryption at rest: sealed blobs and keyed look-up hashes.

A blob is sealed with AES-256-GCM under the newest key; the key's id stands in front of it, so that blobs of older
keys stay readable. What is searched for is found by an HMAC-SHA256. Both keys are derived (HKDF) from one secret a
key id. Random 96-bit nonces allow 2^32 seals a key: change keys before that.
"""

import base64
import binascii
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connector.domain.errors import Misconfigured
from connector.store.keyed_hash import KeyedHash

NONCE_BYTES: Final = 12
SECRET_BYTES: Final = 32
LOOKUP_BYTES: Final = 16
SANDBOX_KEY: Final = "sandbox"
LOOK_EVERY_SECONDS: Final = 1.0
"""After that a changed key file is noticed; who changes it waits longer than this between two changes."""


class _Keys:
    """What is made of secrets: the ciphers by key id, and the keys for look-ups, newest first."""

    def __init__(self, secrets: Mapping[str, bytes]) -> None:
        if not secrets:
            raise _unusable("there is no key")
        for identifier, secret in secrets.items():
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", identifier) or len(secret) != SECRET_BYTES:
                raise _unusable("a key needs an id of at most 32 letters, digits, - or _, and 32 bytes")
        self.ciphers = {name.encode(): AESGCM(_derive(secret, b"seal")) for name, secret in secrets.items()}
        self.lookups = [KeyedHash(_derive(secret, b"lookup")) for secret in reversed(list(secrets.values()))]
        self.newest = list(self.ciphers)[-1]


class Keyring:
    """The keys of a store; the last one writes, all of them read."""

    def __init__(self, secrets: Mapping[str, bytes]) -> None:
        """Take 32-byte secrets by key id (1 to 32 letters, digits, ``-`` or ``_``), oldest first."""
        self._kept = _Keys(secrets)

    @classmethod
    def of_text(cls, text: str) -> "Keyring":
        """Read ``id:base64,id:base64`` (oldest first), the form of the setting. Raises Misconfigured."""
        return Keyring(secrets_of(text))

    @classmethod
    def of_file(cls, path: Path, ticks: Callable[[], float] = time.monotonic) -> "Keyring":
        """Read the key file, making it (mode 0600) with one fresh key where there is none: for the sandbox.

        The ring follows the file when it changes, so that keys are rotated under running processes. ticks: a clock.
        """
        with suppress(FileExistsError):
            write_new(path, secrets_text({SANDBOX_KEY: os.urandom(SECRET_BYTES)}))
        return _FileKeyring(path, ticks)

    @property
    def ids(self) -> list[str]:
        """The ids of the keys, oldest first; the last one writes."""
        return [name.decode() for name in self._keys().ciphers]

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt; context (the key it is stored under) must be the same on opening."""
        keys, nonce = self._keys(), os.urandom(NONCE_BYTES)
        head = bytes([len(keys.newest)]) + keys.newest
        return head + nonce + keys.ciphers[keys.newest].encrypt(nonce, plain, context)

    def seal_all(self, values: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """Encrypt many values, each with its context."""
        keys = self._keys()
        encrypt = keys.ciphers[keys.newest].encrypt
        head, random = bytes([len(keys.newest)]) + keys.newest, os.urandom(NONCE_BYTES * len(values))
        nonces = [random[start : start + NONCE_BYTES] for start in range(0, len(random), NONCE_BYTES)]
        return [
            head + nonce + encrypt(nonce, plain, context)
            for nonce, (plain, context) in zip(nonces, values, strict=True)
        ]

    def is_newest(self, sealed: bytes) -> bool:
        """Tell whether something is sealed under the newest key."""
        return sealed[1 : 1 + sealed[0]] == self._keys().newest

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt what ``seal`` made. Raises Misconfigured for an unknown key or a blob that was tampered with."""
        start = 1 + sealed[0]
        name = sealed[1:start]
        cipher = self._keys().ciphers.get(name) or self._keys(at_once=True).ciphers.get(name)
        if cipher is None:
            raise _unusable("the store holds data under a key that is not in the key ring")
        nonce, body = sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, body, context)
        except InvalidTag:
            raise _unusable("the store holds data that this key does not open") from None

    def open_all(self, values: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """Decrypt many, each with its context; those under the newest key with little ado. Raises as ``open``."""
        keys = self._keys()
        decrypt, head = keys.ciphers[keys.newest].decrypt, bytes([len(keys.newest)]) + keys.newest
        start, body = len(head), len(head) + NONCE_BYTES
        try:
            return [
                decrypt(sealed[start:body], sealed[body:], context)
                if sealed.startswith(head)
                else self.open(sealed, context)
                for sealed, context in values
            ]
        except InvalidTag:
            raise _unusable("the store holds data that this key does not open") from None

    def lookup(self, value: str) -> bytes:
        """Hash a value under the newest key, to be found by (16 bytes)."""
        return self._keys().lookups[0].digest(value.encode())[:LOOKUP_BYTES]

    def lookup_all(self, values: Iterable[str]) -> list[bytes]:
        """Hash many values under the newest key."""
        return _looked_up(self._keys().lookups[0], values)

    def hashers(self) -> list[Callable[[Iterable[str]], list[bytes]]]:
        """Give what hashes many values, under the newest key and under each older one."""
        return [partial(_looked_up, key) for key in self._keys().lookups]

    def lookups(self, value: str) -> list[bytes]:
        """Hash a value under every key, newest first."""
        data = value.encode()
        return [key.digest(data)[:LOOKUP_BYTES] for key in self._keys().lookups]

    def _keys(self, *, at_once: bool = False) -> _Keys:  # noqa: ARG002 (for rings that can change)
        return self._kept


class _FileKeyring(Keyring):
    """Keys out of a file, which is looked at again every second, or at once for a key that is not known."""

    def __init__(self, path: Path, ticks: Callable[[], float]) -> None:
        self._path = path
        self._ticks = ticks
        self._stamp = _stamp(path)
        self._look_at = ticks() + LOOK_EVERY_SECONDS
        super().__init__(secrets_of(path.read_text()))

    def _keys(self, *, at_once: bool = False) -> _Keys:
        now = self._ticks()
        if at_once or now >= self._look_at:
            self._look_at = now + LOOK_EVERY_SECONDS
            self._follow()
        return self._kept

    def _follow(self) -> None:
        """Take the file's keys where it has changed; without the file, those that it had go on."""
        with suppress(FileNotFoundError):
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._kept, self._stamp = _Keys(secrets_of(self._path.read_text())), stamp


def _looked_up(key: KeyedHash, values: Iterable[str]) -> list[bytes]:
    return [digest[:LOOKUP_BYTES] for digest in key.digests([value.encode() for value in values])]


def secrets_of(text: str) -> dict[str, bytes]:
    """Read ``id:base64,id:base64``, oldest first. Raises Misconfigured, without repeating any of it."""
    secrets = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        identifier, _, encoded = part.partition(":")
        try:
            secrets[identifier] = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise _unusable("a key is not base64") from None
    return secrets


def secrets_text(secrets: Mapping[str, bytes]) -> str:
    """Write what ``secrets_of`` reads, as a line."""
    return ",".join(f"{name}:{base64.b64encode(secret).decode()}" for name, secret in secrets.items()) + "\n"


def _stamp(path: Path) -> tuple[int, int, int]:
    """What of a file changes with its content."""
    there = path.stat()
    return there.st_ino, there.st_mtime_ns, there.st_size


def _derive(secret: bytes, purpose: bytes) -> bytes:
    """Derive a 32-byte key for one purpose."""
    return HKDF(algorithm=hashes.SHA256(), length=SECRET_BYTES, salt=None, info=b"isogate " + purpose).derive(secret)


def write_new(path: Path, text: str) -> None:
    """Write a file that only its owner may read; raises FileExistsError where there is one.

    Written aside and linked into place, so that a reader never sees half of it.
    """
    draft = _draft(path, text)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()


def write_again(path: Path, text: str) -> None:
    """Write or replace a file that only its owner may read, whole or not at all."""
    _draft(path, text).replace(path)


def _draft(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _unusable(sentence: str) -> Misconfigured:
    return Misconfigured("key ring", 0, "", sentence)

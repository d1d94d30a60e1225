"""Keys for files: our own, and those of the Source BBs; as JWK, JWK set (RFC 7517) or PEM.

Which algorithm a key is used with follows from its kind alone, never from what a message says: P-256 signs with
ES256, RSA with PS256 or RS256, Ed25519 with EdDSA; EC and X25519 agree on keys by ECDH-ES+A256KW, RSA wraps them by
RSA-OAEP-256.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, import_key

from connector.domain.errors import Misconfigured, Refused
from connector.store.crypto import write_new

RSA_BITS: Final = 2048
MOST_KEYS: Final = 20
_PEM = re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)
_SIGNING: Final = {"P-256": ("ES256",), "RSA": ("PS256", "RS256"), "Ed25519": ("EdDSA", "Ed25519")}
_AGREEING: Final = frozenset({"P-256", "P-384", "P-521", "X25519"})
_SIGNS: Final = frozenset({"sign", "verify"})


class KeyHolder:
    """Somebody's keys, oldest first: the last one that fits is used, all of them are accepted."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        """Take keys that ``of_text`` has read."""
        self._keys = keys

    @classmethod
    def of_text(cls, text: str) -> "KeyHolder":
        """Read a JWK, a JWK set or PEM; raises ``Refused`` without repeating any of it."""
        return cls(_read(text))

    def named(self, kid: str) -> Key | None:
        """Find the key of an id: its own or its thumbprint (RFC 7638)."""
        return next((key for key in reversed(self._keys) if kid in {key.thumbprint(), key.get("kid")}), None)

    def signing(self) -> Key | None:
        """Give the newest key for signatures."""
        return next((key for key in reversed(self._keys) if signature_algorithms(key)), None)

    def encrypting(self) -> Key | None:
        """Give the newest key that can be encrypted to."""
        return next((key for key in reversed(self._keys) if key_management(key)), None)

    @property
    def private(self) -> bool:
        """Whether all of them can sign or decrypt, not only verify and encrypt."""
        return all(key.is_private for key in self._keys)

    @property
    def any_private(self) -> bool:
        """Whether one of them is a private key."""
        return any(key.is_private for key in self._keys)

    def public(self) -> dict[str, Any]:
        """Give the public keys as a JWK set, each with its thumbprint as id."""
        return {"keys": [_public(key) for key in self._keys]}


@dataclass(frozen=True, slots=True)
class FileExchange:
    """How files are exchanged with Source BBs.

    keys: our own, None: no files are taken. lines: most in a file; lines_at_once: up to which the response comes in
    the same answer; age_seconds: that a file may be old; callback_https: whether callbacks must be https.
    """

    keys: KeyHolder | None = None
    lines: int = 100_000
    lines_at_once: int = 2000
    age_seconds: float = 7 * 86_400.0
    callback_https: bool = False


def of_file(path: Path, *, make: bool = False) -> KeyHolder:
    """Read our own keys; make: a fresh pair (mode 0600) where there is no file, for the sandbox.

    Raises ``Misconfigured`` for a file that cannot be read, or that has not what signing and decrypting need.
    """
    if make and not path.exists():
        _make(path)
    try:
        keys = KeyHolder.of_text(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(str(path), 0, "", f"cannot be read: {type(error).__name__}") from None
    except Refused:
        raise Misconfigured(str(path), 0, "", "is no JWK, JWK set or PEM file with keys that are used here") from None
    signer = keys.signing()
    if not keys.private or signer is None or signature_algorithms(signer) != _SIGNING["P-256"]:
        raise Misconfigured(str(path), 0, "", "needs private keys only, the newest for signatures on the curve P-256")
    if keys.encrypting() is None:
        raise Misconfigured(str(path), 0, "", "has no key that can be encrypted to")
    return keys


def fresh() -> dict[str, Any]:
    """Make a pair of private keys, one for signatures and one to be encrypted to, as a JWK set."""
    keys = [ECKey.generate_key("P-256", {"use": use}) for use in ("sig", "enc")]
    return {"keys": [{**key.as_dict(private=True), "kid": key.thumbprint()} for key in keys]}


def signature_algorithms(key: Key) -> tuple[str, ...]:
    """Say with which algorithms a key's signatures are made (the first) and accepted; none: it is not for that."""
    if key.get("use", "sig") != "sig" or not _may(key, signing=True):
        return ()
    return _SIGNING.get(_kind(key), ())


def key_management(key: Key) -> str:
    """Say with which algorithm is encrypted to a key; "": it is not for that."""
    if key.get("use", "enc") != "enc" or not _may(key, signing=False):
        return ""
    kind = _kind(key)
    return "ECDH-ES+A256KW" if kind in _AGREEING else "RSA-OAEP-256" if kind == "RSA" else ""


def _may(key: Key, *, signing: bool) -> bool:
    """Go by key_ops, where the key has them."""
    named = frozenset(key.get("key_ops") or ())
    return not named or bool(named & _SIGNS if signing else named - _SIGNS)


def _kind(key: Key) -> str:
    return str(key.get("crv") or key.key_type)


@lru_cache(maxsize=4096)
def _read(text: str) -> tuple[Key, ...]:
    try:
        keys = tuple(_of_pem(block) for block in _PEM.findall(text)) or tuple(_of_json(json.loads(text)))
        for key in keys:
            _use_once(key)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError, UnsupportedAlgorithm):
        raise _unusable() from None
    if not 0 < len(keys) <= MOST_KEYS or not all(signature_algorithms(key) or key_management(key) for key in keys):
        raise _unusable()
    return keys


def _of_json(content: Any) -> Iterator[Key]:  # noqa: ANN401 (any JSON)
    """Take the keys out of a JWK or a JWK set."""
    for one in content.get("keys", [content]):
        if one["kty"] not in {"EC", "RSA", "OKP"}:
            raise _unusable()
        if one["kty"] == "RSA" and len(one["n"]) < RSA_BITS // 6:
            raise _weak()
        yield import_key(one)


def _of_pem(block: str) -> Key:
    """Take a key that is not encrypted with a password."""
    public = "PUBLIC" in block.partition("\n")[0]
    key = load_pem_public_key(block.encode()) if public else load_pem_private_key(block.encode(), None)
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        if key.key_size < RSA_BITS:
            raise _weak()
        return import_key(block, "RSA")
    curved = isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey)
    return import_key(block, "EC" if curved else "OKP")


def _use_once(key: Key) -> None:
    """Make something of the numbers, so that a key that is on no curve is refused now and not when it is needed."""
    _ = key.public_key


def _weak() -> Refused:
    return Refused.because("/public_key", "weak_key", f"An RSA key needs {RSA_BITS} bits or more.")


def _unusable() -> Refused:
    sentence = "It must be a JWK, JWK set or PEM text with keys of P-256, Ed25519, X25519 or RSA."
    return Refused.because("/public_key", "key", sentence)


def _public(key: Key) -> dict[str, Any]:
    signing, agreeing = signature_algorithms(key), key_management(key)
    use = {"use": "sig" if signing else "enc", "alg": signing[0] if signing else agreeing}
    plain = {name: value for name, value in key.as_dict(private=False).items() if name not in {"key_ops", "alg"}}
    return {**plain, **({} if signing and agreeing else use), "kid": key.thumbprint()}


def _make(path: Path) -> None:
    """Write fresh keys; where another process was faster, its keys are used."""
    try:
        write_new(path, json.dumps(fresh()))
    except FileExistsError:
        return

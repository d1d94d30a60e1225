"""The envelope of a file: signed by its sender (JWS), then encrypted to its reader (JWE); a nested JWT, RFC 7519.

Compact serialisation. What the outer header shows is in clear anyway, so a fault there is named. From decryption to
the signature there is one refusal for everything, so that trying tells nobody anything.
"""

import base64
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import Key

from connector.domain.errors import Fault, Refused
from connector.flows.vouchers.exchange_keys import KeyHolder, key_management, signature_algorithms

MEDIA: Final = "application/jose"
BATCH: Final = "voucher-batch+jwt"
RESPONSE: Final = "voucher-batch-response+jwt"
REFUSAL: Final = "voucher-batch-refusal+jwt"
"""What a signed document is (``typ``, RFC 8725), so that one cannot be passed off as another."""

MOST_BYTES: Final = 64 * 1024 * 1024
_MANAGEMENT: Final = ("ECDH-ES+A256KW", "RSA-OAEP-256")
_CONTENT: Final = "A256GCM"
_HEADER_BYTES: Final = 4096
_PART: Final = re.compile(rb"[A-Za-z0-9_-]*")
_SIGNATURES: Final = ("ES256", "PS256", "RS256", "EdDSA", "Ed25519")
_FAILURES: Final = (JoseError, InvalidTag, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class _Signatures(jws.JWSRegistry):
    """The signatures that are accepted; sizes are limited before, for the file as a whole."""

    max_header_length = _HEADER_BYTES
    max_payload_length = MOST_BYTES

    def __init__(self) -> None:
        super().__init__(algorithms=_SIGNATURES, strict_check_header=False)

    def get_alg(self, name: str) -> Any:  # noqa: ANN401 (a class that joserfc does not export)
        """Find an allowed algorithm, without joserfc's warning that EdDSA has got a second name."""
        if name not in _SIGNATURES:
            return super().get_alg(name)
        return self.algorithms[name]


class _Encryption(jwe.JWERegistry):
    """The encryption that is accepted: no compression, no other algorithm."""

    max_protected_header_length = _HEADER_BYTES
    max_ciphertext_length = MOST_BYTES

    def __init__(self) -> None:
        super().__init__(algorithms=[*_MANAGEMENT, _CONTENT], strict_check_header=False)


_JWS: Final = _Signatures()
_JWE: Final = _Encryption()


class Signed(NamedTuple):
    """A signed document whose signature is good: whose key it was (the names given), and the content."""

    signers: tuple[str, ...]
    content: bytes


class Candidate(NamedTuple):
    """Somebody who may have signed, and the key."""

    name: str
    key: Key


def not_genuine() -> Refused:
    """Refuse what cannot be decrypted or verified, whichever it was."""
    sentence = "It was not signed by a registered Source BB and encrypted to our key, or it was changed on the way."
    return Refused.because("", "not_genuine", sentence)


def sign(content: bytes, kind: str, own: KeyHolder) -> bytes:
    """Sign a document with the newest key for that; raises ``Refused`` where there is none."""
    key = own.signing()
    if key is None or not key.is_private:
        raise Refused.because("", "no_signing_key", "There is no private key for signatures.")
    header = {"alg": signature_algorithms(key)[0], "kid": key.thumbprint(), "typ": kind}
    return jws.serialize_compact(header, content, key, registry=_JWS).encode()


def seal(content: bytes, kind: str, own: KeyHolder, reader: KeyHolder) -> bytes:
    """Sign a document, then encrypt it to a reader; raises ``Refused`` where one of the keys is missing."""
    key = reader.encrypting()
    if key is None:
        raise Refused.because("", "no_encryption_key", "The reader has no key that can be encrypted to.")
    header = {"alg": key_management(key), "enc": _CONTENT, "kid": key.thumbprint(), "cty": "JWT"}
    return jwe.encrypt_compact(header, sign(content, kind, own), key, registry=_JWE).encode()


def opened(file: bytes, own: KeyHolder) -> bytes:
    """Decrypt an envelope; gives the signed document. Raises ``Refused``."""
    parts = _parts(file.strip(), 5)
    if parts is None:
        raise Refused.because("", "form", "It is not a JWE in compact serialisation.")
    header = _header(parts[0])
    if faults := _outer_faults(header):
        raise Refused(faults)
    key = own.named(str(header.get("kid", "")))
    if key is None or key_management(key) == "":
        raise Refused.because(
            "/kid", "unknown_key", "It is not encrypted to a key of ours; see /.well-known/jwks.json."
        )
    try:
        return jwe.decrypt_compact(b".".join(parts), key, registry=_JWE).plaintext or b""
    except _FAILURES:
        raise not_genuine() from None


def verified(document: bytes, kind: str, candidates: Callable[[str], Sequence[Candidate]]) -> Signed:
    """Check who signed; candidates: who has a key of that id. Raises the one ``Refused`` for everything."""
    parts = _parts(document, 3)
    header = _header(parts[0]) if parts else {}
    if parts is None or "crit" in header or "b64" in header or str(header.get("typ")).lower() != kind:
        raise not_genuine()
    signers = [each for each in candidates(str(header.get("kid", ""))) if _signed_by(document, header, each.key)]
    if not signers:
        raise not_genuine()
    return Signed(tuple(each.name for each in signers), _decoded(parts[1]) or b"")


def _signed_by(document: bytes, header: dict[str, Any], key: Key) -> bool:
    if header.get("alg") not in signature_algorithms(key):
        return False
    try:
        jws.deserialize_compact(document, key, registry=_JWS)
    except _FAILURES:
        return False
    return True


def _outer_faults(header: dict[str, Any]) -> list[Fault]:
    """Compare the header with what is accepted; nothing that was sent is repeated."""
    expected = {
        "alg": (header.get("alg") in _MANAGEMENT, f"One of {', '.join(_MANAGEMENT)} is expected."),
        "enc": (header.get("enc") == _CONTENT, f"{_CONTENT} is expected."),
        "zip": ("zip" not in header, "Compression is not accepted."),
        "crit": ("crit" not in header, "Critical header parameters are not accepted."),
        "cty": (str(header.get("cty")).upper() == "JWT", "JWT is expected: the content is a signed document."),
    }
    return [Fault(f"/{name}", "header", sentence) for name, (fits, sentence) in expected.items() if not fits]


def _parts(text: bytes, count: int) -> list[bytes] | None:
    """Split a compact serialisation whose parts are exactly what their bytes are written as."""
    parts = text.split(b".", count)
    return parts if len(text) <= MOST_BYTES and len(parts) == count and all(map(_canonical, parts)) else None


def _canonical(part: bytes) -> bool:
    """Tell whether this is the one way to write these bytes: the last character has bits that mean nothing."""
    if not _PART.fullmatch(part) or len(part) % 4 == 1:
        return False
    tail = part[len(part) // 4 * 4 :]
    return base64.urlsafe_b64encode(_decoded(tail) or b"").rstrip(b"=") == tail


def _decoded(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def _header(part: bytes) -> dict[str, Any]:
    try:
        header = json.loads(_decoded(part)) if len(part) <= _HEADER_BYTES else None
    except (ValueError, RecursionError):
        header = None
    return header if isinstance(header, dict) else {}

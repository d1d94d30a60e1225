"""Voucher numbers on their way to whom they were made for: AES-SIV (RFC 5297) under the key exchanged with it.

The serial number is authenticated with it, so that a number cannot be moved to another voucher; 16 digits become 32
bytes, in base64 the 44 characters that the contract has room for. The same number of the same voucher is always
sealed alike, which tells nobody anything: numbers are unique.
"""

import base64
import binascii
import hashlib
from dataclasses import replace
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from connector.domain.directory import Directory, SourceBB
from connector.domain.errors import Refused
from connector.domain.voucher import VoucherFault, VoucherRefused

KEY_BYTES: Final = 64
SANDBOX_KEY: Final = "isogate sandbox voucher key of "
"""In a sandbox, who has exchanged no key has the SHA-512 of this followed by its id, which anybody can compute."""


def correspondent(directory: Directory, name: str) -> SourceBB:
    """Find a Source BB that voucher numbers can be sealed for.

    Where unknown ones are let in (sandbox), everybody has a key: see ``SANDBOX_KEY``. Otherwise raises
    ``VoucherRefused`` for one that is unknown or that has exchanged no key.
    """
    source = directory.sources.get(name)
    if source is None and not directory.open_sources:
        raise VoucherRefused(VoucherFault.UNKNOWN_CALLER, "The Source BB is not registered here.")
    source = source or SourceBB(name, name)
    if source.voucher_key or not directory.open_sources:
        return source
    return replace(source, voucher_key=base64.b64encode(sandbox_key(name)).decode())


def sandbox_key(name: str) -> bytes:
    """Give the key that everybody has in a sandbox."""
    return hashlib.sha512(f"{SANDBOX_KEY}{name}".encode()).digest()


def sealed_number(source: SourceBB, serial: int, number: str) -> str:
    """Seal a voucher's number for its Source BB; raises ``Refused`` where no key was exchanged with it."""
    sealed = _cipher(source).encrypt(number.encode(), [str(serial).encode()])
    return base64.b64encode(sealed).decode()


def opened_number(source: SourceBB, serial: int, sealed: str) -> str:
    """Open what ``sealed_number`` made; raises ``Refused`` for another key, another serial number or tampering."""
    try:
        return _cipher(source).decrypt(base64.b64decode(sealed, validate=True), [str(serial).encode()]).decode()
    except (binascii.Error, InvalidTag, ValueError):
        raise Refused.because("", "sealed_number", "This key does not open it, or it is another voucher's.") from None


def key_id(source: SourceBB) -> str:
    """Name a Source BB's key by the beginning of its SHA-256, so that both sides can compare; "" for none."""
    return hashlib.sha256(base64.b64decode(source.voucher_key)).hexdigest()[:16] if source.voucher_key else ""


def check_key(text: str) -> None:
    """Refuse what is no key; raises ``Refused`` without repeating it."""
    try:
        fits = len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        fits = False
    if not fits:
        raise Refused.because("/voucher_key", "key", f"The key must be {KEY_BYTES} bytes in base64.")


def _cipher(source: SourceBB) -> AESSIV:
    if not source.voucher_key:
        sentence = "No voucher key was exchanged with this Source BB, so no number can be sent to it."
        raise Refused.because("", "no_voucher_key", sentence)
    return AESSIV(base64.b64decode(source.voucher_key))

"""Vouchers out of the store, and their numbers encrypted to a key: for printers and for moving house."""

import json
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from joserfc import jwe
from joserfc.errors import JoseError

from connector.domain.errors import Refused
from connector.domain.money import amount_text, exponent
from connector.domain.voucher import BLOCK, Voucher, VoucherState
from connector.flows.vouchers.exchange_keys import KeyHolder, key_management
from connector.store import Store

MOST_BYTES: Final = 256 * 1024 * 1024
_ALGORITHMS: Final = ["ECDH-ES+A256KW", "RSA-OAEP-256", "A256GCM"]


class _Encryption(jwe.JWERegistry):
    """As for voucher files, but larger."""

    max_ciphertext_length = MOST_BYTES

    def __init__(self) -> None:
        super().__init__(algorithms=_ALGORITHMS, strict_check_header=False)


async def found(
    store: Store, *, group: str = "", states: Collection[VoucherState] = (), first: int = 0, last: int = 2**63
) -> AsyncIterator[list[Voucher]]:
    """Give vouchers, a block at a time, in the order of their serial numbers; purged ones are left out."""
    for block in await store.vouchers.blocks():
        serials = [serial for serial in range(block * BLOCK, (block + 1) * BLOCK) if first <= serial <= last]
        there = await store.vouchers.read(serials) if serials else []
        fitting = [one for one in there if one and one.state is not VoucherState.PURGED]
        fitting = [
            one for one in fitting if one.group == (group or one.group) and (not states or one.state in states)
        ]
        if fitting:
            yield fitting


def line(voucher: Voucher, number: str = "") -> dict[str, str]:
    """Write a voucher for export; the number only where it is given."""
    decimals = exponent(voucher.currency)
    return {
        "serial": str(voucher.serial),
        "group": voucher.group,
        "state": voucher.state.value,
        "currency": voucher.currency,
        "amount": amount_text(voucher.amount_minor, decimals),
        "balance": amount_text(voucher.balance_minor, decimals),
        "expires_at": str(round(voucher.expires_at)) if voucher.expires_at else "",
        "validity_seconds": str(voucher.validity_seconds),
        "instruction_id": voucher.instruction_id,
        "payee_functional_id": voucher.payee_functional_id,
        **({"number": number} if number else {}),
    }


def sealed(lines: Sequence[dict[str, str]], reader: KeyHolder) -> bytes:
    """Encrypt an export to its reader (JWE, compact); raises ``Refused`` where the key is not for that."""
    key = reader.encrypting()
    if key is None:
        raise Refused.because("", "no_encryption_key", "The reader has no key that can be encrypted to.")
    header = {"alg": key_management(key), "enc": "A256GCM", "kid": key.thumbprint(), "cty": "json"}
    content = json.dumps({"vouchers": lines}).encode()
    return jwe.encrypt_compact(header, content, key, registry=_Encryption()).encode()


def opened(export: bytes, own: KeyHolder) -> list[dict[str, Any]]:
    """Decrypt what ``sealed`` made; raises ``Refused`` for another key or what was tampered with."""
    key = own.encrypting()
    try:
        content = jwe.decrypt_compact(export.strip(), key, registry=_Encryption()).plaintext if key else None
        lines: list[dict[str, Any]] = json.loads(content or b"")["vouchers"]
    except (JoseError, InvalidTag, ValueError, TypeError, KeyError):
        raise Refused.because("", "not_genuine", "The key does not open it, or it is no export.") from None
    return lines

"""HTTP Basic: the user name is the client's id, as the message says it too."""

import binascii
from base64 import b64decode
from hashlib import sha256
from hmac import compare_digest
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from connector.api.settings import ApiSettings
from connector.domain.voucher import VoucherFault, VoucherRefused

ANYBODY: Final = "sandbox"
"""The client of messages without user name, which only an open sandbox takes: all of them are one client."""

_NOBODYS: Final = sha256(b"").hexdigest()


class _Credentials(NamedTuple):
    user: str
    password: bytes


def client_of(request: web.Request, settings: ApiSettings, claimed: str = "") -> str:
    """Say which client a request is from; claimed: the id in its body ("": it has none).

    Raises ``VoucherRefused`` UNKNOWN_CALLER for a wrong user name or password, and where the two ids differ.
    """
    given = _credentials(request)
    if given is None:
        if settings.open and not settings.suv_clients and hdrs.AUTHORIZATION not in request.headers:
            return ANYBODY
        raise _refused("User name and password are required (HTTP Basic).")
    if not _is_known(given, settings):
        raise _refused("The user name or the password is wrong.")
    if claimed and claimed != given.user:
        raise _refused("client.id is not the user name.")
    return given.user


def _credentials(request: web.Request) -> _Credentials | None:
    scheme, _, encoded = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = b64decode(encoded.strip(), validate=True).partition(b":")
        return _Credentials(user.decode(), password) if colon and user else None
    except (binascii.Error, ValueError):
        return None


def _is_known(given: _Credentials, settings: ApiSettings) -> bool:
    """Compare in constant time, also for a user that there is not; a sandbox without clients lets everybody in."""
    if not settings.suv_clients:
        return settings.open
    known = dict(settings.suv_clients)
    same = compare_digest(known.get(given.user, _NOBODYS), sha256(given.password).hexdigest())
    return same and given.user in known


def _refused(sentence: str) -> VoucherRefused:
    return VoucherRefused(VoucherFault.UNKNOWN_CALLER, sentence)

"""Encrypted voucher files over HTTP, and the keys that they are encrypted to and answered with."""

from typing import Final

from aiohttp import hdrs, web

from connector.api import models_fsp as errors
from connector.api.operation import Answer, Call, Operation, Parameter
from connector.api.settings import Role
from connector.api.shapes import json_answer, plain
from connector.api.vouchers import models_files as models
from connector.domain.errors import NotFound
from connector.flows.vouchers import batch_file
from connector.flows.vouchers.envelope import MEDIA, MOST_BYTES

GROUP: Final = "Vouchers: files"

_SOURCES: Final = frozenset({Role.SOURCE})
_REFERENCE: Final = Parameter(
    "id", "path", "The file's reference.", required=True, max_length=20, example="7Q3QZ4XWZ2V5YJ6K3L2A"
)
_KEYS: Final = "application/jwk-set+json"


async def take(call: Call) -> web.Response:
    """Take an encrypted file; a refusal is signed, and encrypted where the sender is known."""
    if call.request.content_type != MEDIA:
        raise web.HTTPUnsupportedMediaType
    sender = call.identity.name if call.identity and call.identity.role is Role.SOURCE else ""
    taken = await batch_file.take(call.services, await _content(call), sender=sender, origin=call.origin)
    if taken.answer:
        return _envelope(taken.answer, 200 if taken.id else 400)
    return _accepted(taken.id)


async def fetch(call: Call) -> web.Response:
    """Give the response to a file, for its sender alone to decrypt."""
    taken = await batch_file.response(call.services, call.parameters[_REFERENCE.name])
    if call.identity and not call.identity.may_act_for(taken.source):
        raise NotFound("voucher file", taken.id)
    return _envelope(taken.answer, 200) if taken.answer else _accepted(taken.id)


async def keys(call: Call) -> web.Response:
    """Give our public keys; files are encrypted to one of use ``enc`` and answered with one of use ``sig``."""
    own = call.services.files.keys
    answer = json_answer(own.public() if own else {"keys": []}, headers={hdrs.CACHE_CONTROL: "max-age=300"})
    answer.content_type = _KEYS
    return answer


async def _content(call: Call) -> bytes:
    """Read the body up to the limit."""
    announced = call.request.content_length or 0
    content = b"" if announced > MOST_BYTES else await call.request.read()
    if max(announced, len(content)) > MOST_BYTES:
        raise web.HTTPRequestEntityTooLarge(MOST_BYTES, max(announced, len(content)))
    return content


def _envelope(content: bytes, status: int) -> web.Response:
    return web.Response(body=content, status=status, content_type=MEDIA)


def _accepted(identifier: str) -> web.Response:
    where = f"/vouchers/batches/{identifier}/response"
    headers = {str(hdrs.LOCATION): where, str(hdrs.RETRY_AFTER): "1"}
    return json_answer({"id": identifier, "response": where}, 202, headers)


_SEALED: Final = Answer(200, "The response: a JWS of ours within a JWE.", str, media=MEDIA)
_LATER: Final = Answer(
    202,
    "Taken; the vouchers are being made. Fetch the response later.",
    models.FileAccepted,
    {"id": "7Q3QZ4XWZ2V5YJ6K3L2A", "response": "/vouchers/batches/7Q3QZ4XWZ2V5YJ6K3L2A/response"},
)
_UNKNOWN: Final = Answer(404, "No such file.", errors.Errors)

OPERATIONS: Final = (
    Operation(
        "POST",
        "/vouchers/batches",
        take,
        "Hand over an encrypted voucher file",
        GROUP,
        plain,
        (
            _SEALED,
            _LATER,
            Answer(400, "Refused whole: a JWS of ours that says why, encrypted if possible.", str, media=MEDIA),
            Answer(415, "Not application/jose.", errors.Errors),
        ),
        roles=_SOURCES,
        description="A JWS of the Source BB within a JWE, compact. See how-to/voucher-batch-files.md.",
        media=(MEDIA,),
        raw_example="eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkEyNTZHQ00iLCJjdHkiOiJKV1QifQ.a.b.c.d",
    ),
    Operation(
        "GET",
        "/vouchers/batches/{id}/response",
        fetch,
        "Fetch the response to a voucher file",
        GROUP,
        plain,
        (_SEALED, _LATER, _UNKNOWN),
        roles=_SOURCES,
        parameters=(_REFERENCE,),
    ),
    Operation(
        "GET",
        "/.well-known/jwks.json",
        keys,
        "Public keys for files",
        GROUP,
        plain,
        (Answer(200, "A JWK set (RFC 7517).", models.KeySet, media=_KEYS),),
    ),
)

"""From an HTTP request to an operation's handler and back: access, parameters, body, errors."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from aiohttp import web

from connector.api.access import admit
from connector.api.batch_body import BatchReading, receive
from connector.api.json_body import Parsed, parse, parse_large
from connector.api.operation import LENIENT_LENGTH, BatchForms, Body, Call, Operation, Parameter
from connector.api.settings import ApiSettings
from connector.api.shapes import Shape, failure_of
from connector.domain.errors import Fault, Refused
from connector.flows.draft import Draft
from connector.flows.services import Services

PATTERN: Final = web.RequestKey("pattern", str)
SHAPE: Final[web.RequestKey[Shape]] = web.RequestKey("shape")
"""How the operation words its failures, also those that nobody foresaw."""

_NOTHING: Final = Parsed("")


class _Reader(NamedTuple):
    """A parameter as this deployment takes it, worked out once: under which names, required or not, how long."""

    parameter: Parameter
    names: tuple[str, ...]
    required: bool
    longest: int


def serve(
    operation: Operation, services: Services, settings: ApiSettings
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make the aiohttp handler of an operation; errors raised on purpose are answered in the operation's shape."""
    readers = tuple(_reader(parameter, settings) for parameter in operation.parameters)

    async def handle(request: web.Request) -> web.StreamResponse:
        request[PATTERN], request[SHAPE] = operation.path, operation.shape
        parsed = _NOTHING
        try:
            identity = admit(request, settings, operation.roles)
            call = Call(request, services, settings, identity, {})
            if operation.body and operation.body.batch:
                forms = operation.body.batch
                async with Draft(services, _address(call, forms, readers)) as draft:
                    parsed = await _batch(call, operation.body, forms, draft)
                    return await operation.handler(_checked(call, readers, parsed, draft))
            if operation.body:
                parsed = await _body(request, operation.body, settings)
            return await operation.handler(_checked(call, readers, parsed))
        except Exception as error:
            failure = failure_of(error, parsed.request_id)
            if failure is None:
                raise
            return operation.shape(failure)

    return handle


def _checked(call: Call, readers: tuple[_Reader, ...], parsed: Parsed, draft: Draft | None = None) -> Call:
    """Give the call whole; raises ``Refused``, for its parameters before its body."""
    parameters = _read(call.request, readers)
    return replace(call, parameters=parameters, body=parsed.accepted(), draft=draft)


def _address(call: Call, forms: BatchForms, readers: tuple[_Reader, ...]) -> str:
    """Find out for which batch a draft is before its body is read; "" where that cannot be known."""
    try:
        return forms.address(replace(call, parameters=_read(call.request, readers)))
    except (Refused, web.HTTPException):
        return ""


async def _batch(call: Call, body: Body, forms: BatchForms, draft: Draft) -> Parsed:
    """Read a batch into its draft, piece by piece."""
    request, settings = call.request, call.settings
    ceiling = _ceiling(request, body, settings)
    reading = BatchReading(forms.form(settings.lengths_strict), draft, call.services.stages)
    size = await receive(request, reading, draft, ceiling, settings.off_loop_bytes)
    if size and not is_json(request.content_type):
        raise web.HTTPUnsupportedMediaType
    return reading.parsed()


def _ceiling(request: web.Request, body: Body, settings: ApiSettings) -> int:
    """Give the most bytes that a body may have; raises for one that is announced to have more, before it is read."""
    ceiling, announced = body.max_bytes or settings.max_body_bytes, request.content_length or 0
    if announced > ceiling:
        raise web.HTTPRequestEntityTooLarge(ceiling, announced)
    return ceiling


async def _body(request: web.Request, body: Body, settings: ApiSettings) -> Parsed:
    """Read and parse the JSON body, in a thread where it is large."""
    ceiling = _ceiling(request, body, settings)
    content = await (_bounded(request, ceiling) if body.max_bytes else request.read())
    if not content.strip() and not body.required:
        return Parsed("")
    if content and not is_json(request.content_type):
        raise web.HTTPUnsupportedMediaType
    adapter = body.adapter(settings.lengths_strict)
    if body.parse:
        return body.parse(content, adapter)
    if len(content) < settings.off_loop_bytes:
        return parse(content, adapter, body.read)
    return await asyncio.to_thread(parse_large, content, adapter, body.read)


async def _bounded(request: web.Request, ceiling: int) -> bytes:
    """Read a body, also a compressed one, no further than it may go."""
    content = bytearray()
    async for part in request.content.iter_any():
        content += part
        if len(content) > ceiling:
            raise web.HTTPRequestEntityTooLarge(ceiling, len(content))
    return bytes(content)


def is_json(media: str) -> bool:
    """Tell whether a content type is JSON, or one of the JSON family."""
    return media == "application/json" or media.endswith("+json")


def _reader(parameter: Parameter, settings: ApiSettings) -> _Reader:
    strict, name = settings.lengths_strict, parameter.name
    spellings = settings.callback_headers if name in settings.callback_headers else parameter.alternatives
    required = parameter.required and (strict or not parameter.strict_only)
    longest = parameter.max_length if strict else max(parameter.max_length, LENIENT_LENGTH)
    return _Reader(parameter, tuple(dict.fromkeys((name, *spellings))), required, longest)


def _read(request: web.Request, readers: tuple[_Reader, ...]) -> dict[str, str]:
    """Take the declared parameters; raises ``Refused`` with every one that is missing or wrong."""
    values: dict[str, str] = {}
    faults: list[Fault] = []
    for reader in readers:
        value = _value(request, reader)
        fault = _fault(reader, value) if value or reader.required else None
        if fault:
            faults.append(fault)
        values[reader.parameter.name] = value or reader.parameter.default
    if faults:
        raise Refused(faults)
    return values


def _value(request: web.Request, reader: _Reader) -> str:
    match reader.parameter.place:
        case "path":
            return request.match_info.get(reader.parameter.name, "")
        case "query":
            source: Mapping[str, str] = request.query
        case "header":
            source = request.headers  # without regard to case
    for name in reader.names:
        if value := source.get(name, ""):
            return value.strip()
    return ""


def _fault(reader: _Reader, value: str) -> Fault | None:
    parameter = reader.parameter
    where = f"{parameter.place} {parameter.name}"
    if not value:
        return Fault(where, "missing", "This is required.") if reader.required else None
    if len(value) > reader.longest:
        return Fault(where, "too_long", f"At most {reader.longest} characters.")
    if not value.isprintable():
        return Fault(where, "unprintable", "Control characters are not allowed.")
    if parameter.choices and value not in parameter.choices:
        return Fault(where, "choice", f"One of: {', '.join(parameter.choices)}.")
    return None if parameter.kind == "string" else _number_fault(parameter, where, value)


def _number_fault(parameter: Parameter, where: str, value: str) -> Fault | None:
    digits = value.replace(".", "", 1) if parameter.kind == "number" else value
    if not (digits.isascii() and digits.isdecimal() and len(value) <= 18):
        return Fault(where, "number", "A number in digits.")
    if not parameter.minimum <= float(value) <= parameter.maximum:
        return Fault(where, "range", f"Between {parameter.minimum} and {parameter.maximum}.")
    return None

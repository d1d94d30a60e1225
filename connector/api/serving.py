"""From an HTTP request to an operation's handler and back: access, parameters, body, errors."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from connector.api.access import admit
from connector.api.json_body import Parsed, parse
from connector.api.operation import LENIENT_LENGTH, Body, Call, Operation, Parameter
from connector.api.settings import ApiSettings
from connector.api.shapes import failure_of
from connector.domain.errors import Fault, Refused
from connector.flows.services import Services

PATTERN: Final = web.RequestKey("pattern", str)


def serve(
    operation: Operation, services: Services, settings: ApiSettings
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make the aiohttp handler of an operation; errors raised on purpose are answered in the operation's shape."""

    async def handle(request: web.Request) -> web.StreamResponse:
        request[PATTERN] = operation.path
        parsed = Parsed("")
        try:
            identity = admit(request, settings, operation.roles)
            if operation.body:
                parsed = await _body(request, operation.body, settings)
            parameters = read_parameters(request, operation.parameters, settings)
            body = parsed.accepted()
            return await operation.handler(Call(request, services, settings, identity, parameters, body))
        except Exception as error:
            failure = failure_of(error, parsed.request_id)
            if failure is None:
                raise
            return operation.shape(failure)

    return handle


async def _body(request: web.Request, body: Body, settings: ApiSettings) -> Parsed:
    """Read and parse the JSON body, in a thread where it is large."""
    announced = request.content_length or 0
    if announced > settings.max_body_bytes:  # refused before it is read
        raise web.HTTPRequestEntityTooLarge(settings.max_body_bytes, announced)
    content = await request.read()
    if not content.strip() and not body.required:
        return Parsed("")
    if content and not is_json(request.content_type):
        raise web.HTTPUnsupportedMediaType
    adapter = body.adapter(settings.lengths_strict)
    if len(content) < settings.off_loop_bytes:
        return parse(content, adapter, body.read)
    return await asyncio.to_thread(parse, content, adapter, body.read)


def is_json(media: str) -> bool:
    """Tell whether a content type is JSON, or one of the JSON family."""
    return media == "application/json" or media.endswith("+json")


def read_parameters(request: web.Request, declared: tuple[Parameter, ...], settings: ApiSettings) -> dict[str, str]:
    """Take the declared parameters; raises ``Refused`` with every one that is missing or wrong."""
    values: dict[str, str] = {}
    faults: list[Fault] = []
    for parameter in declared:
        value = _value(request, parameter, settings)
        fault = _fault(parameter, value, settings.lengths_strict)
        faults.extend([fault] if fault else [])
        values[parameter.name] = value or parameter.default
    if faults:
        raise Refused(faults)
    return values


def _value(request: web.Request, parameter: Parameter, settings: ApiSettings) -> str:
    match parameter.place:
        case "path":
            return request.match_info.get(parameter.name, "")
        case "query":
            source: dict[str, str] = dict(request.query)
        case "header":
            source = {name.lower(): value for name, value in request.headers.items()}
    spellings = settings.callback_headers if parameter.name in settings.callback_headers else parameter.alternatives
    names = (parameter.name, *spellings)
    keys = [name.lower() for name in names] if parameter.place == "header" else names
    return next((source[key] for key in keys if source.get(key)), "").strip()


def _fault(parameter: Parameter, value: str, strict: bool) -> Fault | None:
    where = f"{parameter.place} {parameter.name}"
    if not value:
        required = parameter.required and (strict or not parameter.strict_only)
        return Fault(where, "missing", "This is required.") if required else None
    longest = parameter.max_length if strict else max(parameter.max_length, LENIENT_LENGTH)
    if len(value) > longest:
        return Fault(where, "too_long", f"At most {longest} characters.")
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

"""The OpenAPI 3.1 description, made from the declarations and models that route and validate."""

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal

import msgspec
from aiohttp import web
from pydantic import TypeAdapter

from connector.api.models_fsp import Errors
from connector.api.models_v1 import AnswerV1
from connector.api.models_v3 import ErrorV3
from connector.api.operation import LENIENT_LENGTH, Answer, Operation, Parameter
from connector.api.serving import PATTERN
from connector.api.settings import ApiSettings
from connector.api.shapes import Shape, govstack_v1, govstack_v1_prevalidation, govstack_v3, plain

_REFERENCE: Final = "#/components/schemas/{model}"
_ERRORS: Final[dict[Shape, object]] = {
    govstack_v1: AnswerV1,
    govstack_v1_prevalidation: AnswerV1,
    govstack_v3: ErrorV3,
    plain: Errors,
}
_WRONG: Final = (400, "Refused; nothing was changed.")
_COMMON: Final = (
    (401, "No valid token (production)."),
    (403, "The token is somebody else's (production)."),
    (413, "The body is too large."),
    (503, "A part of IsoGate does not answer; try again after Retry-After seconds."),
)


def publish(app: web.Application, operations: Sequence[Operation], settings: ApiSettings) -> None:
    """Serve the description at /openapi.json."""
    content = _encoded(tuple(operations), settings)

    async def answer(request: web.Request) -> web.Response:
        request[PATTERN] = "/openapi.json"
        return web.Response(body=content, content_type="application/json")

    app.router.add_get("/openapi.json", answer)


@lru_cache(maxsize=8)
def _encoded(operations: tuple[Operation, ...], settings: ApiSettings) -> bytes:
    return msgspec.json.encode(describe(operations, settings))


def describe(operations: Sequence[Operation], settings: ApiSettings) -> dict[str, Any]:
    """Describe all operations as they behave with these settings."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = _operation(operation, settings, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "IsoGate",
            "version": _version(),
            "description": "GovStack Payments in JSON, ISO 20022 to the banks, the outcome of every payment back.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": group} for group in dict.fromkeys(operation.group for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _version() -> str:
    try:
        return version("isogate")
    except PackageNotFoundError:
        return "0"


def _operation(operation: Operation, settings: ApiSettings, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation_id(operation),
        "summary": operation.summary,
        "description": operation.description or (operation.handler.__doc__ or "").strip(),
        "tags": [operation.group],
        "parameters": [_parameter(parameter, settings) for parameter in operation.parameters],
        "responses": _answers(operation, schemas),
        "security": _security(operation, settings),
    }
    body = _request_body(operation, settings, schemas)
    return {**described, **({"requestBody": body} if body else {})}


def operation_id(operation: Operation) -> str:
    """Name an operation by its method and path."""
    words = re.findall(r"\w+", operation.path)
    return "_".join((operation.method.lower(), *words)).replace("-", "_")


def _security(operation: Operation, settings: ApiSettings) -> list[dict[str, list[str]]]:
    if not operation.roles and not operation.basic:
        return []
    scheme: dict[str, list[str]] = {"basic" if operation.basic else "token": []}
    return [scheme, {}] if settings.open else [scheme]


def _parameter(parameter: Parameter, settings: ApiSettings) -> dict[str, Any]:
    strict = settings.lengths_strict
    required = parameter.required and (strict or not parameter.strict_only)
    spellings = [name for name in parameter.alternatives if name != parameter.name]
    if parameter.name in settings.callback_headers:
        spellings = [name for name in settings.callback_headers if name != parameter.name]
    also = f" Also accepted as {', '.join(spellings)}." if spellings else ""
    described: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.place,
        "description": f"{parameter.description}{also}",
        "required": required or parameter.place == "path",
        "schema": _parameter_schema(parameter, strict),
    }
    return {**described, **({"example": parameter.example} if parameter.example else {})}


def _parameter_schema(parameter: Parameter, strict: bool) -> dict[str, Any]:
    if parameter.kind != "string":
        schema: dict[str, Any] = {
            "type": parameter.kind,
            "minimum": parameter.minimum,
            "maximum": parameter.maximum,
        }
        return {**schema, **({"default": int(parameter.default)} if parameter.default else {})}
    longest = parameter.max_length if strict else max(parameter.max_length, LENIENT_LENGTH)
    schema = {"type": "string", "maxLength": longest, "minLength": int(parameter.required)}
    return {**schema, **({"enum": list(parameter.choices)} if parameter.choices else {})}


def _request_body(operation: Operation, settings: ApiSettings, schemas: dict[str, Any]) -> dict[str, Any] | None:
    if operation.body:
        schema = _schema(operation.body.adapter(settings.lengths_strict), "validation", schemas)
        media = {"schema": schema, "example": operation.body.example}
        return {"required": operation.body.required, "content": {"application/json": media}}
    if operation.raw_example:
        media = {"schema": {"type": "string"}, "example": operation.raw_example}
        return {"required": True, "content": dict.fromkeys(operation.media, media)}
    return None


def _answers(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {}
    for answer in operation.answers:
        made = _answer(answer, schemas)
        earlier = described.setdefault(str(answer.status), made)
        if earlier is not made:  # the same status in another medium
            earlier["content"] |= made["content"]
    wrong = (_WRONG,) if operation.parameters or operation.body else ()
    for status, sentence in (*wrong, *_COMMON) if operation.roles else ():
        if str(status) not in described:
            model = operation.errors or _ERRORS[operation.shape]
            described[str(status)] = _answer(Answer(status, sentence, model), schemas)
    return dict(sorted(described.items()))


def _answer(answer: Answer, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description, "headers": _headers(answer.status)}
    if answer.model is None:
        return described
    media: dict[str, Any] = {"schema": _schema(_adapter(answer.model), "serialization", schemas)}
    if answer.example is not None:
        media["example"] = answer.example
    return {**described, "content": {answer.media: media}}


def _adapter(model: Any) -> TypeAdapter[Any]:  # noqa: ANN401 (any type that pydantic knows)
    return TypeAdapter(model)


def _headers(status: int) -> dict[str, Any]:
    named = {"X-Request-ID": "The request's id, as sent or made here; it is in our logs."}
    if status == 503:
        named["Retry-After"] = "Seconds to wait."
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in named.items()}


def _schema(
    adapter: TypeAdapter[Any], mode: Literal["validation", "serialization"], schemas: dict[str, Any]
) -> dict[str, Any]:
    """Give a model's schema, moving its definitions to the components."""
    schema = adapter.json_schema(mode=mode, ref_template=_REFERENCE)
    schemas.update(schema.pop("$defs", {}))
    return schema

"""The documentation page at /docs: every operation with its bodies, answers and a curl line; all served locally."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, select_autoescape

from connector.api.openapi import operation_id
from connector.api.operation import Answer, Operation, Parameter
from connector.api.serving import PATTERN
from connector.api.settings import ApiSettings

_PAGES: Final = Path(__file__).parent / "pages"
_ASSETS: Final = {"docs.css": "text/css", "docs.js": "text/javascript"}
_POLICY: Final = "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'"
_UNNAMED: Final = "VALUE"


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation as the page shows it."""

    id: str
    operation: Operation
    curl: str
    body: str
    answers: Sequence[tuple[Answer, str]]


def publish(app: web.Application, operations: Sequence[Operation], settings: ApiSettings) -> None:
    """Serve the page and its assets; all of it is made once, here."""
    pages = {"/docs": (render(tuple(operations), settings).encode(), "text/html")}
    pages |= {f"/docs/{name}": ((_PAGES / name).read_bytes(), media) for name, media in _ASSETS.items()}

    async def answer(request: web.Request) -> web.Response:
        request[PATTERN] = request.path
        content, media = pages[request.path]
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "max-age=60"}
        return web.Response(body=content, content_type=media, charset="utf-8", headers=headers)

    async def show_the_way(request: web.Request) -> web.Response:
        request[PATTERN] = request.path
        return web.Response(status=web.HTTPFound.status_code, headers={"Location": "/docs"})

    app.router.add_get("/", show_the_way)
    for path in pages:
        app.router.add_get(path, answer)


@lru_cache(maxsize=8)
def render(operations: tuple[Operation, ...], settings: ApiSettings) -> str:
    """Make the page."""
    environment = Environment(
        loader=FileSystemLoader(_PAGES), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True
    )
    groups: dict[str, list[Entry]] = {}
    for operation in operations:
        groups.setdefault(operation.group, []).append(_entry(operation, settings))
    return environment.get_template("docs.html").render(groups=groups, settings=settings)


def _entry(operation: Operation, settings: ApiSettings) -> Entry:
    body = _pretty(operation.body.example) if operation.body else operation.raw_example
    answers = [
        (answer, _pretty(answer.example) if answer.example is not None else "") for answer in operation.answers
    ]
    return Entry(operation_id(operation), operation, curl(operation, settings), body, answers)


def _pretty(example: object) -> str:
    return json.dumps(example, indent=2)


def curl(operation: Operation, settings: ApiSettings) -> str:
    """Write the operation as a command that can be pasted into a shell."""
    path, query, headers = operation.path, [], []
    for parameter in operation.parameters:
        if parameter.place == "path":
            path = path.replace(f"{{{parameter.name}}}", _example(parameter))
        elif parameter.required and parameter.place == "query":
            query.append(f"{parameter.name}={_example(parameter)}")
        elif parameter.required:
            headers.append(f"{parameter.name}: {_example(parameter)}")
    if operation.roles and not settings.open:
        headers.append("Authorization: Bearer $TOKEN")
    url = settings.public_url + path + ("?" + "&".join(query) if query else "")
    user = ["-u $CLIENT:$PASSWORD"] if operation.basic and not settings.open else []
    method = "" if operation.method == "GET" else f"-X {operation.method} "
    lines = [
        f"curl -i {method}{shlex.quote(url)}",
        *user,
        *(f"-H {_quoted(header)}" for header in headers),
        *_data(operation),
    ]
    return " \\\n  ".join(lines)


def _data(operation: Operation) -> list[str]:
    if operation.body:
        return ["-H 'Content-Type: application/json'", f"-d {shlex.quote(json.dumps(operation.body.example))}"]
    if operation.raw_example:
        return [f"-H 'Content-Type: {operation.media[0]}'", "--data-binary @report.xml"]
    return []


def _quoted(header: str) -> str:
    """Quote for the shell; a variable is left to the shell."""
    return f'"{header}"' if "$" in header else shlex.quote(header)


def _example(parameter: Parameter) -> str:
    return parameter.example or parameter.default or ("0" if parameter.kind == "integer" else _UNNAMED)

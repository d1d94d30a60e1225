"""Write the reference pages from the code: ``make reference``."""
# ruff: noqa: PLC0415 - the command line's own module imports what it registers; this one reads it afterwards

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import typer
from pydantic.fields import FieldInfo
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from connector.demo.format import schema
from connector.flows.vouchers.batch_document import SCHEMAS
from connector.settings import PREFIX, Settings
from connector.store.keyspace import FAMILIES
from iso20022_schemas import Catalogue

NOTE = "<!-- Written by `make reference` from the code; change the code, not this page. -->\n"


def pages() -> dict[str, str]:
    """Give every reference page by its file name."""
    return {
        "commands.md": _page("Commands", _commands()),
        "settings.md": _page("Settings", _settings()),
        "keyspace.md": _page("Keys of the store", _keys()),
        "messages.md": _page("Messages", _messages()),
        "demo-data.schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        **{name: json.dumps(_schema(document), indent=2) + "\n" for name, document in SCHEMAS.items()},
    }


def _schema(document: Any) -> dict[str, Any]:  # noqa: ANN401 (any type that msgspec knows)
    """Describe a document of the exchange of files."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**draft, **msgspec.json.schema(document)}


def write(folder: Path) -> None:
    """Write the pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


def _page(title: str, lines: Iterable[str]) -> str:
    return "\n".join([NOTE, f"# {title}", "", *lines]).rstrip() + "\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""


def _commands() -> Iterator[str]:
    from connector.cli import app

    yield from _command("isogate", typer.main.get_command(app))


def _command(name: str, command: object) -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for child in sorted(command.commands):
            yield from _command(f"{name} {child}", command.commands[child])
    elif isinstance(command, TyperCommand):
        yield from _leaf(name, command)


def _leaf(name: str, command: TyperCommand) -> Iterator[str]:
    yield f"## `{name}`"
    yield ""
    yield (command.help or "").strip()
    yield ""
    rows = [
        _parameter(parameter) for parameter in command.params if isinstance(parameter, TyperArgument | TyperOption)
    ]
    if rows:
        yield from _table(("parameter", "meaning"), rows)


def _parameter(parameter: TyperArgument | TyperOption) -> tuple[str, str]:
    if isinstance(parameter, TyperArgument):
        return f"`{(parameter.name or '').upper()}`", parameter.help or ""
    return " ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts)), parameter.help or ""


def _settings() -> Iterator[str]:
    yield "Environment variables; options of the command line go before them. Lists and objects are JSON."
    yield ""
    yield from _table(
        ("variable", "default", "meaning"),
        (_setting(name, field) for name, field in Settings.model_fields.items()),
    )


def _setting(name: str, field: FieldInfo) -> tuple[str, str, str]:
    value = field.get_default(call_default_factory=True, validated_data={})
    default = "" if value in (None, (), {}) else str(value)
    return f"`{PREFIX}{name.upper()}`", default and f"`{default}`", field.description or ""


def _keys() -> Iterator[str]:
    yield "Every key begins with `ig:{pN}:`, N being the partition; the braces are a cluster hash tag."
    yield ""
    yield from _table(
        ("key (pattern)", "type", "content", "life"),
        ((f"`{family.pattern}`", family.type, family.content, family.life) for family in FAMILIES),
    )


def _messages() -> Iterator[str]:
    yield "Messages with a complete schema in this package; `isogate validate` accepts every one of them."
    yield ""
    catalogue = Catalogue()
    yield from _table(
        ("message", "namespace"), ((message, f"`{catalogue.namespace(message)}`") for message in catalogue.messages())
    )


if __name__ == "__main__":
    write(Path(sys.argv[1]))

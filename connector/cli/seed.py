"""``isogate seed``: demo data into the store of a sandbox."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import options
from connector.domain.errors import NotPermitted

if TYPE_CHECKING:
    from connector.demo import DemoData, Loaded


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(seed)


def seed(
    file: Annotated[Path, typer.Argument(help="Demo data (JSON, see docs/demo-data.md)")],
    data_dir: options.DataDir = None,
    profile: options.ProfileName = None,
) -> None:
    """Load demo data into a sandbox whose store runs; what is there already stays, and is not made again."""
    from connector import demo

    loaded = asyncio.run(_load(demo.read(file), data_dir, profile))
    print(", ".join(f"{count} {name}" for name, count in loaded._asdict().items() if name != "created"))
    print(f"{loaded.created} vouchers are new")


async def _load(data: "DemoData", data_dir: Path | None, profile: str | None) -> "Loaded":
    from connector import demo
    from connector.cli.direct import opened_store

    async with opened_store(data_dir, profile) as (store, settings):
        if not settings.sandbox:
            raise NotPermitted("instance", settings.api_url, "no sandbox")
        return await demo.load(store, time.time, data)

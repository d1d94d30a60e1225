"""``isogate demo``: a whole payment programme in an instance of its own, and the proof that its ledgers balance."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import asyncio
from pathlib import Path
from typing import Annotated

import typer

Payments = Annotated[int, typer.Option("--payments", min=1, help="How many people are paid")]
Keep = Annotated[bool, typer.Option("--keep", help="Leave it running, with curl lines to try next")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(*, payments: Payments = 2000, keep: Keep = False) -> None:
    """Onboard, prevalidate, pay and return, against simulated banks. Exit code 0 only if the ledgers balance."""
    import tempfile

    from connector.cli.process import run, until_stopped
    from connector.cli.rehearsal import rehearse

    problems: list[str] = []

    async def body(stop: asyncio.Event) -> None:
        problems.extend(await rehearse(Path(folder), payments, stop, keep=keep))

    with tempfile.TemporaryDirectory(prefix="isogate-demo-") as folder:
        run(until_stopped(body))
    if problems:
        raise typer.Exit(1)

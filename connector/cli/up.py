"""``isogate up``: store, simulators, API and workers together, each in a process of its own."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import asyncio
import sys
import time
from typing import TYPE_CHECKING

import typer

from connector.cli import options
from connector.cli.process import run, until_stopped

if TYPE_CHECKING:
    from connector.cli.supervisor import Supervisor
    from connector.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


def up(
    port: options.Port = None,
    data_dir: options.DataDir = None,
    profile: options.ProfileName = None,
    workers: options.Workers = None,
    api_processes: options.ApiProcesses = None,
    demo_data: options.DemoFile = None,
) -> None:
    """Start everything on this machine; Ctrl-C or SIGTERM stops it with nothing lost."""
    from connector.settings import load

    settings = load(
        port=port,
        data_dir=data_dir,
        profile=profile,
        workers=workers,
        api_processes=api_processes,
        demo_data=demo_data,
    )
    _check_demo(settings)
    run(until_stopped(lambda stop: _up(settings, stop)))


def _check_demo(settings: "Settings") -> None:
    """Refuse demo data that no process could load, before one is started. Raises ``Misconfigured``."""
    if settings.demo_data:
        from connector import demo
        from connector.domain.errors import Misconfigured

        if not settings.sandbox:
            raise Misconfigured("environment", 0, "ISOGATE_DEMO_DATA", "demo data are for the sandbox profile")
        demo.read(settings.demo_data)


async def _up(settings: "Settings", stop: asyncio.Event) -> None:
    from connector.cli.claim import check_port, claim, claim_file
    from connector.cli.instance import supervisor_of

    with claim_file(settings.data_dir) as lock:
        await claim(lock, settings.data_dir, _warn)
        for address in settings.listening:
            check_port(*address)
        await _run(supervisor_of(settings, _warn, [lock]), settings, stop)


async def _run(supervisor: "Supervisor", settings: "Settings", stop: asyncio.Event) -> None:
    began = time.monotonic()
    if settings.sandbox:
        _warn("SANDBOX: this instance is open. Whoever reaches it can use it. No real money, no real people.")
    starting = asyncio.create_task(supervisor.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        starting.result()
        _show(supervisor, settings, time.monotonic() - began)
        await stopping
    else:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
    _warn("stopping")
    clean = await supervisor.stop()
    if not clean:
        raise typer.Exit(1)


def _show(supervisor: "Supervisor", settings: "Settings", seconds: float) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"IsoGate ({settings.profile}) is ready after {seconds:.1f} s: {settings.api_url}")
    for column in ("process", "pid", "where"):
        table.add_column(column)
    for part in supervisor.parts:
        table.add_row(part.name, str(part.pid), part.where)
    Console().print(table)
    print(f"health {settings.api_url}/healthcheck   documentation {settings.api_url}/docs   data {settings.data_dir}")
    sys.stdout.flush()


def _warn(sentence: str) -> None:
    print(f"isogate: {sentence}", file=sys.stderr, flush=True)

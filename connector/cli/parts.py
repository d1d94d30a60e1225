"""``isogate serve | worker | simulators | store``: the parts alone, in as many processes as one likes."""
# ruff: noqa: PLC0415 - what a part needs is imported when it starts, so that the command line stays fast

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from connector.cli import options
from connector.cli.process import loaded, run, until_stopped

if TYPE_CHECKING:
    from connector.flows.services import Services
    from connector.settings import Settings

TURN_SECONDS: Final = 0.001
"""So long a thread may keep the interpreter from the event loop that waits for it; Python's own choice is 5 ms."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.command()(worker)
    app.command()(simulators)
    app.command()(store)


def serve(port: options.Port = None, data_dir: options.DataDir = None, profile: options.ProfileName = None) -> None:
    """Run the API alone (needs ISOGATE_REDIS_URL or a store under the data folder)."""
    settings = _begin("api", port=port, data_dir=data_dir, profile=profile)

    async def body(stop: asyncio.Event) -> None:
        from connector.app import build_api, build_services, tls_context
        from connector.cli.listening import serve_until
        from connector.flows.stages import published

        _divide_time()
        async with build_services(settings) as services:
            if not settings.sandbox:
                await _warn(services)
            async with published(services, _named("api")):
                application, shared = build_api(services, settings), settings.api_processes > 1
                await serve_until(
                    stop, application, settings.host, settings.port, tls_context(settings), shared=shared
                )

    run(until_stopped(body))


def worker(
    data_dir: options.DataDir = None, profile: options.ProfileName = None, name: options.WorkerName = ""
) -> None:
    """Run one worker alone; start as many as there are cores and machines."""
    settings = _begin("worker", data_dir=data_dir, profile=profile)

    async def body(stop: asyncio.Event) -> None:
        from connector.app import build_services, build_worker
        from connector.flows.stages import published

        _divide_time()
        async with build_services(settings, name) as services:
            carrying = build_worker(services, settings, name)
            loaded()
            async with published(services, _named("worker")):
                await carrying.run(stop)

    run(until_stopped(body))


def simulators(port: options.Port = None, data_dir: options.DataDir = None) -> None:
    """Run the simulated banks and mobile-money operators alone."""
    settings = _begin("simulators", data_dir=data_dir, simulators_port=port)

    async def body(stop: asyncio.Event) -> None:
        from connector.app import build_simulators
        from connector.cli.listening import serve_until

        host, listen = settings.simulators_address
        await serve_until(stop, build_simulators(settings), host, listen)

    run(until_stopped(body))


def store(data_dir: options.DataDir = None) -> None:
    """Run the embedded store alone, under the data folder."""
    settings = _begin("store", data_dir=data_dir)

    async def body(stop: asyncio.Event) -> None:
        from connector.store.embedded import EmbeddedServer

        server = EmbeddedServer(settings.data_dir / "store")
        await asyncio.to_thread(server.start)
        try:
            gone = await _run_until_gone(server.socket, stop)
        finally:
            await asyncio.to_thread(server.stop)
        if gone:
            raise typer.Exit(1)

    run(until_stopped(body))


async def _run_until_gone(address: Path, stop: asyncio.Event) -> bool:
    """Wait for ``stop``, or for the end of the server at the Unix socket; tell whether the server ended."""
    reader, writer = await asyncio.open_unix_connection(address)
    ended, told = asyncio.create_task(reader.read()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        return not told.done()
    finally:
        ended.cancel()
        told.cancel()
        writer.close()


async def _warn(services: "Services") -> None:
    """Log which programmes every Source BB may use; in production that is seldom meant."""
    import structlog

    from connector.cli.check import warning_of

    for programme in (await services.store.directory.load()).shared_programmes:
        structlog.get_logger(__name__).warning(warning_of(programme), programme=programme)


def _divide_time() -> None:
    """Let threads do the long pieces of work, and let the event loop have its turn soon while they do."""
    from connector.flows.threads import Threads

    asyncio.get_running_loop().set_default_executor(Threads())
    sys.setswitchinterval(TURN_SECONDS)


def _named(part: str) -> str:
    """Name this process and what it is."""
    from connector.app import own_name

    return f"{part} {own_name()}"


def _begin(process: str, **overrides: object) -> "Settings":
    from connector.logs import configure
    from connector.settings import load

    settings = load(**overrides)
    configure(process, as_json=settings.log_json, level=settings.log_level)
    return settings

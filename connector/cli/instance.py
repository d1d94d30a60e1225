"""A whole instance on this machine: which processes it consists of, and a fresh one for demo, bench and tests."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from connector.cli.supervisor import Part, Supervisor
from connector.settings import Settings, environment, load


def supervisor_of(settings: Settings, notice: Callable[[str], None], inherited: Sequence[int] = ()) -> Supervisor:
    """Lay out the processes of an instance: the store first, then all that need it.

    inherited: open files that every process holds as long as it lives.
    """
    variables = environment(settings)
    stages: list[list[Part]] = [[], []]
    if not settings.redis_url:
        stages[0].append(_store(settings, variables))
    if settings.sandbox and not settings.simulators_url:
        stages[1].append(_http("simulators", ["simulators"], settings.simulators_base, "/healthcheck", variables))
    for name in _numbered("api", settings.api_processes):
        stages[1].append(_http(name, ["serve"], settings.api_url, "/ready", variables))
    for number in range(1, settings.workers + 1):
        # only one instance runs on a data folder, so this name is free whenever the worker starts
        name = f"{socket.gethostname()}{settings.data_dir.resolve()}/{number}"
        arguments = ["worker", "--name", name]
        stages[1].append(Part(f"worker {number}", arguments, settings.api_url, _at_once, variables))
    if settings.voucher_inbox and settings.voucher_outbox:
        where = str(settings.voucher_inbox)
        stages[1].append(Part("voucher files", ["vouchers", "watch"], where, _at_once, variables))
    return Supervisor([stage for stage in stages if stage], notice, inherited)


def _numbered(name: str, count: int) -> list[str]:
    """Name so many processes of a kind; the only one needs no number."""
    return [name] if count == 1 else [f"{name} {number}" for number in range(1, count + 1)]


@asynccontextmanager
async def fresh_instance(
    folder: Path, notice: Callable[[str], None], **overrides: object
) -> AsyncIterator[tuple[Settings, Supervisor]]:
    """Run a sandbox of its own under ``folder`` on free ports, and stop it at the end."""
    port, simulators_port = free_ports(2)
    chosen = {
        "profile": "sandbox",
        "port": port,
        "simulators_port": simulators_port,
        "data_dir": folder,
        "redis_url": "",
    }
    settings = load(**{**chosen, **overrides})
    supervisor = supervisor_of(settings, notice)
    await supervisor.start()
    try:
        yield settings, supervisor
    finally:
        await supervisor.stop()


def free_ports(count: int) -> list[int]:
    """Find free TCP ports of the loopback address, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _store(settings: Settings, variables: dict[str, str]) -> Part:
    from connector.store.embedded import EmbeddedServer  # noqa: PLC0415 - brings the store's libraries with it

    server = EmbeddedServer(settings.data_dir / "store")

    async def ready() -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(server.socket)
        except OSError:
            return False
        writer.write(b"PING\r\n")
        answer = await reader.readline()
        writer.close()
        return answer.startswith(b"+PONG")

    return Part("store", ["store"], str(server.socket), ready, variables)


def _http(name: str, arguments: list[str], base: str, path: str, variables: dict[str, str]) -> Part:
    async def ready() -> bool:
        return await answers(base + path)

    return Part(name, arguments, base, ready, variables)


async def answers(url: str) -> bool:
    """Tell whether a GET is answered with success."""
    limit = aiohttp.ClientTimeout(total=2.0)
    try:
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(url, ssl=False) as answer:
            return answer.status < 300
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _at_once() -> bool:
    return True

"""Who is told to stop takes in what senders are still sending, and answers it."""

import asyncio
import time

import aiohttp
import pytest
from aiohttp import web

from connector.cli.instance import free_ports
from connector.cli.listening import serve_until
from connector.domain.errors import Unavailable


def counting():
    """An application that says how long a body is, as soon as it has all of it."""

    async def length(request):
        return web.Response(text=str(len(await request.read())))

    application = web.Application()
    application.router.add_post("/", length)
    return application


async def body(parts, *, go_on):
    yield b"x" * 1000
    parts.set()
    await go_on.wait()
    yield b"x" * 1000


async def upload(port, sent, go_on):
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"http://127.0.0.1:{port}/", data=body(sent, go_on=go_on)) as answer,
    ):
        return await answer.text()


async def listening(port):
    for _ in range(500):
        try:
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
        except OSError:
            await asyncio.sleep(0.01)
        else:
            return
    raise AssertionError("nobody listens")


@pytest.fixture
async def uploading():
    """A server that is told to stop in the middle of an upload."""
    (port,) = free_ports(1)
    stop, sent, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve_until(stop, counting(), "127.0.0.1", port, grace_seconds=0.5))
    await listening(port)
    sender = asyncio.create_task(upload(port, sent, go_on))
    await sent.wait()
    await asyncio.sleep(0.05)
    stop.set()
    await asyncio.sleep(0.05)
    yield serving, sender, go_on
    sender.cancel()
    await asyncio.wait([serving, sender])


async def test_a_body_that_still_comes_in_is_taken_and_answered(uploading):
    serving, sender, go_on = uploading
    go_on.set()
    began = time.monotonic()
    assert await sender == "2000"
    await serving
    assert time.monotonic() - began < 0.4


async def test_a_body_that_never_ends_is_given_up(uploading):
    serving, _, _ = uploading
    began = time.monotonic()
    await serving
    assert time.monotonic() - began < 4


async def test_a_port_that_is_taken_is_named():
    (port,) = free_ports(1)
    holder = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
    with pytest.raises(Unavailable, match=str(port)):
        await serve_until(asyncio.Event(), counting(), "127.0.0.1", port)
    holder.close()

"""Several API processes on one port: while one is dead, the others answer."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from connector import settings as settings_module
from connector.cli.instance import fresh_instance
from connector.domain.errors import Misconfigured

LISTENING = "0A"


def listeners(port):
    """Count the sockets of this machine that listen on a port, as the kernel lists them."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == LISTENING for row in rows)


async def answered(url):
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status == 200


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux divides connections among processes")
async def test_while_an_api_process_is_dead_the_other_answers_every_request(tmp_path):
    async with fresh_instance(tmp_path, print, api_processes=2, log_level="WARNING") as (settings, supervisor):
        first, second = (part for part in supervisor.parts if part.name.startswith("api"))
        async with asyncio.timeout(20):
            while listeners(settings.port) < 2:  # noqa: ASYNC110 (the kernel tells nobody)
                await asyncio.sleep(0.02)
        process = first.process
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        assert all([await answered(settings.api_url + "/healthcheck") for _ in range(10)])
        assert second.restarts == 0


def test_several_api_processes_are_refused_where_they_cannot_share_a_port(monkeypatch):
    monkeypatch.setattr(settings_module.sys, "platform", "darwin")
    with pytest.raises(Misconfigured, match="ISOGATE_API_PROCESSES"):
        settings_module.load(api_processes=2)
    assert settings_module.load(api_processes=1).api_processes == 1

"""The embedded server: quick to start, private, and what it acknowledged survives its death."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store_samples import ACCOUNT, running

from connector.domain.errors import Misconfigured, Unavailable
from connector.store import EmbeddedServer, Keyring, Store, Task
from connector.store.embedded import find_binary, version_of


async def opened(server: EmbeddedServer, keyring: Keyring) -> Store:
    return await Store.connect(server.url, keys=keyring, clock=time.time)


async def wait_for(store: Store) -> None:
    """Wait until a server that was started again is reached."""
    for _ in range(200):
        try:
            return await store.ping()
        except Unavailable:
            await asyncio.sleep(0.01)
    raise AssertionError("the server did not come back")


def is_gone(pid: int) -> bool:
    """Whether a process that is no child of ours ends within two seconds."""
    for _ in range(1000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return True  # ended, and nobody has asked for its exit code
        time.sleep(0.002)
    return False


def test_a_start_takes_a_moment_and_leaves_nothing_open(tmp_path: Path) -> None:
    began = time.perf_counter()
    with EmbeddedServer(tmp_path / "data") as server:
        seconds = time.perf_counter() - began
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    assert seconds < 1.0  # 0.04 on a quiet machine
    assert not server.socket.exists()
    server.stop()


async def test_a_killed_server_loses_nothing_it_acknowledged(tmp_path: Path, keyring: Keyring) -> None:
    server = EmbeddedServer(tmp_path / "data")
    server.start()
    store = await opened(server, keyring)
    batch = await running(store, "B1", [[1, 2, 3]])
    await store.queue.put([Task("dispatch", batch.ref)])
    [entry] = await store.queue.take(["dispatch"], "w1", 1, 0)
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    with pytest.raises(Unavailable):
        await store.batches.read(batch.ref)
    with EmbeddedServer(tmp_path / "data"):
        await wait_for(store)
        assert (await store.batches.read(batch.ref))[0] == batch
        assert len((await store.batches.chunk(batch.ref, 0))[0].credits) == 3
        assert [again.task for again in await store.queue.take_over("w2", 0.0, 9, ["dispatch"])] == [entry.task]
        await store.close()


async def test_deposits_under_fire_count_once_and_none_that_was_acknowledged_is_lost(tmp_path, keyring) -> None:
    server = EmbeddedServer(tmp_path / "data")
    server.start()
    store = await opened(server, keyring)
    acknowledged: set[int] = set()
    stop = asyncio.Event()

    async def deposit(first: int) -> None:
        """Repeat every deposit until it is acknowledged, as a worker does."""
        number = first
        while not stop.is_set() or number - first < 5:
            try:
                await store.funds.deposit("P", "USD", 1, f"D{number}")
            except Unavailable:
                await asyncio.sleep(0.005)
            else:
                acknowledged.add(number)
                number += 1

    writers = [asyncio.create_task(deposit(n * 1_000_000)) for n in range(8)]
    for _ in range(4):
        await asyncio.sleep(0.05)
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        server.start()
    await wait_for(store)
    stop.set()
    await asyncio.gather(*writers)
    assert (await store.funds.balances("P"))["USD"].budget == len(acknowledged)
    await store.close()
    server.stop()


async def test_many_callers_at_once_wait_for_each_other(store: Store) -> None:
    assert len(await asyncio.gather(*(store.directory.load() for _ in range(500)))) == 500


async def test_a_clean_stop_and_start_keeps_everything(tmp_path: Path, keyring: Keyring) -> None:
    for round_number in range(3):
        with EmbeddedServer(tmp_path / "data") as server:
            store = await opened(server, keyring)
            await store.funds.deposit("P", "USD", 10, f"D{round_number}")
            assert (await store.funds.balances("P"))["USD"].budget == 10 * (round_number + 1)
            await store.close()


def test_two_launchers_on_one_directory_are_refused(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "data"), pytest.raises(Unavailable, match="another process"):
        EmbeddedServer(tmp_path / "data").start()


def test_a_server_whose_launcher_was_killed_is_taken_over(tmp_path: Path) -> None:
    script = (
        "import os, sys, pathlib; from connector.store.embedded import EmbeddedServer; "
        "s = EmbeddedServer(pathlib.Path(sys.argv[1])); s.start(); print(s.pid, flush=True); os._exit(1)"
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path / "data")], capture_output=True, check=False)
    with EmbeddedServer(tmp_path / "data") as server:
        assert server.pid == int(run.stdout)
    assert is_gone(server.pid)


def test_a_stale_socket_does_not_hinder(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "data")
    server.start()
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    assert server.socket.exists()
    with EmbeddedServer(tmp_path / "data"):
        pass


def test_a_deep_directory_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / ("d" * 120)) as server:
        assert len(str(server.socket)) < 100
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700


def test_a_binary_that_does_not_run_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"store\.log"):
        EmbeddedServer(tmp_path / "data", binary=Path("/bin/false")).start()
    with pytest.raises(Unavailable, match="cannot be started"):
        EmbeddedServer(tmp_path / "data", binary=tmp_path / "nothing").start()
    with EmbeddedServer(tmp_path / "data"):
        pass


def test_a_binary_on_the_path_goes_first_if_it_is_new_enough(tmp_path: Path, monkeypatch) -> None:
    bundled = find_binary()
    for name, version in [("redis-server", "6.2.1"), ("valkey-server", "8.0.0")]:
        (tmp_path / name).write_text(f"#!/bin/sh\necho 'Server v={version} sha=0'\n")
        (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert find_binary() == (bundled if version < "7" else tmp_path / name)
    assert version_of(tmp_path / "redis-server") == (6, 2)
    assert version_of(tmp_path / "none") == (0, 0)


@pytest.mark.parametrize(("setting", "value"), [("appendonly", "no"), ("maxmemory-policy", "allkeys-lru")])
async def test_a_server_that_may_lose_data_is_refused(tmp_path, keyring, setting: str, value: str) -> None:
    with EmbeddedServer(tmp_path / "data") as server:
        store = await opened(server, keyring)
        await store.link.ask("CONFIG", "SET", setting, value)
        await store.close()
        with pytest.raises(Misconfigured, match=setting):
            await opened(server, keyring)


async def test_data_in_another_format_is_refused(store: Store, store_url: str, keyring) -> None:
    await store.link.ask("SET", store.keyspace.format(), 99)
    with pytest.raises(Misconfigured, match="format"):
        await Store.connect(store_url, keys=keyring, clock=time.time)


async def test_another_number_of_partitions_is_refused(store: Store, store_url: str, keyring) -> None:
    await store.link.ask("SET", store.keyspace.layout(), 4)
    with pytest.raises(Misconfigured, match="partitions"):
        await Store.connect(store_url, keys=keyring, clock=time.time)


async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path, keyring: Keyring) -> None:
    with pytest.raises(Unavailable):
        await opened(EmbeddedServer(tmp_path / "none"), keyring)


async def test_a_server_that_lost_the_functions_gets_them_again(store: Store) -> None:
    await store.link.ask("FUNCTION", "FLUSH")
    await store.queue.put([Task("dispatch", "B1")])
    assert (await store.queue.depth())["dispatch"] == 1


async def test_no_account_number_can_be_read_in_the_files(tmp_path: Path, keyring: Keyring) -> None:
    with EmbeddedServer(tmp_path / "data") as server:
        store = await opened(server, keyring)
        await running(store, "B1", [[1, 2, 3]])
        await store.close()
    written = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert b"batch:" in written
    assert ACCOUNT.encode() not in written
    assert b"Ada Example" not in written

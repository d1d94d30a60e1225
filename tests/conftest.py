"""What the tests of several parts share: a store, its keys and a clock that stands still until it is moved."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connector.store.crypto import Keyring
from connector.store.embedded import EmbeddedServer
from connector.store.store import Store


class VirtualClock:
    """A clock for tests: call it for Unix seconds, set ``now`` or ``pass_seconds`` to move it."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring({"test": bytes(range(32))})


@pytest.fixture(scope="session")
def store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    folder: Path = tmp_path_factory.mktemp("store")
    with EmbeddedServer(folder, fsync="everysec") as server:
        yield server


@pytest.fixture
async def store(store_server: EmbeddedServer, keyring: Keyring, clock: VirtualClock) -> AsyncIterator[Store]:
    """A store with nothing in it."""
    opened = await Store.connect(store_server.url, keys=keyring, clock=clock)
    await opened.link.ask("FLUSHALL")
    yield opened
    await opened.link.ask("FLUSHALL")
    await opened.close()

"""What the tests of several parts share: a store, its keys and a clock that stands still until it is moved.

A test that uses ``store`` runs on one server. With ``pytestmark = pytest.mark.cluster`` it runs a second time on a
cluster of three; ``pytest --cluster`` does that with all of them.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from valkey_cluster import ValkeyCluster

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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cluster", action="store_true", help="run every test of the store on a cluster, too")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cluster: runs on one server and again on a cluster of three")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marked = metafunc.definition.get_closest_marker("cluster") or metafunc.config.getoption("--cluster")
    if "store_kind" in metafunc.fixturenames and marked:
        metafunc.parametrize("store_kind", ["server", "cluster"], indirect=True)


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


@pytest.fixture(scope="session")
def valkey_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyCluster]:
    with ValkeyCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def cluster_url(valkey_cluster: ValkeyCluster) -> str:
    return valkey_cluster.url


@pytest.fixture
def store_kind(request: pytest.FixtureRequest) -> str:
    return getattr(request, "param", "server")


@pytest.fixture
def store_url(store_kind: str, request: pytest.FixtureRequest) -> str:
    """Where the test's store is."""
    if store_kind == "cluster":
        return request.getfixturevalue("cluster_url")
    return request.getfixturevalue("store_server").url


@pytest.fixture
async def store(store_url: str, keyring: Keyring, clock: VirtualClock) -> AsyncIterator[Store]:
    """A store with nothing in it."""
    async with emptied(store_url, keyring, clock) as opened:
        yield opened


@pytest.fixture
async def cluster_store(cluster_url: str, keyring: Keyring, clock: VirtualClock) -> AsyncIterator[Store]:
    """A store on a cluster with nothing in it."""
    async with emptied(cluster_url, keyring, clock) as opened:
        yield opened


@asynccontextmanager
async def emptied(url: str, keyring: Keyring, clock: VirtualClock) -> AsyncIterator[Store]:
    opened = await Store.connect(url, keys=keyring, clock=clock)
    await opened.link.ask("FLUSHALL")
    yield opened
    await opened.link.ask("FLUSHALL")
    await opened.close()

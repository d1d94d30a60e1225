"""Fixtures of the flows: services over a real store, and an FSP that speaks real ISO 20022 over real HTTP."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from flow_world import Fsp, World, directory

import mappings
import simulators
from connector.channels import Channels
from connector.flows.services import FlowSettings, Services
from connector.iso20022.engine import Engine
from connector.store import Keyring, Store
from iso20022_schemas import Catalogue


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(Catalogue(), Path(mappings.__file__).parent)


@pytest.fixture(scope="session")
def bank_engine() -> Engine:
    """The other side's: it reads what we write and writes what we read."""
    return Engine(Catalogue(), Path(simulators.__file__).parent / "profiles")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "archiving: runs again with finished batches archived after every step")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "archiving" in metafunc.fixturenames and metafunc.definition.get_closest_marker("archiving"):
        metafunc.parametrize("archiving", [False, True], ids=["kept", "archived"], indirect=True)


@pytest.fixture
def archiving(request: pytest.FixtureRequest) -> bool:
    """Whether finished batches are archived after every step; a module marked so runs both ways."""
    return getattr(request, "param", False)


@pytest.fixture
async def store(
    store: Store, store_url: str, keyring: Keyring, clock: Callable[[], float], tmp_path: Path
) -> AsyncIterator[Store]:
    opened = await Store.connect(store_url, keys=keyring, clock=clock, archive=tmp_path / "archive")
    yield opened
    await opened.close()


@pytest.fixture
async def world(
    store: Store, engine: Engine, bank_engine: Engine, clock: object, archiving: bool
) -> AsyncIterator[World]:
    fsp = Fsp(bank_engine)
    async with TestServer(fsp.application()) as server:
        url = str(server.make_url("")).rstrip("/")
        await store.directory.seed(directory(url))
        settings = FlowSettings(
            slice_size=10,
            progress_interval_seconds=0,
            resend_delay_seconds=1,
            connector_url=url,
            voucher_sweep_seconds=0,
        )
        async with Channels(engine, connector_url=url, timeout_seconds=5) as channels:
            made = World(Services(store, engine, channels, clock, settings), fsp, url)
            made.archiving = archiving
            yield made

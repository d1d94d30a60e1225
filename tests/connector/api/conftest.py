"""The API over a real store and engine, in a sandbox world, without workers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient

import mappings
from connector.api import ApiSettings, application
from connector.channels import Channels
from connector.flows.services import FlowSettings, Services
from connector.iso20022.engine import Engine
from connector.sandbox import sandbox_directory
from connector.store import Store
from iso20022_schemas import Catalogue

Client = TestClient
MakeClient = Callable[..., Awaitable[Client]]


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(Catalogue(), Path(mappings.__file__).parent)


@pytest.fixture
async def services(store: Store, engine: Engine, clock) -> AsyncIterator[Services]:
    await store.directory.seed(sandbox_directory("http://localhost:1"))
    async with Channels(engine, connector_url="http://localhost:1") as channels:
        yield Services(store, engine, channels, clock, FlowSettings(slice_size=3))


@pytest.fixture
def make_client(services: Services, aiohttp_client) -> MakeClient:
    async def make(**settings) -> Client:
        return await aiohttp_client(application(services, ApiSettings(**settings)))

    return make


@pytest.fixture
async def client(make_client: MakeClient) -> Client:
    return await make_client()

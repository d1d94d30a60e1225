"""Fixtures of the flows: services over a real store, and an FSP that speaks real ISO 20022 over real HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from flow_world import Fsp, World, directory

import mappings
import simulators
from connector.channels import Channels
from connector.flows.services import FlowSettings, Services
from connector.iso20022.engine import Engine
from connector.store import Store
from iso20022_schemas import Catalogue


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(Catalogue(), Path(mappings.__file__).parent)


@pytest.fixture(scope="session")
def bank_engine() -> Engine:
    """The other side's: it reads what we write and writes what we read."""
    return Engine(Catalogue(), Path(simulators.__file__).parent / "profiles")


@pytest.fixture
async def world(store: Store, engine: Engine, bank_engine: Engine, clock: object) -> AsyncIterator[World]:
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
            yield World(Services(store, engine, channels, clock, settings), fsp, url)

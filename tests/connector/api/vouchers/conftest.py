"""The voucher dialects over a real store, without workers: tests decide themselves what the merchant's bank says."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from voucher_shop import Shop, shop_directory

from connector.api import ApiSettings, application
from connector.channels import Channels
from connector.flows.services import FlowSettings, Services


@pytest.fixture
async def services(store, engine, clock) -> AsyncIterator[Services]:
    await store.directory.seed(shop_directory())
    async with Channels(engine, connector_url="http://localhost:1") as channels:
        services = Services(store, engine, channels, clock, FlowSettings(redemption_wait_seconds=5))
        yield services
        await services.desk.close()


@pytest.fixture
async def shop(services, aiohttp_client) -> Shop:
    hasty = replace(services, settings=replace(services.settings, redemption_wait_seconds=0.01))
    clients = [await aiohttp_client(application(each, ApiSettings())) for each in (services, hasty)]
    return Shop(services, *clients)


@pytest.fixture
def guarded(services, aiohttp_client):
    """Make a shop in production, for callers with these tokens."""

    async def make(*tokens) -> Shop:
        settings = ApiSettings(profile="production", tokens=tokens)
        client = await aiohttp_client(application(services, settings))
        return Shop(services, client, client)

    return make

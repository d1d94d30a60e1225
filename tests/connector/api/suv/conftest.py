"""The retail dialect over a real store, without workers."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from retail_till import Till

from connector.channels import Channels
from connector.domain.voucher import Merchant, VoucherGroup
from connector.flows.services import FlowSettings, Services
from connector.sandbox import sandbox_directory


@pytest.fixture
async def services(store, engine, clock) -> AsyncIterator[Services]:
    plain = sandbox_directory("http://localhost:1")
    merchant = Merchant("KNOWNSHOP000001", "Known shop", institution="UNIOXU22", address="1000000042")
    groups = plain.groups | {"FOOD": VoucherGroup("FOOD", "Food", "SANDBOX")}
    await store.directory.seed(replace(plain, groups=groups, merchants={merchant.id: merchant}))
    settings = FlowSettings(redemption_wait_seconds=0.01)
    async with Channels(engine, connector_url="http://localhost:1") as channels:
        services = Services(store, engine, channels, clock, settings)
        yield services
        await services.desk.close()


@pytest.fixture
async def till(client, services) -> Till:
    return Till(client, services)

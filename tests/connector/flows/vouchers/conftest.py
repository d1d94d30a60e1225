"""Fixtures of the voucher flows."""

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestServer
from flow_world import Fsp
from redeem_world import RedeemWorld, redeem_directory

from connector.channels import Channels
from connector.flows.services import FlowSettings, Services
from connector.iso20022.engine import Engine
from connector.store import Store


@pytest.fixture
async def shop(store: Store, engine: Engine, bank_engine: Engine, clock: object) -> AsyncIterator[RedeemWorld]:
    """A world in which vouchers are redeemed; requests that nobody decides wait for a moment only."""
    fsp = Fsp(bank_engine)
    async with TestServer(fsp.application()) as server:
        url = str(server.make_url("")).rstrip("/")
        await store.directory.seed(redeem_directory(url))
        settings = FlowSettings(
            slice_size=10,
            progress_interval_seconds=0,
            resend_delay_seconds=1,
            connector_url=url,
            redemption_wait_seconds=0.5,
            payout_interval_seconds=0,
        )
        async with Channels(engine, connector_url=url, timeout_seconds=5) as channels:
            services = Services(store, engine, channels, clock, settings)
            yield RedeemWorld(services, fsp, url)
            await services.desk.close()

"""The real thing in one process: the HTTP application on a real store, the simulated banks, a caller that listens.

Nothing runs by itself: ``work`` is the worker and the banks, ``expire`` the sweep, and the clock stands until it is
moved.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from aiohttp import encode_basic_auth, web
from aiohttp.test_utils import TestServer, unused_port
from voucher_model import Group, Shop

import mappings
from connector.api import ApiSettings, application
from connector.channels import Channels
from connector.domain.directory import Directory, Programme, SourceBB
from connector.domain.voucher import GOVSTACK_POLICY, Merchant, VoucherFault, VoucherGroup, VoucherPolicy
from connector.flows.bodies import derived_request_id
from connector.flows.services import FlowSettings, Services
from connector.flows.steps import STEPS
from connector.flows.vouchers import sweep
from connector.flows.vouchers.secrecy import opened_number, sandbox_key
from connector.iso20022.engine import Engine
from connector.sandbox import sandbox_directory
from connector.store import Keyring, Store
from iso20022_schemas import Catalogue
from simulators.server import application as banks
from simulators.settings import SimulatorSettings

DAWN = 1_800_000_000.0
DAY = 86_400
BUDGETS = {("FOODAID", "USD"): 30_000, ("FOODAID", "JPY"): 4_000, ("STORE", "USD"): 20_000, ("STORE", "JPY"): 2_000}
GROUPS = [
    Group("FOOD", "FOODAID", accepted_at=("GROCERY",)),
    Group("FIXED", "FOODAID", currency="USD", price=2500, limit=3, days=40),
    Group("STOCK", "FOODAID", on_demand=False),
    Group("RETAIL", "STORE", partial=True, back=True, pays=False, days=30),
    Group("GIFT", "STORE", partial=True, back=True, pays=True),
    Group("WHOLE", "STORE", back=True, pays=False),
]
F = VoucherFault
SHOPS = [
    Shop("CORNER", "1000000042"),
    Shop("PHONE", "+99970123456", "KASHXU22"),
    Shop("CLOSED", "1000009904", fault=F.MERCHANT),
    Shop("SILENT", "1000009940", silent=True),
    Shop("SULKY", "1000007740", silent=True, fault=F.MERCHANT),
    Shop("DRY", "1000000043", programme="DRY", fault=F.FUNDING),
    Shop("EMPTY", "1000000044", programme="EMPTY", empty=True),
    Shop("CASHONLY", ""),
    Shop("OFF", "1000000045", active=False),
    Shop("BAKER", "1000000046", groups=("BREAD",)),
    Shop("PASSING", "1000000099", known=False),
]
QUIET_AND_CLOSED = {
    "TREAXU22": [{"when": {"account": "7740$"}, "then": {"report": "silent"}}],
    "UNIOXU22": [{"when": {"account": "7740$"}, "then": {"status": "RJCT", "reason": "AC04"}}],
}


class Http(NamedTuple):
    """A request."""

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


def merchant_id(shop: str) -> str:
    """As the retail interface wants it: 15 characters."""
    return f"{shop:15}"


def town_directory(simulators: str) -> Directory:
    plain = sandbox_directory(simulators)
    payer = ("TREAXU22", "TREAXU22")

    def programme(name: str, account: str = "9000000001", **more: Any) -> Programme:
        return Programme(name, name, *payer, account, "Ministry", **more)

    budgets = {name: {c: minor for (p, c), minor in BUDGETS.items() if p == name} for name, _ in BUDGETS}
    programmes = [programme(name, budgets=budget) for name, budget in budgets.items()]
    programmes += [programme("EMPTY", budgets={"USD": 0}), programme("DRY", "9000000004", open_budget=True)]
    sources = [SourceBB(name, name, "FOODAID") for name in ("MINISTRY", "SHOPS")]
    return replace(
        plain,
        programmes=plain.programmes | {one.id: one for one in programmes},
        sources={one.id: one for one in sources},
        groups={one.code: _group(one) for one in GROUPS},
        merchants={one.id: _merchant(one) for one in SHOPS if one.known},
    )


def _group(group: Group) -> VoucherGroup:
    policy = VoucherPolicy(group.partial, group.back, group.back, group.pays)
    return VoucherGroup(
        group.code,
        group.code.title(),
        group.programme,
        group.currency,
        group.price,
        group.days * DAY,
        policy if policy != GOVSTACK_POLICY else GOVSTACK_POLICY,
        group.on_demand,
        group.limit,
        accepted_at=group.accepted_at,
    )


def _merchant(shop: Shop) -> Merchant:
    place = shop.institution if shop.account else ""
    name = shop.id.title()
    return Merchant(shop.id, name, shop.groups, place, shop.account, programme=shop.programme, active=shop.active)


@dataclass
class Clock:
    now: float = DAWN

    def __call__(self) -> float:
        return self.now


class Town:
    """Everything, and what a test does with it."""

    def __init__(self, services: Services, clock: Clock, http: aiohttp.ClientSession, urls: dict[str, str]) -> None:
        self.services = services
        self.clock = clock
        self.http = http
        self.urls = urls
        self.heard: list[tuple[str, dict[str, Any]]] = []

    async def begin(self) -> None:
        """Forget everything."""
        await self.services.store.link.ask("FLUSHALL")
        self.services.desk.register.__init__()  # a process that remembers merchants of a store that is gone
        self.clock.now = DAWN
        self.heard.clear()
        await self._simulators("POST", "reset")
        for code, rules in QUIET_AND_CLOSED.items():
            await self._simulators("PUT", f"{code}/rules", rules)
        await self.services.store.directory.seed(town_directory(self.urls["banks"]))

    async def send(self, http: Http, *, waits: bool) -> tuple[int, Any]:
        """Make a request; where it waits for somebody's money, the worker and the banks work meanwhile."""
        if not waits:
            return await self._exchange(http, "hasty")
        asked = asyncio.ensure_future(self._exchange(http, "patient"))
        while not asked.done():
            await self.work()
            await asyncio.wait([asked], timeout=0.002)
        return await asked

    async def _exchange(self, http: Http, manner: str) -> tuple[int, Any]:
        url = f"{self.urls[manner]}{http.path}"
        async with self.http.request(http.method, url, json=http.body, headers=http.headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def work(self) -> None:
        """Carry what is due, and let the banks do theirs, until nothing is left."""
        while True:
            carried = await self._carry()
            if "dispatch" not in carried and "inquire" not in carried:
                return
            assert (await self._simulators("POST", "clock", {"seconds": 0}))["quiet"]

    async def _carry(self) -> set[str]:
        queue, carried = self.services.store.queue, set()
        while True:
            await queue.wake_due(self.clock.now)
            entries = await queue.take(tuple(STEPS), "town", 50, 0.0)
            if not entries:
                return carried
            for entry in entries:
                await STEPS[entry.task.step].run(self.services, entry)
                carried.add(entry.task.step)

    async def expire(self) -> None:
        await sweep.expire(self.services)

    def callback(self, source: str, what: str, request: str) -> list[dict[str, Any]]:
        """What was called back about a request."""
        name = derived_request_id("govstack-v3", source, what, request)
        return [body for path, body in self.heard if path == f"/{source}" and body["requestID"] == name]

    @staticmethod
    def opened(source: str, line: dict[str, Any]) -> tuple[int, str]:
        key = base64.b64encode(sandbox_key(source)).decode()
        serial = int(line["serialNumber"])
        return serial, opened_number(SourceBB(source, source, voucher_key=key), serial, line["voucherNumber"])

    async def credited(self) -> dict[str, int]:
        """What every payee has at the banks."""
        found: dict[str, int] = {}
        for code in ("UNIOXU22", "KASHXU22"):
            for row in await self._simulators("GET", f"{code}/balances"):
                if row["account"] not in {"SETTLEMENT", "SUSPENSE", "CAPITAL", "FLOAT"}:
                    found[f"{row['account']} {row['currency']}"] = row["minor"]
        return {account: minor for account, minor in found.items() if minor}

    async def proof(self) -> dict[str, Any]:
        return await self._simulators("GET", "ledger")

    async def _simulators(self, method: str, path: str, body: Any = None) -> Any:
        async with self.http.request(method, f"{self.urls['banks']}/sim/{path}", json=body) as answer:
            text = await answer.text()
            assert answer.status < 300, text
            return json.loads(text) if text else None


@asynccontextmanager
async def town(store_url: str, keyring: Keyring, folder: Path) -> AsyncIterator[Town]:
    """Open it."""
    clock = Clock()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        store = await Store.connect(store_url, keys=keyring, clock=clock)
        stack.push_async_callback(store.close)
        ports = {name: unused_port() for name in ("patient", "hasty", "banks", "listener")}
        urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        engine = Engine(Catalogue(), Path(mappings.__file__).parent)
        channels = await enter(Channels(engine, connector_url=urls["patient"], timeout_seconds=10))
        settings = FlowSettings(
            connector_url=urls["patient"],
            progress_interval_seconds=0,
            redemption_wait_seconds=20,
            payout_interval_seconds=0,
            voucher_wrong_tries=3,
            voucher_sweep_seconds=0,
            voucher_archive=str(folder / "archive"),
        )
        services = Services(store, engine, channels, clock, settings)
        hasty = replace(services, settings=replace(settings, redemption_wait_seconds=0.001))
        stack.push_async_callback(services.desk.close)
        made = Town(services, clock, await enter(aiohttp.ClientSession()), urls)
        simulators = SimulatorSettings(folder / "banks", urls["patient"], port=ports["banks"], clock=clock)
        apps = {
            "patient": application(services, ApiSettings()),
            "hasty": application(hasty, ApiSettings()),
            "banks": banks(simulators),
            "listener": _listener(made),
        }
        for name, app in apps.items():
            await enter(TestServer(app, port=ports[name]))
        yield made
        await store.link.ask("FLUSHALL")


def _listener(made: Town) -> web.Application:
    async def hear(request: web.Request) -> web.Response:
        made.heard.append((request.path, await request.json()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/{tail:.*}", hear)
    return app


def as_client(name: str) -> dict[str, str]:
    return {"Authorization": encode_basic_auth(name, "secret")}

"""A whole sandbox world over real HTTP on this machine, with a connector that only listens."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from connector.domain.messages import CreditTransfer, Message, StatusReport, Transfer
from connector.iso20022.engine import Engine
from iso20022_schemas.catalogue import Catalogue
from simulators.server import PROFILES, application
from simulators.settings import SimulatorSettings

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
PAYER, UNION, HARBOUR, KASH, SWITCH = "TREAXU22", "UNIOXU22", "HARBXU22", "KASHXU22", "NSWIXU22"


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The connector's own side of the wire."""
    return Engine(Catalogue(), ROOT / "mappings")


@pytest.fixture(scope="session")
def bank_engine() -> Engine:
    return Engine(Catalogue(), *PROFILES)


@dataclass
class Listener:
    """Plays the connector: writes down what is pushed; answers what it is told to."""

    engine: Engine
    pushed: list[tuple[str, bytes]] = field(default_factory=list)
    callbacks: list[tuple[str, Any]] = field(default_factory=list)
    status: int = 200

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**29)
        app.router.add_post("/fsp/{code}/iso20022", self._take)
        app.router.add_post("/{tail:.*}", self._call)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        if self.status == 200:
            self.pushed.append((request.match_info["code"], await request.read()))
        return web.json_response({"status": "processed"}, status=self.status)

    async def _call(self, request: web.Request) -> web.Response:
        self.callbacks.append((request.path_qs, await request.json()))
        return web.Response(status=202)

    def messages(self) -> list[Message]:
        return [self.engine.read(body).value for _, body in self.pushed]


@dataclass
class Sandbox:
    """What a test does with the world."""

    url: str
    http: aiohttp.ClientSession
    engine: Engine
    connector: Listener
    connector_url: str

    async def pay(self, order: CreditTransfer, to: str = PAYER) -> tuple[int, Message | None]:
        name = "pacs.008.001.08" if to == SWITCH else "pain.001.001.09"
        return await self.send(to, name, order)

    async def send(self, to: str, name: str, value: Message) -> tuple[int, Message | None]:
        return await self.post(to, self.engine.write("generic", name, value))

    async def post(self, to: str, body: bytes) -> tuple[int, Message | None]:
        async with self.http.post(f"{self.url}/{to}/iso20022", data=body) as response:
            content = await response.read()
            ok = response.status == 200 and content
            return response.status, self.engine.read(content).value if ok else None

    async def inquire(self, message_id: str, to: str = PAYER) -> tuple[int, Message | None]:
        async with self.http.get(f"{self.url}/{to}/iso20022/reports/{message_id}") as response:
            content = await response.read()
            return response.status, self.engine.read(content).value if response.status == 200 else None

    async def advance(self, **step: float) -> None:
        answer = await self.admin("POST", "clock", step)
        assert answer["quiet"]

    async def admin(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body)
        async with self.http.request(method, f"{self.url}/sim/{path}", data=data) as response:
            text = await response.text()
            assert response.status < 300, text
            return json.loads(text) if text else None

    async def rules(self, code: str, *rules: dict[str, Any]) -> None:
        await self.admin("PUT", f"{code}/rules", list(rules))

    async def balance(self, code: str, account: str, currency: str = "USD") -> int:
        rows = await self.admin("GET", f"{code}/balances")
        return sum(row["minor"] for row in rows if (row["account"], row["currency"]) == (account, currency))

    async def proof(self) -> dict[str, Any]:
        proof = await self.admin("GET", "ledger")
        assert proof["balanced"], proof
        assert proof["quiet"], proof
        assert proof["mirrored"], proof
        return proof


@pytest.fixture
def reports_each() -> bool:
    """Whether reports list every payment; a test that wants them to says so by a parameter."""
    return False


@pytest.fixture
async def sandbox(
    tmp_path: Path, engine: Engine, bank_engine: Engine, aiohttp_server: Any, reports_each: bool
) -> AsyncIterator[Sandbox]:
    listener = Listener(engine)
    connector = await aiohttp_server(listener.app())
    settings = SimulatorSettings(
        tmp_path,
        str(connector.make_url("/")),
        port=unused_port(),
        clock=NOW.timestamp,
        reports_each=reports_each,
    )
    await aiohttp_server(application(settings, bank_engine), port=settings.port)
    async with aiohttp.ClientSession() as http:
        yield Sandbox(settings.url, http, engine, listener, str(connector.make_url("/")).rstrip("/"))


def transfer(number: int, account: str, minor: int = 1000, agent: str = UNION) -> Transfer:
    return Transfer(f"I{number}", f"E{number}", "", minor, agent, "Ada Payee", account, "Pension")


def order(
    transfers: Sequence[Transfer], message_id: str = "AAAAAAAAAAAAAAAAAAAAP0", **changes: Any
) -> CreditTransfer:
    values: dict[str, Any] = {
        "message_id": message_id,
        "created": NOW,
        "currency": "USD",
        "total_minor": sum(one.amount_minor for one in transfers),
        "initiating_party": "Ministry",
        "debtor_name": "Pensions",
        "debtor_account": "9000000001",
        "debtor_agent": PAYER,
        "execution_date": date(2026, 3, 2),
        "transfers": transfers,
        "payment_information_id": message_id,
        "creditor_agent": transfers[0].creditor_agent,
        "instructing_agent": PAYER,
        "instructed_agent": SWITCH,
    }
    return CreditTransfer(**{**values, **changes})


def statuses(report: Message | None) -> dict[str, tuple[str, str]]:
    assert isinstance(report, StatusReport)
    return {one.end_to_end_id: (one.status, one.reason) for one in report.transactions}

"""A fair: vouchers with known numbers, merchants of four institutions, people who redeem in all three dialects."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import aiohttp

from connector.cli.instance import answers, free_ports, supervisor_of
from connector.cli.people import PREFIXES
from connector.cli.supervisor import Part, Supervisor
from connector.settings import Settings, environment, load

T = TypeVar("T")

PROGRAMME = "FAIR"
BUDGET_MINOR = 10**9
PAYER = "9000000001"
FOOD, CARD, BRIEF = "FOOD", "CARD", "BRIEF"
PATIENCE_SECONDS = 90
SERIALS = 8_000_000_000_000_000
CLOSED = "CLOSEDMERCHANT1"
"""The merchant whose bank refuses every credit."""

SETTINGS = {
    "take_over_after_seconds": 1.0,
    "answer_within_seconds": 2.0,
    "callback_first_delay_seconds": 0.2,
    "callback_attempts": 30,
    "redemption_wait_seconds": 1.0,
    "voucher_sweep_seconds": 0.5,
    "voucher_wrong_tries": 5,
    "log_level": "ERROR",
}


@dataclass(frozen=True)
class Given:
    """A voucher as the fair knows it. minor: what it is worth."""

    serial: int
    number: str
    group: str
    minor: int


@dataclass
class Fair:
    """The vouchers, the merchants' accounts by their id, and the callers."""

    vouchers: list[Given]
    accounts: dict[str, str]
    callers: list[str]

    @property
    def open(self) -> list[str]:
        """Merchants that can be credited."""
        return [merchant for merchant in self.accounts if merchant != CLOSED]

    def write(self, file: Path) -> Path:
        """Write it as demo data."""
        payer = {"id": PROGRAMME, "name": "Fair", "account": PAYER, "account_name": "Fair office"}
        data = {
            "sources": [{"id": caller, "programme": PROGRAMME} for caller in self.callers],
            "programmes": [{**payer, "budgets": {"USD": f"{BUDGET_MINOR // 100}.00"}}],
            "groups": [
                {"code": FOOD, "name": "Food", "programme": PROGRAMME, "currency": "USD"},
                {"code": BRIEF, "name": "Soon over", "programme": PROGRAMME, "currency": "USD"},
                {"code": CARD, "name": "Gift card", "programme": PROGRAMME, "currency": "USD", "policy": "retail"},
            ],
            "merchants": [
                {"id": name, "name": f"Stall {name}", "address": account} for name, account in self.accounts.items()
            ],
            "vouchers": [
                {"serial": each.serial, "number": each.number, "group": each.group, "amount": _decimal(each.minor)}
                for each in self.vouchers
            ],
        }
        file.write_text(json.dumps(data))
        return file


def fair(food: int, cards: int, seed: int, merchants: int = 8) -> Fair:
    """Invent a fair of so many vouchers; some of their blocks are shared, some are not."""
    draw = random.Random(seed)
    numbers = draw.sample(range(10**15, 9 * 10**15), food + cards)
    groups = [FOOD] * food + [CARD] * cards
    vouchers = [
        Given(SERIALS + 37 * place, str(number), group, draw.randrange(100, 10_000))
        for place, (number, group) in enumerate(zip(numbers, groups, strict=True))
    ]
    heads = list(PREFIXES.values())
    accounts = {f"FAIRMERCHANT{n:03d}": f"{heads[n % len(heads)]}00{n:02d}0{seed % 10}00" for n in range(merchants)}
    accounts[CLOSED] = "1000019904"
    return Fair(vouchers, accounts, [f"FAIRCALLER{n:02d}" for n in range(4)])


@dataclass
class House:
    """An instance with several API processes."""

    settings: Settings
    supervisor: Supervisor
    urls: list[str]


@asynccontextmanager
async def house_of(world: Fair, folder: Path, notice: Callable[[str], None], **more: object) -> AsyncIterator[House]:
    """Run the fair: a store, two API processes, a worker or more, and the simulated institutions."""
    port, second, simulators_port = free_ports(3)
    chosen = {"profile": "sandbox", "port": port, "simulators_port": simulators_port, "redis_url": ""}
    demo = await asyncio.to_thread(world.write, folder / "fair.json")
    settings = load(**{**chosen, "data_dir": folder / "data", "demo_data": demo, **SETTINGS, **more})
    supervisor = supervisor_of(settings, notice)
    url = f"http://127.0.0.1:{second}"

    async def ready() -> bool:
        return await answers(f"{url}/ready")

    supervisor.stages[-1].append(Part("api 2", ["serve", "--port", str(second)], url, ready, environment(settings)))
    await supervisor.start()
    try:
        yield House(settings, supervisor, [settings.api_url, url])
    finally:
        await supervisor.stop()


@asynccontextmanager
async def http_session() -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session without a limit of connections."""
    connector, limit = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(connector=connector, timeout=limit) as session:
        yield session


async def insist(action: Callable[[], Awaitable[T | None]], pause_seconds: float = 0.05) -> T:
    """Repeat until there is a final answer; ``None`` and broken connections are none."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                if (found := await action()) is not None:
                    return found
            except (aiohttp.ClientError, TimeoutError, ConnectionError):
                pass
            await asyncio.sleep(pause_seconds)


@dataclass
class Person:
    """Somebody who redeems at one merchant's through one API process, and writes down what it was told.

    told: by serial number, ``paid`` or why not; seen: how often which HTTP status came.
    """

    http: aiohttp.ClientSession
    urls: list[str]
    caller: str
    merchant: str
    account: str
    draw: random.Random
    told: dict[int, str] = field(default_factory=dict)
    seen: Counter[int] = field(default_factory=Counter)
    exact = True
    """Whether everything that it paid must have been told to it (the dialect has request ids)."""

    async def redeem(self, voucher: Given) -> str:
        """Redeem a voucher, whatever it takes; gives and notes what came of it."""
        self.told[voucher.serial] = told = await self._redeem(voucher)
        return told

    async def send(self, verb: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Send one message through any API process."""
        url = f"{self.draw.choice(self.urls)}{path}"
        async with self.http.request(verb, url, json=body, headers=headers) as answer:
            text = await answer.text()
        self.seen[answer.status] += 1
        assert answer.status != 500, text
        return answer.status, json.loads(text) if text else None

    def _uuid(self) -> str:
        return str(UUID(int=self.draw.getrandbits(128), version=4))

    async def _redeem(self, voucher: Given) -> str:
        raise NotImplementedError


class V1(Person):
    """GovStack v1.0: the same request again continues it, but long after it has ended the voucher is a used one."""

    exact = False

    async def _redeem(self, voucher: Given) -> str:
        body = {
            "voucher_number": int(voucher.number),
            "Gov_Stack_BB": self.caller,
            "merchant_name": f"Stall {self.merchant}",
            "merchant_bank_details": self.account,
            "merchant_voucher_group": FOOD,
            "override": True,
        }
        correlation = self._uuid()

        async def attempt() -> str | None:
            path = "/vouchers/voucher_redemption"
            status, _ = await self.send("POST", path, body, **{"X-CorrelationID": correlation})
            if status == 503:
                return None
            return "paid" if status == 200 else str(status)

        return await insist(attempt)


class V3(Person):
    """GovStack v3.0: the same request id again tells how it stands, for ever."""

    async def _redeem(self, voucher: Given) -> str:
        body = {
            "requestID": f"R{self.draw.randrange(10**11):011d}",
            "voucherSerialNumber": str(voucher.serial),
            "agentID": self.merchant,
            "voucherSecretNumber": voucher.number,
        }

        async def attempt() -> str | None:
            path, caller = "/vouchers?command=redeem", {"X-Registering-Institution-ID": self.caller}
            status, said = await self.send("POST", path, body, **caller)
            if status == 503 or said["message"] == "Being redeemed":
                return None
            assert status == 200, said
            return "paid" if said["status"] == 1 else said["message"]

        return await insist(attempt)


class Retail(Person):
    """SUV: what got no answer is asked about, and reversed where nobody knows; advices are repeated until final."""

    reverses = 0.0
    """The share of redemptions that are taken back at once."""
    refunds = 0.0
    """The share of those confirmed that are refunded."""

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        """Send a message as the caller."""
        return await self.send(
            "POST", f"/suv/v1{path}", body, Authorization=aiohttp.encode_basic_auth(self.caller, "x")
        )

    async def advise(self, path: str, request: str, **more: object) -> str:
        """Send an advice until its end is known; gives 202, or the type of error."""
        body = {"id": self._uuid(), "requestId": request, "time": _MOMENT, "thirdPartyIdentifiers": [], **more}

        async def attempt() -> str | None:
            status, said = await self.post(path, body)
            if status >= 500:
                return None
            return str(status) if status == 202 else said["errorType"]

        return await insist(attempt)

    async def refund(self, request: str, voucher: Given) -> str:
        """Refund a confirmed redemption whole; gives 202, or the type of error."""
        body = self.message(voucher={"code": voucher.number}, redemptionId=request)
        said = await self._asked("/refunds", body)
        if said == "lost":
            return await self.advise("/refunds/reversals", body["id"], reversalReason="TIMEOUT")
        return await self.advise("/refunds/confirmations", body["id"]) if said == "paid" else said

    def message(self, **more: object) -> dict[str, Any]:
        """Begin a request."""
        place = {"name": "Stall", "city": "Capital", "region": "CA", "country": "XU"}
        merchant = {"merchantType": "5411", "merchantId": self.merchant, "merchantName": place}
        institution = {"id": self.caller, "name": self.caller}
        return {
            "id": self._uuid(),
            "time": _MOMENT,
            "originator": {"institution": institution, "terminalId": "TILL0001", "merchant": merchant},
            "client": institution,
            "thirdPartyIdentifiers": [],
            **more,
        }

    async def _redeem(self, voucher: Given) -> str:
        body = self.message(voucher={"code": voucher.number})
        said = await self._asked("/redemptions", body)
        if said == "lost":
            said = await self.advise("/redemptions/reversals", body["id"], reversalReason="TIMEOUT")
            if said == "FUNCTION_NOT_SUPPORTED":  # it was made, and cannot be reversed
                return await self._looked_up(body["id"])
            return "reversed" if said == "202" else said
        if said != "paid" or voucher.group != CARD:
            return said
        if self.draw.random() < self.reverses:
            undone = await self.advise("/redemptions/reversals", body["id"], reversalReason="CANCELLED")
            assert undone == "202", undone
            return "reversed"
        confirmed = await self.advise("/redemptions/confirmations", body["id"])
        assert confirmed == "202", confirmed
        if self.draw.random() < self.refunds and await self.refund(body["id"], voucher) == "202":
            return "refunded"
        return "paid"

    async def _looked_up(self, request: str) -> str:
        """Ask about a redemption until its end is known."""
        basic = aiohttp.encode_basic_auth(self.caller, "x")

        async def attempt() -> str | None:
            status, said = await self.send("GET", f"/suv/v1/redemptions/{request}", Authorization=basic)
            if status >= 500:
                return None
            return "paid" if status == 200 else said["errorType"]

        return await insist(attempt)

    async def sell(self, minor: int, *, keeps: bool) -> Given | None:
        """Sell a gift card, or begin to; gives what is in the customer's hands in the end."""
        money = {"requestAmount": {"amount": minor, "currency": "840"}}
        body = self.message(amounts=money, product={"productId": CARD})
        try:
            status, said = await self.post("/vouchers", body)
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            status, said = 0, None
        if status != 201 or not keeps:
            undone = await self.advise("/vouchers/reversals", body["id"], reversalReason="TIMEOUT")
            assert undone in {"202", "UNABLE_TO_LOCATE_RECORD"}, undone
            return None
        confirmed = await self.advise("/vouchers/confirmations", body["id"], tenders=[])
        assert confirmed == "202", confirmed
        return Given(int(said["voucher"]["serialNumber"]), said["voucher"]["code"], CARD, minor)

    async def _asked(self, path: str, body: dict[str, Any]) -> str:
        """Send a request once; gives paid, a type of error, or ``lost`` where its fate has to be found out."""
        try:
            status, said = await self.post(path, body)
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return "lost"
        if status == 201:
            return "paid"
        return "lost" if status >= 500 else said["errorType"]


def crowd(world: Fair, http: aiohttp.ClientSession, urls: list[str], count: int, seed: int) -> Iterator[Person]:
    """Gather people of all dialects, each at a merchant's; now and then it is the one that cannot be credited."""
    for number in range(count):
        draw = random.Random(f"{seed} {number}")
        merchant = CLOSED if number % 16 == 15 else world.open[number % len(world.open)]
        caller = world.callers[number % len(world.callers)]
        yield (V1, V3, Retail)[number % 3](http, urls, caller, merchant, world.accounts[merchant], draw)


def _decimal(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


_MOMENT = "2030-01-15T10:00:00.000Z"

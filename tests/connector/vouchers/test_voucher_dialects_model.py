"""All dialects of vouchers mixed on the same vouchers, beside a plain model of what is to be answered and to be so.

The connector's HTTP application, its store and the simulated banks are real. A few sequences run with the tests;
``ISOGATE_VOUCHER_EXAMPLES=2000`` runs so many, different ones each time (``ISOGATE_VOUCHER_SEED`` repeats some).
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from govstack_model import SOURCES, Presented, written
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from retail_model import RetailModel
from voucher_model import OVER, C, Reply, V, Voucher
from voucher_town import BUDGETS, DAY, GROUPS, SHOPS, Http, Town, as_client, merchant_id, town

from connector.store import Keyring

EXAMPLES = int(os.environ.get("ISOGATE_VOUCHER_EXAMPLES", "0"))
SEED = int(os.environ.get("ISOGATE_VOUCHER_SEED", "0")) or (EXAMPLES and int.from_bytes(os.urandom(4)))
STEPS = int(os.environ.get("ISOGATE_VOUCHER_STEPS", "40"))
CLIENTS = ("SHOPS", "KIOSK")
CALLERS = (*SOURCES * 5, "NOBODY")
CURRENCIES = {"USD": "840", "JPY": "392"}
AMOUNTS = {"USD": (700, 1500, 2500), "JPY": (90, 400)}
IDS = [str(UUID(int=0xA << 124 | number)) for number in range(40)]
MOMENT = "2030-01-15T10:00:00Z"
ACTIONS = {
    "v1_preactivate": 3, "v1_activate": 4, "v1_redeem": 8, "v1_cancel": 1,
    "v3_create": 4, "v3_change": 5, "v3_redeem": 8, "v3_batch": 1,
    "suv_provide": 5, "suv_redeem": 8, "suv_refund": 5, "suv_advise": 16, "suv_recall": 2,
    "admin_change": 3, "admin_provision": 2, "admin_purge": 1,
    "again": 8, "work": 3, "pass_time": 4, "sweep": 1,
}  # fmt: skip
CREATIONS = {"v1_preactivate", "v3_create", "suv_provide", "admin_provision"}
FINAL = ("redemption", "confirmed")
SEEN: Counter[str] = Counter()
Act = tuple[Http, Callable[..., Reply], tuple[Any, ...], dict[str, Any]]


class Mixed(RuleBasedStateMachine):
    """Sends requests of all dialects, and asks the model what they come to."""

    town: Town
    runner: asyncio.Runner

    @initialize(chance=st.integers(0, 2**64))
    def begin(self, chance: int) -> None:
        self.chance = Random(f"{SEED} {chance}")
        self.run(self.town.begin())
        self.model = RetailModel(GROUPS, SHOPS, BUDGETS)
        self.model.now = self.town.clock.now
        self.sent: list[Act] = []
        self.notices: Counter[tuple[str, str, str]] = Counter()

    def run(self, step: Any) -> Any:
        return self.runner.run(step)

    @rule()
    def act(self) -> None:
        """Do something; one rule, as hypothesis would leave some of several out."""
        (action,) = self.chance.choices([*ACTIONS], [*ACTIONS.values()])
        SEEN[action] += 1
        self.sound = False  # until it has turned out to be
        made = getattr(self, action)()
        if made:
            self.sent.append(made)
            self.perform(made)
        self.sound = True

    def perform(self, act: Act) -> None:
        """Send a request and compare; what is ordered may be left lying for a while, or the sender not wait."""
        http, expect, said, extra = act
        waits = bool(extra) and self.one(True, True, True, False)
        if waits or expect.__name__ in CREATIONS or not (self.model.ordered and self.one(True, False)):
            self.work()
        expected = expect(*said, **({"waits": waits} if extra else {}))
        pending = expected.status in {503, 504}  # who waits for a silent bank is told so at once here
        status, body = self.run(self.town.send(http, waits=waits and not pending))
        note(f"{http.method} {http.path} {brief(http.body)} -> {status} {brief(body)}")
        SEEN[f"{expect.__name__} {status}"] += 1
        assert status == expected.status, (http, status, body, expected)
        if waits or not self.model.ordered:
            self.run(self.town.work())
        self.compare(body, expected.body, http)
        if expected.learn:
            expected.learn(self.created(http) if http.path == "/vouchers" else body)

    def compare(self, body: Any, expected: Any, http: Http) -> None:
        """Everything expected is there; there may be more, and ``None`` expects nothing."""
        if expected is None:
            return
        if isinstance(expected, dict):
            for name, value in expected.items():
                self.compare(moment(body[name]) if name == "expiry_date_time" else body[name], value, http)
        elif isinstance(expected, list):
            assert len(body) == len(expected)
            for one, other in zip(body, expected, strict=True):
                self.compare(one, other, http)
        else:
            assert body == expected, (http, body, expected)

    def created(self, http: Http) -> list[tuple[int, str]]:
        """Serial numbers and numbers come by callback only."""
        source = http.headers["X-Registering-Institution-ID"]
        (told,) = self.town.callback(source, "create", http.body["requestID"])
        assert told["batchID"] == http.body.get("batchID", "")
        asked = [one["instructionID"] for one in http.body["voucherInstructions"]]
        assert [line["instructionID"] for line in told["voucherInstructions"]] == asked
        return [self.town.opened(source, line) for line in told["voucherInstructions"]]

    # --- drawing

    def one(self, *options: Any) -> Any:
        return self.chance.choice(options)

    def paper(self, *states: V) -> Voucher | None:
        """A voucher, mostly one that is alive or, where states are named, in one of them."""
        papers = list(self.model.vouchers.values())
        wanted = [paper for paper in papers if paper.state in states]
        if wanted and self.one(True, True, True, False):
            return self.one(*wanted)
        alive = [paper for paper in papers if paper.state not in OVER]
        return self.one(*(self.one(alive, alive, papers) or papers)) if papers else None

    def serial(self, *states: V) -> int:
        paper = self.paper(*states)
        return paper.serial if paper and self.one(*[True] * 19, False) else 10**15 + 999_999

    def wanted(self) -> tuple[str, str, int]:
        group = self.one(*GROUPS)
        currency = group.currency or self.one("USD", "USD", "JPY")
        amount = self.one(*AMOUNTS[currency]) if not group.price else self.one(group.price, group.price, 700)
        return group.code, currency, amount

    def number(self, paper: Voucher | None) -> str:
        right = paper.number if paper and paper.number else ""
        return right if right and self.one(*[True] * 9, False) else "4000000000000001"

    # --- GovStack v1

    def v1_preactivate(self) -> Act:
        code, currency, amount = self.wanted()
        currency, caller = self.one(*[currency] * 9, "JPY"), self.one(*CALLERS)
        body = {
            "voucher_amount": written(amount, currency),
            "voucher_currency": currency,
            "voucher_group": code,
            "Gov_Stack_BB": caller,
        }
        http = Http("POST", "/vouchers/voucher_preactivation", body)
        return http, self.model.v1_preactivate, (caller, code, currency, amount), {}

    def v1_activate(self) -> Act:
        serial, caller = self.serial(V.PRE_ACTIVATED), self.one(*CALLERS)
        body = {"voucher_serial_number": serial, "Gov_Stack_BB": caller}
        return Http("PATCH", "/vouchers/voucher_activation", body), self.model.v1_activate, (caller, serial), {}

    def v1_redeem(self) -> Act:
        paper, shop = self.paper(V.ACTIVATED, V.REDEEMING), self.one(*SHOPS, *[SHOPS[0]] * 12)
        group = self.one(*["", paper.group.code if paper else "FOOD"] * 3, "GROCERY", "BREAD")
        said = Presented(
            self.one(*CALLERS),
            self.number(paper),
            shop=shop.id,
            group=group,
            override=self.one(False, False, True),
            correlation=self.one("", "", "A", "B"),
        )
        body = {
            "voucher_number": int(said.number),
            "Gov_Stack_BB": said.caller,
            "merchant_name": shop.id.title(),
            "merchant_bank_details": self.one(shop.account, f"{shop.institution}/{shop.account}"),
            "merchant_voucher_group": group,
            "override": said.override,
        }
        path = self.one("/vouchers/voucher_redemption", "/vouchers/voucher_redeemption")
        headers = {"X-CorrelationID": said.correlation} if said.correlation else {}
        return Http("POST", path, body, headers), self.model.v1_redeem, (said,), {"waits": True}

    def v1_cancel(self) -> Act:
        serial, caller = self.serial(), self.one(*CALLERS)
        body = {"voucherserialnumber": str(serial), "Gov_Stack_BB": caller}
        http = Http("PATCH", f"/vouchers/voucherstatuscheck/{serial}", body)
        return http, self.model.v1_cancel, (caller, serial), {}

    # --- GovStack v3

    def v3_headers(self, caller: str) -> dict[str, str]:
        url = f"{self.town.urls['listener']}/{caller}"
        return {"X-Registering-Institution-ID": caller, "X-Callback-URL": url}

    def v3_create(self) -> Act:
        caller, request, batch = self.one(*CALLERS), self.request(), self.one("", "BATCH1", "BATCH2", "BATCH3")
        wanted = tuple(self.wanted() for _ in range(self.one(1, 1, 2, 3)))
        lines = [
            {"instructionID": f"I{i}", "groupCode": code, "currency": currency, "amount": written(amount, currency)}
            for i, (code, currency, amount) in enumerate(wanted)
        ]
        body = {"requestID": request, "voucherInstructions": lines} | ({"batchID": batch} if batch else {})
        http = Http("POST", "/vouchers", body, self.v3_headers(caller))
        return http, self.model.v3_create, (caller, request, batch, wanted), {}

    def request(self) -> str:
        return f"REQ{self.one(*range(15)):09}"

    def v3_change(self) -> Act:
        caller, request = self.one(*CALLERS), self.request()
        command = self.one(C.ACTIVATE, C.ACTIVATE, C.SUSPEND, C.REACTIVATE, C.CANCEL)
        serials = tuple(dict.fromkeys(str(self.serial()) for _ in range(self.one(1, 2, 3))))
        body = {"RequestID": request, "VoucherInstructions": [{"serialNumber": serial} for serial in serials]}
        method = "POST" if command is C.CANCEL else "PUT"
        http = Http(method, f"/vouchers?command={command}", body, self.v3_headers(caller))
        return http, self.model.v3_change, (caller, command, request, serials), {}

    def v3_redeem(self) -> Act:
        paper, shop = self.paper(V.ACTIVATED, V.REDEEMING), self.one(*SHOPS[:-1], *[SHOPS[0]] * 12)
        serial = paper.serial if paper else 5
        number = self.number(self.one(*[paper] * 6, self.paper()))
        said = Presented(self.one(*CALLERS), number, serial, shop.id, request=self.request())
        body = {
            "requestID": said.request,
            "voucherSerialNumber": str(serial),
            "agentID": shop.id,
            "voucherSecretNumber": number,
        }
        http = Http("POST", "/vouchers?command=redeem", body, {"X-Registering-Institution-ID": said.caller})
        return http, self.model.v3_redeem, (said,), {"waits": True}

    def v3_batch(self) -> Act:
        caller, batch = self.one(*SOURCES), self.one("BATCH1", "BATCH2", "BATCH3")
        http = Http("GET", f"/vouchers/batches/{batch}", None, {"X-Registering-Institution-ID": caller})
        return http, self.model.v3_batch, (caller, batch), {}

    # --- retail

    def suv(self, path: str, client: str, body: dict[str, Any]) -> Http:
        return Http("POST", f"/suv/v1{path}", body, as_client(client))

    def asked(self, client: str, name: str, shop: str, minor: int, currency: str) -> dict[str, Any]:
        place = {"name": "Corner shop", "city": "Capital", "region": "CA", "country": "XU"}
        merchant = {"merchantType": "5411", "merchantId": merchant_id(shop), "merchantName": place}
        amounts = {"requestAmount": {"amount": minor, "currency": CURRENCIES[currency]}}
        return {
            "id": name,
            "time": MOMENT,
            "originator": {"institution": {"id": "S", "name": "S"}, "terminalId": "TILL0001", "merchant": merchant},
            "client": {"id": client, "name": client},
            **({"amounts": amounts} if minor else {}),
        }

    def name(self) -> tuple[str, str]:
        """A client and an id, mostly one that was not used."""
        client = self.one(*CLIENTS, "SHOPS")
        fresh = [name for name in IDS if (client, name) not in self.model.letters]
        return client, self.one(*IDS) if not fresh or self.one(*[False] * 4, True) else self.one(*fresh)

    def suv_provide(self) -> Act:
        (client, name), (code, currency, amount) = self.name(), self.wanted()
        if self.one(True, False):
            code, currency, amount = "RETAIL", "USD", 1500
        chosen, pin = self.one("", "", "", "7000000000000007"), self.one("", "", "", "1234")
        body = self.asked(client, name, "CORNER", amount, currency) | {"product": {"productId": code}}
        secret = ({"code": chosen} if chosen else {}) | ({"pin": clear(pin)} if pin else {})
        body |= {"voucher": secret} if secret else {}
        said = (client, name, (code, currency, amount), chosen, pin)
        return self.suv("/vouchers", client, body), self.model.suv_provide, said, {}

    def suv_redeem(self) -> Act:
        (client, name), paper = self.name(), self.paper(V.ACTIVATED, V.REDEEMING)
        shop = self.one(*SHOPS[:-1], *[SHOPS[0]] * 12).id
        minor, pin = self.one(0, 0, 0, 50, 600, 1500), self.one(*[paper.pin if paper else ""] * 5, "", "9999")
        currency = self.one(*[paper.currency if paper else "USD"] * 9, "JPY")
        body = self.asked(client, name, shop, minor, currency)
        number = self.number(paper)
        body |= {"voucher": {"code": number} | ({"pin": clear(pin)} if pin else {})}
        currency = currency if minor else ""
        said = Presented(client, number, shop=shop, amount=minor, currency=currency, pin=pin)
        return self.suv("/redemptions", client, body), self.model.suv_redeem, (client, name, said), {"waits": True}

    def suv_refund(self) -> Act:
        """Mostly of a redemption that is confirmed; by the voucher's number, its request, or our reference."""
        (client, name), paper = self.name(), self.paper(V.REDEEMED)
        request = self.one("", self.one(*IDS))
        confirmed = [key for key, one in self.model.letters.items() if (one.kind, one.decision) == FINAL]
        if confirmed and self.one(True, True, True, False):
            client, request = self.one(*confirmed)
            paper = self.model.vouchers[self.model.letters[client, request].serial]
        number, reference = self.number(paper), ""
        if paper and self.one(True, False):
            request = ""
            reference = self.one("", f"{paper.serial}-{self.one(1, 2)}")
        minor = self.one(0, 0, 50, 600)
        body = self.asked(client, name, "CORNER", minor, paper.currency if paper else "USD")
        number = self.one(number, "") if request else number
        body |= {"voucher": {"code": number} if number else {}}
        body |= {"redemptionId": request} if request else {}
        body |= {"receiverTransactionRef": reference} if reference else {}
        currency = body["amounts"]["requestAmount"]["currency"] if minor else ""
        said = (client, name, number, request, reference, minor, currency)
        return self.suv("/refunds", client, body), self.model.suv_refund, said, {}

    def suv_advise(self) -> Act:
        """Confirm or reverse, mostly something that there is."""
        there = [(letter.kind, *key) for key, letter in self.model.letters.items()]
        kinds = ("provision", "redemption", "refund")
        kind, client, request = self.one(*there) if there and self.one(*[True] * 7, False) else ("", *self.name())
        kind = kind or self.one(*kinds)
        what = self.one("confirm", "confirm", "reverse")
        advice = self.one(*(str(UUID(int=0xB << 124 | int(request[-4:], 16) << 8 | n)) for n in (1, 1, 1, 2)))
        letter = self.model.letters.get((client, request))
        whole = letter.approved if letter else 0
        final = self.one(*[None] * 6, whole, 0, 50, 5000)
        voucher = self.model.vouchers.get(letter.serial) if letter else None
        body = {"id": advice, "requestId": request, "time": MOMENT, "thirdPartyIdentifiers": []}
        if final is not None:
            money = {"amount": final, "currency": CURRENCIES[voucher.currency if voucher else "USD"]}
            body |= {"amounts": {"approvedAmount": money}}
        body |= {"reversalReason": "TIMEOUT"} if what == "reverse" else {}
        place = {"provision": "/vouchers", "redemption": "/redemptions", "refund": "/refunds"}[kind]
        http = self.suv(f"{place}/{'confirmations' if what == 'confirm' else 'reversals'}", client, body)
        return http, self.model.suv_advise, (kind, what, client, request, advice, final), {}

    def suv_recall(self) -> Act:
        client, name = self.name()
        http = Http("GET", f"/suv/v1/redemptions/{name}", None, as_client(client))
        return http, self.model.suv_recall, (client, name), {}

    # --- the operator, time, and repetition

    def admin_change(self) -> Act:
        command = self.one(
            C.PRE_ACTIVATE, C.ACTIVATE, C.SUSPEND, C.REACTIVATE, C.CANCEL, C.BLOCK, C.UNBLOCK, C.UNBLOCK
        )
        serials = tuple(dict.fromkeys(self.serial() for _ in range(self.one(1, 2))))
        http = Http("POST", f"/admin/vouchers?command={command}", {"serials": [*map(str, serials)]})
        return http, self.model.admin_change, (command, serials), {}

    def admin_provision(self) -> Act:
        code, currency, amount = self.wanted()
        code, count = self.one(code, "STOCK"), self.one(1, 2)
        reference = self.one("LOT1", "LOT2", "LOT3", "LOT4")
        body = {"currency": currency, "amount_minor": amount, "count": count, "reference": reference}
        http = Http("POST", f"/admin/voucher-groups/{code}/stock", body)
        return http, self.model.admin_provision, (code, currency, amount, count, reference), {}

    def admin_purge(self) -> Act:
        days = self.one(0, 1, 20)
        http = Http("POST", "/admin/vouchers/purge", {"older_than_days": days})
        return http, self.model.admin_purge, (days,), {}

    def again(self) -> None:
        """Anything that was sent before comes once more."""
        if self.sent:
            self.perform(self.one(*self.sent[-8:], *self.sent))

    def work(self) -> None:
        """Worker and banks do what is to be done."""
        self.model.work()
        self.run(self.town.work())
        self.is_accounted_for()

    def pass_time(self) -> None:
        self.town.clock.now += self.one(*[0.5, 2, 31, 31, 3600] * 2, 5 * DAY, 25 * DAY, 45 * DAY)
        self.model.now = self.town.clock.now

    def sweep(self) -> None:
        self.work()
        for paper in self.model.vouchers.values():
            self.model.touch(paper)
        self.run(self.town.expire())

    # --- what is so

    def is_accounted_for(self) -> None:
        """Budgets, stock and the merchants' accounts, to the unit."""
        self.run(self._accounts())

    async def _accounts(self) -> None:
        vouchers = list(self.model.vouchers.values())
        for programme in {name for name, _ in BUDGETS}:
            for currency, balance in (await self.town.services.store.funds.balances(programme)).items():
                mine = [one for one in vouchers if (one.group.programme, one.currency) == (programme, currency)]
                spent, left = sum(one.spent for one in mine), sum(one.balance for one in mine)
                budget = BUDGETS[programme, currency]
                told = (balance.budget, balance.reserved, balance.spent, balance.available)
                assert told == (budget, left, spent, budget - left - spent), (programme, currency)
        stock = {
            (group.code, *key): (tally.payments, tally.minor)
            for group in GROUPS
            for key, tally in (await self.town.services.store.vouchers.stock(group.code)).items()
        }
        counted = Counter((one.group.code, one.state, one.currency) for one in vouchers)
        faces: Counter[tuple[str, V, str]] = Counter()
        for one in vouchers:
            faces[one.group.code, one.state, one.currency] += one.amount
        assert stock == {key: (count, faces[key]) for key, count in counted.items()}
        credited = {account: minor for account, minor in self.model.credited.items() if minor}
        assert await self.town.credited() == credited

    def teardown(self) -> None:
        if not getattr(self, "sound", False):
            return
        self.work()
        self.run(self._everything())

    async def _everything(self) -> None:
        """All dialects tell the same of every voucher, and its history how it came to that."""
        for serial in (*self.model.vouchers, 10**15 + 999_999):
            await self._looks(f"/vouchers/voucherstatuscheck/{serial}", self.model.v1_status(serial))
            await self._looks(f"/vouchers/{serial}?fields=status", self.model.v3_status(serial))
            await self._looks(f"/suv/v1/vouchers?voucherSerialNumber={serial}", self.model.suv_look(serial))
            await self._looks(f"/admin/vouchers/{serial}", self.model.admin_show(serial))
        for serial, voucher in self.model.vouchers.items():
            _, body = await self._get(f"/admin/vouchers/{serial}/history")
            told = [(one["action"], one["before"], one["after"], one["amount_minor"]) for one in body["items"]]
            assert told == voucher.history, serial
            if voucher.state is not V.PURGED:
                _, body = await self._get(f"/admin/vouchers/{serial}/redemptions")
                told = [(one["id"], one["state"], one["amount_minor"]) for one in body["items"]]
                assert told == [(slip.id, slip.state.value, slip.amount) for slip in voucher.slips]
        for source, what, request, failed in self.model.callbacks:
            (body,) = self.town.callback(source, what, request)
            assert {case["serialNumber"]: case["failureReason"] for case in body["failedCases"]} == failed
        proof = await self.town.proof()
        assert proof["balanced"], proof

    async def _looks(self, path: str, expected: Reply) -> None:
        status, body = await self._get(path)
        assert status == expected.status, (path, body)
        self.compare(body, expected.body, Http("GET", path))

    async def _get(self, path: str) -> tuple[int, Any]:
        return await self.town.send(
            Http("GET", path, None, as_client("SHOPS") if "/suv" in path else {}), waits=False
        )


def brief(body: Any) -> Any:
    """Leave out what nobody needs to understand a sequence."""
    dull = {"originator", "time", "thirdPartyIdentifiers", "settlementEntity", "receiver"}
    return {name: one for name, one in body.items() if name not in dull} if isinstance(body, dict) else body


def clear(pin: str) -> dict[str, str]:
    return {"type": "CLEAR_PIN", "pin": pin}


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def test_all_dialects_do_as_the_model_does(
    store_url: str, keyring: Keyring, runner: asyncio.Runner, tmp_path: Path
) -> None:
    opened = town(store_url, keyring, tmp_path)
    machine = type("Machine", (Mixed,), {"town": runner.run(opened.__aenter__()), "runner": runner})
    some = settings(
        max_examples=EXAMPLES or 8,
        stateful_step_count=STEPS,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate],  # shrinking takes minutes
    )
    try:
        run_state_machine_as_test(machine, settings=some)
    finally:
        runner.run(opened.__aexit__(None, None, None))
        print(*sorted(SEEN.items()), sep="\n")

"""All dialects of vouchers mixed on the same vouchers, beside a plain model of what is to be answered and to be so.

The connector's HTTP application, its store and the simulated banks are real. A few sequences run with the tests;
``ISOGATE_VOUCHER_EXAMPLES=2000`` runs so many, different ones each time (``ISOGATE_VOUCHER_SEED`` repeats some).
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from retail_model import RetailModel
from voucher_model import C, Reply, V
from voucher_requests import NOBODYS, Act, Requests
from voucher_town import BUDGETS, DAY, GROUPS, SHOPS, Http, Town, as_client, town

from connector.store import Keyring

EXAMPLES = int(os.environ.get("ISOGATE_VOUCHER_EXAMPLES", "0"))
SEED = int(os.environ.get("ISOGATE_VOUCHER_SEED", "0")) or (EXAMPLES and int.from_bytes(os.urandom(4)))
STEPS = int(os.environ.get("ISOGATE_VOUCHER_STEPS", "40"))
ACTIONS = {
    "v1_preactivate": 3, "v1_activate": 6, "v1_redeem": 8, "v1_cancel": 1,
    "v3_create": 4, "v3_change": 7, "v3_redeem": 8, "v3_batch": 1,
    "suv_provide": 5, "suv_redeem": 8, "suv_refund": 5, "suv_advise": 16, "suv_recall": 2,
    "admin_change": 3, "admin_provision": 2, "admin_purge": 1,
    "again": 8, "work": 3, "pass_time": 4, "sweep": 1,
}  # fmt: skip
CREATIONS = {"v1_preactivate", "v3_create", "suv_provide", "admin_provision"}
SEEN: Counter[str] = Counter()


class Mixed(Requests, RuleBasedStateMachine):
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
        for code in ("FOOD", "GIFT", "RETAIL", "WHOLE"):
            self.perform(self.handing_out("MINISTRY", code, "USD", 1500))
        self.perform(self.commanding(C.ACTIVATE, tuple(self.model.vouchers)))

    def run(self, step: Any) -> Any:
        return self.runner.run(step)

    @rule()
    def act(self) -> None:
        """Do something; one rule, as hypothesis would leave some of several out."""
        (action,) = self.chance.choices([*ACTIONS], [*ACTIONS.values()])
        SEEN[action] += 1
        self.sound = False  # until it has turned out to be
        note(f"{self.model.now} {action}")
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

    # --- repetition, and time

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
        for serial in (*self.model.vouchers, NOBODYS):
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
        print(*(f"{name}: {times}" for name, times in sorted(SEEN.items())), sep="\n")  # with -s

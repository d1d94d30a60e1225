"""Vouchers over HTTP, from hand-out to the merchant's account, against an instance with all its processes.

In every round each voucher is handed out, activated, asked about, redeemed and asked about again; between that, a
bare aiohttp handler answers as many requests of the same size to the same client. What a redemption leaves to be
done afterwards (budgets) is done before the next measurement begins, and counts as its processor time.
"""

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from connector.app import store_url
from connector.cli.instance import fresh_instance
from connector.domain.money import amount_text, exponent
from connector.settings import Settings
from connector.store.link import ServerLink
from loadtests.bench.bare import bare_handler
from loadtests.bench.http_load import Answer, Load, load, request
from loadtests.bench.memory import peak_rss_mb, watching
from loadtests.bench.processor import cpu_seconds
from loadtests.bench.voucher_books import Books
from loadtests.bench.voucher_world import CURRENCY, GROUP, SOURCE, amount, demo_file, merchant

BARE: Final = "bare"
CLIENT: Final = "client"
HOST: Final = "127.0.0.1"
_UTILISED: Final = 5


@dataclass
class Measured:
    """One operation over all rounds: rates by round, seconds by request, processor seconds by process."""

    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=dict)

    def add(self, done: Load, cpu: dict[str, float]) -> None:
        """Take a round's share."""
        self.rates.append(done.per_second)
        self.seconds += [answer.seconds for answer in done.answers]
        self.cpu = {name: self.cpu.get(name, 0.0) + spent for name, spent in cpu.items()}


@dataclass
class OverHttp:
    """What was measured: operations by name; checks: what was counted; problems: what does not come out."""

    operations: dict[str, Measured] = field(default_factory=dict)
    checks: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    peak_rss_mb: dict[str, float] = field(default_factory=dict)


async def measure_http(folder: Path, vouchers: int, rounds: int, clients: int, fsync: str) -> OverHttp:
    """Lead so many vouchers through their life, in rounds; fsync: how the instance's store syncs its file."""
    overrides = {"log_level": "WARNING", "demo_data": demo_file(folder)}
    result = OverHttp()
    async with (
        fresh_instance(folder / "http", print, **overrides) as (settings, supervisor),
        bare_handler() as (bare_port, bare_pid),
        Books.opened(settings) as books,
    ):
        await _sync_store(settings, fsync)
        processes = {part.name: part.pid for part in supervisor.parts} | {BARE: bare_pid}
        async with watching(processes) as memory:
            course = _Course(books, (urlsplit(settings.api_url).port or 80, bare_port), clients, processes, result)
            for number in range(rounds):
                await course.round(range(vouchers * number // rounds, vouchers * (number + 1) // rounds))
        result.problems += await books.problems(vouchers)
        result.peak_rss_mb = memory.peak_rss_mb | {CLIENT: peak_rss_mb(os.getpid())}
    return result


async def _sync_store(settings: Settings, fsync: str) -> None:
    link = ServerLink(store_url(settings))
    try:
        await link.ask("CONFIG", "SET", "appendfsync", fsync)
    finally:
        await link.close()


class _Course:
    """The way of the vouchers of one round."""

    def __init__(
        self, books: Books, ports: tuple[int, int], clients: int, processes: Mapping[str, int], result: OverHttp
    ) -> None:
        """Take the books, which say when a round is over, and the ports of the API and of the bare handler."""
        self._books = books
        self._port, self._bare_port = ports
        self._clients = clients
        self._processes = processes
        self._result = result

    async def round(self, numbers: range) -> None:
        """Lead these vouchers through their life."""
        if not numbers:
            return
        handed_out = [json.loads(one.body) for one in await self._do("preactivate", map(_preactivation, numbers))]
        serials = [one["voucher_serial_number"] for one in handed_out]
        secrets = [one["voucher_number"] for one in handed_out]
        await self._do("activate", map(_activation, serials))
        shown = await self._do("status", (_get(f"/vouchers/voucherstatuscheck/{one}") for one in serials))
        self._expect("active", sum(json.loads(one.body)["voucher_status"] == "Activated" for one in shown), numbers)
        redemptions = [_redemption(number, secret) for number, secret in zip(numbers, secrets, strict=True)]
        await self._do(BARE, map(_to_bare, redemptions))
        await self._do("redeem", map(_to_api, redemptions))
        shown = await self._do("status_v3", (_get(f"/vouchers/{one}?fields=status") for one in serials))
        self._expect("utilised", sum(json.loads(one.body)["status"] == _UTILISED for one in shown), numbers)

    async def _do(self, name: str, requests: Iterable[bytes]) -> list[Answer]:
        """Measure one operation; gives the answers."""
        sent, port = list(requests), self._bare_port if name == BARE else self._port
        before = self._cpu_seconds()
        done = await load(HOST, port, sent, self._clients)
        if name == "redeem":
            await self._books.settle(len(sent))
        after = self._cpu_seconds()
        spent = {process: after[process] - before[process] for process in after}
        self._result.operations.setdefault(name, Measured()).add(done, spent)
        refused = [one for one in done.answers if one.status != 200]
        if refused:
            said = refused[0].body.decode(errors="replace")[:200]
            self._result.problems.append(f"{name}: {len(refused)} refused, the first {refused[0].status} {said}")
        return [one for one in done.answers if one.status == 200]

    def _cpu_seconds(self) -> dict[str, float]:
        return cpu_seconds(self._processes) | {CLIENT: time.process_time()}

    def _expect(self, name: str, found: int, numbers: range) -> None:
        self._result.checks[name] = self._result.checks.get(name, 0) + found
        if found != len(numbers):
            self._result.problems.append(f"{found} of {len(numbers)} vouchers are {name}")


def _preactivation(number: int) -> bytes:
    worth = amount_text(amount(number), exponent(CURRENCY))
    return _post(
        "/vouchers/voucher_preactivation",
        {"voucher_amount": worth, "voucher_currency": CURRENCY, "voucher_group": GROUP, "Gov_Stack_BB": SOURCE},
    )


def _activation(serial: str) -> bytes:
    body = {"voucher_serial_number": int(serial), "Gov_Stack_BB": SOURCE}
    return request("PATCH", HOST, "/vouchers/voucher_activation", json.dumps(body).encode())


def _redemption(number: int, secret: str) -> dict[str, Any]:
    paid = merchant(number)
    return {
        "voucher_number": int(secret),
        "Gov_Stack_BB": SOURCE,
        "merchant_name": paid.name,
        "merchant_bank_details": paid.account,
        "merchant_voucher_group": GROUP,
        "override": False,
    }


def _to_api(body: Mapping[str, Any]) -> bytes:
    return _post("/vouchers/voucher_redemption", body)


def _to_bare(body: Mapping[str, Any]) -> bytes:
    return _post("/", body)


def _post(path: str, body: Mapping[str, Any]) -> bytes:
    return request("POST", HOST, path, json.dumps(body).encode())


def _get(path: str) -> bytes:
    return request("GET", HOST, path)

"""Those whom ``peer_banks`` compares over HTTP: mock-bank, IsoGate's payer bank, IsoGate with all its processes."""

import asyncio
import re
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import aiohttp
import msgspec
from aiohttp import web

from connector.cli.instance import free_ports, fresh_instance, supervisor_of
from connector.cli.people import payable_people
from connector.cli.source_bb import SourceBB, credit_v3, source_bb
from connector.cli.supervisor import Supervisor
from connector.domain.errors import Unavailable
from connector.settings import load
from loadtests.bench.processor import cpu_seconds

PATIENCE: Final = aiohttp.ClientTimeout(total=600)
REGISTER_AT_ONCE: Final = 10_000
SETTLED: Final = frozenset({b"ACSC", b"ACCC"})
FINAL: Final = SETTLED | {b"RJCT", b"PART"}
ACCEPTED: Final = frozenset({b"ACCP"})
BANK_TIME: Final = "2026-01-05T10:00"
"""mock-bank's clock: the day on which the orders are to be executed."""

_LISTENING: Final = re.compile(r"listening on (http://[\d.:]+)/")
_GROUP: Final = re.compile(
    rb"<OrgnlMsgId>([^<]+)</OrgnlMsgId>.*?<OrgnlNbOfTxs>(\d+)</OrgnlNbOfTxs>.*?<GrpSts>(\w+)<", re.DOTALL
)


class Refusal(Exception):
    """A bank does not take a file."""


class Subject(ABC):
    """One of those who take turns; does: what it does with a payment; problems: what did not come out."""

    does: ClassVar[str]

    def __init__(self, name: str, processes: Mapping[str, int]) -> None:
        self.name = name
        self.problems: list[str] = []
        self._processes = processes

    def cpu_seconds(self) -> float:
        """Processor seconds of all its processes so far."""
        return sum(cpu_seconds(self._processes).values())

    @abstractmethod
    async def settle(self, file: tuple[str, bytes], payments: int) -> float:
        """Take a file (message id, pain.001) to its end, and give the seconds; raises ``Refusal``."""


class Bank(Subject):
    """A bank: takes the file itself, and reports on it."""

    def __init__(self, name: str, processes: Mapping[str, int], session: aiohttp.ClientSession, url: str) -> None:
        super().__init__(name, processes)
        self._session = session
        self._url = url

    def check(self, report: bytes, message_id: str, payments: int, good: frozenset[bytes]) -> None:
        """Note a problem unless the report is about the whole file, and good."""
        found = _GROUP.search(report)
        if not found or (found[1].decode(), int(found[2])) != (message_id, payments) or found[3] not in good:
            self.problems.append(f"{self.name} reported {found.groups() if found else report[:80]!r} on {message_id}")


class MockBank(Bank):
    """mock-bank from PyPI."""

    does = "reads, checks by rules of its own, books in SQLite, reports ACCP on every payment; pays nobody else"
    version = ""

    @classmethod
    @asynccontextmanager
    async def started(cls, name: str, python: str, database: Path | None, debtor: str) -> AsyncIterator[Self]:
        """Run one with an account of the debtor's; database ``None``: in memory."""
        command = [python, "-W", "ignore", "-m", "mockbank", "--port", "0", "--clock", BANK_TIME]
        command += ["--db", str(database)] if database else []
        process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
        errors = process.stderr or asyncio.StreamReader()
        found = _LISTENING.search((await errors.readline()).decode())
        if not found:
            raise Unavailable(name, "does not say where it listens")
        draining = asyncio.create_task(errors.read())  # it writes a line a request
        try:
            async with aiohttp.ClientSession(timeout=PATIENCE) as session:
                bank = cls(name, {name: process.pid}, session, found[1])
                await bank._open_account(debtor)
                yield bank
        finally:
            process.terminate()
            await asyncio.gather(process.wait(), draining)

    async def settle(self, file: tuple[str, bytes], payments: int) -> float:
        """Post the file and collect the report."""
        message_id, body = file
        headers = {"Content-Type": "application/xml", "Accept": "application/json"}
        began = time.perf_counter()
        try:
            async with self._session.post(f"{self._url}/payments", data=body, headers=headers) as answer:
                said = await answer.read()
                if answer.status != 202:
                    raise Refusal(f"HTTP status {answer.status}: {said[:120].decode()}")
        except aiohttp.ClientError as error:  # it hangs up on what is too large while that is being sent
            raise Refusal(f"hung up: {type(error).__name__}") from error
        async with self._session.get(f"{self._url}/_mock/mailbox?type=pain.002&raw") as answer:
            report = await answer.read()
        seconds = time.perf_counter() - began
        self.check(report, message_id, payments, ACCEPTED)
        return seconds

    async def _open_account(self, debtor: str) -> None:
        account = {"id": "TREASURY", "name": "Ministry of Pensions", "iban": debtor, "bic": "TREAXU22"}
        body = {**account, "currency": "USD", "balance": 10**15}
        async with self._session.post(f"{self._url}/_mock/accounts", json=body) as answer:
            if answer.status != 201:
                raise Unavailable(self.name, f"does not open an account: {await answer.text()}")
            self.version = (answer.headers.get("Server") or "").partition(" ")[0].rpartition("/")[2]


class PayerBank(Bank):
    """IsoGate's simulated payer bank, with the banks of the payees, in one process without IsoGate."""

    does = (
        "reads, validates under the schema, books in SQLite, pays the payees' banks by pacs.008, which validate, "
        "book and report, and pushes a report that settles every payment (ACSC)"
    )

    def __init__(self, name: str, processes: Mapping[str, int], session: aiohttp.ClientSession, url: str) -> None:
        super().__init__(name, processes, session, url)
        self._reports: dict[str, asyncio.Future[bytes]] = {}

    @classmethod
    @asynccontextmanager
    async def started(cls, name: str, folder: Path) -> AsyncIterator[Self]:
        """Run the simulators alone; reports come to a receiver of ours."""
        port, simulators_port = free_ports(2)
        chosen = {"profile": "sandbox", "data_dir": folder, "log_level": "WARNING", "redis_url": ""}
        settings = load(**chosen, port=port, simulators_port=simulators_port)
        parts = [part for part in supervisor_of(settings, print).parts if part.name == "simulators"]
        supervisor, runner = Supervisor([parts], print), None
        await supervisor.start()
        try:
            async with aiohttp.ClientSession(timeout=PATIENCE) as session:
                bank = cls(name, {name: parts[0].pid}, session, f"{settings.simulators_base}/TREAXU22")
                application = web.Application(client_max_size=2**30)
                application.router.add_post("/fsp/{code}/iso20022", bank.receive)
                runner = web.AppRunner(application, access_log=None)
                await runner.setup()
                await web.TCPSite(runner, "127.0.0.1", port).start()
                yield bank
        finally:
            if runner:
                await runner.cleanup()
            await supervisor.stop()

    async def settle(self, file: tuple[str, bytes], payments: int) -> float:
        """Post the file and wait for the report."""
        message_id, body = file
        self._reports[message_id] = asyncio.get_running_loop().create_future()
        headers = {"Content-Type": "application/xml", "X-Message-Name": "pain.001.001.09"}
        began = time.perf_counter()
        async with self._session.post(f"{self._url}/iso20022", data=body, headers=headers) as answer:
            said = await answer.read()
            if answer.status >= 300:
                raise Refusal(f"HTTP status {answer.status}: {said[:120].decode()}")
        report = said if _is_final(said) else await self._reports[message_id]
        seconds = time.perf_counter() - began
        self.check(report, message_id, payments, SETTLED)
        return seconds

    async def receive(self, request: web.Request) -> web.Response:
        """Take a report in."""
        body = await request.read()
        found = _GROUP.search(body)
        waiting = self._reports.get(found[1].decode()) if found and _is_final(body) else None
        if waiting and not waiting.done():
            waiting.set_result(body)
        return web.json_response({"messageId": "", "status": "processed"})


def _is_final(report: bytes) -> bool:
    """Whether a report is the last word on its file; that a file was accepted is not."""
    found = _GROUP.search(report)
    return bool(found and found[3] in FINAL)


class Connector(Subject):
    """IsoGate with all its processes, from the JSON of the Source BB to the final callback."""

    does = (
        "reads JSON, looks people up, splits, writes and validates pain.001, has the same banks pay, validates and "
        "reads pain.002, calls back; every step synced to disk"
    )
    _handed_over = 0

    @classmethod
    @asynccontextmanager
    async def started(cls, name: str, folder: Path, people: int) -> AsyncIterator[Self]:
        """Run a fresh instance, and register so many people."""
        quiet = {"log_level": "WARNING", "progress_interval_seconds": 3600.0}
        async with (
            fresh_instance(folder, print, **quiet) as (settings, supervisor),
            source_bb(settings.api_url, "PEERSOURCE01", 600.0) as ministry,
        ):
            subject = cls(name, {part.name: part.pid for part in supervisor.parts})
            await subject.begin(ministry, people)
            yield subject

    async def begin(self, ministry: SourceBB, people: int) -> None:
        """Register the people."""
        self._ministry = ministry
        self._people = list(payable_people(people))
        for number, start in enumerate(range(0, people, REGISTER_AT_ONCE)):
            await ministry.register(f"PEERS{number:07d}", self._people[start : start + REGISTER_AT_ONCE])

    async def settle(self, file: tuple[str, bytes], payments: int) -> float:  # noqa: ARG002 - it writes its own
        """Hand as many payments over, and wait for the final callback."""
        self._handed_over += 1
        items = [credit_v3(at, self._people[at], 1000 + at % 9000, "USD") for at in range(payments)]
        body = msgspec.json.encode(items)
        began = time.perf_counter()
        batch = await self._ministry.pay(body, "PENSIONS", f"P{self._handed_over:011d}")
        final: Mapping[str, Any] = await self._ministry.finished(batch, 600.0)
        seconds = time.perf_counter() - began
        if int(final.get("completed", 0)) != payments:
            self.problems.append(f"{self.name} completed {final.get('completed')} of {payments} payments")
        return seconds

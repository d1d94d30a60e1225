"""A bank that nobody here wrote: mock-bank from PyPI, started as a process, spoken to over HTTP."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mock_bank_orders import refused, to_people

from connector.domain.messages import Transfer
from connector.iso20022.engine import Engine
from iso20022_schemas.catalogue import Catalogue

REPOSITORY = Path(__file__).parents[2]
BANK_TIME = "2026-10-01T09:00"
LISTENING = re.compile(r"listening on (http://[\d.:]+)/")


class Answer(NamedTuple):
    status: int
    body: Any


class MockBank:
    """The bank's doors. Every answer is JSON; 422 is an answer like another."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "application/xml") -> Answer:
        request = urllib.request.Request(self.url + path, data=body or None, method=method)
        request.add_header("Accept", "application/json")
        request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return Answer(response.status, json.loads(response.read()))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read()))

    def findings(self, payment_file: bytes) -> list[Any]:
        return self.ask("POST", "/_mock/validate", payment_file).body["findings"]

    def pay(self, payment_file: bytes) -> Answer:
        return self.ask("POST", "/payments", payment_file)

    def messages(self, message: str, account: str = "ACME") -> list[bytes]:
        waiting = self.ask("GET", f"/_mock/mailbox?type={message}").body
        return [each["body"].encode() for each in waiting if each["account"] == account]

    def pass_days(self, days: int) -> None:
        assert self.ask("POST", f"/_mock/advance?days={days}").status == 200

    def change(self, account: str, **facts: Any) -> None:
        body = json.dumps(facts).encode()
        assert self.ask("PATCH", f"/_mock/accounts/{account}", body, "application/json").status == 200

    def account(self, name: str) -> Any:
        return self.ask("GET", f"/_mock/accounts/{name}").body


@pytest.fixture(scope="session")
def mock_bank_process() -> Iterator[MockBank]:
    command = [sys.executable, "-m", "mockbank", "--port", "0", "--clock", BANK_TIME]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            listening = LISTENING.search(process.stderr.readline())
            assert listening, "mock-bank does not say where it listens"
            yield MockBank(listening[1])
        finally:
            process.terminate()
            process.communicate(timeout=10)


@pytest.fixture
def mock_bank(mock_bank_process: MockBank) -> MockBank:
    """The bank as on its first morning."""
    assert mock_bank_process.ask("POST", "/_mock/reset").status == 200
    return mock_bank_process


@pytest.fixture
def transfers(mock_bank: MockBank) -> list[Transfer]:
    """Payments that the bank settles, and two that it rejects."""
    return [*to_people(), *refused(mock_bank.account("INITECH"), mock_bank.account("EURODIS"))]


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(Catalogue(), REPOSITORY / "mappings")

"""A whole load test: an instance, Locust in a process of its own, callbacks, the books, the verdict."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest

from connector.domain.errors import Misconfigured
from loadtests.locust import run as load
from loadtests.locust.options import callback_address
from loadtests.locust.process import Process, Terms, Tokens
from loadtests.locust.run import LOCUSTFILE, Plan, command
from loadtests.locust.target import self_signed

needs_locust = pytest.mark.skipif(find_spec("locust") is None, reason="Locust is not installed: make load")


@needs_locust
def test_payments_are_made_called_back_and_reckoned(tmp_path):
    arguments = (
        "load --minutes 0.05 --users 2 --role source --batch-size 10 --least-steady 1 --p99-answer 9 --p99-final 30"
    )
    line = [sys.executable, "-m", "connector.cli", *arguments.split(), "--folder", str(tmp_path)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads((tmp_path / "summary.json").read_text())
    assert said["outcome"] == "met"
    assert said["totals"]["payments completed"] >= 10
    assert said["totals"]["callbacks"] >= 1
    assert said["books"]["checked"]
    assert said["windows"][0]["finals"]["p99"] > 0
    assert {"summary.md", "locust.html", "locust.log", "timeline.json"} <= {file.name for file in tmp_path.iterdir()}


@needs_locust
def test_a_run_that_is_stopped_ends_in_order_and_its_record_says_so(tmp_path):
    line = [sys.executable, "-m", "connector.cli", "load", "--minutes", "5", "--users", "1", "--role", "operator"]
    with subprocess.Popen([*line, "--folder", str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        began = time.monotonic()
        while "All users spawned" not in _log(tmp_path) and time.monotonic() < began + 60:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 2, said
    assert "The run was stopped before its end." in said
    assert (tmp_path / "timeline.json").is_file()


def _log(folder):
    file = folder / "locust.log"
    return file.read_text() if file.is_file() else ""


def test_without_locust_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(load, "find_spec", lambda _: None)
    with pytest.raises(Misconfigured, match="make load"):
        asyncio.run(load.execute(Plan("steady", 1, 1), tmp_path, asyncio.Event(), print))


def test_locust_gets_roles_shape_and_what_else_is_asked_for(tmp_path):
    plan = Plan("ramp", 2, 32, processes=4, roles=["source", "bank"], more=["--loglevel", "DEBUG"])
    words = command(plan, tmp_path, "http://there:3333")
    assert words[words.index("--shape") + 1] == "ramp"
    assert words[words.index("--host") + 1] == "http://there:3333"
    assert words[words.index("--processes") + 1] == "4"
    assert words[-4:] == ["--loglevel", "DEBUG", "SourceBB", "PayerBank"]
    assert "--headless" in words
    assert LOCUSTFILE.is_file()


def test_with_its_page_locust_starts_at_once(tmp_path):
    words = command(Plan("steady", 2, 32, ui_port=8090), tmp_path, "http://there:3333")
    assert "--headless" not in words
    assert words[words.index("--web-port") + 1] == "8090"


def test_ids_are_twelve_characters_and_never_the_same():
    made = [Process(Terms(), Tokens(), callback_url="", book=None, interval_seconds=1) for _ in range(2)]
    for number, process in enumerate(made):
        process.begin(Terms(), number, 1)
    ids = [process.new_id() for process in made for _ in range(1000)]
    assert {len(each) for each in ids} == {12}
    assert len(set(ids)) == len(ids)
    assert {process.new_block() for process in made} == {0, 1000}


def test_tokens_are_read_where_the_instance_reads_them(monkeypatch):
    monkeypatch.setenv("ISOGATE_SOURCE_TOKENS", '{"MINISTRY0001": "word"}')
    monkeypatch.delenv("ISOGATE_INSTITUTION_TOKENS", raising=False)
    monkeypatch.setenv("ISOGATE_ADMIN_TOKEN", "other")
    assert Tokens.of_environment() == Tokens({"MINISTRY0001": "word"}, {}, "other")


def test_callbacks_come_to_the_address_towards_the_instance(monkeypatch):
    assert callback_address("http://127.0.0.1:3333") == ("127.0.0.1", "127.0.0.1", 0)
    monkeypatch.setenv("ISOGATE_LOAD_CALLBACK_HOST", "load1.example")
    monkeypatch.setenv("ISOGATE_LOAD_CALLBACK_PORT", "9100")
    assert callback_address("http://127.0.0.1:3333") == ("0.0.0.0", "load1.example", 9100)


def test_the_key_of_a_passing_certificate_is_for_its_owner_alone(tmp_path):
    certificate, key = self_signed(tmp_path)
    assert b"BEGIN CERTIFICATE" in certificate.read_bytes()
    assert key.stat().st_mode & 0o077 == 0

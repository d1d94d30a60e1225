"""``isogate up`` as a user starts it: ready, healthy, and gone without a trace on SIGTERM."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from connector.cli.instance import free_ports


def environment(simulators_port):
    return {**os.environ, "ISOGATE_SIMULATORS_PORT": str(simulators_port), "COLUMNS": "200"}


@pytest.fixture
def running(tmp_path):
    port, simulators = free_ports(2)
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "connector.cli", "up", "--port", str(port), "--data-dir", str(tmp_path)],
        env=environment(simulators),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.simulators_port = simulators
    yield process, f"http://127.0.0.1:{port}", started
    process.kill()
    process.communicate()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ready(base, deadline):
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(base + "/ready", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            time.sleep(0.05)
    return False


def test_up_is_ready_quickly_and_sigterm_ends_every_process(running):
    process, base, started = running
    assert ready(base, started + 15)
    seconds = time.monotonic() - started
    for path in ("/healthcheck", "/openapi.json", "/docs"):
        with urllib.request.urlopen(base + path, timeout=5) as answer:
            assert answer.status == 200
    children = children_of(process)
    assert len(children) == 4
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert not any(alive(pid) for pid in children)
    assert "SANDBOX" in errors
    assert seconds < 10, "the target is 5 s; a busy machine gets twice that"


def test_production_does_not_start_open(tmp_path):
    command = [sys.executable, "-m", "connector.cli", "up", "--profile", "production", "--data-dir", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert result.returncode == 2
    assert "ISOGATE_SOURCE_TOKENS" in result.stderr


def children_of(process):
    lines = []
    while not any("health" in line for line in lines):
        lines.append(process.stdout.readline())
    return [int(pid) for line in lines for pid in re.findall(r"│\s+(\d+)\s+│", line)]


def test_a_killed_instance_leaves_nothing_behind_and_can_be_started_again(running):
    process, base, started = running
    assert ready(base, started + 15)
    children = children_of(process)
    process.kill()
    process.wait()
    again = subprocess.Popen(
        process.args, env=environment(process.simulators_port), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        deadline = time.monotonic() + 20
        while any(alive(pid) for pid in children) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(alive(pid) for pid in children)
        assert ready(base, deadline)
    finally:
        again.terminate()
        again.communicate(timeout=20)
    assert again.returncode == 0

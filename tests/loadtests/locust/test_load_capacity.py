"""The capacity table: the best step of each ramp, in Markdown, HTML and JSON; every combination is ramped."""

import asyncio
import json
import os

from test_load_verdict import ASKED, run, steps

from loadtests.locust import capacity
from loadtests.locust.objectives import Outcome, judge
from loadtests.locust.run import Plan
from loadtests.locust.shapes import Ramp
from loadtests.locust.target import Own, _environment_kept

FACTS = {"minutes": 0.5, "batch_size": 1000, "workers": 1, "cores": 2, "versions": {"isogate": "1"}, "ended": "now"}


def ramp():
    return run(Ramp(16, 100), steps((100, 0.1), (190, 0.1), (350, 0.12), (370, 9), (360, 20)))


def test_every_combination_is_ramped_and_told_in_one_table(tmp_path, monkeypatch):
    plans, told = [], []

    async def judged(plan, folder, stop, tell):
        plans.append((plan.shape, plan.own.posture, plan.own.fsync, tuple(plan.roles)))
        return ramp(), judge(ramp(), ASKED), {**FACTS, "shape": "ramp"}

    monkeypatch.setattr(capacity, "judged", judged)
    outcome = asyncio.run(capacity.measure(Plan("steady", 0.5, 16), tmp_path, asyncio.Event(), told.append))
    assert outcome is Outcome.MET
    assert [each[1:3] for each in plans] == [
        ("open", "always"), ("open", "everysec"), ("tls", "always"), ("tls", "everysec"),
    ]  # fmt: skip
    assert {each[0] for each in plans} == {"ramp"}
    assert "| bearer tokens and TLS | everysec" in told[0]
    rows = json.loads((tmp_path / "capacity.json").read_text())["rows"]
    assert [(row["step"]["payments_per_second"], row["knee"]) for row in rows] == [(370.0, 4)] * 4
    assert "<td>370</td>" in (tmp_path / "capacity.html").read_text()
    assert (tmp_path / "tls-always" / "summary.md").is_file()


def test_a_stop_ends_it(tmp_path):
    async def stopped():
        stop = asyncio.Event()
        stop.set()
        return await capacity.measure(Plan("ramp", 0.5, 16, own=Own()), tmp_path, stop, print)

    assert asyncio.run(stopped()) is Outcome.INVALID


def test_what_one_posture_puts_into_the_environment_does_not_reach_the_next(monkeypatch):
    monkeypatch.setenv("ISOGATE_ADMIN_TOKEN", "before")
    with _environment_kept():
        os.environ["ISOGATE_ADMIN_TOKEN"] = "made"
        os.environ["ISOGATE_SOURCE_TOKENS"] = "{}"
    assert os.environ["ISOGATE_ADMIN_TOKEN"] == "before"
    assert "ISOGATE_SOURCE_TOKENS" not in os.environ

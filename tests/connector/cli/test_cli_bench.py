"""The benchmarks of the message engine give one JSON object, with what was checked, and fail where that is wrong."""

import json

import pytest
from typer.testing import CliRunner

from connector.cli import app, bench
from loadtests.bench import peer_jobs, peers, report, samples, translate

runner = CliRunner()


@pytest.mark.parametrize(("scenario", "message"), [("translate", "pain.001.001.09"), ("report", "pain.002.001.10")])
def test_a_scenario_prints_one_json_object(scenario, message):
    arguments = ["bench", scenario, "--payments", "250", "--batch-size", "100", "--repetitions", "1", "--json"]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert (figures["message"], figures["messages"], figures["transactions"]) == (message, 3, 250)
    assert figures["transactions_per_second"] == pytest.approx(250 / figures["seconds"], rel=0.1)
    assert figures["ratio_to_lxml_validate"] > 0
    assert figures["peak_rss_mb"] > 10
    assert figures["problems"] == []
    assert {"isogate", "lxml", "libxml2", "python"} <= figures["versions"].keys()


def test_figures_are_told_to_people_line_by_line(capsys):
    figures = {
        "latency_seconds": {"p50": 0.5, "p99": 1.5},
        "within_seconds": [0.1] * 200,
        "stages": {"api": {"read JSON": {"payments": 10, "microseconds": 0.9}}},
        "runs": [{"workers": 1}, {"workers": 2}],
        "problems": [],
    }
    bench._show(figures, as_json=False)
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "latency_seconds  p50 0.5, p99 1.5",
        "within_seconds  200 values; --json tells them",
        "stages:",
        "api:",
        "read JSON  payments 10, microseconds 0.9",
        "runs 1  workers 1",
        "runs 2  workers 2",
        "problems  none",
    ]


def test_documents_that_do_not_come_out_are_problems():
    values = [samples.credit_transfer(3)]
    body = (
        peer_jobs._engine("mappings").write("generic", "pain.001.001.09", values[0]).replace(b">10.01<", b">10.02<")
    )
    checks, problems = translate._checked([body], values)
    assert checks["minor_units_written"] == checks["minor_units_asked_for"] + 1
    assert len(problems) == 1


def test_statuses_that_do_not_come_out_are_problems():
    sent = samples.credit_transfer(100)
    said = samples.status_report(sent)
    assert report._checked([said], [sent])[1] == []
    said.transactions.pop()
    assert len(report._checked([said], [sent])[1]) == 2


def test_wrong_documents_make_the_command_fail(monkeypatch):
    monkeypatch.setattr(translate, "_checked", lambda *_: ({}, ["one is missing"]))
    result = runner.invoke(app, ["bench", "translate", "--payments", "1", "--repetitions", "1", "--json"])
    assert result.exit_code == 1


def test_every_library_has_each_job_or_the_reason_why_not():
    for task in peers.TASKS:
        for library in peers.LIBRARIES:
            assert (f"{library} {task}" in peer_jobs.JOBS) != (f"{library} {task}" in peers.CANNOT)

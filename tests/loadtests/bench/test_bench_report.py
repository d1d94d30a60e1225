"""The set of benchmarks and the report of it: run with made-up scenarios, drawn from made-up figures."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from lxml import etree

from loadtests.bench import host, plots, suite
from loadtests.bench.page import write
from loadtests.bench.suite import Results, Run, Scenario


def disbursed(workers=1, problems=()):
    spent = {"store": 0.002, "api": 0.01, "client": 0.001} | {f"worker {n + 1}": 0.03 for n in range(workers)}
    return {
        "payments": 1000, "batches": 2, "workers": workers, "seconds": 2.5, "payments_per_second": 400.0,
        "register_seconds": 0.1, "accept_seconds": 0.5, "drain_seconds": 0.0,
        "latency_seconds": {"p50": 1.0, "p95": 2.0, "p99": 2.0, "max": 2.0}, "within_seconds": [1.0, 2.0],
        "batch_seconds": {"p50": 1.0, "p95": 2.0, "p99": 2.0, "max": 2.0}, "final_by_second": [0, 400, 600],
        "cpu_seconds_per_1000": spent, "cpu_microseconds_per_payment": 43.0,
        "peak_rss_mb": dict.fromkeys(spent, 90.0),
        "peak_rss_paying_mb": dict.fromkeys(spent, 80.0), "body_bytes": 255000, "archive_seconds": 0.1,
        "store_bytes_per_payment_archived": 0.5, "archive_bytes_per_payment": 14.0, "store_bytes_per_payment": 18.0,
        "store_file_bytes_per_payment": 28.0, "store_file_rewrites": 0, "store_commands_per_1000": 110.0,
        "stages": {
            "api": {"read JSON": {"payments": 1000, "microseconds": 2.0},
                    "rest": {"payments": 1000, "microseconds": 8.0}},
            "worker 1": {"extract pain.002": {"payments": 1, "microseconds": 0.1}},
        },
        "floors": {"read JSON": 1.2, "extract pain.002": 0.3, "total": 1.5}, "ledger_balanced": not problems,
        "versions": {}, "problems": list(problems),
    }  # fmt: skip


def results(**kept):
    runs = [
        Run(name, name.title(), f"isogate bench {name}", "0.1 0.1 0.1", 3.0, 0, said) for name, said in kept.items()
    ]
    for run in runs:
        run.problems = run.figures["problems"]
    return Results({"time": "2030-01-31 08:00 UTC", "processor": "A <quick> one", "cores": "2"}, runs)


@pytest.fixture
def page(tmp_path):
    def written(found):
        return write(tmp_path, found).read_text(), (tmp_path / "report.md").read_text()

    return written


def test_the_page_shows_figures_and_plots_and_needs_nothing_else(page, tmp_path):
    html, markdown = page(results(batches=disbursed(), two=disbursed(2)))
    assert html.count("<svg") == 5
    assert "A &lt;quick&gt; one" in html
    assert not re.search(r"""(src|href)=["'](?!#)|url\((?!#)|@import""", html)
    assert "Every check passed" in html
    assert "| payments per second | 400 | 400 |" in markdown
    assert {f"{name}.svg" for name in re.findall(r"\((\w+)\.svg\)", markdown)} == {
        p.name for p in tmp_path.glob("*.svg")
    }
    for drawing in tmp_path.glob("*.svg"):
        assert etree.parse(drawing).getroot().tag.endswith("svg")


def test_a_floor_is_shown_only_where_most_payments_went_through_the_stage(page):
    _, markdown = page(results(batches=disbursed()))
    assert "| api: read JSON | 1,000 | 2.00 | 1.20 |" in markdown
    assert "| worker 1: extract pain.002 | 1 | 0.10 |  |" in markdown


def test_what_does_not_come_out_stands_on_top(page):
    html, markdown = page(results(batches=disbursed(problems=["7 payments are missing"])))
    assert "1 problem<" in html
    assert "- batches: 7 payments are missing" in markdown


def test_plots_take_the_colours_of_the_page():
    drawing = plots.throughput([("One", disbursed())])
    assert "var(--series-1)" in drawing
    assert not re.search(r"#(0[123]0|110)", drawing)


def test_the_set_runs_each_scenario_and_keeps_what_was_said(monkeypatch, tmp_path):
    said = []
    script = tmp_path / "said.py"
    script.write_text("import sys\nprint('worker 1 ended')\nprint(sys.argv[1])\nsys.exit(int(sys.argv[2]))\n")
    start = suite.subprocess.Popen

    def instead(line, **options):
        return start([sys.executable, str(script), *line[4:-1]], **options)

    monkeypatch.setattr(suite.subprocess, "Popen", instead)
    set_of = [
        Scenario("good", "Good", ('{"payments_per_second": 5, "problems": []}', "0")),
        Scenario("bad", "Bad", ('{"problems": ["one is missing"]}', "1")),
        Scenario("mute", "Mute", ("nothing", "2")),
    ]
    found = suite.measure(tmp_path / "report", set_of, said.append)
    assert [run.exit_code for run in found.runs] == [0, 1, 2]
    assert found.problems == ["bad: one is missing", "mute: it ended with exit code 2; standard error says why"]
    assert suite.read(tmp_path / "report") == found
    assert any("5 payments/s" in line for line in said)


def test_a_benchmark_has_the_time_to_clear_up_after_ctrl_c(tmp_path):
    began, ended = tmp_path / "began", tmp_path / "ended"
    script = tmp_path / "benchmark.py"
    script.write_text(
        "import pathlib, time\n"
        "try:\n"
        f"    pathlib.Path({str(began)!r}).touch()\n"
        "    time.sleep(60)\n"
        "finally:\n"
        "    time.sleep(0.6)\n"
        f"    pathlib.Path({str(ended)!r}).touch()\n"
    )
    told = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"from loadtests.bench import suite; suite._done([{sys.executable!r}, {str(script)!r}])"
    )
    with subprocess.Popen([sys.executable, "-c", told], stderr=subprocess.DEVNULL, start_new_session=True) as parent:
        while not began.exists() and parent.poll() is None:
            time.sleep(0.02)
        os.killpg(parent.pid, signal.SIGINT)
        parent.wait(timeout=30)
    assert ended.exists()


def test_fairness_and_scale_are_run_only_where_asked_for():
    assert not {"fairness", "scale"} & {each.name for each in suite.scenarios(10, fairness=False, scale=False)}
    assert {"fairness", "scale"} <= {each.name for each in suite.scenarios(10, fairness=True, scale=True)}


def test_the_facts_name_machine_and_versions():
    facts = host.facts()
    assert {"processor", "cores", "memory", "kernel", "load before", "python", "lxml", "libxml2"} <= set(facts)
    json.dumps(facts)

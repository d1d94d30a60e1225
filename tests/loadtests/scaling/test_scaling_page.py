"""The page of the simulation: measured beside simulated, and what clusters carry."""

import json

import pytest

from loadtests.scaling import __main__ as script
from loadtests.scaling.checks import costs_of, points
from loadtests.scaling.cluster import Cluster

SCALE = {
    "payments": 40_000,
    "cores": 2,
    "payments_per_second": {"1": 30_000.0, "2": 55_000.0},
    "cpu_us": {
        "1": {"store": 1.5, "api": 0.0, "worker 1": 30.0, "worker 2": 0.0, "light bank": 1.0, "bench": 0.1},
        "2": {"store": 1.5, "api": 0.0, "worker 1": 15.0, "worker 2": 15.0, "light bank": 1.0, "bench": 0.1},
    },
}
DISBURSE = {
    "payments": 40_000,
    "batches": 4,
    "workers": 1,
    "payments_per_second": 14_000.0,
    "batch_seconds": {"p50": 2.0},
    "cpu_seconds_per_1000": {"api": 0.02, "store": 0.006, "worker 1": 0.035, "simulators": 0.08},
}
MEASURED = {"scale": SCALE, "disburse": DISBURSE}


def test_measured_points_are_told_from_processor_times():
    one, two, whole, _ = points(MEASURED)
    assert one.simulated == pytest.approx(1e6 / 30, rel=0.05)
    assert two.simulated == pytest.approx(2e6 / 32.6, rel=0.05)  # store and bank take their part of the two cores
    assert whole.simulated == pytest.approx(2e6 / 141, rel=0.1)
    assert one.error == pytest.approx(one.simulated / 30_000 - 1)


def test_a_cluster_costs_what_the_whole_walk_did_without_the_simulated_bank():
    costs = costs_of(MEASURED)
    assert (costs.api, costs.worker, costs.bank) == pytest.approx((20, 35, 0))
    assert costs.store == pytest.approx(6)


def test_the_page_names_what_limits():
    text = "\n".join(script.page(MEASURED, Cluster(), (1, 2), (1, 16), 10_000))
    assert "| 1 | 16 | 10 |" in text
    assert "| worker |" in text
    assert "| store |" in text


def test_new_measurements_are_kept(tmp_path, monkeypatch, capsys):
    kept = tmp_path / "measured.json"
    kept.write_text("{}")
    monkeypatch.setattr(script, "MEASURED", kept)
    paths = {"scale": tmp_path / "scale.json", "disburse": tmp_path / "disburse.json"}
    for name, path in paths.items():
        path.write_text(json.dumps({**MEASURED[name], "runs": []}))
    options = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    assert script.main([*options, "--keep", "--shards", "1", "--workers", "1"]) == 0
    assert json.loads(kept.read_text()) == MEASURED
    assert "measured" in capsys.readouterr().out

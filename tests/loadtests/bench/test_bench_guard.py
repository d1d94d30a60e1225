"""The ratios beside bare lxml: what they are measured on, and when they fail."""

import pytest

from loadtests.bench import guard
from loadtests.bench.documents import Documents
from loadtests.bench.guard_stages import Stage


@pytest.fixture
def stages(monkeypatch, tmp_path):
    """Stages that take as long as they are told, measured by a clock of their own."""
    clock, costs = [0.0], {"lxml": [1.0], "write": [2.0], "read": [0.5]}

    def work(name):
        def spend():
            clock[0] += costs[name][0] if len(costs[name]) == 1 else costs[name].pop(0)

        return spend

    class Prepared:
        def __enter__(self):
            return [Stage("write", work("write")), Stage("read", work("read"))]

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(guard, "BASELINE", tmp_path / "baseline.json")
    monkeypatch.setattr(guard, "prepared", lambda _: Prepared())
    monkeypatch.setattr(guard, "bare", lambda _: work("lxml"))
    monkeypatch.setattr(guard.time, "process_time", lambda: clock[0])
    return costs


def test_ratios_that_are_kept_are_passed_the_next_time(stages):
    assert guard.measure(rounds=3, keep=True).ratios == {"write": 2.0, "read": 0.5}
    found = guard.measure(rounds=3)
    assert found.problems == []
    assert found.allowed == {"write": 3.0, "read": 0.75}


def test_a_stage_that_became_dear_fails(stages):
    guard.measure(rounds=3, keep=True)
    stages["write"] = [3.2]
    (problem,) = guard.measure(rounds=3).problems
    assert problem.startswith("write takes 3.2 ")


def test_a_machine_that_is_slower_does_not_fail(stages):
    guard.measure(rounds=3, keep=True)
    for costs in stages.values():
        costs[0] *= 4
    assert guard.measure(rounds=3).problems == []


def test_a_slow_moment_is_looked_at_again(stages):
    guard.measure(rounds=3, keep=True)
    stages["write"] = [9.0, 9.0, 9.0, 2.0]
    found = guard.measure(rounds=3)
    assert found.problems == []
    assert found.ratios["write"] == 2.0


def test_a_stage_that_became_cheap_or_new_is_remarked(stages):
    guard.measure(rounds=3, keep=True)
    stages["write"] = [1.0]
    (remark,) = guard.measure(rounds=3).remarks
    assert remark.startswith("write takes 1.0, 2.0 was committed")


def test_a_committed_stage_that_is_gone_fails(stages, monkeypatch):
    guard.measure(rounds=3, keep=True)
    monkeypatch.setattr(guard, "baseline", lambda: {"write": 2.0, "read": 0.5, "fold": 1.0})
    assert guard.measure(rounds=3).problems == ["fold has a committed ratio, but is not measured"]


def test_every_stage_that_is_measured_has_a_committed_ratio():
    found = guard.measure(rounds=1, payments=100)
    assert set(found.ratios) == set(guard.baseline())


def test_documents_hold_every_payment_once():
    documents = Documents(100)
    assert sum(len(chunk.credits) for chunk, _ in documents.cut) == 100
    assert sum(body.count(b"<CdtTrfTxInf>") for body in documents.orders) == 100
    assert sum(body.count(b"<CdtTrfTxInf>") for body in documents.interbank) == 100
    assert sum(body.count(b"<TxInfAndSts>") for body in documents.written_reports) == 100

"""Scaling: both numbers of workers do the whole queue, each payment once, and the result says who did what."""

from connector.cli.process import run
from loadtests.bench.scale import Run, _of_bank, _remarks, _summed_up, measure


def test_one_worker_and_two_pay_everybody_once():
    result = run(measure(payments=4_000, rounds=1))
    assert result.problems == []
    assert [each.workers for each in result.runs] == [1, 2]
    assert [sum(each.paid_by.values()) for each in result.runs] == [4_000, 4_000]
    assert (result.bank["repeated"], result.bank["payments"]) == (0, 3 * 4_000)
    assert result.ratio > 0


def made(workers, rate, spent, paid_by):
    return Run(workers, 1.0, rate, 10.0, spent, {}, 0.1, paid_by, 80.0)


def test_the_ratio_is_the_median_of_the_rounds_own_ratios():
    runs = [
        made(1, 100.0, {"store": 1.0, "worker 1": 30.0, "worker 2": 0.0}, {"a": 10}),
        made(2, 180.0, {"store": 1.0, "worker 1": 16.0, "worker 2": 16.0}, {"a": 5, "b": 5}),
        made(2, 200.0, {"store": 1.0, "worker 1": 16.0, "worker 2": 16.0}, {"a": 6, "b": 4}),
        made(1, 100.0, {"store": 3.0, "worker 1": 34.0, "worker 2": 0.0}, {"a": 10}),
    ]
    result = _summed_up(10, runs, {}, [])
    assert result.ratio == 1.9
    assert result.ratio_by_processor == 2.0
    assert result.workers_a_store_carries == 16.0
    assert result.shares_of_workers == [0.55, 0.45]


def test_cores_that_others_had_are_remarked():
    whole = Run(2, 1.0, 10.0, 10.0, {}, {"worker 1": 0.9, "worker 2": 0.9, "store": 0.2}, 0.1, {}, 80.0)
    robbed = Run(1, 1.0, 10.0, 10.0, {}, {"worker 1": 0.6, "store": 0.1}, 0.0, {}, 80.0)
    assert [remark[:6] for remark in _remarks([whole, robbed])] == ["run 2:"]


def test_a_payment_that_reaches_the_bank_twice_is_a_problem():
    before = {"messages": 1, "repeated": 0, "payments": 10, "total": "1.00"}
    after = {"messages": 3, "repeated": 0, "payments": 30, "total": "3.00"}
    assert _of_bank(before, after, 2, 10, 100) == []
    assert _of_bank(before, after | {"payments": 31}, 2, 10, 100)
    assert _of_bank(before, after | {"repeated": 1}, 2, 10, 100)

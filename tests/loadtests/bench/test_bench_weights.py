"""Percentiles and rates of payments that became final chunk by chunk."""

from loadtests.bench.weights import Settled, by_second, distribution, latency, percentiles


def test_every_payment_counts_not_every_chunk():
    settled = [Settled(at=101.0, payments=98, accepted_at=100.0), Settled(at=109.0, payments=2, accepted_at=100.0)]
    assert latency(settled) == {"p50": 1.0, "p95": 1.0, "p99": 9.0, "max": 9.0}


def test_time_runs_from_the_acceptance_of_each_batch():
    settled = [Settled(at=105.0, payments=1, accepted_at=100.0), Settled(at=105.0, payments=1, accepted_at=104.0)]
    assert latency(settled)["max"] == 5.0
    assert latency(settled)["p50"] == 1.0


def test_nothing_measured_gives_nothing():
    assert latency([]) == {}
    assert distribution([]) == []
    assert by_second([], 0.0) == []
    assert percentiles([(1.0, 0)]) == {}


def test_the_distribution_rises_to_the_last_payment():
    settled = [Settled(at=100.0 + second, payments=1, accepted_at=100.0) for second in range(1, 101)]
    within = distribution(settled, 4)
    assert within == [25.0, 50.0, 75.0, 100.0]


def test_seconds_without_a_final_payment_are_counted_as_such():
    settled = [Settled(at=100.2, payments=5, accepted_at=100.0), Settled(at=102.9, payments=7, accepted_at=100.0)]
    assert by_second(settled, began=100.0) == [5, 0, 7]

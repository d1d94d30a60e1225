"""The record of a run can be cut into intervals, sent, added up, and asked for percentiles."""

import json
import random

import pytest

from loadtests.locust.figures import figures_of
from loadtests.locust.shapes import Window
from loadtests.locust.timeline import FINAL, PAYMENTS, Series, Timeline, bucket_of, seconds_of

BEGAN = 1_800_000_000.0


@pytest.mark.parametrize("seconds", [0.0002, 0.001, 0.05, 1.0, 59.0, 1800.0])
def test_a_time_is_known_to_an_eightieth(seconds):
    assert seconds_of(bucket_of(seconds)) == pytest.approx(seconds, rel=0.0125)


def test_percentiles_are_those_of_the_times():
    draw, timeline = random.Random(5), Timeline()
    times = sorted(draw.expovariate(4) for _ in range(5000))
    for each in times:
        timeline.answer(BEGAN, "GET /", each)
    series = timeline.answers[int(BEGAN), "GET /"]
    for share in (0.5, 0.95, 0.99, 1.0):
        assert series.percentile(share) == pytest.approx(times[int(5000 * share) - 1], rel=0.02)
    assert Series().percentile(0.99) == 0.0


def test_what_processes_record_apart_is_the_same_as_together():
    together, parts, whole = Timeline(2.0), [Timeline(2.0), Timeline(2.0)], Timeline(2.0)
    for number in range(100):
        for record in (together, parts[number % 2]):
            record.answer(BEGAN + number, "GET /", number / 50, failed=number % 10 == 0)
            record.count(BEGAN + number, PAYMENTS, number)
            record.peak(BEGAN + number, "late", number / 100)
        if number % 30 == 0:
            whole.merge(json.loads(json.dumps(parts[number % 2].drain())))
    for part in parts:
        whole.merge(part.drain())
    for record in (together, whole):
        record.started_at, record.ended = BEGAN, True
    window = Window("all", 10, 60, 4)
    assert figures_of(whole, window) == figures_of(together, window)
    assert whole.total(PAYMENTS) == sum(range(100))
    assert figures_of(Timeline.of(json.loads(json.dumps(whole.as_json()))), window) == figures_of(together, window)
    assert parts[0].as_json()["answers"] == []


def test_a_window_counts_whole_intervals_only():
    timeline = Timeline(5.0)
    timeline.started_at = BEGAN + 2
    for second in range(60):
        timeline.count(BEGAN + second, PAYMENTS, 10)
        timeline.answer(BEGAN + second, FINAL, 0.5)
        timeline.answer(BEGAN + second, "POST /", 0.1, failed=second == 20)
        timeline.peak(BEGAN + second, "cpu a:1", 0.25)
        timeline.peak(BEGAN + second, "cpu b:1", 0.5)
        timeline.peak(BEGAN + second, "users", 4)
    figures = figures_of(timeline, Window("middle", 10, 40, 4))  # BEGAN + 12 .. 42: intervals 15 to 40
    assert figures.seconds == 25
    assert figures.payments_per_second == 10.0
    assert (figures.answers.count, figures.answers.failures, figures.finals.count) == (25, 1, 25)
    assert (figures.busiest_sender, figures.least_users) == (0.5, 4)
    assert FINAL not in figures.by_name
    assert figures.throughput == 10.0
    assert figures.p99 == pytest.approx(0.5, rel=0.02)


def test_a_window_without_an_interval_is_empty():
    figures = figures_of(Timeline(5.0), Window("none", 1, 2, 4))
    assert (figures.seconds, figures.payments_per_second, figures.answers.count) == (0, 0, 0)

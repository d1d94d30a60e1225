"""What the fairness benchmark makes of what it saw, and whom its small batches pay."""

import pytest

from loadtests.bench import fairness, fairness_probe
from loadtests.bench.fairness_probe import Plan, Probe, Seen, Small


def small(final):
    return Small(0, 10, "B", {}, 0.01, final)


def result(seen, problems=()):
    run = fairness._Run([], 1000.0)
    return fairness._result(run, run, seen, fairness._Plan(300, 300, 1, 1), {}, [*problems])


def test_every_small_batch_has_people_of_its_own_until_there_are_none_left():
    probe = Probe(Plan("http://nowhere", "S", first=1000, people=400), None, None)
    places = list(probe._places())
    paid = [number for _, first, size in places for number in range(first, first + size)]
    assert paid == list(range(1000, 1000 + len(paid)))
    assert 400 - max(fairness_probe.SIZES) < len(paid) <= 400
    assert [number for number, _, _ in places] == list(range(len(places)))


@pytest.mark.parametrize(("seconds", "query", "within"), [(1.9, 0.04, (True, True)), (2.1, 0.06, (False, False))])
def test_goals_are_told_and_are_no_problems(seconds, query, within):
    seen = Seen([small(seconds)], {"batch status": [query], "batch list": [0.01]}, [0.001], [])
    found = result(seen)
    assert tuple(found.within_goals.values()) == within
    assert found.problems == []
    assert found.as_json()["small_seconds"]["max"] == seconds


def test_failed_queries_wrong_books_and_runs_that_were_too_short_are_problems():
    seen = Seen([], {"batch status": [], "batch list": []}, [], ["a query failed"])
    found = result(seen, ["a ledger is wrong"])
    assert found.problems[0] == "a query failed"
    assert found.problems[-1] == "a ledger is wrong"
    assert len(found.problems) == 3
    assert not any(found.within_goals.values())

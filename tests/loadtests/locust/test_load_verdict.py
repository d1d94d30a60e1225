"""From figures to a verdict: met, missed, or not to be trusted."""

from dataclasses import replace

import pytest

from loadtests.locust.books import Books, Difference, compare
from loadtests.locust.figures import Figures, Times
from loadtests.locust.knee import knee_of
from loadtests.locust.memory import growth
from loadtests.locust.objectives import Objectives, Outcome, Run, judge
from loadtests.locust.report import markdown, summary
from loadtests.locust.shapes import Ramp, Soak, Spike, Steady, Window
from loadtests.locust.timeline import Timeline

ASKED = Objectives()
RIGHT = Difference(checked=True)


def times(p99, count=1000, failures=0):
    return Times(count, failures, p99 / 3, p99 / 2, p99)


def figures(window, rate=1000.0, p99=0.5, **more):
    usual = {
        "answers": times(0.1), "finals": times(p99), "payments_per_second": rate, "answers_per_second": 50.0,
        "busiest_sender": 0.3, "senders_late_seconds": 0.01, "least_users": window.users,
    }  # fmt: skip
    return Figures(window, window.seconds, **{**usual, **more})


def record(**counts):
    timeline = Timeline()
    timeline.ended = True
    for _ in range(1000):
        timeline.answer(0, "POST /", 0.1)
    for name, number in counts.items():
        timeline.count(0, name.replace("_", " "), number)
    return timeline


def run(shape=None, windows=None, timeline=None, books=RIGHT, **more):
    shape = shape or Steady(8, 120)
    return Run(shape, timeline or record(), windows or [figures(each) for each in shape.windows()], books, **more)


def steps(*points):
    users = [1 << number for number in range(len(points))]
    return [figures(Window(f"{n} users", 0, 20, n), rate, p99) for n, (rate, p99) in zip(users, points, strict=True)]


def missed(verdict):
    return [check.name for check in verdict.checks if not check.met]


def test_a_good_run_meets_everything():
    verdict = judge(run(), ASKED)
    assert (verdict.outcome, missed(verdict), list(verdict.invalid)) == (Outcome.MET, [], [])


@pytest.mark.parametrize(
    ("counts", "name"),
    [
        ({"batches_unfinished": 1}, "unfinished when patience ended"),
        ({"redemptions_unfinished": 1}, "unfinished when patience ended"),
        ({"payments_failed": 1}, "payments that failed"),
        ({"contradicting_callbacks": 1}, "contradictions"),
        ({"repeats_that_changed_something": 1}, "contradictions"),
    ],
)
def test_what_must_never_happen_is_counted_over_the_whole_run(counts, name):
    verdict = judge(run(timeline=record(**counts)), ASKED)
    assert (verdict.outcome, missed(verdict)) == (Outcome.MISSED, [name])


def test_a_process_that_died_is_told():
    assert missed(judge(run(restarts={"worker 1": 2}), ASKED)) == ["restarts of worker 1"]


def test_failures_count_also_in_the_warm_up():
    timeline = record()
    for _ in range(2):
        timeline.answer(0, "POST /", 0.1, failed=True)
    assert missed(judge(run(timeline=timeline), ASKED)) == ["failed answers and batches"]


def test_times_are_judged_in_the_window():
    window = Steady(8, 120).windows()[0]
    slow = [figures(window, p99=6.0, answers=times(1.5))]
    assert missed(judge(run(windows=slow), ASKED)) == [
        "p99 of an answer, steady",
        "p99 of hand-over to final, steady",
    ]


@pytest.mark.parametrize(
    ("books", "names"),
    [
        (Difference(True, lost_minor=5), ["lost, by the books (minor units)"]),
        (Difference(True, doubled_minor=5), ["paid twice, by the books (minor units)"]),
        (Difference(True, problems=("the ledger of X does not add up to zero",)), ["ledgers"]),
        (Difference(reason="it was not let in"), []),
    ],
)
def test_the_books_decide_about_money(books, names):
    verdict = judge(run(books=books), ASKED)
    assert missed(verdict) == names
    assert bool(verdict.remarks) is not books.checked


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"busiest_sender": 0.9}, "measured itself"),
        ({"seconds": 12}, "are needed"),
        ({"least_users": 7}, "only 7 of 8 users"),
        ({"answers": times(0, 0)}, "no answers"),
    ],
)
def test_a_run_that_measured_something_else_is_invalid(changed, word):
    window = Steady(8, 120).windows()[0]
    verdict = judge(run(windows=[replace(figures(window), **changed)]), ASKED)
    assert verdict.outcome is Outcome.INVALID
    assert any(word in reason for reason in verdict.invalid)


@pytest.mark.parametrize("counts", [{"callbacks_missing": 1}, {"workers_lost": 1}])
def test_a_run_of_which_something_is_missing_is_invalid(counts):
    assert judge(run(timeline=record(**counts)), ASKED).outcome is Outcome.INVALID


def test_a_run_that_was_stopped_is_invalid():
    timeline = record()
    timeline.ended = False
    assert judge(run(timeline=timeline), ASKED).outcome is Outcome.INVALID


def test_the_knee_is_where_throughput_stays_and_p99_grows():
    knee = knee_of(steps((100, 0.1), (190, 0.1), (350, 0.12), (370, 0.3), (360, 0.6)))
    assert knee.step.window.users == 4
    assert "4 users: 350 payments/s, p99 0.12 s" in knee.sentence
    assert "8 users wait 0.3 s" in knee.sentence


def test_a_dip_before_more_throughput_is_no_knee():
    assert knee_of(steps((100, 0.1), (90, 0.4), (300, 0.3), (310, 0.8))).step.window.users == 4


def test_a_ramp_that_ends_while_throughput_grows_has_no_knee():
    knee = knee_of(steps((100, 0.1), (190, 0.1), (350, 0.12)))
    assert not knee.found
    assert "not reached" in knee.sentence


def test_throughput_and_p99_that_both_stay_are_the_sender():
    knee = knee_of(steps((100, 0.1), (100, 0.1), (100, 0.1)))
    assert not knee.found
    assert "not the instance" in knee.sentence


def test_nothing_done_is_no_knee():
    assert not knee_of(steps((0, 0), (0, 0))).found
    assert not knee_of([]).found


def test_a_ramp_is_judged_at_its_knee():
    points = steps((100, 0.1), (190, 0.1), (350, 0.12), (370, 9), (360, 20))
    verdict = judge(run(Ramp(16, 100), points), ASKED)
    assert verdict.outcome is Outcome.MET
    assert verdict.knee.step.window.users == 4
    assert judge(run(Ramp(4, 100), steps((100, 0.1), (190, 0.1), (350, 9))), ASKED).outcome is Outcome.MISSED


def test_a_spike_is_judged_before_and_after():
    shape = Spike(50, 100)
    before, crowd, after = shape.windows()
    slow = [figures(before), figures(crowd, p99=30.0), figures(after)]
    assert judge(run(shape, slow), ASKED).outcome is Outcome.MET
    slow[2] = figures(after, p99=30.0)
    assert missed(judge(run(shape, slow), ASKED)) == ["p99 of hand-over to final, after"]


def test_a_soak_must_not_become_slower_or_larger():
    shape = Soak(8, 600)
    whole, early, late = shape.windows()
    windows = [figures(whole), figures(early, p99=0.5), figures(late, p99=0.6)]
    flat = {"api": [80.0, 100.0, 110.0, 112.0, 111.0, 112.0, 111.0, 112.0]}
    assert judge(run(shape, windows, memory=flat), ASKED).outcome is Outcome.MET
    growing = {"api": [float(100 + 20 * number) for number in range(8)]}
    windows[2] = figures(late, p99=0.9)
    verdict = judge(run(shape, windows, memory=growing), ASKED)
    assert missed(verdict) == ["p99, last quarter to first", "memory of api"]


def test_memory_is_flat_by_the_line_through_what_comes_after_the_warm_up():
    noisy = [60.0] * 25 + [100.0 + 6 * (number % 3) for number in range(75)]
    assert growth(noisy, 3.0).flat
    assert growth(noisy, 3.0).highest == 112.0
    rising = [100.0 + number for number in range(100)]
    grown = growth(rising, 3.0)
    assert not grown.flat
    assert (grown.early, grown.late, grown.mb_a_minute) == (125.0, 199.0, 20.0)
    assert growth([], 1.0).flat


def test_books_tell_lost_from_paid_twice():
    before = Books({"P": 100, "V": 10}, {"P": 0, "V": 0}, "V")
    after = Books({"P": 600, "V": 35}, {"P": 0, "V": 75}, "V")
    assert compare(before, after, {"P": 500, "V": 25}, ours_alone=True) == Difference(True)
    assert compare(before, after, {"P": 530, "V": 25}, ours_alone=True).lost_minor == 30
    assert compare(before, after, {"P": 500, "V": 0}, ours_alone=True).doubled_minor == 25
    both = compare(before, after, {"P": 400, "V": 125}, ours_alone=True)
    assert (both.lost_minor, both.doubled_minor) == (100, 100)  # one does not hide the other


def test_books_tell_what_is_still_reserved_where_nobody_else_pays():
    before, after = Books({"P": 0}, {"P": 0}), Books({"P": 10}, {"P": 5})
    assert compare(before, after, {"P": 10}, ours_alone=True).problems
    assert not compare(before, after, {"P": 10}, ours_alone=False).problems


def test_books_tell_of_ledgers_that_do_not_balance():
    bad = {
        "ledgers": [{"institution": "A", "balanced": False}, {"institution": "B", "balanced": True}],
        "mirrors": [{"institution": "B", "difference_minor": 3}],
    }
    found = compare(Books({}, {}), Books({}, {}, ledgers=bad), {}, ours_alone=True)
    assert len(found.problems) == 2


def test_books_that_cannot_be_read_are_not_compared():
    assert compare(Books({}, {}, reason="403"), Books({}, {}), {"P": 1}, ours_alone=True) == Difference(reason="403")


def test_the_report_says_what_the_verdict_says():
    made = run(timeline=record(callbacks_missing=2), books=Difference(reason="a|b"))
    verdict = judge(made, ASKED)
    text = markdown(made, verdict, {"shape": "steady", "cores": 2})
    assert "invalid: 2 batches ended without a callback" in text
    assert "a|b" in text
    plain = summary(made, verdict, {"shape": "steady"})
    assert (plain["outcome"], plain["knee_users"]) == ("invalid", None)
    assert plain["totals"]["callbacks missing"] == 2
    widths = {len(line) for line in text.splitlines() if line.startswith("| objective") or "MISSED" in line}
    assert len(widths) <= 1

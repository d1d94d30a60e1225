"""From figures to a verdict: whether a run is to be trusted, and whether what was asked for was met. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from loadtests.locust.books import Difference
from loadtests.locust.figures import Figures
from loadtests.locust.knee import Knee, knee_of
from loadtests.locust.memory import Growth, every_seconds, growth
from loadtests.locust.shapes import Ramp, Shape, Soak, Spike
from loadtests.locust.timeline import Timeline

LEAST_STEP_SHARE: Final = 0.2
"""A step of a ramp may be this much shorter than a steady window has to be."""

DRIFT: Final = 1.3
"""Times by which the last quarter of a soak may be slower than the first."""


class Outcome(IntEnum):
    """What came of a run: the exit code of the command."""

    MET = 0
    MISSED = 1
    INVALID = 2


@dataclass(frozen=True)
class Objectives:
    """What is asked of an instance, times in seconds; and of a run, to be trusted."""

    error_share: float = 0.001
    p99_answer: float = 1.0
    p99_final: float = 5.0
    least_steady: float = 30.0
    busiest_sender: float = 0.8


@dataclass(frozen=True)
class Check:
    """One objective: what was asked, what was found."""

    name: str
    asked: str
    found: str
    met: bool


@dataclass(frozen=True)
class Verdict:
    """What came of a run, and why; invalid: the reasons not to trust it; remarks: what else is to be known."""

    checks: Sequence[Check]
    invalid: Sequence[str] = ()
    remarks: Sequence[str] = ()
    knee: Knee | None = None

    @property
    def outcome(self) -> Outcome:
        """The worst of it."""
        if self.invalid:
            return Outcome.INVALID
        return Outcome.MET if all(check.met for check in self.checks) else Outcome.MISSED


@dataclass(frozen=True)
class Run:
    """What is known of a run: its record, the figures of its windows, what the books say.

    memory: MB by process, over time; restarts: of processes of the instance, by name.
    """

    shape: Shape
    timeline: Timeline
    windows: Sequence[Figures]
    books: Difference
    memory: Mapping[str, Sequence[float]] = field(default_factory=dict)
    restarts: Mapping[str, int] = field(default_factory=dict)

    @property
    def grown(self) -> dict[str, Growth]:
        """How the memory of each process went on after the warm-up."""
        every = every_seconds(self.shape.seconds)
        return {name: growth(samples, every) for name, samples in self.memory.items()}


def judge(run: Run, asked: Objectives) -> Verdict:
    """Judge a run: a ramp's times at its knee, a spike's before and after the crowd; what is lost, over the whole."""
    knee = knee_of(run.windows) if isinstance(run.shape, Ramp) else None
    judged = _judged(run, knee)
    checks = [*_errors(run, asked), *_times(judged, asked), *_money(run), *_of_shape(run)]
    remarks = [*([knee.sentence] if knee else []), *_remarks(run)]
    return Verdict(checks, _reasons_not_to_trust(run, judged, asked), remarks, knee)


def _judged(run: Run, knee: Knee | None) -> list[Figures]:
    if isinstance(run.shape, Ramp):
        return [(knee.step if knee else None) or run.windows[-1]]
    if isinstance(run.shape, Spike):
        return [each for each in run.windows if each.window.name != "spike"]
    return [run.windows[0]]


def _errors(run: Run, asked: Objectives) -> list[Check]:
    """Failed requests of the whole run: nothing is left out here, not even the warm-up."""
    series = run.timeline.answers.values()
    answers, failures = sum(each.count for each in series), sum(each.failures for each in series)
    share = failures / answers if answers else 1.0
    found = f"{share:.3%} ({failures:,} of {answers:,})"
    return [
        Check("failed answers and batches", f"at most {asked.error_share:.2%}", found, share <= asked.error_share)
    ]


def _times(judged: Sequence[Figures], asked: Objectives) -> list[Check]:
    checks = []
    for each in judged:
        kinds = (("an answer", each.answers, asked.p99_answer), ("hand-over to final", each.finals, asked.p99_final))
        checks += [
            Check(
                f"p99 of {kind}, {each.window.name}", f"at most {limit:g} s", f"{times.p99:.3f} s", times.p99 <= limit
            )
            for kind, times, limit in kinds
            if times.count
        ]
    return checks


def _money(run: Run) -> list[Check]:
    total = run.timeline.total
    unfinished = total("batches unfinished") + total("redemptions unfinished") + total("prevalidations unanswered")
    wrong = total("contradicting callbacks") + total("repeats that changed something")
    checks = [
        Check("unfinished when patience ended", "0", str(unfinished), not unfinished),
        Check("payments that failed", "0", str(total("payments failed")), not total("payments failed")),
        Check("contradictions", "0", str(wrong), not wrong),
        *(Check(f"restarts of {name}", "0", str(number), met=False) for name, number in run.restarts.items()),
    ]
    if not run.books.checked:
        return checks
    lost, doubled = run.books.lost_minor, run.books.doubled_minor
    return [
        *checks,
        Check("lost, by the books (minor units)", "0", str(lost), not lost),
        Check("paid twice, by the books (minor units)", "0", str(doubled), not doubled),
        Check("ledgers", "balanced", "; ".join(run.books.problems) or "balanced", not run.books.problems),
    ]


def _of_shape(run: Run) -> list[Check]:
    if not isinstance(run.shape, Soak):
        return []
    early, late = run.windows[1:3]
    drift = late.p99 / early.p99 if early.p99 else 1.0
    checks = [Check("p99, last quarter to first", f"at most {DRIFT} times", f"{drift:.2f} times", drift <= DRIFT)]
    return checks + [_memory(name, grown) for name, grown in run.grown.items()]


def _memory(name: str, grown: Growth) -> Check:
    found = f"{grown.early:.0f}, then {grown.late:.0f} MB ({grown.mb_a_minute:+.1f} MB a minute)"
    return Check(f"memory of {name}", f"flat: at most {grown.allowed:.0f} MB at the end", found, grown.flat)


def _reasons_not_to_trust(run: Run, judged: Sequence[Figures], asked: Objectives) -> list[str]:
    least = asked.least_steady * (LEAST_STEP_SHARE if isinstance(run.shape, Ramp | Spike) else 1.0)
    reasons = ["The run was stopped before its end."] if not run.timeline.ended else []
    for each in judged:
        name = each.window.name
        if each.seconds < least:
            reasons.append(f"{name}: {each.seconds:.0f} s count, {least:.0f} s are needed.")
        if each.busiest_sender > asked.busiest_sender:
            busy = f"{each.busiest_sender:.0%} of a core"
            reasons.append(f"{name}: a process that sends took {busy}: it measured itself. Use more of them.")
        if each.least_users < each.window.users:
            reasons.append(f"{name}: only {each.least_users} of {each.window.users} users were there at times.")
        if not each.answers.count:
            reasons.append(f"{name}: there were no answers.")
    if missing := run.timeline.total("callbacks missing"):
        reasons.append(f"{missing} batches ended without a callback that reached us: is the receiver in their reach?")
    if lost := run.timeline.total("workers lost"):
        reasons.append(f"{lost} Locust workers were lost.")
    return reasons


def _remarks(run: Run) -> list[str]:
    late = max((each.senders_late_seconds for each in run.windows), default=0.0)
    remarks = [] if run.books.checked else [f"The books were not compared: {run.books.reason}"]
    if late > 0.1:
        remarks.append(f"The processes that send came up to {late:.2f} s late: the times include that.")
    return remarks

"""What a stretch of the run amounts to: rates, times, and how busy those were who sent. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from loadtests.locust.shapes import Window
from loadtests.locust.timeline import FINAL, PAYMENTS, Series, Timeline


@dataclass(frozen=True)
class Times:
    """Times of one kind of answer, in seconds; count: how many, failures among them."""

    count: int
    failures: int
    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, series: Series) -> "Times":
        """Read a series."""
        shares = (series.percentile(share) for share in (0.5, 0.95, 0.99))
        return cls(series.count, series.failures, *(round(each, 4) for each in shares))


@dataclass(frozen=True)
class Figures:
    """What happened in a window; seconds: what of it the record covers; busiest: highest share of a core."""

    window: Window
    seconds: float
    answers: Times
    finals: Times
    payments_per_second: float
    answers_per_second: float
    busiest_sender: float
    senders_late_seconds: float
    least_users: int
    by_name: dict[str, Times] = field(default_factory=dict)

    @property
    def throughput(self) -> float:
        """What counts as work done: final payments, or answers where nobody pays."""
        return self.payments_per_second or self.answers_per_second

    @property
    def p99(self) -> float:
        """The time that counts: to the end of a batch, or to an answer where nobody pays; in seconds."""
        return self.finals.p99 if self.payments_per_second else self.answers.p99


def figures_of(timeline: Timeline, window: Window) -> Figures:
    """Add up what the record has of a window; intervals that it cuts are left out."""
    slots = timeline.slots(window.start, window.end)
    seconds = len(slots) * timeline.interval_seconds
    by_name = _by_name(timeline, slots)
    finals = by_name.pop(FINAL, Series())
    answers = _sum(by_name.values())
    payments = sum(number for (slot, name), number in timeline.counts.items() if slot in slots and name == PAYMENTS)
    return Figures(
        window,
        seconds,
        Times.of(answers),
        Times.of(finals),
        round(payments / seconds, 1) if seconds else 0.0,
        round(answers.count / seconds, 1) if seconds else 0.0,
        busiest_sender=_busiest(timeline, slots),
        senders_late_seconds=round(max(_peaks(timeline, slots, "late"), default=0.0), 3),
        least_users=int(min(_peaks(timeline, slots, "users"), default=0)),
        by_name={name: Times.of(series) for name, series in sorted(by_name.items())},
    )


def _by_name(timeline: Timeline, slots: range) -> dict[str, Series]:
    found: dict[str, Series] = {}
    for (slot, name), series in timeline.answers.items():
        if slot in slots:
            found.setdefault(name, Series()).add(series)
    return found


def _sum(several: Iterable[Series]) -> Series:
    whole = Series()
    for each in several:
        whole.add(each)
    return whole


def _peaks(timeline: Timeline, slots: range, name: str) -> list[float]:
    return [value for (slot, found), value in timeline.peaks.items() if slot in slots and found == name]


def _busiest(timeline: Timeline, slots: range) -> float:
    """Give the mean share of a core that the busiest of the sending processes took."""
    names = {name for _, name in timeline.peaks if name.startswith("cpu ")}
    shares = [_peaks(timeline, slots, name) for name in names]
    return round(max((sum(each) / len(each) for each in shares if each), default=0.0), 3)

"""What happened when: counts and times of answers by interval, small enough to be sent and added up.

Times go into buckets that are 2.5 % wide, so that percentiles of many processes can be told exactly that well.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

WIDTH: Final = math.log(1.025)
SHORTEST_SECONDS: Final = 1e-4
FINAL: Final = "hand-over to final"
"""The series of whole batches: from the sending of the request to what says that nothing is ongoing any more."""

PAYMENTS: Final = "payments final"


def bucket_of(seconds: float) -> int:
    """Number of the bucket that a time falls into."""
    return round(math.log(max(seconds, SHORTEST_SECONDS)) / WIDTH)


def seconds_of(bucket: int) -> float:
    """Give the time in the middle of a bucket."""
    return math.exp(bucket * WIDTH)


class Series:
    """Times of one kind of answer within one interval, and how many of them were failures."""

    def __init__(self, failures: int = 0, buckets: Mapping[int, int] | None = None) -> None:
        """Begin with what is known."""
        self.failures = failures
        self.buckets = Counter(buckets or {})

    @property
    def count(self) -> int:
        """How many answers, failures included."""
        return self.buckets.total()

    def add(self, other: "Series") -> None:
        """Take another one's answers in."""
        self.failures += other.failures
        self.buckets.update(other.buckets)

    def percentile(self, share: float) -> float:
        """Seconds that the given share of answers does not exceed; 0 without answers."""
        rank = math.ceil(self.count * share)
        for bucket in sorted(self.buckets):
            rank -= self.buckets[bucket]
            if rank <= 0:
                return seconds_of(bucket)
        return 0.0


class Timeline:
    """Answers, counts and peaks of a run by interval; at: Unix seconds; ended: the load went on to its end."""

    def __init__(self, interval_seconds: float = 1.0) -> None:
        """Begin an empty one."""
        self.interval_seconds = interval_seconds
        self.started_at = 0.0
        self.ended = False
        self.answers: defaultdict[tuple[int, str], Series] = defaultdict(Series)
        self.counts: Counter[tuple[int, str]] = Counter()
        self.peaks: dict[tuple[int, str], float] = {}

    def answer(self, at: float, name: str, seconds: float, *, failed: bool = False) -> None:
        """Record an answer that came ``at`` and took ``seconds``."""
        series = self.answers[self._slot(at), name]
        series.failures += failed
        series.buckets[bucket_of(seconds)] += 1

    def count(self, at: float, name: str, number: int = 1) -> None:
        """Count something."""
        self.counts[self._slot(at), name] += number

    def peak(self, at: float, name: str, value: float) -> None:
        """Keep a value if it is the highest of its interval."""
        key = self._slot(at), name
        self.peaks[key] = max(self.peaks.get(key, value), value)

    def total(self, name: str) -> int:
        """Add up what was counted under a name."""
        return sum(number for (_, counted), number in self.counts.items() if counted == name)

    def slots(self, start: float, end: float) -> range:
        """The intervals that lie within a stretch of the run wholly; in seconds from its beginning."""
        first = math.ceil((self.started_at + start) / self.interval_seconds)
        return range(first, max(first, int((self.started_at + end) // self.interval_seconds)))

    def drain(self) -> dict[str, Any]:
        """Give everything as plain data, and forget it."""
        said = self.as_json()
        self.answers.clear()
        self.counts.clear()
        self.peaks.clear()
        return said

    def as_json(self) -> dict[str, Any]:
        """Give everything as plain data."""
        return {
            "interval_seconds": self.interval_seconds,
            "started_at": self.started_at,
            "ended": self.ended,
            "answers": [[*key, one.failures, sorted(one.buckets.items())] for key, one in self.answers.items()],
            "counts": [[*key, number] for key, number in self.counts.items()],
            "peaks": [[*key, value] for key, value in self.peaks.items()],
        }

    def merge(self, said: Mapping[str, Iterable[Any]]) -> None:
        """Take in what another process drained."""
        for slot, name, failures, buckets in said["answers"]:
            self.answers[slot, name].add(Series(failures, {bucket: number for bucket, number in buckets}))  # noqa: C416 - lists after JSON, tuples before
        for slot, name, number in said["counts"]:
            self.counts[slot, name] += number
        for slot, name, value in said["peaks"]:
            self.peaks[slot, name] = max(self.peaks.get((slot, name), value), value)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """Read what ``as_json`` gave."""
        made = cls(said["interval_seconds"])
        made.started_at, made.ended = said["started_at"], said["ended"]
        made.merge(said)
        return made

    def _slot(self, at: float) -> int:
        return int(at // self.interval_seconds)

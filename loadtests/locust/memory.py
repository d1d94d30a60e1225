"""Memory over time, and whether it is flat: a straight line through the samples after the warm-up. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SAMPLES: Final = 200
"""Looks at the memory of an instance during a run."""

WARM_UP_SHARE: Final = 0.25
"""The part of a run in which caches fill and pools grow to their size: it does not count."""

GROWTH_SHARE: Final = 0.1
SLACK_MB: Final = 8.0
"""Memory is flat where it grows, from the end of the warm-up to the end of the run, by no more than this share of
what it was and this slack, which is what an allocator keeps or gives back at a time."""


@dataclass(frozen=True)
class Growth:
    """What became of a process's memory after the warm-up; early, late: where the line begins and ends, in MB."""

    early: float
    late: float
    highest: float
    mb_a_minute: float

    @property
    def allowed(self) -> float:
        """So high may it end."""
        return self.early * (1 + GROWTH_SHARE) + SLACK_MB

    @property
    def flat(self) -> bool:
        """Whether it does not grow with time."""
        return self.late <= self.allowed


def every_seconds(seconds: float) -> float:
    """How often to look, in a run of so many seconds."""
    return max(1.0, seconds / SAMPLES)


def growth(samples: Sequence[float], every: float) -> Growth:
    """Lay the line (least squares) through samples in MB, one ``every`` so many seconds."""
    counted = samples[int(len(samples) * WARM_UP_SHARE) :] or [0.0]
    middle, mean = (len(counted) - 1) / 2, sum(counted) / len(counted)
    square = sum((at - middle) ** 2 for at in range(len(counted)))
    slope = sum((at - middle) * each for at, each in enumerate(counted)) / square if square else 0.0
    rise = slope * middle
    return Growth(round(mean - rise, 1), round(mean + rise, 1), max(counted), round(slope * 60 / every, 2))

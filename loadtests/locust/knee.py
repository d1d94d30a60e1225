"""The knee of a ramp: the number of users beyond which more of them bring only waiting. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from loadtests.locust.figures import Figures

GROWTH: Final = 1.1
"""Twice the users are of use if they bring at least so many times the throughput."""

SLOWER: Final = 1.2
"""Times the p99 by which a step is slower than the one before."""


@dataclass(frozen=True)
class Knee:
    """What a ramp found; step: the last one that was of use, ``None`` where the ramp ended before."""

    step: Figures | None
    sentence: str

    @property
    def found(self) -> bool:
        """Whether the ramp went beyond it."""
        return self.step is not None


def knee_of(steps: Sequence[Figures]) -> Knee:
    """Find the first step after which no step has notably more throughput, while the next one is slower."""
    for number, step in enumerate(steps[:-1]):
        best = max(later.throughput for later in steps[number + 1 :])
        following = steps[number + 1]
        if step.throughput and best < step.throughput * GROWTH:
            if following.p99 < step.p99 * SLOWER:
                return Knee(None, _flat(step, following))
            return Knee(step, _found(step, following, best))
    return Knee(None, _not_reached(steps))


def _found(step: Figures, following: Figures, best: float) -> str:
    gained = (best / step.throughput - 1) * 100
    return (
        f"The knee is at {step.window.users} users: {_rate(step)}, p99 {step.p99:.3g} s. Beyond it throughput no "
        f"longer grows ({gained:+.0f} % at best), while {following.window.users} users wait {following.p99:.3g} s."
    )


def _flat(step: Figures, following: Figures) -> str:
    return (
        f"From {step.window.users} to {following.window.users} users neither throughput ({_rate(step)}) nor p99 "
        "grows: what limits is not the instance; look at pauses and at the machine that sends."
    )


def _not_reached(steps: Sequence[Figures]) -> str:
    if not steps or not steps[-1].throughput:
        return "Nothing was done: there is no knee to be found."
    last = steps[-1]
    return (
        f"The knee was not reached: with {last.window.users} users, the most, throughput still grew ({_rate(last)}, "
        f"p99 {last.p99:.3g} s). Ramp to more users."
    )


def _rate(step: Figures) -> str:
    unit = "payments/s" if step.payments_per_second else "answers/s"
    return f"{step.throughput:,.0f} {unit}"

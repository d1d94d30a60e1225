"""Percentiles and rates over time of payments that became final together, chunk by chunk."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

SHARES: Final = (0.50, 0.95, 0.99)


class Settled(NamedTuple):
    """Payments that became final at one moment, and when their batch was accepted (Unix seconds)."""

    at: float
    payments: int
    accepted_at: float

    @property
    def seconds(self) -> float:
        """How long they took."""
        return self.at - self.accepted_at


def latency(settled: Iterable[Settled]) -> dict[str, float]:
    """Give percentiles and the maximum of the seconds from acceptance to the final state, payment by payment."""
    return percentiles([(each.seconds, each.payments) for each in settled])


def percentiles(values: Sequence[tuple[float, int]]) -> dict[str, float]:
    """Give percentiles and the maximum of values that each count so many times; nothing where there are none."""
    ordered = sorted(value for value in values if value[1])
    if not ordered:
        return {}
    total = sum(times for _, times in ordered)
    found = {f"p{share * 100:.0f}": round(_at(ordered, share * total), 3) for share in SHARES}
    return {**found, "max": round(ordered[-1][0], 3)}


def distribution(settled: Iterable[Settled], steps: int = 200) -> list[float]:
    """Give the seconds within which 1/steps, 2/steps, ... of the payments became final."""
    ordered = sorted((each.seconds, each.payments) for each in settled)
    total = sum(times for _, times in ordered)
    return [round(_at(ordered, total * step / steps), 3) for step in range(1, steps + 1)] if ordered else []


def by_second(settled: Iterable[Settled], began: float) -> list[int]:
    """Count the payments that became final in each second since ``began`` (Unix seconds)."""
    counts: Counter[int] = Counter()
    for each in settled:
        counts[max(0, int(each.at - began))] += each.payments
    return [counts[second] for second in range(max(counts, default=-1) + 1)]


def _at(ordered: Sequence[tuple[float, int]], rank: float) -> float:
    """Find the value of the payment with this rank, counted from 1."""
    passed = 0
    for value, times in ordered:
        passed += times
        if passed >= rank:
            return value
    return ordered[-1][0]

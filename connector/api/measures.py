"""How many requests were answered, and how fast, for Prometheus.

As counter and histogram of the client library would tell it, at a fraction of their price per request: all of it
happens in one event loop, so that no lock is needed.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from connector.domain.stages import Spent

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds of the time to answer, in seconds."""


class _Times:
    """Times to answer: how many up to each bound (and beyond the last), and their sum in seconds."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0


class RequestMeasures(Collector):
    """Counts requests by method, path pattern and status; never by the path itself."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._answered: Counter[tuple[str, str, int]] = Counter()
        self._times: dict[tuple[str, str], _Times] = {}

    def note(self, method: str, pattern: str, status: int, seconds: float) -> None:
        """Note one answered request."""
        self._answered[method, pattern, status] += 1
        times = self._times.get((method, pattern))
        if times is None:
            times = self._times[method, pattern] = _Times()
        times.counts[bisect_left(BOUNDS, seconds)] += 1
        times.seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """Give what was noted so far."""
        answered = CounterMetricFamily(
            "isogate_http_requests", "Requests answered", labels=("method", "path", "status")
        )
        for (method, pattern, status), number in self._answered.items():
            answered.add_metric((method, pattern, str(status)), number)
        yield answered
        timed = HistogramMetricFamily("isogate_http_request_seconds", "Time to answer", labels=("method", "path"))
        names = (*map(str, BOUNDS), "+Inf")
        for labels, times in self._times.items():
            buckets = list(zip(names, map(float, accumulate(times.counts)), strict=True))
            timed.add_metric(labels, buckets, times.seconds)
        yield timed


class StageMeasures(Collector):
    """What the stages of all processes have cost."""

    def __init__(self, processes: Mapping[str, Mapping[str, Spent]]) -> None:
        """Show what each process has said."""
        self._processes = processes

    def collect(self) -> Iterator[Metric]:
        """Give two counters a stage."""
        seconds = CounterMetricFamily(
            "isogate_stage_cpu_seconds", "Processor time of a stage", labels=("process", "stage")
        )
        payments = CounterMetricFamily(
            "isogate_stage_payments", "Payments that went through a stage", labels=("process", "stage")
        )
        for process, stages in self._processes.items():
            for stage, spent in stages.items():
                seconds.add_metric((process, stage), spent.cpu_seconds)
                payments.add_metric((process, stage), spent.payments)
        yield from (seconds, payments)

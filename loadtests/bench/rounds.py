"""Rounds of one piece of work beside bare lxml: measured in turn, so that a slow moment of the machine meets both."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from lxml import etree

from connector.cli.check import versions
from loadtests.bench.memory import peak_rss_mb


@dataclass
class EngineResult:
    """What was measured; problems: counts or sums that do not come out.

    seconds: the median round of all transactions, by the clock; cpu_seconds: the same, as the processor counts it.
    ratio_to_lxml_validate: what the engine's validation (safe parsing, schema, counts and sums) takes, to what lxml
    takes to parse the same documents and check them under the same schema; ratio_of_all_to_lxml_validate: the same of
    the whole work, so with writing or reading. Both are of processor time, which the neighbours do not bend.
    """

    transactions: int
    messages: int
    message: str
    message_bytes: int
    repetitions: int
    seconds: float
    cpu_seconds: float
    transactions_per_second: float
    validate_cpu_seconds: float
    lxml_validate_cpu_seconds: float
    ratio_to_lxml_validate: float
    ratio_of_all_to_lxml_validate: float
    peak_rss_mb: float
    checks: dict[str, int]
    versions: dict[str, str]
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give the figures by name, units in the names."""
        return asdict(self)


class Work(NamedTuple):
    """What is measured on one message: all of the work, the validated part of it, and bare lxml's share."""

    all: Callable[[], object]
    validate: Callable[[], object]
    lxml: Callable[[], object]


class Spent(NamedTuple):
    """What one round took, in seconds of the processor; clock: all of the work, by the clock."""

    clock: float
    all: float
    validate: float
    lxml: float


def bare_lxml(body: bytes, schema: etree.XMLSchema) -> Callable[[], object]:
    """Parse and validate with lxml alone, as fast as that is done."""

    def parse_and_validate() -> None:
        if not schema.validate(etree.fromstring(body)):
            raise ValueError(str(schema.error_log))

    return parse_and_validate


def measured(works: list[Work], repetitions: int) -> list[Spent]:
    """Measure rounds over all messages: in every round each message is worked on in the three ways, in turn."""
    return [_total([_round(work) for work in works]) for _ in range(repetitions)]


def result(rounds: list[Spent], transactions: int, **facts: Any) -> EngineResult:  # noqa: ANN401 - as named there
    """Sum rounds up by their medians; ratios are the median of the rounds' own ratios."""
    seconds = statistics.median(spent.clock for spent in rounds)
    return EngineResult(
        transactions=transactions,
        repetitions=len(rounds),
        seconds=round(seconds, 4),
        cpu_seconds=round(statistics.median(spent.all for spent in rounds), 4),
        transactions_per_second=round(transactions / seconds, 1),
        validate_cpu_seconds=round(statistics.median(spent.validate for spent in rounds), 4),
        lxml_validate_cpu_seconds=round(statistics.median(spent.lxml for spent in rounds), 4),
        ratio_to_lxml_validate=round(statistics.median(spent.validate / spent.lxml for spent in rounds), 3),
        ratio_of_all_to_lxml_validate=round(statistics.median(spent.all / spent.lxml for spent in rounds), 3),
        peak_rss_mb=peak_rss_mb(os.getpid()),
        versions=machine(),
        **facts,
    )


def machine() -> dict[str, str]:
    """Give the versions that a figure depends on."""
    return {**versions(), "libxml2": ".".join(map(str, etree.LIBXML_VERSION))}


def _round(work: Work) -> Spent:
    clock, everything = _timed(work.all)
    return Spent(clock, everything, _timed(work.validate)[1], _timed(work.lxml)[1])


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor; what is made is thrown away afterwards."""
    cpu, started = time.process_time(), time.perf_counter()
    kept = work()
    ended, cpu_ended = time.perf_counter(), time.process_time()
    del kept
    return ended - started, cpu_ended - cpu


def _total(parts: list[Spent]) -> Spent:
    return Spent(*(sum(column) for column in zip(*parts, strict=True)))

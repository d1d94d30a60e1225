"""Processor time of the stages beside bare lxml on the same documents, against ratios that are committed.

In one process, in turn: bare lxml parses and validates the pain.001 of a slice, then a stage does its work on that
slice. What counts is the median of the ratios of all rounds. A machine that is twice as slow, or has other work,
bends both sides alike; what is seen is a stage that became half as expensive again. What is not seen: time spent
waiting, the store's own processor time, the simulators, memory, and how the processes get on with one another: that
is what ``isogate bench disburse`` is for.
"""

import gc
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from loadtests.bench.documents import Documents
from loadtests.bench.guard_stages import Stage, bare, prepared
from loadtests.bench.rounds import machine

BASELINE: Final = Path(__file__).with_name("baseline.json")
PAYMENTS: Final = 5_000
ROUNDS: Final = 11
TOLERANCE: Final = 1.5
"""So many times its committed ratio a stage may take."""


@dataclass
class GuardResult:
    """Ratios to bare lxml; problems: stages that take more than they may, in each of two series of rounds.

    allowed: the committed ratios times ``tolerance``; remarks: ratios that the baseline should be told of.
    """

    payments: int
    rounds: int
    tolerance: float
    lxml_microseconds_per_payment: float
    ratios: dict[str, float]
    allowed: dict[str, float]
    seconds: float
    versions: dict[str, str]
    remarks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give the figures by name, units in the names."""
        return asdict(self)


def measure(*, rounds: int = ROUNDS, payments: int = PAYMENTS, keep: bool = False) -> GuardResult:
    """Measure all stages, and compare with the committed ratios; keep: write these down as the new ones instead."""
    began = time.monotonic()
    documents = Documents(payments)
    with prepared(documents) as stages:
        lxml = bare(documents)
        ratios, seconds = _series(stages, lxml, rounds)
        committed = {} if keep else baseline()
        over = [stage for stage in stages if _over(stage.name, ratios, committed)]
        if over:  # once more, before anything is said
            again, _ = _series(over, lxml, rounds)
            ratios |= {name: min(ratio, ratios[name]) for name, ratio in again.items()}
    if keep:
        _keep(ratios)
    return GuardResult(
        payments=payments,
        rounds=rounds,
        tolerance=TOLERANCE,
        lxml_microseconds_per_payment=round(seconds * 1_000_000 / payments, 2),
        ratios=ratios,
        allowed={name: round(ratio * TOLERANCE, 3) for name, ratio in committed.items()},
        seconds=round(time.monotonic() - began, 1),
        versions=machine(),
        remarks=_remarks(ratios, committed),
        problems=_problems(ratios, committed),
    )


def baseline() -> dict[str, float]:
    """Give the committed ratios by stage."""
    ratios: dict[str, float] = json.loads(BASELINE.read_text(encoding="utf-8"))["ratios"]
    return ratios


def _keep(ratios: Mapping[str, float]) -> None:
    content = {"machine": machine(), "payments": PAYMENTS, "ratios": ratios}
    BASELINE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _series(stages: Sequence[Stage], lxml: Callable[[], object], rounds: int) -> tuple[dict[str, float], float]:
    """Give the median ratio of each stage, and the median seconds of bare lxml."""
    gc.collect()
    gc.freeze()
    found: dict[str, list[float]] = {stage.name: [] for stage in stages}
    bare_seconds = []
    for _ in range(rounds):
        for stage in stages:
            beside = _seconds(lxml)
            found[stage.name].append(_seconds(stage.work) / beside)
            bare_seconds.append(beside)
    gc.unfreeze()
    medians = {name: round(statistics.median(ratios), 3) for name, ratios in found.items()}
    return medians, statistics.median(bare_seconds)


def _seconds(work: Callable[[], object]) -> float:
    """Processor seconds of this process; what is made is thrown away afterwards."""
    began = time.process_time()
    kept = work()
    ended = time.process_time()
    del kept
    return ended - began


def _over(name: str, ratios: Mapping[str, float], committed: Mapping[str, float]) -> bool:
    return name in committed and ratios[name] > committed[name] * TOLERANCE


def _problems(ratios: Mapping[str, float], committed: Mapping[str, float]) -> list[str]:
    missing = [f"{name} has a committed ratio, but is not measured" for name in committed if name not in ratios]
    over = [
        f"{name} takes {ratio} of bare lxml; {committed[name]} was committed, and {TOLERANCE} times that may be"
        for name, ratio in ratios.items()
        if _over(name, ratios, committed)
    ]
    return [*over, *missing]


def _remarks(ratios: Mapping[str, float], committed: Mapping[str, float]) -> list[str]:
    """What is no fault, but makes the committed ratios say less than they could."""
    return [
        f"{name} takes {ratio}, {committed[name]} was committed: write it down (isogate bench guard --keep)"
        if name in committed
        else f"{name} has no committed ratio"
        for name, ratio in ratios.items()
        if committed and ratio < committed.get(name, float("inf")) / TOLERANCE
    ]

"""The set of benchmarks, one after the other, each in a process of its own, and the report of them."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from loadtests.bench import host
from loadtests.bench.figures import headline

RESULTS: Final = "results.json"
IN_ONE: Final = 10_000
"""Payments in a batch of the run with many batches."""

ENGINE_PAYMENTS: Final = 10_000

END_SECONDS: Final = 20.0
"""So long a benchmark may take to end after Ctrl-C."""


@dataclass(frozen=True)
class Scenario:
    """One benchmark: under which name it is reported, and the arguments of ``isogate bench``."""

    name: str
    title: str
    arguments: tuple[str, ...]

    @property
    def command(self) -> str:
        """As a person would type it."""
        return " ".join(("isogate", "bench", *self.arguments, "--json"))


@dataclass
class Run:
    """A scenario and what came of it; load: before it began, figures: the JSON object that it said."""

    name: str
    title: str
    command: str
    load: str
    seconds: float
    exit_code: int
    figures: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass
class Results:
    """Everything that was measured, and where."""

    facts: dict[str, str]
    runs: list[Run] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What does not come out, with the name of the run."""
        return [f"{run.name}: {problem}" for run in self.runs for problem in run.problems]

    def as_json(self) -> dict[str, Any]:
        """Give everything as plain data."""
        return asdict(self)


def scenarios(payments: int, *, fairness: bool, scale: bool) -> Iterator[Scenario]:
    """List the set; payments: of each disbursement, and of fairness and scale where they are asked for."""
    count = str(payments)
    disburse = ("disburse", "--payments", count)
    yield Scenario("batches", f"Batches of {IN_ONE:,}", (*disburse, "--batch-size", str(IN_ONE)))
    yield Scenario("one request", "One request", (*disburse, "--requests", "1"))
    yield Scenario("two workers", "Two workers", (*disburse, "--batch-size", str(IN_ONE), "--workers", "2"))
    yield Scenario("translate", "Write pain.001", ("translate", "--payments", str(ENGINE_PAYMENTS)))
    yield Scenario("report", "Read pain.002", ("report", "--payments", str(ENGINE_PAYMENTS)))
    yield Scenario("vouchers", "Vouchers", ("vouchers", "--vouchers", "2000", "--clients", "50"))
    yield Scenario("guard", "Stages beside bare lxml", ("guard",))
    if fairness:
        yield Scenario("fairness", "Small batches beside a large run", ("fairness", "--payments", count))
    if scale:
        yield Scenario("scale", "A second worker", ("scale", "--payments", count))


def measure(folder: Path, set_of: Iterable[Scenario], notice: Callable[[str], None]) -> Results:
    """Run the scenarios, and write everything that was said into ``folder``, after each of them."""
    folder.mkdir(parents=True, exist_ok=True)
    results = Results(host.facts())
    for scenario in set_of:
        notice(f"{scenario.title}: {scenario.command}")
        run = _run(scenario)
        results.runs.append(run)
        (folder / RESULTS).write_text(json.dumps(results.as_json(), indent=1) + "\n", encoding="utf-8")
        notice(f"    {headline(run.name, run.figures)} ({run.seconds:.0f} s)")
        for problem in run.problems:
            notice(f"    PROBLEM: {problem}")
    return results


def read(folder: Path) -> Results:
    """Read what ``measure`` wrote."""
    said = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
    return Results(said["facts"], [Run(**run) for run in said["runs"]])


def _run(scenario: Scenario) -> Run:
    load, began = host.load(), time.monotonic()
    line = [sys.executable, "-m", "connector.cli", "bench", *scenario.arguments, "--json"]
    exit_code, said = _done(line)
    run = Run(
        scenario.name,
        scenario.title,
        scenario.command,
        load,
        round(time.monotonic() - began, 1),
        exit_code,
        _last_object(said),
    )
    run.problems = list(run.figures.get("problems", ()))
    if exit_code and not run.problems:
        run.problems = [f"it ended with exit code {exit_code}; standard error says why"]
    return run


def _done(line: list[str]) -> tuple[int, str]:
    """Run a command; gives its exit code and what it said.

    Ctrl-C reaches it as well: it is given the time to stop what it started and to remove what it wrote.
    """
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        try:
            said, _ = process.communicate()
        except KeyboardInterrupt:
            _let_end(process)
            raise
    return process.returncode, said


def _let_end(process: "subprocess.Popen[str]") -> None:
    """Wait for the end of what Ctrl-C has told to end; tell it where only this process was told."""
    try:
        process.wait(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)


def _last_object(said: str) -> dict[str, Any]:
    """Find the JSON object that a benchmark says last; nothing where there is none."""
    for line in reversed(said.splitlines()):
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    return {}

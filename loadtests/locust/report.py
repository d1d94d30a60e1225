"""What is kept of a run: a summary for machines (JSON), and the same for people (Markdown)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from loadtests.locust.figures import Figures, Times
from loadtests.locust.objectives import Outcome, Run, Verdict

WORDS: Final = {
    Outcome.MET: "All objectives were met.",
    Outcome.MISSED: "Objectives were missed.",
    Outcome.INVALID: "The run is invalid: its figures say nothing.",
}


def write(folder: Path, run: Run, verdict: Verdict, facts: Mapping[str, Any]) -> str:
    """Write summary.json and summary.md; gives the latter."""
    (folder / "summary.json").write_text(json.dumps(summary(run, verdict, facts), indent=1), encoding="utf-8")
    text = markdown(run, verdict, facts)
    (folder / "summary.md").write_text(text, encoding="utf-8")
    return text


def summary(run: Run, verdict: Verdict, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Give everything as plain data; facts: how it was run, and where."""
    names = {name for _, name in run.timeline.counts}
    return {
        "outcome": verdict.outcome.name.lower(),
        "invalid": list(verdict.invalid),
        "remarks": list(verdict.remarks),
        "checks": [asdict(check) for check in verdict.checks],
        "knee_users": verdict.knee.step.window.users if verdict.knee and verdict.knee.step else None,
        "windows": [_plain(each) for each in run.windows],
        "totals": {name: run.timeline.total(name) for name in sorted(names)},
        "books": asdict(run.books),
        "memory_mb": {name: list(samples) for name, samples in run.memory.items()},
        "memory": {name: {**asdict(grown), "flat": grown.flat} for name, grown in run.grown.items()},
        "facts": dict(facts),
    }


def markdown(run: Run, verdict: Verdict, facts: Mapping[str, Any]) -> str:
    """Tell people what came of it."""
    lines = [f"# Load test: {facts['shape']}", "", WORDS[verdict.outcome], ""]
    lines += [f"- invalid: {reason}" for reason in verdict.invalid]
    lines += [f"- {remark}" for remark in verdict.remarks]
    lines += ["", *table(("objective", "asked", "found", ""), _checks(verdict)), ""]
    lines += [*table(HEADS, (_row(each) for each in run.windows)), ""]
    lines += table(("answers by name", "count", "failed", "p50 s", "p95 s", "p99 s"), _names(run.windows))
    if run.memory:
        lines += ["", *table(("memory", "MB after warm-up", "at the end", "highest", "MB a minute"), _grown(run))]
    lines += ["", *(f"- {name}: {value}" for name, value in facts.items()), ""]
    return "\n".join(lines)


HEADS: Final = (
    "window", "users", "seconds", "payments/s", "answers/s", "p50 final s", "p99 final s", "p99 answer s", "sender",
)  # fmt: skip


def _row(each: Figures) -> tuple[str, ...]:
    return (
        each.window.name,
        str(each.window.users),
        f"{each.seconds:.0f}",
        f"{each.payments_per_second:,.0f}",
        f"{each.answers_per_second:,.0f}",
        f"{each.finals.p50:.3f}",
        f"{each.finals.p99:.3f}",
        f"{each.answers.p99:.3f}",
        f"{each.busiest_sender:.0%}",
    )


def _checks(verdict: Verdict) -> Iterable[tuple[str, ...]]:
    return ((each.name, each.asked, each.found, "met" if each.met else "MISSED") for each in verdict.checks)


def _grown(run: Run) -> Iterable[tuple[str, ...]]:
    """One line a process: where the line through its samples begins and ends."""
    for name, each in run.grown.items():
        yield name, *(f"{mb:.0f}" for mb in (each.early, each.late, each.highest)), f"{each.mb_a_minute:+.1f}"


def _names(windows: Sequence[Figures]) -> Iterable[tuple[str, ...]]:
    """One line a kind of answer, of the window with the most answers."""
    fullest = max(windows, key=lambda each: each.answers.count)
    return ((name, *_times(times)) for name, times in fullest.by_name.items())


def _times(times: Times) -> tuple[str, ...]:
    return str(times.count), str(times.failures), *(f"{each:.3f}" for each in (times.p50, times.p95, times.p99))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write a table in Markdown, its columns under one another."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in (heads, *cells)) for place in range(len(heads))]
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (heads, *cells)
    ]
    rule = "|".join("-" * (width + 2) for width in widths)
    return [f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])]


def _plain(each: Figures) -> dict[str, Any]:
    return {**asdict(each), "window": each.window._asdict()}

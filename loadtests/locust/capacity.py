"""What an instance carries by posture and by how its store syncs: a short ramp each, and one table of all."""

import asyncio
import html
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from loadtests.locust import report
from loadtests.locust.figures import Figures
from loadtests.locust.objectives import Outcome, Run, Verdict
from loadtests.locust.run import Plan, judged

POSTURES: Final = ("open", "tls")
FSYNCS: Final = ("always", "everysec")
ROLES: Final = ("source",)
NAMES: Final = {"open": "sandbox, open", "tokens": "bearer tokens", "tls": "bearer tokens and TLS"}
HEADS: Final = (
    "posture", "store synced", "payments/s", "users", "p50 final s", "p99 final s", "p99 answer s", "knee", "run",
)  # fmt: skip
REMARKS: Final = (
    "Payments/s: the step of the ramp with the most of them; the times are of that step. Rows were measured one "
    "after the other on one machine, which store, API, worker, simulated institutions and Locust share: compare "
    "rows of one run only, and repeat it before you believe small differences."
)


@dataclass(frozen=True)
class Row:
    """What one ramp found; step: the one with the most payments a second; knee: its users, 0 where not reached."""

    posture: str
    fsync: str
    outcome: str
    knee: int
    step: Figures

    def cells(self) -> tuple[str, ...]:
        """Write it down as a person reads it."""
        times = (self.step.finals.p50, self.step.finals.p99, self.step.answers.p99)
        return (
            NAMES[self.posture],
            self.fsync,
            f"{self.step.payments_per_second:,.0f}",
            str(self.step.window.users),
            *(f"{each:.3f}" for each in times),
            f"{self.knee} user{'s' * (self.knee > 1)}" if self.knee else "not reached",
            self.outcome,
        )


async def measure(plan: Plan, folder: Path, stop: asyncio.Event, tell: Callable[[str], None]) -> Outcome:
    """Ramp every combination, keep all under ``folder``, tell the table; gives the worst outcome."""
    rows, outcomes, facts = [], [Outcome.MET], dict[str, Any]()
    for posture in POSTURES:
        for fsync in FSYNCS:
            if stop.is_set():
                return Outcome.INVALID
            place = folder / f"{posture}-{fsync}"
            place.mkdir(parents=True, exist_ok=True)
            each = replace(plan, shape="ramp", roles=ROLES, own=replace(plan.own, posture=posture, fsync=fsync))
            run, verdict, facts = await judged(each, place, stop, tell)
            report.write(place, run, verdict, facts)
            rows.append(row_of(posture, fsync, run, verdict))
            outcomes.append(verdict.outcome)
    tell(write(folder, rows, facts))
    tell(f"Kept in {folder}: capacity.md, capacity.html, capacity.json, and a folder for each ramp")
    return max(outcomes)


def row_of(posture: str, fsync: str, run: Run, verdict: Verdict) -> Row:
    """Sum a ramp up."""
    step = max(run.windows, key=lambda each: each.payments_per_second)
    knee = verdict.knee.step.window.users if verdict.knee and verdict.knee.step else 0
    return Row(posture, fsync, verdict.outcome.name.lower(), knee, step)


def write(folder: Path, rows: Sequence[Row], facts: dict[str, Any]) -> str:
    """Write capacity.json, capacity.md and capacity.html; gives the Markdown."""
    common = {
        name: facts[name]
        for name in ("minutes", "batch_size", "workers", "cores", "versions", "ended")
        if name in facts
    }
    common["load_of_machine"] = [round(each, 1) for each in os.getloadavg()]
    plain = [asdict(each) | {"step": {**asdict(each.step), "window": each.step.window._asdict()}} for each in rows]
    (folder / "capacity.json").write_text(json.dumps({"rows": plain, "facts": common}, indent=1), encoding="utf-8")
    cells = [each.cells() for each in rows]
    lines = ["# Capacity by posture and by store sync", "", *report.table(HEADS, cells), "", REMARKS, ""]
    lines += [f"- {name}: {value}" for name, value in common.items()]
    text = "\n".join(lines) + "\n"
    (folder / "capacity.md").write_text(text, encoding="utf-8")
    (folder / "capacity.html").write_text(_page(cells, common), encoding="utf-8")
    return text


def _page(rows: Iterable[Sequence[str]], facts: dict[str, Any]) -> str:
    """The same as one HTML page that needs nothing else."""
    body = "\n".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
    said = "\n".join(f"<li>{html.escape(f'{name}: {value}')}</li>" for name, value in facts.items())
    return (
        "<!doctype html>\n<html lang=en><meta charset=utf-8><title>Capacity</title>\n"
        "<style>body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}"
        "td,th{border:1px solid #ccc;padding:.3em .6em}td+td+td{text-align:right}</style>\n"
        f"<h1>Capacity by posture and by store sync</h1>\n<table><tr>{_cells('th', HEADS)}</tr>\n{body}</table>\n"
        f"<p>{html.escape(REMARKS)}</p>\n<ul>{said}</ul></html>\n"
    )


def _cells(tag: str, texts: Iterable[str]) -> str:
    return "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in texts)

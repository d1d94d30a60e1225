"""The report of the set: Markdown, and one HTML page with its plots in it.

``python -m loadtests.bench.page FOLDER`` writes it again from the figures in that folder.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from loadtests.bench import figures, plots
from loadtests.bench.figures import Figures, Table
from loadtests.bench.suite import Results, Run, read

PAGES: Final = Path(__file__).with_name("pages")
STYLES: Final = ("colours.css", "report.css")
MICRO: Final = 1000
"""From seconds per 1,000 payments to microseconds a payment."""


class Tile(NamedTuple):
    """A figure that stands out."""

    figure: str
    says: str


class Plot(NamedTuple):
    """A drawing (SVG), the name of its file, and what it shows."""

    name: str
    drawing: str
    says: str


@dataclass(frozen=True)
class Section:
    """A part of the report."""

    title: str
    says: str
    plots: Sequence[Plot] = ()
    tables: Sequence[Table] = ()


def write(folder: Path, results: Results) -> Path:
    """Write report.md, report.html and the plots; gives the page."""
    sections = list(_sections(results))
    styles = [(PAGES / name).read_text(encoding="utf-8") for name in STYLES]
    for plot in (plot for section in sections for plot in section.plots):
        (folder / f"{plot.name}.svg").write_text(plots.alone(plot.drawing, styles[:1]), encoding="utf-8")
    known: dict[str, Any] = {
        "facts": results.facts,
        "problems": results.problems,
        "runs": results.runs,
        "tiles": list(_tiles(results)),
        "sections": sections,
    }
    (folder / "report.md").write_text(_rendered("report.md.j2", known), encoding="utf-8")
    known["css"] = Markup("\n".join(styles))  # noqa: S704 - our own style sheets
    known["sections"] = [_drawn(section) for section in sections]
    page = folder / "report.html"
    page.write_text(_rendered("report.html.j2", known), encoding="utf-8")
    return page


def _rendered(name: str, known: dict[str, Any]) -> str:
    pages = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=select_autoescape((".html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return pages.get_template(name).render(known)


def _drawn(section: Section) -> Section:
    """Let the drawings through as they are."""
    drawn = [plot._replace(drawing=Markup(plot.drawing)) for plot in section.plots]  # noqa: S704 - drawn by us
    return Section(section.title, section.says, drawn, section.tables)


def _tiles(results: Results) -> Iterator[Tile]:
    found = _disbursements(results)
    if not found:
        return
    title, said = max(found, key=lambda one: float(one[1]["payments_per_second"]))
    yield Tile(f"{said['payments_per_second']:,.0f}", f"payments a second ({title.lower()})")
    yield Tile(f"{said['latency_seconds']['p99']:.2f} s", "from acceptance to final state, 99th percentile")
    yield Tile(f"{said['cpu_microseconds_per_payment']:.0f} µs", "of processor time a payment, all processes")
    yield Tile(f"{said['store_bytes_per_payment']:.0f} bytes", "in the store's memory a payment")
    yield Tile(f"{max(said['peak_rss_paying_mb'].values(), default=0):.0f} MB", "peak memory of the largest process")


def _disbursements(results: Results) -> list[tuple[str, Figures]]:
    return [(run.title, run.figures) for run in results.runs if "final_by_second" in run.figures]


def _sections(results: Results) -> Iterator[Section]:
    """What there is to be told of what was measured."""
    by_name = {run.name: run for run in results.runs if run.figures}
    disbursements = _disbursements(results)
    if disbursements:
        yield _end_to_end(disbursements)
        yield _where_the_time_goes(disbursements[0])
        yield _processes(disbursements)
    if points := _points(by_name):
        yield _scaling(by_name, points)
    if "fairness" in by_name:
        yield Section(
            "Fairness",
            "Small batches of high priority and status queries while a large run is under way.",
            tables=[figures.fairness(by_name["fairness"].figures)],
        )
    yield from _parts(by_name)


def _end_to_end(runs: Sequence[tuple[str, Figures]]) -> Section:
    return Section(
        "Payments end to end",
        "From the post of the first batch to the final callback of the last one: real HTTP, every message checked "
        "against its schema, every write in the append-only file. People are registered beforehand.",
        [
            Plot("throughput", plots.throughput(runs), "Payments that became final, second by second."),
            Plot("latency", plots.latency(runs), "Share of payments that were final so soon after acceptance."),
        ],
        [figures.disbursements(runs)],
    )


def _where_the_time_goes(run: tuple[str, Figures]) -> Section:
    title, said = run
    return Section(
        "Where the processor time goes",
        f"{title}. Stages are measured within each process; rest is what lies between them: event loop, HTTP, the "
        "client of the store, the interpreter's own work. The floor is the bare work of plain libraries on the same "
        "documents on one core, measured in the same run.",
        [Plot("stages", plots.stages(said), "Microseconds a payment by stage, and the floor where there is one.")],
        [figures.stages(said), figures.floors(said)],
    )


def _processes(runs: Sequence[tuple[str, Figures]]) -> Section:
    cpu = plots.processes(runs, "cpu_seconds_per_1000", "processor µs a payment", lambda found: MICRO * sum(found))
    memory = plots.processes(runs, "peak_rss_paying_mb", "MB", max)
    return Section(
        "Processes",
        "Processor time and peak memory while paying, with the client that posts and is called back. Of several "
        "workers, processor time is added up; of memory the largest one's is shown.",
        [
            Plot("processor", cpu, "Processor time of each process."),
            Plot("memory", memory, "Peak resident memory of each process."),
        ],
    )


def _points(by_name: dict[str, Run]) -> dict[int, list[float]]:
    """Payments a second by workers, as measured for the purpose, else by the disbursements."""
    if "scale" in by_name:
        runs = by_name["scale"].figures["runs"]
    else:
        runs = [by_name[name].figures for name in ("batches", "two workers") if name in by_name]
    points: dict[int, list[float]] = {}
    for run in runs:
        points.setdefault(run["workers"], []).append(run["payments_per_second"])
    return points if len(points) > 1 else {}


def _scaling(by_name: dict[str, Run], points: dict[int, list[float]]) -> Section:
    measured = "scale" in by_name
    says = (
        "The same queue worked off by one worker and by two, each on a core of its own."
        if measured
        else "The disbursements with one worker and with two. All processes and the client share the machine: where "
        "its cores are busy already, a second worker brings nothing. What it brings on a core of its own is measured "
        "by isogate bench scale (make bench SCALE=1)."
    )
    plot = Plot("scaling", plots.scaling(points), "Payments a second by worker processes.")
    return Section("Scaling", says, [plot], [figures.scaling(by_name["scale"].figures)] if measured else [])


def _parts(by_name: dict[str, Run]) -> Iterator[Section]:
    engine = [(by_name[name].title, by_name[name].figures) for name in ("translate", "report") if name in by_name]
    if engine:
        yield Section("The message engine", "Without a server, on one core.", tables=[figures.engine(engine)])
    if "guard" in by_name:
        yield Section(
            "Stages beside bare lxml",
            "Processor time of a stage on a slice to that of parsing and validating its pain.001 with lxml alone. "
            "Above what is allowed the build fails.",
            tables=[figures.guarded(by_name["guard"].figures)],
        )
    if "vouchers" in by_name:
        yield Section(
            "Vouchers", "In batches, and over HTTP beside a bare handler.",
            tables=[figures.vouchers(by_name["vouchers"].figures)],
        )  # fmt: skip


if __name__ == "__main__":
    write(Path(sys.argv[1]), read(Path(sys.argv[1])))

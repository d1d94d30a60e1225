"""The plots of the report as SVG, drawn by matplotlib; colours are CSS variables, so that they follow the page.

Nothing but this module imports matplotlib, which is in the extra ``bench``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtests.bench.figures import floor_of

Figures = Mapping[str, Any]
Titled = Sequence[tuple[str, Figures]]

WIDTH, HEIGHT, ROW = 8.4, 3.2, 0.27
"""Inches."""

INK, MUTED, GRID = "#010101", "#020202", "#030303"
SERIES: Final = ("#110001", "#110002", "#110003", "#110004", "#110005", "#110006")
"""Stand for colours, and are no colours that anything is drawn in: see ``VARIABLES``."""

VARIABLES: Final = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(SERIES, 1)},
}

LEAST_SHOWN: Final = 0.3
"""Microseconds; stages that cost less are put together."""

_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "isogate",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.color": INK,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "font.size": 10,
    "lines.linewidth": 2,
}


def throughput(runs: Titled) -> str:
    """Draw the payments that became final in each second."""
    with _drawing(HEIGHT) as (axes, out):
        for (title, said), colour in zip(runs, SERIES, strict=False):
            counts = said["final_by_second"]
            axes.step(range(len(counts) + 1), [*counts, 0], where="post", color=colour, label=title)
        axes.set(xlabel="seconds since the first post", ylabel="payments final in the second", xlim=0, ylim=0)
        axes.yaxis.set_major_formatter(_thousands)
        axes.legend(loc="best")
    return _coloured(out)


def latency(runs: Titled) -> str:
    """Draw which share of the payments was final within so many seconds of acceptance."""
    with _drawing(HEIGHT) as (axes, out):
        for (title, said), colour in zip(runs, SERIES, strict=False):
            within = said["within_seconds"]
            shares = [100 * step / len(within) for step in range(1, len(within) + 1)]
            axes.plot(within, shares, color=colour, label=title)
        axes.axhline(99, color=MUTED, linewidth=1, linestyle=":")
        axes.annotate("99 %", (0.005, 98), xycoords=("axes fraction", "data"), va="top", color=MUTED, fontsize=9)
        axes.set(
            xlabel="seconds from acceptance to final state", ylabel="share of payments, %", xlim=0, ylim=(0, 101)
        )
        axes.legend(loc="lower right")
    return _coloured(out)


def stages(said: Figures) -> str:
    """Draw what each stage costs, the dearest on top, with its floor as a mark."""
    bars = _bars(said["stages"])
    colours = dict(zip(said["stages"], SERIES, strict=False))
    with _drawing(1 + ROW * len(bars)) as (axes, out):
        for place, (process, stage, cost, payments) in enumerate(bars):
            axes.barh(place, cost, color=colours.get(process, MUTED), height=0.72)
            axes.annotate(f"{cost:.1f}", (cost, place), (4, 0), textcoords="offset points", va="center", fontsize=9)
            if floor := floor_of(said, stage, payments):
                axes.vlines(floor, place - 0.45, place + 0.45, color=INK, linewidth=2)
        axes.set_yticks(range(len(bars)), [f"{process}: {stage}" for process, stage, *_ in bars], fontsize=9)
        axes.set(xlabel="µs a payment; the mark is the floor", ylim=(len(bars) - 0.4, -0.6))
        axes.grid(visible=False, axis="y")
        _legend(axes, colours)
    return _coloured(out)


def processes(runs: Titled, name: str, label: str, together: Callable[[Iterable[float]], float] = sum) -> str:
    """Draw a figure of each kind of process, run by run; together: makes one figure of those of all its processes."""
    kinds = list(dict.fromkeys(_kind(process) for _, said in runs for process in said[name]))
    with _drawing(HEIGHT) as (axes, out):
        width = 0.8 / len(runs)
        for number, ((title, said), colour) in enumerate(zip(runs, SERIES, strict=False)):
            heights = [together(_of_kind(said[name], kind)) for kind in kinds]
            places = [place + (number - (len(runs) - 1) / 2) * width for place in range(len(kinds))]
            bars = axes.bar(places, heights, width * 0.92, color=colour, label=title)
            axes.bar_label(bars, [f"{height:,.0f}" for height in heights], fontsize=8, padding=2, color=MUTED)
        axes.set_xticks(range(len(kinds)), kinds)
        axes.set(ylabel=label)
        axes.margins(y=0.15)
        axes.grid(visible=False, axis="x")
        axes.legend(loc="best")
    return _coloured(out)


def scaling(points: Mapping[int, Sequence[float]], asked: float = 1.6) -> str:
    """Draw payments a second by worker processes; points: one figure a run; asked: what the second is to bring."""
    means = {workers: sum(found) / len(found) for workers, found in points.items()}
    first = means[min(means)]
    with _drawing(HEIGHT) as (axes, out):
        for workers, found in points.items():
            axes.scatter([workers] * len(found), found, color=SERIES[0], alpha=0.5, s=28)
        axes.plot(list(means), list(means.values()), color=SERIES[0], marker="o", label="measured, mean")
        axes.plot([1, 2], [first, 2 * first], color=MUTED, linestyle=":", linewidth=1.2, label="twice as much")
        axes.scatter([2], [asked * first], color=SERIES[1], marker="_", s=400, label=f"{asked} times as much")
        axes.set(xlabel="worker processes", ylabel="payments a second", ylim=0)
        axes.set_xticks(sorted({1, 2, *means}))
        axes.yaxis.set_major_formatter(_thousands)
        axes.margins(x=0.2)
        axes.legend(loc="lower right")
    return _coloured(out)


def _bars(costs: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[tuple[str, str, float, int]]:
    """Process, stage, microseconds and payments, the dearest first; what costs little is one bar a process."""
    bars = []
    for process, spent in costs.items():
        small = sum(cost["microseconds"] for cost in spent.values() if cost["microseconds"] < LEAST_SHOWN)
        bars += [
            (process, stage, cost["microseconds"], cost["payments"])
            for stage, cost in spent.items()
            if cost["microseconds"] >= LEAST_SHOWN
        ]
        bars += [(process, "other stages", small, 0)] if small >= LEAST_SHOWN / 10 else []
    return sorted(bars, key=lambda bar: -bar[2])


def _kind(process: str) -> str:
    """Name what a process is, without its number."""
    return process.rstrip("0123456789").strip()


def _of_kind(figures: Mapping[str, float], kind: str) -> list[float]:
    """Give the figures of all processes of a kind."""
    return [value for process, value in figures.items() if _kind(process) == kind] or [0.0]


def _legend(axes: Axes, colours: Mapping[str, str]) -> None:
    for name, colour in colours.items():
        axes.bar(0, 0, color=colour, label=name)
    axes.legend(loc="lower right")


def _thousands(value: float, _: object) -> str:
    return f"{value:,.0f}"


@contextmanager
def _drawing(height: float) -> Iterator[tuple[Axes, StringIO]]:
    """Give axes to draw on, and what will hold the SVG afterwards."""
    out = StringIO()
    with rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        yield figure.subplots(), out
        figure.savefig(out, format="svg", metadata={"Date": None})


def _coloured(out: StringIO) -> str:
    """Take the drawing without the XML declaration, its colours as variables of the page."""
    text = out.getvalue()
    text = text[text.index("<svg") :]
    for stand_in, variable in VARIABLES.items():
        text = text.replace(stand_in, variable)
    return text


def alone(drawing: str, css: Iterable[str]) -> str:
    """Make a drawing stand in a file of its own: with the variables that the page would have given it."""
    head, _, rest = drawing.partition(">")
    return f"{head}><style>{' '.join(css)}</style>{rest}"

"""Which figures of a run are shown, in which words: tables for the report, one line for the console."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

Figures = Mapping[str, Any]


class Table(NamedTuple):
    """A table of texts; the first column names the row; folded: for those who want to know more."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    folded: bool = False


class _Row(NamedTuple):
    """One figure of several runs."""

    name: str
    show: Callable[[Figures], str]


def headline(name: str, figures: Figures) -> str:
    """Say the figure of a run that matters most."""
    show = _HEADLINES.get(name) or (_disbursed if "payments_per_second" in figures else None)
    return show(figures) if show and figures else "done"


def disbursements(runs: Sequence[tuple[str, Figures]]) -> Table:
    """Put the disbursements side by side."""
    rows = [[row.name, *(row.show(figures) for _, figures in runs)] for row in _DISBURSED]
    for name, field, digits in _BY_PROCESS:
        kinds = list(dict.fromkeys(process for _, figures in runs for process in figures[field]))
        for kind in kinds:
            found = [figures[field].get(kind) for _, figures in runs]
            rows.append([f"{name}: {kind}", *("" if one is None else f"{one:,.{digits}f}" for one in found)])
    return Table("Disbursements", ["", *(title for title, _ in runs)], rows)


def stages(figures: Figures) -> Table:
    """List every stage of every process, the dearest first, beside its floor."""
    found = [
        (cost["microseconds"], process, stage, cost["payments"])
        for process, costs in figures["stages"].items()
        for stage, cost in costs.items()
    ]
    rows = []
    for cost, process, stage, payments in sorted(found, reverse=True):
        floor = floor_of(figures, stage, payments)
        rows.append([f"{process}: {stage}", f"{payments:,}", f"{cost:.2f}", f"{floor:.2f}" if floor else ""])
    return Table("Stages", ["stage", "payments", "µs a payment", "floor"], rows, folded=True)


def floor_of(figures: Figures, stage: str, payments: int) -> float | None:
    """Give the floor of a stage; none for one that most payments went past, as in a report about all at once."""
    floor: float | None = figures["floors"].get(stage)
    return floor if payments * 2 > figures["payments"] else None


def floors(figures: Figures) -> Table:
    """List what the bare work takes."""
    rows = [[name, f"{cost:.2f}"] for name, cost in figures["floors"].items()]
    return Table("The floor", ["bare work", "µs a payment"], rows, folded=True)


def engine(runs: Iterable[tuple[str, Figures]]) -> Table:
    """Put the engine's two scenarios side by side."""
    heads = ["", "transactions/s", "processor s", "validation to bare lxml", "all to bare lxml", "peak MB"]
    rows = [
        [
            title,
            f"{said['transactions_per_second']:,.0f}",
            f"{said['cpu_seconds']:.3f}",
            f"{said['ratio_to_lxml_validate']:.2f}",
            f"{said['ratio_of_all_to_lxml_validate']:.2f}",
            f"{said['peak_rss_mb']:.0f}",
        ]
        for title, said in runs
    ]
    return Table("The message engine", heads, rows)


def vouchers(said: Figures) -> Table:
    """List what is done to vouchers."""
    names = ("preactivate", "activate", "status", "status_v3", "redeem", "bare")
    rows = [
        [
            name.replace("_", " "),
            f"{said[f'http_{name}_per_second']:,.0f}",
            f"{said['latency_ms'][name]['p50']:.1f} / {said['latency_ms'][name]['p99']:.1f}",
        ]
        for name in names
    ]
    batches = [[f"{verb} in batches", f"{said[f'{verb}_per_second']:,.0f}", ""] for verb in ("create", "activate")]
    return Table("Vouchers", ["", "per second", "p50 / p99 ms"], [*batches, *rows])


def guarded(said: Figures) -> Table:
    """List the guarded ratios."""
    rows = [
        [name, f"{ratio:.3f}", f"{said['allowed'][name]:.3f}" if name in said["allowed"] else ""]
        for name, ratio in said["ratios"].items()
    ]
    return Table("Stages beside bare lxml", ["stage", "ratio of processor time", "allowed"], rows)


def fairness(said: Figures) -> Table:
    """List how long small batches and queries took beside a large run."""
    timed = {
        "small batch, post to final callback": said["small_seconds"],
        "small batch, post to answer": said["small_accept_seconds"],
        **{f"query: {name}": times for name, times in said["query_seconds"].items()},
    }
    rows = [
        [name, *(f"{times.get(share, 0) * 1000:,.1f}" for share in ("p50", "p95", "p99", "max"))]
        for name, times in timed.items()
    ]
    return Table("Small batches beside a large run", ["milliseconds", "p50", "p95", "p99", "max"], rows)


def scaling(said: Figures) -> Table:
    """List the runs with one and two workers."""
    rows = [
        [f"{run['workers']} worker{'s' * (run['workers'] > 1)}", f"{run['payments_per_second']:,.0f}"]
        for run in said["runs"]
    ]
    asked = [
        ["ratio by the clock", f"{said['ratio']:.2f}"],
        ["by processor time", f"{said['ratio_by_processor']:.2f}"],
    ]
    return Table("A second worker", ["", "payments/s"], [*rows, *asked])


def _disbursed(said: Figures) -> str:
    return f"{said['payments_per_second']:,.0f} payments/s"


def _times(name: str) -> Callable[[Figures], str]:
    return lambda said: " / ".join(f"{said[name].get(share, 0):.2f}" for share in ("p50", "p95", "p99", "max"))


_DISBURSED: Final = (
    _Row("payments", lambda said: f"{said['payments']:,}"),
    _Row("batches", lambda said: f"{said['batches']:,}"),
    _Row("workers", lambda said: f"{said['workers']}"),
    _Row("payments per second", lambda said: f"{said['payments_per_second']:,.0f}"),
    _Row("seconds, first post to last callback", lambda said: f"{said['seconds']:.2f}"),
    _Row("of these until all was accepted", lambda said: f"{said['accept_seconds']:.2f}"),
    _Row("acceptance to final state, p50 / p95 / p99 / max s", _times("latency_seconds")),
    _Row("answer to final callback, by batch, s", _times("batch_seconds")),
    _Row("processor µs a payment, all processes", lambda said: f"{said['cpu_microseconds_per_payment']:.1f}"),
    _Row("store bytes a payment", lambda said: f"{said['store_bytes_per_payment']:.0f}"),
    _Row("the same, archived", lambda said: f"{said['store_bytes_per_payment_archived']:.1f}"),
    _Row("archive file bytes a payment", lambda said: f"{said['archive_bytes_per_payment']:.0f}"),
    _Row("seconds to archive", lambda said: f"{said['archive_seconds']:.2f}"),
    _Row(
        "store file bytes a payment",
        lambda said: "rewritten" if said["store_file_rewrites"] else f"{said['store_file_bytes_per_payment']:.0f}",
    ),
    _Row("store commands per 1,000 payments", lambda said: f"{said['store_commands_per_1000']:.0f}"),
    _Row("request bytes", lambda said: f"{said['body_bytes']:,}"),
    _Row("checks", lambda said: "all passed" if not said["problems"] else "FAILED"),
)

_BY_PROCESS: Final = (
    ("processor s per 1,000 payments", "cpu_seconds_per_1000", 3),
    ("peak MB while paying", "peak_rss_paying_mb", 0),
    ("peak MB with registration", "peak_rss_mb", 0),
)
"""What is shown, the figure's name, and its decimals."""

_HEADLINES: Final[dict[str, Callable[[Figures], str]]] = {
    "translate": lambda said: f"{said['transactions_per_second']:,.0f} transactions/s",
    "report": lambda said: f"{said['transactions_per_second']:,.0f} transactions/s",
    "vouchers": lambda said: f"{said['http_redeem_per_second']:,.0f} redemptions/s",
    "guard": lambda said: f"{len(said['ratios'])} stages",
    "fairness": lambda said: f"small batch p99 {said['small_seconds'].get('p99', 0):.2f} s",
    "scale": lambda said: f"two workers to one: {said['ratio']:.2f}",
}

"""``python -m loadtests.scaling``: what a cluster carries, as a Markdown page on standard output.

Times come from ``measured.json`` beside this file, or from what the benchmarks have just printed: ``--scale`` and
``--disburse``; ``--keep`` writes those into ``measured.json``.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from loadtests.scaling.checks import costs_of, points
from loadtests.scaling.cluster import Cluster, Load, Outcome, simulate
from loadtests.scaling.costs import Costs, read

MEASURED: Final = Path(__file__).with_name("measured.json")
KEPT: Final = {
    "scale": (
        "payments",
        "rounds",
        "cores",
        "payments_per_second",
        "ratio",
        "ratio_by_processor",
        "cpu_us",
        "versions",
    ),
    "disburse": (
        *(
            "payments",
            "batches",
            "workers",
            "payments_per_second",
            "batch_seconds",
            "cpu_seconds_per_1000",
            "versions",
        ),
        "cores",
    ),
}
"""What of the benchmarks' figures is kept."""

SHARDS: Final = (1, 2, 4)
WORKERS: Final = (1, 2, 4, 8, 16, 32, 64)
BATCHES: Final = 400
BUSY: Final = 0.7
"""The share of what a cluster carries at which the times of its batches are told."""

BAR: Final = 40
HEADS: Final = (
    *("shards", "workers", "APIs", "payments/s", "limit", f"p50, p99 of a batch at {BUSY:.0%} of that (s)", ""),
)


class Found(NamedTuple):
    """A cluster, what it carries, and how it is with less than that."""

    cluster: Cluster
    carried: Outcome
    usual: Outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, and print."""
    options = _options().parse_args(arguments)
    measured = {
        **read(MEASURED),
        **{name: _kept(name, getattr(options, name)) for name in KEPT if getattr(options, name)},
    }
    if options.keep:
        MEASURED.write_text(f"{json.dumps(measured, indent=1)}\n", encoding="utf-8")
    cluster = Cluster(latency_seconds=options.bank_seconds, round_trip_seconds=options.round_trip_seconds)
    sys.stdout.write("\n".join(page(measured, cluster, options.shards, options.workers, options.batch_size)))
    return 0


def page(
    measured: Mapping[str, Any], cluster: Cluster, shards: Sequence[int], workers: Sequence[int], size: int
) -> list[str]:
    """Write the page: what was measured and simulated, costs, and what clusters carry."""
    costs = costs_of(measured)
    clusters = [
        replace(cluster, shards=at, workers=many, apis=apis_for(many, costs)) for at in shards for many in workers
    ]
    found = [_found(each, costs, size) for each in clusters]
    most = max(each.carried.payments_per_second for each in found)
    micros = [("", *(f"{each:.1f}" for each in (costs.api, costs.store, costs.worker)))]
    return [
        *_table(
            ("", "measured", "simulated", "error"), (_checked(*point, point.error) for point in points(measured))
        ),
        *_table(("processor us a payment", "API", "store", "worker"), micros),
        *_table(HEADS, (_row(each, most) for each in found)),
    ]


def apis_for(workers: int, costs: Costs) -> int:
    """So many API processes keep so many workers busy."""
    return max(1, math.ceil(workers * costs.api / costs.worker))


def _found(cluster: Cluster, costs: Costs, size: int) -> Found:
    """Load it with all at once, from many senders, and then with less, coming by chance."""
    carried = simulate(cluster, costs, Load(BATCHES, size, connections=2 * cluster.apis))
    every = size / (carried.payments_per_second * BUSY)
    return Found(cluster, carried, simulate(cluster, costs, Load(BATCHES, size, every, connections=BATCHES)))


def _row(each: Found, most: float) -> tuple[str, ...]:
    cluster, rate = each.cluster, each.carried.payments_per_second
    sizes = (str(number) for number in (cluster.shards, cluster.workers, cluster.apis))
    times = f"{each.usual.percentile(0.5):.2f}, {each.usual.percentile(0.99):.2f}"
    return *sizes, f"{rate:,.0f}", each.carried.bottleneck, times, "█" * round(rate / most * BAR)


def _checked(what: str, measured: float, simulated: float, error: float) -> tuple[str, ...]:
    return what, f"{measured:,.5g}", f"{simulated:,.5g}", f"{error:+.0%}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [" | ".join(row) for row in (heads, ["---"] * len(heads), *rows)]
    return [*(f"| {line} |" for line in lines), "", ""]


def _kept(name: str, path: Path) -> dict[str, Any]:
    """Take what is needed out of a benchmark's object."""
    said = read(path)
    return {field: said[field] for field in KEPT[name] if field in said}


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests.scaling", description="Simulate clusters.")
    parser.add_argument("--shards", type=int, nargs="+", default=SHARDS, help="numbers of store shards")
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS, help="numbers of worker processes")
    parser.add_argument("--batch-size", type=int, default=10_000, help="payments in a batch")
    parser.add_argument("--bank-seconds", type=float, default=0.1, help="seconds until a bank answers")
    parser.add_argument(
        "--round-trip-seconds", type=float, default=0.0005, help="from a process to the store and back"
    )
    parser.add_argument("--scale", type=Path, help="what `isogate bench scale --json` printed")
    parser.add_argument("--disburse", type=Path, help="what `isogate bench disburse --json` printed")
    parser.add_argument("--keep", action="store_true", help="keep those two in measured.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())

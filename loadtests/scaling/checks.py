"""The simulation beside what was measured: the same number of workers, the same cores, the same payments. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from loadtests.scaling.cluster import Cluster, Load, simulate
from loadtests.scaling.costs import Costs, of_disburse, of_scale

CORES = 2
QUEUED_BATCH = 10_000


class Point(NamedTuple):
    """One figure, measured and simulated."""

    what: str
    measured: float
    simulated: float

    @property
    def error(self) -> float:
        """By what share the simulation is off."""
        return self.simulated / self.measured - 1 if self.measured else 0.0


def points(measured: Mapping[str, Any]) -> list[Point]:
    """Simulate what the benchmarks measured; each is told from processor times alone, not from rates."""
    found = []
    if scale := measured.get("scale"):
        found += [_queue(scale, workers) for workers in (1, 2)]
    if disburse := measured.get("disburse"):
        found += _whole(disburse)
    return found


def costs_of(measured: Mapping[str, Any]) -> Costs:
    """The costs that a cluster is simulated with: of the whole walk, with the store's share of the workers' part."""
    whole, alone = of_disburse(measured["disburse"]), of_scale(measured["scale"], 1)
    work = min(alone.store_work, whole.store)
    return Costs(whole.api, whole.store - work, whole.worker, work, 0.0)


def _queue(scale: Mapping[str, Any], workers: int) -> Point:
    """A queue worked off by pinned workers, on a machine of two cores; nothing is accepted meanwhile."""
    cores = max(CORES, min(int(scale["cores"]), workers + 2))
    load = Load(max(1, scale["payments"] // QUEUED_BATCH), min(scale["payments"], QUEUED_BATCH), accepted=True)
    outcome = simulate(Cluster(workers=workers, cores=cores, pinned=True), of_scale(scale, workers), load)
    return Point(
        f"queue of {scale['payments']:,}, {workers} worker{'s' * (workers > 1)}: payments/s",
        scale["payments_per_second"][str(workers)],
        outcome.payments_per_second,
    )


def _whole(disburse: Mapping[str, Any]) -> list[Point]:
    """Everything on the cores of one machine; the simulated banks' process works in two threads."""
    batches, payments = int(disburse["batches"]), int(disburse["payments"])
    cluster = Cluster(workers=disburse["workers"], banks=CORES, cores=int(disburse.get("cores", CORES)))
    outcome = simulate(cluster, of_disburse(disburse), Load(batches, payments // batches))
    name = f"disburse {payments:,} in {batches}, {disburse['workers']} worker{'s' * (disburse['workers'] > 1)}"
    return [
        Point(f"{name}: payments/s", disburse["payments_per_second"], outcome.payments_per_second),
        Point(f"{name}: median batch, s", disburse["batch_seconds"]["p50"], outcome.percentile(0.5)),
    ]

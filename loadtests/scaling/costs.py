"""What a payment costs each process: processor microseconds, taken from what the benchmarks measured."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MICRO: Final = 1e-6


@dataclass(frozen=True)
class Costs:
    """Processor microseconds a payment, by who spends them; store: apart for what the API and what workers ask for.

    slice_size, chunk_size: payments that are resolved together, and that are in one message. resolve_share,
    report_share: of a worker's time, for mapper and splitting, and for reading the report; the rest is writing the
    message. Only the times of single batches depend on these shares.
    """

    api: float
    store_accept: float
    worker: float
    store_work: float
    bank: float
    slice_size: int = 5000
    chunk_size: int = 1250
    resolve_share: float = 0.3
    report_share: float = 0.2

    @property
    def store(self) -> float:
        """All that a payment costs the store."""
        return self.store_accept + self.store_work


def of_scale(measured: Mapping[str, Any], workers: int) -> Costs:
    """Take the costs of ``isogate bench scale --json``, as they were with so many workers."""
    cpu = measured["cpu_us"][str(workers)]
    worker = sum(us for name, us in cpu.items() if name.startswith("worker "))
    return Costs(0.0, 0.0, worker, cpu["store"], cpu["light bank"])


def of_disburse(measured: Mapping[str, Any]) -> Costs:
    """Take the costs of ``isogate bench disburse --json``; the store's are shared out evenly."""
    cpu = {name: seconds * 1000 for name, seconds in measured["cpu_seconds_per_1000"].items()}
    worker = sum(us for name, us in cpu.items() if name.startswith("worker"))
    half = cpu["store"] / 2
    return Costs(cpu["api"], half, worker, half, cpu["simulators"])


def read(path: Path) -> dict[str, Any]:
    """Read a file of measured points: what the benchmarks printed, by name (``scale``, ``disburse``)."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found

"""Vouchers: created and activated in batches, and led through their whole life over HTTP beside a bare handler."""

import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from connector.cli.check import versions
from loadtests.bench.voucher_batches import measure_batches
from loadtests.bench.voucher_http import BARE, Measured, OverHttp, measure_http

ROUNDS: Final = 5


@dataclass
class VouchersResult:
    """What was measured; rates are the median round's, ratios the median of the rounds' own.

    latency_ms: by operation; cpu_seconds_per_1000: by operation and process, "store" with its server, for redemptions
    with what they leave to be done; problems: what does not come out: states, stock, budget, ledgers.
    """

    vouchers: int
    rounds: int
    clients: int
    fsync: str
    create_per_second: float
    create_per_second_always: float
    activate_per_second: float
    activate_per_second_always: float
    http_preactivate_per_second: float
    http_activate_per_second: float
    http_status_per_second: float
    http_status_v3_per_second: float
    http_redeem_per_second: float
    http_bare_per_second: float
    http_redeem_ratio_to_bare_handler: float
    http_status_ratio_to_bare_handler: float
    http_status_v3_ratio_to_bare_handler: float
    latency_ms: dict[str, dict[str, float]]
    cpu_seconds_per_1000: dict[str, dict[str, float]]
    peak_rss_mb: dict[str, float]
    checks: dict[str, int]
    versions: dict[str, str]
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give the figures by name, units in the names."""
        return asdict(self)


async def measure(*, vouchers: int, clients: int, fsync: str) -> VouchersResult:
    """Create so many vouchers in each round in batches; and lead so many in all through their life over HTTP."""
    rounds = min(ROUNDS, vouchers)
    with tempfile.TemporaryDirectory(prefix="isogate-bench-") as folder:
        batches, problems = await measure_batches(Path(folder), vouchers, rounds)
        http = await measure_http(Path(folder), vouchers, rounds, clients, fsync)
    rates = {name: round(statistics.median(done.rates), 1) for name, done in http.operations.items()}
    everysec, always = batches["everysec"], batches["always"]
    return VouchersResult(
        vouchers=vouchers,
        rounds=rounds,
        clients=clients,
        fsync=fsync,
        create_per_second=everysec.create_per_second,
        create_per_second_always=always.create_per_second,
        activate_per_second=everysec.activate_per_second,
        activate_per_second_always=always.activate_per_second,
        http_redeem_ratio_to_bare_handler=_ratio(http, "redeem"),
        http_status_ratio_to_bare_handler=_ratio(http, "status"),
        http_status_v3_ratio_to_bare_handler=_ratio(http, "status_v3"),
        latency_ms={name: _latency(done.seconds) for name, done in http.operations.items()},
        cpu_seconds_per_1000={name: _cpu(done) for name, done in http.operations.items()},
        peak_rss_mb=http.peak_rss_mb,
        checks=http.checks,
        versions=versions(),
        problems=[*problems, *http.problems],
        **{f"http_{name}_per_second": rate for name, rate in rates.items()},
    )


def _ratio(http: OverHttp, name: str) -> float:
    """Compare an operation with the bare handler, round by round."""
    ours, bare = http.operations[name].rates, http.operations[BARE].rates
    return round(statistics.median(rate / base for rate, base in zip(ours, bare, strict=True)), 3)


def _latency(seconds: Sequence[float]) -> dict[str, float]:
    """Give percentiles in milliseconds."""
    ordered = sorted(seconds)
    return {
        f"p{share}": round(1000 * ordered[min(len(ordered) * share // 100, len(ordered) - 1)], 2)
        for share in (50, 95, 99)
    }


def _cpu(done: Measured) -> dict[str, float]:
    """Give the processor seconds that a thousand requests took, of each process that took any."""
    return {name: round(1000 * spent / len(done.seconds), 3) for name, spent in done.cpu.items() if spent}

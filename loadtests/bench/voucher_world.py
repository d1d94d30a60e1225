"""The world in which vouchers are measured: a source, a programme with a budget that counts, a group, merchants."""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

SOURCE: Final = "BENCHSOURCE1"
PROGRAMME: Final = "BENCHVOUCHERS"
GROUP: Final = "BENCH"
CURRENCY: Final = "USD"
BUDGET: Final = "10000000000.00"


class Merchant(NamedTuple):
    """Who is paid: known by name and account, at an institution."""

    name: str
    institution: str
    account: str


MERCHANTS: Final = tuple(
    Merchant(f"Shop {number}", institution, f"{prefix}{7000 + number:0{digits}d}00")
    for number, (institution, prefix, digits) in enumerate(
        2 * [("UNIOXU22", "10", 6), ("HARBXU22", "20", 6), ("KASHXU22", "+99970", 4), ("TELAXU22", "+99971", 4)]
    )
)
"""Two at each of the four institutions of the sandbox."""


def amount(number: int) -> int:
    """Give the worth of the voucher with this number in the run, in cents."""
    return 1000 + number % 9000


def merchant(number: int) -> Merchant:
    """Give the merchant to whom the voucher with this number is presented."""
    return MERCHANTS[number % len(MERCHANTS)]


def demo_file(folder: Path) -> Path:
    """Write the world as demo data."""
    data: dict[str, Any] = {
        "sources": [{"id": SOURCE, "name": SOURCE, "programme": PROGRAMME}],
        "programmes": [{"id": PROGRAMME, "name": "Benchmark", "budgets": {CURRENCY: BUDGET}}],
        "groups": [{"code": GROUP, "name": "Benchmark", "programme": PROGRAMME, "currency": CURRENCY}],
        "merchants": [
            {"id": f"SHOP{number:06d}", "name": one.name, "institution": one.institution, "address": one.account}
            for number, one in enumerate(MERCHANTS)
        ],
    }
    path = folder / "bench-vouchers.json"
    path.write_text(json.dumps(data))
    return path

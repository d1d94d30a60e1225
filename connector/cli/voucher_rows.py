"""Vouchers as lines of files: read for import, written for export."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import csv
import hashlib
import io
import json
from collections.abc import Collection, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from connector.domain.errors import Misconfigured, Refused
from connector.domain.money import minor_units
from connector.domain.voucher import VoucherState

if TYPE_CHECKING:
    from connector.flows.vouchers.issue import Wanted
    from connector.store import Store

COLUMNS: Final = frozenset({"group", "currency", "amount"})
_OPTIONAL: Final = ("number", "instruction_id", "payee_functional_id", "narration")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


async def rows_of(
    store: "Store",
    *,
    numbers: bool,
    group: str = "",
    states: Collection[VoucherState] = (),
    first: int = 0,
    last: int = 2**63 - 1,
) -> list[dict[str, str]]:
    """Give vouchers as lines of an export."""
    from connector.flows.vouchers.export import found, line

    rows = []
    async for vouchers in found(store, group=group, states=states, first=first, last=last):
        serials = [voucher.serial for voucher in vouchers]
        secrets = await store.vouchers.numbers(serials) if numbers else [""] * len(serials)
        rows += [line(voucher, number) for voucher, number in zip(vouchers, secrets, strict=True)]
    return rows


def csv_text(rows: Sequence[dict[str, str]]) -> str:
    """Write lines as CSV (RFC 4180); what a spreadsheet would take for a formula gets an apostrophe."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else sorted(COLUMNS))
    writer.writeheader()
    for row in rows:
        writer.writerow({name: f"'{cell}" if cell.startswith(_FORMULA) else cell for name, cell in row.items()})
    return text.getvalue()


async def imported(content: bytes, state: VoucherState, data_dir: Path | None, profile: str | None) -> list[int]:
    """Issue the vouchers of a file; gives their serial numbers. Raises ``Refused`` with the line."""
    from connector.app import build_services
    from connector.flows.vouchers.caller import ADMIN, Caller
    from connector.flows.vouchers.issue import issue
    from connector.settings import load

    wanted = [_wanted(place, row) for place, row in enumerate(_rows(content))]
    request = f"import {hashlib.sha256(content).hexdigest()[:40]} {state.value}"
    async with build_services(load(data_dir=data_dir, profile=profile)) as services:
        issued = await issue(services, Caller(ADMIN, "import"), request, wanted, state=state) if wanted else []
    return [one.serial for one in issued]


def _rows(content: bytes) -> list[dict[str, Any]]:
    try:
        text = content.decode("utf-8-sig")
        if text.lstrip().startswith(("{", "[")):
            said = json.loads(text, parse_float=Decimal)
            rows = list(said["vouchers"] if isinstance(said, dict) else said)
        else:
            rows = list(csv.DictReader(io.StringIO(text)))
    except (ValueError, KeyError, TypeError):
        raise Misconfigured("import", 0, "", "is neither CSV nor JSON with vouchers") from None
    if not all(isinstance(row, dict) and row.keys() >= COLUMNS for row in rows):
        raise Misconfigured("import", 0, "", f"every line needs {', '.join(sorted(COLUMNS))}")
    return rows


def _wanted(place: int, row: dict[str, Any]) -> "Wanted":
    from connector.flows.vouchers.issue import Wanted

    where = f"/vouchers/{place}/amount"
    try:
        amount = minor_units(Decimal(str(row["amount"])), str(row["currency"]), where)
    except InvalidOperation:
        raise Refused.because(where, "number", "It must be a decimal number.") from None
    others = {name: str(row.get(name) or "") for name in _OPTIONAL}
    return Wanted(str(row["group"]), str(row["currency"]), amount, **others)

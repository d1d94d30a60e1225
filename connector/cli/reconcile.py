"""``isogate reconcile``: compare statements with payments through the API of a running instance."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import asyncio
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from connector.cli.voucher_keys import unreached
from connector.domain.errors import Fault, Misconfigured, Refused, Unavailable

if TYPE_CHECKING:
    import aiohttp

PATIENCE_SECONDS: Final = 600.0
LOOK_EVERY_SECONDS: Final = 0.2
SHOWN: Final = 20
"""Findings of each kind that are printed."""

TO_LOOK_INTO: Final = ("missing", "unexpected", "differing")

Programme = Annotated[str, typer.Option("--programme", help="Whose account")]
First = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC)")]
Last = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="Last day [default: the first]", show_default=False),
]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write all findings to this file", show_default=False)]
Url = Annotated[str | None, typer.Option("--url", help="Address of the API", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(reconcile)


def reconcile(programme: Programme, first: First, last: Last = None, csv: Csv = None, url: Url = None) -> None:
    """Compare the statements of a programme's account with what was paid from it.

    Exit code 1 if there is something to look into. In production ISOGATE_ADMIN_TOKEN is the operator's token.
    """
    from connector.settings import load

    base = (url or load(profile="sandbox").api_url).rstrip("/")
    order = {"programme": programme, "from": f"{first:%F}", "to": f"{last or first:%F}"}
    report = asyncio.run(_report(base, order, csv))
    _print(report)
    if any(total["kind"] in TO_LOOK_INTO for total in report["totals"]):
        raise typer.Exit(1)


async def _report(base: str, order: Mapping[str, str], csv: Path | None) -> dict[str, Any]:
    import aiohttp

    token = os.environ.get("ISOGATE_ADMIN_TOKEN", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(headers=headers) as session:
        try:
            begun = await _answer(session.post(f"{base}/admin/reconciliations", json=order))
            where = f"{base}/admin/reconciliations/{begun['id']}"
            report = await _finished(session, where)
            if csv:
                await _save(session, where, csv)
            found = [await _answer(session.get(f"{where}?kind={kind}&size={SHOWN}")) for kind in TO_LOOK_INTO]
        except aiohttp.ClientError as error:
            raise unreached(base, error) from None
    return {**report, "findings": [one for page in found for one in page["findings"]]}


async def _finished(session: "aiohttp.ClientSession", where: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (report := await _answer(session.get(f"{where}?size=1")))["state"] != "finished":
        if time.monotonic() > deadline:
            raise Unavailable("reconciliation", f"{report['id']} goes on; ask for it later: {where}")
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    return report


async def _answer(request: "aiohttp.client._RequestContextManager") -> dict[str, Any]:
    async with request as answer:
        if answer.status >= 400:
            body = await answer.json() if answer.content_type == "application/json" else {}
            faults = [Fault(**fault) for fault in body.get("errors", [])]
            raise Refused(faults or [Fault("API", "http", f"It answered with HTTP status {answer.status}.")])
        found: dict[str, Any] = await answer.json()
        return found


async def _save(session: "aiohttp.ClientSession", where: str, file: Path) -> None:
    async with session.get(f"{where}?format=csv") as answer:
        try:
            with await asyncio.to_thread(file.open, "wb") as out:
                async for piece in answer.content.iter_chunked(1 << 18):
                    await asyncio.to_thread(out.write, piece)
        except OSError as error:
            raise Misconfigured(str(file), 0, "", error.strerror or "cannot be written") from None


def _print(report: Mapping[str, Any]) -> None:
    print(f"{report['programme']}, account at {report['institution']}, {report['from']} to {report['to']}")
    for day in report["days"]:
        print(f"{day['day']}: {day['fetched']} About this day: {len(day['statements'])}.")
    print("\n".join(_table(report["totals"])))
    for one in report["findings"]:
        name = one["instruction_id"] or one["end_to_end_id"] or one["message_id"] or one["reference"]
        print(f"{one['kind']:<10} {one['booked_on'] or one['paid_on']} {name}: {one['sentence']}")
    for kind, more in _not_shown(report).items():
        print(f"{kind:<10} and {more} more: see the report, or save it with --csv")
    print(f"Report: /admin/reconciliations/{report['id']}")


def _not_shown(report: Mapping[str, Any]) -> dict[str, int]:
    """How many findings of each kind are not among those that were fetched."""
    left = Counter[str]()
    for one in report["totals"]:
        if one["kind"] in TO_LOOK_INTO:
            left[one["kind"]] += one["payments"]
    return dict(left - Counter(one["kind"] for one in report["findings"]))


def _table(totals: Sequence[Mapping[str, Any]]) -> list[str]:
    from connector.domain.money import amount_text, exponent

    def amount(minor: int, currency: str) -> str:
        return ("-" if minor < 0 else "") + amount_text(abs(minor), exponent(currency))

    lines = [f"{'':<10} {'':<3} {'payments':>9} {'our records':>18} {'statement':>18}"]
    for one in totals:
        amounts = [amount(one[name], one["currency"]) for name in ("amount_minor", "statement_minor")]
        lines.append(f"{one['kind']:<10} {one['currency']} {one['payments']:>9} {amounts[0]:>18} {amounts[1]:>18}")
    return lines

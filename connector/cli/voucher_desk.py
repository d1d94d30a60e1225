"""``isogate vouchers groups | provision | stock | show ...``: administration over the API of a running instance."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import asyncio
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import typer

from connector.cli.voucher_keys import Url, ask, base_url
from connector.domain.errors import Misconfigured, Unavailable
from connector.domain.money import amount_text, exponent, is_currency

Group = Annotated[str, typer.Argument(help="Code of the voucher group")]
Serials = Annotated[list[str], typer.Argument(help="Serial numbers", metavar="SERIAL...")]
Reason = Annotated[str, typer.Option("--reason", help="For the history")]
Programme = Annotated[str, typer.Option("--programme", help="Only this programme's")]
Reference = Annotated[
    str | None,
    typer.Option("--reference", help="Your own id of it; a repeat under it makes no more", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (groups, merchants, provision, stock, show, activate, suspend, reactivate, cancel, unblock):
        app.command()(command)
    app.command("pre-activate")(pre_activate)
    app.command()(report)
    app.command()(purge)


def groups(url: Url = None) -> None:
    """List the voucher groups."""
    rows = [
        (one["code"], one["name"], one["programme"], _price(one), f"{one['validity_seconds'] // 86_400} days")
        for one in _call("GET", url, "/admin/voucher-groups")["items"]
    ]
    _print("Voucher groups", ("code", "name", "programme", "price", "valid for"), rows)


def merchants(url: Url = None) -> None:
    """List the merchants and agents; of their addresses the last two characters are shown."""
    rows = [
        (one["id"], one["name"], one["kind"], " ".join(one["groups"]), one["address"], "" if one["active"] else "off")
        for one in _call("GET", url, "/admin/merchants")["items"]
    ]
    _print("Merchants and agents", ("id", "name", "kind", "takes", "address", ""), rows)


def provision(
    group: Group,
    count: Annotated[int, typer.Option("--count", min=1, help="How many")],
    currency: Annotated[str, typer.Option("--currency", help="ISO 4217 code")] = "USD",
    amount: Annotated[str, typer.Option("--amount", help="Of each; empty: the group's fixed price")] = "",
    reference: Reference = None,
    url: Url = None,
) -> None:
    """Put vouchers into stock and reserve the money for them."""
    order = {
        "currency": currency,
        "amount_minor": _minor(amount, currency),
        "count": count,
        "reference": reference or uuid4().hex,
    }
    made = _call("POST", url, f"/admin/voucher-groups/{quote(group, safe='')}/stock", json=order)
    print(f"{made['count']} vouchers in stock: {made['first_serial']} to {made['last_serial']}")


def stock(
    group: Annotated[str, typer.Argument(help="Code of the voucher group [default: all]")] = "", url: Url = None
) -> None:
    """Count vouchers by group and state."""
    path = "/admin/voucher-stock" + (f"?{urlencode({'group': group})}" if group else "")
    rows = [
        (one["group"], one["state"], str(one["count"]), _amount(one["face_minor"], one["currency"]), one["currency"])
        for one in _call("GET", url, path)["items"]
    ]
    _print("Vouchers", ("group", "state", "vouchers", "face value", ""), rows, right=(2, 3))


def show(serial: Annotated[str, typer.Argument(help="Serial number")], url: Url = None) -> None:
    """Show a voucher, its history and its redemptions. Its number is not shown."""
    place = f"/admin/vouchers/{quote(serial, safe='')}"
    found = _call("GET", url, place)
    money = (found["amount_minor"], found["balance_minor"])
    facts = {name: str(value) for name, value in found.items() if value and not name.endswith("_minor")}
    amount, balance = (f"{_amount(minor, found['currency'])} {found['currency']}" for minor in money)
    facts |= {"amount": amount, "balance": balance}
    _print(f"Voucher {serial}", ("", ""), list(facts.items()))
    history = [
        (str(one["at"]), one["actor"], one["action"], one["before"], one["after"], one["detail"])
        for one in _call("GET", url, f"{place}/history")["items"]
    ]
    _print("History", ("at", "by", "what", "before", "after", ""), history)
    redeemed = [
        (one["id"], one["state"], _amount(one["amount_minor"], one["currency"]), one["merchant"], one["reason"])
        for one in _call("GET", url, f"{place}/redemptions")["items"]
    ]
    if redeemed:
        _print("Redemptions", ("id", "state", "amount", "merchant", "reason"), redeemed, right=(2,))


def pre_activate(serials: Serials, reason: Reason = "", url: Url = None) -> None:
    """Hand vouchers out of the stock. Exit code 1 if it could not be done to all of them, as with the others."""
    _change("pre-activate", serials, reason, url)


def activate(serials: Serials, reason: Reason = "", url: Url = None) -> None:
    """Activate vouchers: their time begins."""
    _change("activate", serials, reason, url)


def suspend(serials: Serials, reason: Reason = "", url: Url = None) -> None:
    """Suspend vouchers: nobody can redeem them until they are reactivated."""
    _change("suspend", serials, reason, url)


def reactivate(serials: Serials, reason: Reason = "", url: Url = None) -> None:
    """Lift the suspension of vouchers."""
    _change("reactivate", serials, reason, url)


def cancel(serials: Serials, reason: Reason = "", url: Url = None) -> None:
    """Cancel vouchers for good; their money goes back to the budget."""
    _change("cancel", serials, reason, url)


def unblock(serials: Serials, reason: Reason = "", url: Url = None) -> None:
    """Lift the block of vouchers after wrong numbers."""
    _change("unblock", serials, reason, url)


def report(
    programme: Programme = "",
    csv: Annotated[Path | None, typer.Option("--csv", help="Write it to this file", show_default=False)] = None,
    url: Url = None,
) -> None:
    """Report vouchers and budgets by programme."""
    query = f"?{urlencode({'programme': programme})}" if programme else ""
    found = _call("GET", url, f"/admin/voucher-report{query}")
    columns = ("in_stock", "outstanding", "redeemed", "ended", "budget", "available")
    rows = [
        [
            *(one["programme"], one["currency"], str(one["vouchers"])),
            *(_amount(one[f"{name}_minor"], one["currency"]) for name in columns),
        ]
        for one in found["sums"]
    ]
    heads = ("programme", "", "vouchers", *(name.replace("_", " ") for name in columns))
    _print("Vouchers and budgets", heads, rows, right=range(2, 9))
    if csv:
        _save(csv, f"{base_url(url)}/admin/voucher-report?{urlencode({'programme': programme, 'format': 'csv'})}")


def purge(
    older_than_days: Annotated[float, typer.Option("--older-than-days", min=0, help="Over for so long")],
    url: Url = None,
) -> None:
    """Move vouchers that are redeemed, cancelled or expired into the archive; their numbers are forgotten."""
    done = _call("POST", url, "/admin/vouchers/purge", json={"older_than_days": older_than_days})
    print(f"{done['vouchers']} vouchers purged into {done['files']} files of the archive")


def _change(command: str, serials: Sequence[str], reason: str, url: str | None) -> None:
    order = {"serials": list(serials), "reason": reason}
    answer = _call("POST", url, f"/admin/vouchers?command={command}", json=order)
    for one in answer["items"]:
        print(f"{one['serial']} {one['state'] or '-'}{_remark(one)}")
    if answer["done"] < len(answer["items"]):
        raise typer.Exit(1)


def _remark(one: dict[str, Any]) -> str:
    return f": {one['fault']}" if one["fault"] else " (so already)" if one["repeated"] else ""


def _call(method: str, url: str | None, path: str, **content: Any) -> Any:  # noqa: ANN401 (any JSON)
    return asyncio.run(ask(method, base_url(url) + path, **content))


def _save(file: Path, url: str) -> None:
    """Write an answer that is no JSON to a file."""
    try:
        file.write_text(asyncio.run(_text(url)), encoding="utf-8", newline="")
    except OSError as error:
        raise Misconfigured(str(file), 0, "", error.strerror or "cannot be written") from None


async def _text(url: str) -> str:
    import aiohttp

    token = os.environ.get("ISOGATE_ADMIN_TOKEN", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with (
            aiohttp.ClientSession(headers=headers, raise_for_status=True) as session,
            session.get(url) as answer,
        ):
            return await answer.text()
    except aiohttp.ClientError as error:
        raise Unavailable(url, type(error).__name__) from None


def _print(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table, to_the_right = Table(title=title, box=SIMPLE_HEAD, title_justify="left"), set(right)
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place in to_the_right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    console.print(table) if console.is_terminal else Console(width=160).print(table)
    sys.stdout.flush()


def _price(group: dict[str, Any]) -> str:
    if not group["amount_minor"]:
        return group["currency"] or "any"
    return f"{_amount(group['amount_minor'], group['currency'])} {group['currency']}"


def _amount(minor: int, currency: str) -> str:
    digits = amount_text(abs(minor), exponent(currency) if is_currency(currency) else 0)
    return f"-{digits}" if minor < 0 else digits


def _minor(amount: str, currency: str) -> int:
    """Read an amount; empty: 0. Raises ``Refused``."""
    from decimal import Decimal, InvalidOperation

    from connector.domain.errors import Refused
    from connector.domain.money import minor_units

    try:
        return minor_units(Decimal(amount), currency, "--amount") if amount else 0
    except InvalidOperation:
        raise Refused.because("--amount", "number", "It must be a decimal number.") from None

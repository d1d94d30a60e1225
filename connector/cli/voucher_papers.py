"""``isogate vouchers import | export | print | image``: for operators beside the store, since numbers are in it."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import asyncio
import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import options
from connector.cli.files import content_of
from connector.domain.errors import Misconfigured, Refused
from connector.domain.voucher import VoucherState

if TYPE_CHECKING:
    from connector.sheet import Printed
    from connector.store import Store

Group = Annotated[str, typer.Option("--group", help="Only of this voucher group")]
States = Annotated[list[VoucherState] | None, typer.Option("--state", help="Only in this state; may be repeated")]
First = Annotated[int, typer.Option("--first", help="Smallest serial number")]
Last = Annotated[int, typer.Option("--last", help="Largest serial number")]
Out = Annotated[Path, typer.Option("--out", "-o", help="File to write, for you alone (mode 0600)")]
LARGEST = 2**63 - 1


class Form(StrEnum):
    """How an export is written."""

    JSON = "json"
    CSV = "csv"


class Image(StrEnum):
    """What is drawn."""

    QR = "qr"
    BARS = "code128"


class Start(StrEnum):
    """The state of vouchers that are imported."""

    IN_STOCK = "in-stock"
    PRE_ACTIVATED = "pre-activated"
    ACTIVATED = "activated"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_)
    app.command()(export)
    app.command("print")(print_)
    app.command()(image)


def import_(
    file: Annotated[Path, typer.Argument(help="CSV or JSON: group, currency, amount, number, ...")],
    state: Annotated[Start, typer.Option("--state", help="Their state")] = Start.PRE_ACTIVATED,
    data_dir: options.DataDir = None,
    profile: options.ProfileName = None,
) -> None:
    """Make vouchers as a file says, all or none; the same file again makes no more.

    Columns: group, currency, amount; number, instruction_id, payee_functional_id, narration may be left out or empty
    (without a number one is drawn).
    """
    from connector.cli.voucher_rows import imported

    made = asyncio.run(imported(content_of(file), VoucherState(state), data_dir, profile))
    print(f"{len(made)} vouchers: {made[0]} to {made[-1]}" if made else "no vouchers")


def export(
    out: Out,
    *,
    group: Group = "",
    states: States = None,
    first: First = 0,
    last: Last = LARGEST,
    form: Annotated[Form, typer.Option("--format", help="json or csv; encrypted: json")] = Form.JSON,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="With numbers, encrypted to this public key (JWK or PEM)", show_default=False),
    ] = None,
    numbers_in_clear: Annotated[
        bool, typer.Option("--numbers-in-clear", help="With numbers, readable: whoever has the file can redeem them")
    ] = False,
    data_dir: options.DataDir = None,
    profile: options.ProfileName = None,
) -> None:
    """Write vouchers to a file, without their numbers unless you say how these are to be protected."""
    from connector.cli.voucher_rows import csv_text, rows_of
    from connector.flows.vouchers.exchange_keys import KeyHolder
    from connector.flows.vouchers.export import sealed

    reader = KeyHolder.of_text(content_of(to).decode("utf-8", "replace")) if to else None
    asked = {"group": group, "states": states or (), "first": first, "last": last}
    rows = asyncio.run(_with_store(data_dir, profile, rows_of, numbers=bool(to) or numbers_in_clear, **asked))
    if reader:
        content = sealed(rows, reader).decode()
    elif form is Form.CSV:
        content = csv_text(rows)
    else:
        content = json.dumps({"vouchers": rows}, indent=1) + "\n"
    _write(out, content)
    if numbers_in_clear and not to:
        _warn(out)
    print(f"{len(rows)} vouchers in {out}")


def print_(
    out: Out,
    *,
    group: Group = "",
    states: States = None,
    first: First = 0,
    last: Last = LARGEST,
    heading: Annotated[str, typer.Option("--heading", help="Title of the page and of each voucher")] = "",
    exported: Annotated[
        Path | None, typer.Option("--export", help="Take them from this encrypted export", show_default=False)
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Private key that opens the export", show_default=False)
    ] = None,
    data_dir: options.DataDir = None,
    profile: options.ProfileName = None,
) -> None:
    """Lay vouchers out on sheets of A4 to print (HTML); those that can be handed out, unless you say which."""
    from connector.sheet import page

    if exported:
        vouchers = _from_export(exported, key, heading)
    else:
        states = states or [VoucherState.IN_STOCK, VoucherState.PRE_ACTIVATED, VoucherState.ACTIVATED]
        asked = {"group": group, "states": states, "first": first, "last": last}
        from connector.cli.voucher_rows import rows_of

        rows = asyncio.run(_with_store(data_dir, profile, rows_of, numbers=True, **asked))
        vouchers = _printed(rows, heading)
    _write(out, page(vouchers, heading or group or "Vouchers"))
    _warn(out)
    print(f"{len(vouchers)} vouchers in {out}")


def image(
    serial: Annotated[int, typer.Argument(help="Serial number")],
    out: Out,
    kind: Annotated[Image, typer.Option("--kind", help="qr or code128")] = Image.QR,
    data_dir: options.DataDir = None,
    profile: options.ProfileName = None,
) -> None:
    """Draw the number of a voucher as an SVG file."""
    from connector.sheet import bars, qr

    [number] = asyncio.run(_with_store(data_dir, profile, _numbers, serials=[serial]))
    drawn = qr(number) if kind is Image.QR else bars(number)
    if "xmlns=" not in drawn:
        drawn = drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    _write(out, drawn + "\n")
    _warn(out)


async def _with_store(data_dir: Path | None, profile: str | None, work: Any, **content: Any) -> Any:  # noqa: ANN401
    """Do something with the store of an instance, whether the instance runs or only its store does."""
    from connector.cli.direct import opened_store

    async with opened_store(data_dir, profile) as (store, _):
        return await work(store, **content)


async def _numbers(store: "Store", serials: Sequence[int]) -> list[str]:
    return await store.vouchers.numbers(serials)


def _from_export(file: Path, key: Path | None, heading: str) -> "list[Printed]":
    from connector.flows.vouchers.exchange_keys import KeyHolder
    from connector.flows.vouchers.export import opened

    if key is None:
        raise Refused.because("--key", "missing", "An export is opened with the private key that it was made for.")
    own = KeyHolder.of_text(content_of(key).decode("utf-8", "replace"))
    return _printed(opened(content_of(file), own), heading)


def _printed(rows: Sequence[dict[str, str]], heading: str) -> "list[Printed]":
    from decimal import Decimal

    from connector.domain.money import minor_units
    from connector.sheet import Printed

    return [
        Printed(
            serial=int(row["serial"]),
            number=row["number"],
            amount_minor=minor_units(Decimal(row["amount"]), row["currency"]),
            currency=row["currency"],
            title=heading or row["group"],
            expires_at=float(row["expires_at"] or 0),
            validity_seconds=int(row["validity_seconds"]),
        )
        for row in rows
    ]


def _write(out: Path, content: str) -> None:
    from connector.store.crypto import write_again

    try:
        write_again(out, content)
    except OSError as error:
        raise Misconfigured(str(out), 0, "", error.strerror or "cannot be written") from None


def _warn(out: Path) -> None:
    line = "!" * 78
    print(f"{line}\nThe numbers in {out} can be read: WHOEVER HAS THE FILE CAN REDEEM THE VOUCHERS.", file=sys.stderr)
    print(f"Keep it to yourself (mode 0600), and delete it when it has been used.\n{line}", file=sys.stderr)

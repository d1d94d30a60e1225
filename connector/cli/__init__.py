"""The command line, one module a command. Heavy imports wait until a command runs, so that ``--help`` is instant."""

import sys

import typer

from connector.cli import (
    archive,
    bench,
    check,
    demo,
    files,
    keys,
    load,
    parts,
    profile,
    reconcile,
    seed,
    translation,
    up,
    vouchers,
)
from connector.domain.errors import IsoGateError

app = typer.Typer(
    name="isogate",
    help="ISO 20022 switch connector and FSP simulator for the GovStack Payments Building Block.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (up, seed, parts, demo, translation, files, profile, reconcile, check, load):
    module.register(app)
app.add_typer(bench.app, name="bench")
app.add_typer(vouchers.app, name="vouchers")
app.add_typer(keys.app, name="keys")
app.add_typer(archive.app, name="archive")


def main() -> None:
    """Run the command line; an error of ours is one sentence on standard error and exit code 2."""
    try:
        app()
    except IsoGateError as error:
        print(f"isogate: {error}", file=sys.stderr)
        sys.exit(2)

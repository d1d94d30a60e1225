"""``isogate bench``: the benchmark scenarios of ``loadtests/bench``, one JSON object each."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import json
from typing import Annotated

import typer

app = typer.Typer(help="Measure this machine with an instance of its own, over real HTTP.", no_args_is_help=True)


@app.callback()
def _bench() -> None:
    """Keep ``bench`` a group, whatever the number of its scenarios."""


@app.command()
def disburse(
    *,
    payments: Annotated[int, typer.Option("--payments", min=1, help="How many payments")] = 100_000,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Payments in one batch")] = 25_000,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Worker processes")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output")] = False,
) -> None:
    """Pay batches end to end: accept to final callback, XSD on, AOF on. Exit code 1 if sums or ledgers are wrong."""
    from connector.cli.process import run
    from loadtests.bench.disburse import measure

    result = run(measure(payments=payments, batch_size=batch_size, workers=workers))
    if as_json:
        print(json.dumps(result.as_json()))
    else:
        for name, value in result.as_json().items():
            print(f"{name:>24}  {value}")
    if result.problems:
        raise typer.Exit(1)

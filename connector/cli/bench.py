"""``isogate bench``: the benchmark scenarios of ``loadtests/bench``, one JSON object each."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Protocol

import typer


class Fsync(StrEnum):
    """When the store's file is synced to disk."""

    EVERYSEC = "everysec"
    ALWAYS = "always"


class Reports(StrEnum):
    """What reports of simulated institutions list."""

    EXCEPTIONS = "exceptions"
    EACH = "each"


class _Finished(Protocol):
    """What every scenario gives."""

    problems: list[str]

    def as_json(self) -> dict[str, Any]:
        """Give the figures by name, units in the names."""


AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output")]
Transactions = Annotated[int, typer.Option("--payments", min=1, help="How many payments")]
InOneMessage = Annotated[int, typer.Option("--batch-size", min=1, help="Payments in one message")]
Repetitions = Annotated[int, typer.Option("--repetitions", min=1, help="Rounds, of which the median counts")]

MOST_IN_A_LINE: Final = 20
"""Values of a list that are told to people."""

app = typer.Typer(help="Measure this machine: payments, the engine alone, vouchers.", no_args_is_help=True)


@app.command()
def disburse(
    *,
    payments: Annotated[int, typer.Option("--payments", min=1, help="How many payments")] = 100_000,
    requests: Annotated[
        int | None, typer.Option("--requests", min=1, help="In how many batches, one a request; 1: all in one")
    ] = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help="Payments in one batch, where --requests is not given")
    ] = 25_000,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Worker processes")] = 1,
    api_processes: Annotated[int, typer.Option("--api-processes", min=1, help="API processes")] = 1,
    reports: Annotated[
        Reports,
        typer.Option("--reports", help="What reports list: exceptions from one status for all, or each payment"),
    ] = Reports.EXCEPTIONS,
    as_json: AsJson = False,
) -> None:
    """Pay batches end to end: accept to final callback, XSD on, AOF on.

    Exit code 1 unless every payment is final, was made once, and all sums, ledgers and budgets agree.
    """
    from connector.cli.process import run
    from loadtests.bench.disburse import measure

    size = -(-payments // requests) if requests else batch_size
    processes = {"workers": workers, "api_processes": api_processes}
    _finish(
        run(measure(payments=payments, batch_size=size, reports=reports.value, **processes)),
        as_json=as_json,
    )


@app.command()
def translate(
    *,
    payments: Transactions = 10_000,
    batch_size: InOneMessage = 100_000,
    repetitions: Repetitions = 7,
    as_json: AsJson = False,
) -> None:
    """Write pain.001 and validate it, on one core, beside bare lxml. Exit code 1 if counts or sums are wrong."""
    from loadtests.bench.translate import measure

    _finish(measure(transactions=payments, batch_size=batch_size, repetitions=repetitions), as_json=as_json)


@app.command()
def report(
    *,
    payments: Transactions = 10_000,
    batch_size: InOneMessage = 100_000,
    repetitions: Repetitions = 7,
    as_json: AsJson = False,
) -> None:
    """Validate pain.002 and read it, on one core, beside bare lxml. Exit code 1 if counts or sums are wrong."""
    from loadtests.bench.report import measure

    _finish(measure(transactions=payments, batch_size=batch_size, repetitions=repetitions), as_json=as_json)


@app.command()
def vouchers(
    *,
    count: Annotated[int, typer.Option("--vouchers", min=1, help="How many vouchers")] = 20_000,
    fsync: Annotated[
        Fsync, typer.Option("--fsync", help="How the store of the HTTP part syncs its file")
    ] = Fsync.ALWAYS,
    clients: Annotated[int, typer.Option("--clients", min=1, help="Connections that ask at the same time")] = 200,
    as_json: AsJson = False,
) -> None:
    """Create vouchers in batches; redeem others over HTTP, beside a bare handler. Exit code 1: not each paid once."""
    from connector.cli.process import run
    from loadtests.bench.vouchers import measure

    _finish(run(measure(vouchers=count, clients=clients, fsync=fsync.value)), as_json=as_json)


@app.command()
def numbers(
    *,
    count: Annotated[int, typer.Option("--count", min=1000, help="How many numbers")] = 10_000_000,
    as_json: AsJson = False,
) -> None:
    """Draw voucher numbers; exit code 1 if one comes twice, digits are not uniform, or serials tell of them."""
    from loadtests.bench.numbers import measure

    _finish(measure(count), as_json=as_json)


@app.command()
def scale(
    *,
    payments: Annotated[int, typer.Option("--payments", min=1, help="Payments in each queue")] = 100_000,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Rounds, of which the median counts")] = 3,
    as_json: AsJson = False,
) -> None:
    """Work a queue off with one worker process and with two, a core each. Exit code 1: not each payment once."""
    from connector.cli.process import run
    from loadtests.bench.scale import measure

    _finish(run(measure(payments=payments, rounds=rounds)), as_json=as_json)


@app.command()
def fairness(
    *,
    payments: Annotated[int, typer.Option("--payments", min=3, help="Payments of the large run")] = 300_000,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=0, help="Payments in one of its batches; 0: all in one")
    ] = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Worker processes")] = 1,
    api_processes: Annotated[int, typer.Option("--api-processes", min=1, help="API processes")] = 1,
    as_json: AsJson = False,
) -> None:
    """Pay small urgent batches and ask how things stand during a large run. Exit code 1 if the books are wrong."""
    from connector.cli.process import run
    from loadtests.bench.fairness import measure

    result = run(
        measure(payments=payments, batch_size=batch_size or payments, workers=workers, api_processes=api_processes)
    )
    _finish(result, as_json=as_json)


@app.command()
def guard(
    *,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Rounds, of which the median counts")] = 11,
    keep: Annotated[bool, typer.Option("--keep", help="Write the ratios down as the committed ones")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure each stage beside bare lxml. Exit code 1 where one takes 1.5 times what is committed, or more."""
    from loadtests.bench.guard import measure

    _finish(measure(rounds=rounds, keep=keep), as_json=as_json)


@app.command("all")
def everything(
    *,
    folder: Annotated[Path, typer.Option("--folder", help="Where the report goes")] = Path("bench-report"),
    payments: Annotated[int, typer.Option("--payments", min=1, help="Payments in each disbursement")] = 100_000,
    with_fairness: Annotated[bool, typer.Option("--fairness", help="With small batches beside a large run")] = False,
    with_scale: Annotated[
        bool, typer.Option("--scale", help="With one worker and two on cores of their own")
    ] = False,
) -> None:
    """Run the set, and write a report: Markdown, and an HTML page with plots. Exit code 1 if any check failed."""
    from importlib.util import find_spec

    from rich.console import Console

    from connector.domain.errors import Misconfigured

    if find_spec("matplotlib") is None:
        raise Misconfigured("environment", 0, "bench", "matplotlib is not installed: `make bench` brings it")
    from loadtests.bench import page, suite

    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    chosen = suite.scenarios(payments, fairness=with_fairness, scale=with_scale)
    results = suite.measure(folder, chosen, console.print)
    print(page.write(folder, results))
    if results.problems:
        raise typer.Exit(1)


def _finish(result: "_Finished", *, as_json: bool) -> None:
    _show(result.as_json(), as_json=as_json)
    if result.problems:
        raise typer.Exit(1)


def _show(figures: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        for line in _lines(name, value):
            print(line)


def _lines(name: str, value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever there is in JSON
    """Write a figure for people: a line each for what has parts of its own, and long lists only as their length."""
    if isinstance(value, dict) and any(isinstance(part, dict | list) for part in value.values()):
        yield f"{name:>36}:"
        for key, part in value.items():
            yield from _lines(key, part)
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        for number, part in enumerate(value, 1):
            yield from _lines(f"{name} {number}", part)
    else:
        yield f"{name:>36}  {_plain(value)}"


def _plain(value: Any) -> str:  # noqa: ANN401 - whatever there is in JSON
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    if not isinstance(value, list):
        return str(value)
    if len(value) > MOST_IN_A_LINE:
        return f"{len(value)} values; --json tells them"
    return "; ".join(map(str, value)) or "none"

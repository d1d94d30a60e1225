"""``isogate load``: a load test with Locust, against an instance of its own or a deployment, with a verdict."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

SOAK_ARCHIVES: Final = 30.0
"""Seconds after which a soak's own instance archives finished batches, so that its store can be flat."""

ARCHIVE_HELP: Final = (
    "Of an instance of its own: seconds until finished batches are archived [default: soak 30, else a day]"
)


class ShapeName(StrEnum):
    """How the load goes."""

    STEADY = "steady"
    RAMP = "ramp"
    SPIKE = "spike"
    SOAK = "soak"


class Sync(StrEnum):
    """How a Source BB learns what became of a batch."""

    CALLBACK = "callback"
    POLL = "poll"


class Posture(StrEnum):
    """How an instance of its own is protected."""

    OPEN = "open"
    TOKENS = "tokens"
    TLS = "tls"


class Fsync(StrEnum):
    """When the store of an instance of its own syncs its file to disk."""

    ALWAYS = "always"
    EVERYSEC = "everysec"


class RoleName(StrEnum):
    """Who uses the instance."""

    SOURCE = "source"
    MERCHANT = "merchant"
    BANK = "bank"
    OPERATOR = "operator"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": False})(load)


def load(
    context: typer.Context,
    *,
    shape: Annotated[ShapeName, typer.Option("--shape", help="How the load goes")] = ShapeName.STEADY,
    minutes: Annotated[float, typer.Option("--minutes", min=0.01, help="How long it lasts")] = 1.0,
    users: Annotated[int, typer.Option("--users", min=1, help="The most users at once")] = 8,
    url: Annotated[str, typer.Option("--url", help="What to load [default: an instance of its own]")] = "",
    posture: Annotated[Posture, typer.Option("--posture", help="Of an instance of its own")] = Posture.OPEN,
    fsync: Annotated[Fsync, typer.Option("--fsync", help="Of an instance of its own")] = Fsync.ALWAYS,
    capacity: Annotated[bool, typer.Option("--capacity", help="Ramp each posture and fsync; one table")] = False,
    archive_after: Annotated[
        float, typer.Option("--archive-after", min=0, help=ARCHIVE_HELP, show_default=False)
    ] = 0.0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Of an instance of its own")] = 1,
    sync: Annotated[Sync, typer.Option("--sync", help="How a Source BB learns the outcome")] = Sync.CALLBACK,
    roles: Annotated[list[RoleName] | None, typer.Option("--role", help="Again for each [default: all]")] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Payments in a batch")] = 100,
    pause: Annotated[float, typer.Option("--pause", min=0, help="Seconds between two tasks of a user")] = 0.0,
    patience: Annotated[float, typer.Option("--patience", min=1, help="Seconds that an outcome may take")] = 60.0,
    programme: Annotated[str, typer.Option("--programme", help="Programme that pays")] = "PENSIONS",
    currency: Annotated[str, typer.Option("--currency", help="Of payments and vouchers")] = "USD",
    voucher_group: Annotated[str, typer.Option("--voucher-group", help="Of vouchers of 25.00")] = "FOOD",
    payer_bank: Annotated[str, typer.Option("--payer-bank", help="Institution that reports")] = "TREAXU22",
    processes: Annotated[int, typer.Option("--processes", min=1, help="Processes that send")] = 1,
    ui: Annotated[bool, typer.Option("--ui/--headless", help="With Locust's page, until Ctrl-C")] = False,
    ui_port: Annotated[int, typer.Option("--ui-port", min=1, max=65535, help="Port of that page")] = 8089,
    error_share: Annotated[float, typer.Option("--errors", min=0, help="Objective: share of failures")] = 0.001,
    p99_answer: Annotated[float, typer.Option("--p99-answer", help="Objective: seconds to an answer")] = 1.0,
    p99_final: Annotated[float, typer.Option("--p99-final", help="Objective: seconds to a batch's end")] = 5.0,
    least_steady: Annotated[float, typer.Option("--least-steady", help="Seconds that must count")] = 30.0,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where to keep all [default: out/load/...]", show_default=False)
    ] = None,
) -> None:
    """Run a load test and judge it: exit code 1 on a missed objective, 2 on an invalid run.

    It needs Locust, which the extra `load` installs. What follows `--` goes to Locust as it is. Tokens are read from
    ISOGATE_SOURCE_TOKENS, ISOGATE_INSTITUTION_TOKENS and ISOGATE_ADMIN_TOKEN.
    """
    from connector.cli.process import run, until_stopped
    from loadtests.locust.capacity import measure
    from loadtests.locust.objectives import Objectives, Outcome
    from loadtests.locust.process import Terms
    from loadtests.locust.run import Plan, execute
    from loadtests.locust.target import Own

    plan = Plan(
        shape.value,
        minutes,
        users,
        url=url,
        own=Own(posture.value, workers, fsync.value, archive_after or SOAK_ARCHIVES * (shape is ShapeName.SOAK)),
        processes=processes,
        ui_port=ui_port if ui else 0,
        roles=[role.value for role in roles or RoleName],
        terms=Terms(
            batch_size=batch_size,
            people=max(batch_size, Terms.people),
            sync=sync.value,
            programme=programme,
            currency=currency,
            voucher_group=voucher_group,
            payer_bank=payer_bank,
            pause=pause,
            patience=patience,
        ),
        asked=Objectives(error_share, p99_answer, p99_final, least_steady),
        more=context.args,
    )
    outcome = Outcome.INVALID
    place = (
        folder or Path("out", "load", f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{'capacity' if capacity else shape.value}")
    ).resolve()
    place.mkdir(parents=True, exist_ok=True)

    async def body(stop: asyncio.Event) -> None:
        nonlocal outcome
        carry_out = measure if capacity else execute
        outcome = await carry_out(plan, place, stop, lambda sentence: print(sentence, flush=True))

    run(until_stopped(body))
    raise typer.Exit(outcome)

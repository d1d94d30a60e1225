"""``isogate keys``: the keys that everything in the store is encrypted under."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from connector.cli import options

if TYPE_CHECKING:
    from connector.store.vouchers import ResealCounts

app = typer.Typer(help="Keys at rest: what is in the store is encrypted under them.", no_args_is_help=True)


@app.command()
def show(data_dir: options.DataDir = None, profile: options.ProfileName = None) -> None:
    """List the ids of the keys, oldest first, and where they are kept. The keys themselves are never shown."""
    from connector.app import keyring
    from connector.settings import load

    settings = load(data_dir=data_dir, profile=profile)
    configured = settings.encryption_keys.get_secret_value()
    print("in ISOGATE_ENCRYPTION_KEYS" if configured else f"in {settings.data_dir / 'keys'}")
    names = keyring(settings).ids
    for name in names:
        print(f"{name}  {'writes and reads' if name == names[-1] else 'reads'}")


@app.command()
def rotate(data_dir: options.DataDir = None, profile: options.ProfileName = None) -> None:
    """Take a new key and put all vouchers under it; the instance may run, and it can be interrupted and repeated.

    A sandbox makes the new key and keeps the old ones, with which older batches and beneficiaries are read. Where
    keys are configured, the last of ISOGATE_ENCRYPTION_KEYS is the new one: add it, restart everything, then rotate.
    """
    counts = asyncio.run(_rotate(data_dir, profile))
    print(f"{counts.resealed} of {counts.vouchers} vouchers were under an older key and are under the newest now")


async def _rotate(data_dir: Path | None, profile: str | None) -> "ResealCounts":
    from connector.cli.rotation import finished, take_new_key
    from connector.settings import load

    settings = load(data_dir=data_dir, profile=profile)
    file = None if settings.encryption_keys.get_secret_value() else settings.data_dir / "keys"
    if file:
        name = await take_new_key(file, asyncio.sleep)
        print(f"new key: {name}")
    counts = await _reseal(data_dir, profile)
    if file:
        finished(file)
    return counts


async def _reseal(data_dir: Path | None, profile: str | None) -> "ResealCounts":
    from rich.console import Console
    from rich.progress import Progress

    from connector.cli.direct import opened_store

    async with opened_store(data_dir, profile) as (store, _):
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("vouchers, in blocks", total=len(await store.vouchers.blocks()))
            return await store.vouchers.reseal(lambda counts: bar.update(task, completed=counts.blocks))

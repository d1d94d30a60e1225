"""``isogate archive``: finished batches in files of their own, outside of the store."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import asyncio
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.cli import options
from connector.domain.errors import Misconfigured, NotFound

if TYPE_CHECKING:
    from connector.flows.archive import Swept
    from connector.store import Store
    from connector.store.archive import ArchivedFile

app = typer.Typer(help="The archive: finished batches, each in a file of its own.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(help="Reference or batch id", metavar="BATCH")]

_DAY: Final = 86_400.0
_UNUSED_SECONDS: Final = 3600.0
"""A younger file that no batch points to may be one that is being written."""


@app.command()
def run(
    batch: Annotated[str, typer.Argument(help="Only this one: its reference or batch id [default: all]")] = "",
    older_than_days: Annotated[
        float | None,
        typer.Option("--older-than-days", min=0, help="Finished for so long [default: as configured]"),
    ] = None,
    data_dir: options.DataDir = None,
    profile: options.ProfileName = None,
) -> None:
    """Archive finished batches now; a batch that is waiting for something stays in the store."""
    if batch:
        asyncio.run(_run_one(batch, data_dir, profile))
        return
    swept = asyncio.run(_run(older_than_days, data_dir, profile))
    print(f"{swept.batches} batches with {swept.payments} payments archived, {swept.waiting} left for later")


@app.command(name="list")
def list_files(
    newest: Annotated[int, typer.Option("--newest", min=1, help="How many at most")] = 50,
    data_dir: options.DataDir = None,
    profile: options.ProfileName = None,
) -> None:
    """List the files, the batches accepted last first."""
    from connector.store.archive import files_in

    files = (file for file in files_in(_folder(data_dir, profile)) if not file.name.endswith(".draft"))
    for file in islice(files, newest):
        print(f"{file.ref}  {file.size:>12,} bytes  {file.name}")


@app.command()
def show(batch: Which, data_dir: options.DataDir = None, profile: options.ProfileName = None) -> None:
    """Show what is in the file of a batch."""
    for name, text in asyncio.run(_show(batch, data_dir, profile)).items():
        print(f"{name:<12} {text}")


@app.command()
def restore(batch: Which, data_dir: options.DataDir = None, profile: options.ProfileName = None) -> None:
    """Put a batch back into the store and delete its file. It is archived again when its time has come once more."""
    print(asyncio.run(_restore(batch, data_dir, profile)))


@app.command()
def check(
    delete_unused: Annotated[
        bool,
        typer.Option("--delete-unused", help="Delete what its batch does not point to and is older than an hour"),
    ] = False,
    data_dir: options.DataDir = None,
    profile: options.ProfileName = None,
) -> None:
    """Compare every file with its own digest and with the store. Exit code 1 where one is damaged or missing."""
    if not asyncio.run(_check(delete_unused, data_dir, profile)):
        raise typer.Exit(1)


async def _run(older_than_days: float | None, data_dir: Path | None, profile: str | None) -> "Swept":
    from connector.cli.direct import opened_store
    from connector.flows.archive import sweep

    async with opened_store(data_dir, profile) as (store, settings):
        await store.archiving.enlist()
        days = older_than_days
        seconds = (settings.archive_after_seconds or _DAY) if days is None else days * _DAY
        now = time.time()
        return await sweep(store, now - seconds, now, most=2**31)


async def _run_one(batch: str, data_dir: Path | None, profile: str | None) -> None:
    from connector.cli.direct import opened_store
    from connector.flows.archive import archive_now

    async with opened_store(data_dir, profile) as (store, _):
        ref = await _reference(store, batch)
        await archive_now(store, ref, "operator", "command line", time.time())
        print(_line(await _file_of(store, ref)))


async def _show(batch: str, data_dir: Path | None, profile: str | None) -> dict[str, str]:
    from datetime import UTC, datetime

    from connector.cli.direct import opened_store

    async with opened_store(data_dir, profile) as (store, _):
        ref = await _reference(store, batch)
        facts, progress = await store.batches.read(ref)
        file = await _file_of(store, ref)
        index = await store.archiving.contents(file.name)
        return {
            "batch": f"{ref} ({facts.batch_id} of {facts.source or 'IsoGate'})",
            "state": progress.state.value,
            "payments": f"{facts.count:,} in {len(index.chunks)} chunks, {len(index.slices)} slices never resolved",
            "callbacks": ", ".join(index.callbacks) or "none",
            "archived": datetime.fromtimestamp(index.made_at, UTC).isoformat(timespec="seconds"),
            "file": _line(file),
            "since then": "nothing" if await store.archiving.is_complete(ref) else "changed in part, see the store",
        }


async def _restore(batch: str, data_dir: Path | None, profile: str | None) -> str:
    from connector.cli.direct import opened_store

    async with opened_store(data_dir, profile) as (store, _):
        ref = await _reference(store, batch)
        done = await store.archiving.restore(ref, time.time())
        return f"{ref} is in the store again" if done else f"{ref} was not archived"


async def _check(delete_unused: bool, data_dir: Path | None, profile: str | None) -> bool:
    """Say what is wrong; tells whether nothing was. A file that no batch points to is left over, but not wrong."""
    from connector.cli.direct import opened_store
    from connector.store.archive_file import Gone

    found, unused, damaged = 0, 0, list[str]()
    async with opened_store(data_dir, profile) as (store, _):
        archive = store.archiving.archive
        for file in await asyncio.to_thread(list, archive.files()):
            found += 1
            counts = await store.archiving.file_of(file.ref)
            if counts is None or counts.name != file.name:
                unused += 1
                known = await _is_known(store, file.ref)
                print(f"unused: {_line(file)}{'' if known else ', of a batch that this store does not know'}")
                if delete_unused and known and time.time() - file.changed_at > _UNUSED_SECONDS:
                    await asyncio.to_thread(archive.delete, file.name)
                continue
            try:
                await asyncio.to_thread(archive.verify, file.name)
            except Gone:  # a newer one took its place, or it is among the missing below
                continue
            except Misconfigured as error:
                damaged.append(file.name)
                print(f"damaged: {error}")
        missing = [ref async for ref in store.archiving.missing()]
        for ref in missing:
            print(f"missing: the file of {ref}")
    print(f"{found} files, {len(damaged)} damaged, {len(missing)} missing, {unused} unused")
    return not damaged and not missing


async def _reference(store: "Store", batch: str) -> str:
    """Find the batch; raises ``NotFound``."""
    found = await store.batches.by_sender_id(batch) or batch
    await store.batches.read(found)
    return found


async def _is_known(store: "Store", ref: str) -> bool:
    """Tell whether there is the batch: with another store, or an older backup, its file may be all that is left."""
    try:
        await store.batches.read(ref)
    except NotFound:
        return False
    return True


async def _file_of(store: "Store", ref: str) -> "ArchivedFile":
    file = await store.archiving.file_of(ref)
    if file is None:
        raise NotFound("file", f"of {ref}, which is not archived")
    return file


def _folder(data_dir: Path | None, profile: str | None) -> Path:
    from connector.settings import load

    return load(data_dir=data_dir, profile=profile).archive_folder


def _line(file: "ArchivedFile") -> str:
    return f"{file.name}, {file.size:,} bytes"

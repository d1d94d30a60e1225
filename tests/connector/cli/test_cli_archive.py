"""``isogate archive``: run, list, show, check and restore, beside a store that runs."""

import asyncio
import base64
import os
import time

import pytest
from typer.testing import CliRunner

from connector.cli import app
from connector.domain.batch import Batch, BatchKind
from connector.domain.chunk import Chunk, Tally, advance_all, fresh
from connector.domain.errors import Misconfigured, NotFound
from connector.domain.event import Event
from connector.domain.ids import ChunkId, batch_reference
from connector.domain.instruction import Credit
from connector.domain.status import InstructionStatus
from connector.store import Keyring, Store

REF = batch_reference("govstack-v1", "TREASURY", "B1")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "archive"


@pytest.fixture
def isogate(store_server, folder, monkeypatch):
    """The command line, in an environment that names the test's store and folder."""
    key = base64.b64encode(bytes(range(32))).decode()
    monkeypatch.setenv("ISOGATE_REDIS_URL", store_server.url)
    monkeypatch.setenv("ISOGATE_ENCRYPTION_KEYS", f"test:{key}")
    monkeypatch.setenv("ISOGATE_ARCHIVE", str(folder))
    asyncio.run(_with_a_paid_batch(store_server.url))

    def run(*words, code=0):
        result = CliRunner().invoke(app, ["archive", *words])
        assert result.exit_code == code, result.output
        return result.output

    yield run
    asyncio.run(_emptied(store_server.url))


async def _with_a_paid_batch(url):
    store = await Store.connect(url, keys=Keyring({"test": bytes(range(32))}), clock=time.time)
    await store.link.ask("FLUSHALL")
    await store.close()
    store = await Store.connect(url, keys=Keyring({"test": bytes(range(32))}), clock=time.time)
    now = time.time()
    credit = Credit(0, "I1", "I1", "P1", 100, "10777123456", "Ada Example", "")
    chunk = Chunk(ChunkId(REF, 0), "UNIOXU22", "00", "USD", (credit,))
    paid = advance_all(advance_all(fresh(1), InstructionStatus.PDNG, None, now), InstructionStatus.ACSC, None, now)
    facts = ("govstack-v1", "TREASURY", "R1", "B1", "PENSIONS", "d", 1, {"USD": Tally(1, 100)}, now)
    batch = Batch(REF, BatchKind.DISBURSEMENT, *facts)
    event = Event(now, "TREASURY", "batch accepted", "test", "ok")
    assert await store.batches.create(batch, [], event, chunks=[(chunk, paid)]) is None
    await store.close()


async def _emptied(url):
    store = await Store.connect(url, keys=Keyring({"test": bytes(range(32))}), clock=time.time)
    await store.link.ask("FLUSHALL")
    await store.close()


def test_a_batch_goes_into_the_archive_is_shown_and_comes_back(isogate, folder):
    assert isogate("run") == "0 batches with 0 payments archived, 0 left for later\n"
    assert isogate("run", "--older-than-days", "0") == "1 batches with 1 payments archived, 0 left for later\n"
    [file] = folder.rglob("*.archive")
    assert file.name in isogate("list")
    shown = isogate("show", "B1")
    assert f"{REF} (B1 of TREASURY)" in shown
    assert "1 in 1 chunks" in shown
    assert isogate("check") == "1 files, 0 damaged, 0 missing, 0 unused\n"
    assert isogate("restore", REF) == f"{REF} is in the store again\n"
    assert isogate("restore", REF) == f"{REF} was not archived\n"
    assert isogate("list") == ""
    assert REF in isogate("run", "B1")


def test_damage_and_loss_are_found(isogate, folder):
    isogate("run", "B1")
    [file] = folder.rglob("*.archive")
    content = file.read_bytes()
    file.write_bytes(content[:50] + b"?" + content[51:])
    assert "damaged" in isogate("check", code=1)
    file.unlink()
    assert f"missing: the file of {REF}" in isogate("check", code=1)
    result = CliRunner().invoke(app, ["archive", "show", "B1"])
    assert isinstance(result.exception, Misconfigured)


def test_what_a_crash_left_is_found_and_deleted_when_it_is_old_enough(isogate, folder):
    isogate("run", "B1")
    [file] = folder.rglob("*.archive")
    left = [file.with_name(f"{REF}-{'0' * 16}.archive"), file.with_name(f"{REF}-{'1' * 16}.archive.77.draft")]
    for path in left:
        path.write_bytes(b"half a file")
    assert "3 files, 0 damaged, 0 missing, 2 unused" in isogate("check", "--delete-unused")
    assert all(path.exists() for path in left)
    for path in left:
        os.utime(path, (1.0, 1.0))
    isogate("check", "--delete-unused")
    assert not any(path.exists() for path in left)
    assert file.exists()


def test_files_of_batches_that_the_store_does_not_know_are_kept(isogate, folder, store_server):
    isogate("run", "B1")
    [file] = folder.rglob("*.archive")
    os.utime(file, (1.0, 1.0))
    asyncio.run(_emptied(store_server.url))
    assert "of a batch that this store does not know" in isogate("check", "--delete-unused")
    assert file.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "B2", "A" * 20, ""])
def test_batches_that_there_are_not_are_not_found(isogate, name):
    result = CliRunner().invoke(app, ["archive", "show", name])
    assert isinstance(result.exception, NotFound)

"""The watched folder: each file is answered exactly once, wherever its process dies."""

import asyncio
import hashlib
import os

import pytest
from file_world import FileWorld, line

from connector.domain.errors import Misconfigured, Unavailable
from connector.flows.services import FlowSettings, Services
from connector.flows.vouchers import batch_folder, envelope
from connector.flows.vouchers.batch_folder import Folder, sweep, watch
from connector.store import Store


@pytest.fixture
async def ministry(store: Store, engine, clock):
    world = FileWorld(Services(store, engine, None, clock, FlowSettings()))
    await world.furnish()
    return world


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "in", tmp_path / "out")


def put(folder, content, name="monday.jose"):
    (folder.inbox / name).write_bytes(content)
    return f"{name.removesuffix('.jose')}.{hashlib.sha256(content).hexdigest()[:12]}"


def names(place):
    return sorted(file.name for file in place.iterdir() if file.is_file() and file.name != ".lock")


async def test_a_file_is_answered_and_laid_aside(ministry, folder):
    name = put(folder, ministry.file(line(1)))
    assert await sweep(ministry.services, folder)
    assert names(folder.outbox) == [f"{name}.response.jose"]
    assert names(folder.processed) == [f"{name}.jose"]
    answer = folder.outbox / f"{name}.response.jose"
    assert ministry.read(answer.read_bytes())["issued"] == 1
    assert answer.stat().st_mode & 0o777 == 0o600
    assert names(folder.inbox) == names(folder.taken) == []


async def test_a_refused_file_gets_an_answer_too(ministry, folder):
    name = put(folder, b"rubbish")
    await sweep(ministry.services, folder)
    assert names(folder.refused) == [f"{name}.jose"]
    answer = (folder.outbox / f"{name}.response.jose").read_bytes()
    assert ministry.read(answer, envelope.REFUSAL)["faults"][0]["code"] == "form"


async def test_what_is_not_finished_or_no_file_is_left_alone(ministry, folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    (folder.inbox / "link.jose").symlink_to(secret)
    put(folder, b"half", ".monday.jose")
    put(folder, b"half", "monday.jose.part")
    assert await sweep(ministry.services, folder)
    assert names(folder.outbox) == []
    assert names(folder.inbox) == [".monday.jose", "link.jose", "monday.jose.part"]


async def test_large_files_are_worked_on_at_once(ministry, folder):
    put(folder, ministry.file(*(line(number) for number in range(30))))
    await sweep(ministry.services, folder)
    (name,) = names(folder.outbox)
    assert ministry.read((folder.outbox / name).read_bytes())["issued"] == 30


async def test_two_files_of_one_name_get_two_answers(ministry, folder):
    for number in (1, 2):
        put(folder, ministry.file(line(number), requestID=f"REQ{number}"))
        await sweep(ministry.services, folder)
    assert len(names(folder.outbox)) == len(names(folder.processed)) == 2


@pytest.mark.parametrize("survived", range(6))
async def test_killed_anywhere_it_publishes_each_answer_once(ministry, folder, monkeypatch, survived):
    """Every call to the file system is a place where the process may die."""
    name, published, done = put(folder, ministry.file(line(1))), [], 0

    def dying(owner, attribute):
        original = getattr(owner, attribute)

        def call(*arguments, **options):
            nonlocal done
            if done == survived:
                raise SystemExit
            done += 1
            if attribute == "rename" and not os.fspath(arguments[1]).startswith(str(folder.inbox)):
                published.append(arguments[1].name)
            return original(*arguments, **options)

        monkeypatch.setattr(owner, attribute, call)

    dying(batch_folder.os, "fsync")
    dying(batch_folder.Path, "rename")
    with pytest.raises(SystemExit):
        await sweep(ministry.services, folder)
    survived = -1
    await sweep(ministry.services, folder)
    assert published == names(folder.outbox) == [f"{name}.response.jose"]
    assert names(folder.processed) == [f"{name}.jose"]
    assert await ministry.vouchers() == 1
    assert ministry.read((folder.outbox / f"{name}.response.jose").read_bytes())["issued"] == 1


async def test_a_file_that_cannot_be_worked_on_now_waits_and_the_others_go_on(ministry, folder, monkeypatch):
    take = batch_folder.batch_file.take
    first = ministry.file(line(1))

    async def failing(services, content, **options):
        if content == first:
            raise Unavailable("store", "does not answer")
        return await take(services, content, **options)

    monkeypatch.setattr(batch_folder.batch_file, "take", failing)
    put(folder, first)
    put(folder, ministry.file(line(2), requestID="REQ2"), "tuesday.jose")
    assert not await sweep(ministry.services, folder)
    assert names(folder.taken) == ["monday.jose"]
    assert len(names(folder.outbox)) == 1
    monkeypatch.setattr(batch_folder.batch_file, "take", take)
    assert await sweep(ministry.services, folder)
    assert len(names(folder.outbox)) == 2


def stop_after(folder, stop):
    """Let the watch go on until there is an answer."""

    async def stopped(_event, _seconds):
        if names(folder.outbox):
            stop.set()
        return stop.is_set()

    return stopped


async def test_a_second_watcher_waits_until_the_first_is_gone(ministry, folder, monkeypatch):
    monkeypatch.setattr(batch_folder, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(batch_folder, "LOOK_EVERY_SECONDS", 0.01)
    put(folder, ministry.file(line(1)))
    stop = asyncio.Event()
    with batch_folder._lock_file(folder) as lock:
        assert batch_folder._locked(lock)
        second = asyncio.create_task(watch(ministry.services, folder, stop))
        await asyncio.sleep(0.03)
        assert names(folder.outbox) == []
    monkeypatch.setattr(batch_folder, "_stopped", stop_after(folder, stop))
    await second
    assert len(names(folder.outbox)) == 1


def test_folders_that_cannot_be_made_are_named(tmp_path):
    (tmp_path / "in").write_text("a file")
    with pytest.raises(Misconfigured):
        Folder(tmp_path / "in", tmp_path / "out")

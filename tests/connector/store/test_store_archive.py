"""A finished batch leaves the store for a file, and everything can still be read and changed."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from store_samples import created, event, running

from connector.domain.batch import Batch, BatchState
from connector.domain.chunk import Update, advance_all, tallies
from connector.domain.chunk import advance as advanced
from connector.domain.errors import Misconfigured, NotFound, NotPermitted, Unavailable
from connector.domain.instruction import Reason
from connector.domain.status import InstructionStatus
from connector.store import Callback, CallbackState, Store
from connector.store.archive import Archive
from connector.store.archive_file import Draft
from connector.store.archiving import Archiving
from connector.store.crypto import Keyring
from connector.store.outbox import pack_event

pytestmark = pytest.mark.cluster

NOW = 1_800_000_100.0
LATER = NOW + 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
async def store(store: Store, store_url: str, keyring: Keyring, clock: object, folder: Path) -> AsyncIterator[Store]:
    """The same store, opened with a folder."""
    opened = await Store.connect(store_url, keys=keyring, clock=clock, archive=folder)
    yield opened
    await opened.close()


async def pay(
    store: Store, ref: str, number: int, status: InstructionStatus, positions: list[int] | None = None
) -> bool:
    chunk, before = await store.batches.chunk(ref, number)
    if positions is None:
        after = advance_all(before, status, None, NOW)
    else:
        after = advanced(before, [Update(position, status, Reason("AC04")) for position in positions], NOW)
    sums = tallies(chunk, before), tallies(chunk, after)
    return await store.batches.advance(
        ref, number, before.version, after, *sums, chunk.currency, event=event("paid"), now=NOW
    )


async def finished(store: Store, name: str = "B1", slices: int = 3) -> Batch:
    batch = await running(store, name, [[100, 200, 300]] * slices)
    for number in await store.batches.chunk_numbers(batch.ref):
        await pay(store, batch.ref, number, InstructionStatus.ACSC)
    return batch


async def everything(store: Store, ref: str) -> object:
    """All that can be read of a batch, but when it was archived."""
    batch, progress = await store.batches.read(ref)
    numbers = await store.batches.chunk_numbers(ref)
    chunks = [await store.batches.chunk(ref, number) for number in numbers]
    statuses = [await store.batches.chunk_status(ref, number) for number in numbers]
    return batch, replace(progress, archived_at=0.0), numbers, chunks, statuses, await store.events.of(ref)


async def keys_of(store: Store, ref: str) -> set[str]:
    """What is left of a batch, below its own key."""
    found = [key.decode() for keys in await store.link.ask_everywhere("KEYS", f"*:batch:{ref}:*") for key in keys]
    return {key.partition(f"{ref}:")[2] for key in found}


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_finished_batch_is_read_from_its_file_as_it_was_in_the_store(store: Store, folder: Path) -> None:
    batch = await finished(store)
    before = await everything(store, batch.ref)
    assert await store.archiving.awaiting(NOW, 10) == [batch.ref]
    assert await store.archiving.archive_batch(batch.ref, LATER)
    assert await keys_of(store, batch.ref) == set()
    assert await everything(store, batch.ref) == before
    assert await store.archiving.awaiting(LATER, 10) == []
    [file] = files(folder)
    assert file.parent.relative_to(folder).as_posix() == "2027/01/15"
    assert [path.stat().st_mode & 0o777 for path in (file, *file.parents[:4])] == [0o600, *[0o700] * 4]
    assert (await store.batches.read(batch.ref))[1].archived_at == LATER
    assert b"Ada Example" not in file.read_bytes()


async def test_what_was_never_there_is_not_in_the_archive_either(store: Store) -> None:
    batch = await finished(store)
    await store.archiving.archive_batch(batch.ref, LATER)
    for missed in (store.batches.chunk, store.batches.chunk_status, store.batches.slice):
        with pytest.raises(NotFound):
            await missed(batch.ref, 77)
    assert not await pay_unknown(store, batch)


async def pay_unknown(store: Store, batch: Batch) -> bool:
    chunk, status = await store.batches.chunk(batch.ref, 0)
    sums = tallies(chunk, status)
    return await store.batches.advance(batch.ref, 77, 0, status, sums, sums, "USD", now=NOW)


async def test_a_batch_that_runs_is_not_archived(store: Store, folder: Path) -> None:
    batch = await running(store, "B1", [[100]])
    with pytest.raises(NotPermitted):
        await store.archiving.archive_batch(batch.ref, LATER)
    with pytest.raises(NotFound):
        await store.archiving.archive_batch("A" * 20, LATER)
    assert not files(folder)


async def test_slices_of_a_refused_batch_are_read_from_the_file(store: Store) -> None:
    batch = await created(store, "B1", [[100, 200], [300]])
    await store.batches.move(batch.ref, BatchState.ACCEPTED, BatchState.REFUSED, reason="AM04 No funds", now=NOW)
    before = [await store.batches.slice(batch.ref, number) for number in range(2)]
    assert await store.archiving.archive_batch(batch.ref, LATER)
    assert await keys_of(store, batch.ref) == set()
    assert [await store.batches.slice(batch.ref, number) for number in range(2)] == before
    assert await store.archiving.restore(batch.ref, LATER)
    assert [await store.batches.slice(batch.ref, number) for number in range(2)] == before
    assert await keys_of(store, batch.ref) == {"slice:0", "slice:1", "events"}


async def test_a_late_change_takes_one_chunk_back_and_a_newer_file_has_both(store: Store, folder: Path) -> None:
    batch = await finished(store)
    await store.archiving.archive_batch(batch.ref, LATER)
    [old] = files(folder)
    assert await pay(store, batch.ref, 1000, InstructionStatus.RTND, [1])
    assert await keys_of(store, batch.ref) == {"chunk:1000", "versions", "status", "events"}
    after = await everything(store, batch.ref)
    assert after[4][1].status(1) is InstructionStatus.RTND
    assert await store.archiving.awaiting(NOW, 10) == [batch.ref]
    assert await store.archiving.archive_batch(batch.ref, LATER)
    assert await everything(store, batch.ref) == after
    assert await keys_of(store, batch.ref) == set()
    assert len(files(folder)) == 1
    assert not old.exists()


async def test_a_late_event_is_told_after_those_of_the_file_and_goes_into_the_next(store: Store) -> None:
    batch = await finished(store)
    await store.archiving.archive_batch(batch.ref, LATER)
    await store.events.add(batch.ref, event("looked at")._replace(at=LATER))
    told = [each.action for each in await store.events.of(batch.ref)]
    assert told == ["batch accepted", "paid", "paid", "paid", "looked at"]
    assert [each.action for each in await store.events.of(batch.ref, 2)] == told[:2]
    assert await store.archiving.awaiting(LATER, 10) == [batch.ref]
    assert await store.archiving.archive_batch(batch.ref, LATER)
    assert [each.action for each in await store.events.of(batch.ref)] == told


async def test_what_changes_while_the_file_is_written_stays_in_the_store(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = await finished(store)
    loop, publish = asyncio.get_running_loop(), Draft.publish

    def changed_meanwhile(draft: Draft, *arguments: object) -> int:
        paid = pay(store, batch.ref, 0, InstructionStatus.RTND, [0])
        assert asyncio.run_coroutine_threadsafe(paid, loop).result()
        return publish(draft, *arguments)

    monkeypatch.setattr(Draft, "publish", changed_meanwhile)
    assert not await store.archiving.archive_batch(batch.ref, LATER)
    monkeypatch.undo()
    before = await everything(store, batch.ref)
    assert before[4][0].status(0) is InstructionStatus.RTND
    assert not files(folder)
    assert await store.archiving.archive_batch(batch.ref, LATER)
    assert await everything(store, batch.ref) == before


async def test_chunks_with_something_left_to_do_keep_the_batch_in_the_store(store: Store, folder: Path) -> None:
    batch = await finished(store)
    assert not await store.archiving.archive_batch(batch.ref, LATER, lambda status: False)
    assert not files(folder)
    assert "chunk:0" in await keys_of(store, batch.ref)


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("again", [False, True], ids=["first", "newer"])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("owner", "step"),
    [(Draft, "add"), (Draft, "publish"), (Archiving, "_cut"), (Archive, "delete")],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
async def test_whenever_it_is_killed_nothing_is_lost_and_doing_it_again_ends_it(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, owner: type, step: str, moment: str, again: bool
) -> None:
    """A file that was written before the crash may be left over, but it is never the one that is read."""
    batch = await finished(store)
    if again:
        await store.archiving.archive_batch(batch.ref, LATER)
        await pay(store, batch.ref, 1000, InstructionStatus.RTND, [1])
    before = await everything(store, batch.ref)
    killed = False
    original = getattr(owner, step)

    def dying(*arguments: object) -> object:
        nonlocal killed
        killed = True
        if moment == "before":
            raise Killed
        original(*arguments)
        raise Killed

    async def dying_async(*arguments: object) -> object:
        nonlocal killed
        killed = True
        if moment == "after":
            await original(*arguments)
        raise Killed

    monkeypatch.setattr(owner, step, dying_async if step == "_cut" else dying)
    monkeypatch.setattr(Draft, "discard", lambda draft: draft._file.close())
    with suppress(Killed):
        await store.archiving.archive_batch(batch.ref, LATER)
    monkeypatch.undo()
    assert killed or (step == "delete" and not again)
    assert await everything(store, batch.ref) == before
    assert await store.archiving.archive_batch(batch.ref, LATER)
    assert await everything(store, batch.ref) == before
    assert await keys_of(store, batch.ref) == set()
    file = await store.archiving.file_of(batch.ref)
    assert file is not None
    assert file.name in {each.name for each in store.archiving.archive.files()}


async def test_two_who_archive_the_same_batch_at_once_leave_one_file(store: Store, folder: Path) -> None:
    batch = await finished(store)
    before = await everything(store, batch.ref)
    done = await asyncio.gather(*(store.archiving.archive_batch(batch.ref, LATER) for _ in range(4)))
    assert sum(done) == 1
    assert len(files(folder)) == 1
    assert await everything(store, batch.ref) == before


async def test_restoring_gives_back_what_was_there_and_what_came_since(store: Store, folder: Path) -> None:
    batch = await finished(store)
    await store.archiving.archive_batch(batch.ref, LATER)
    await pay(store, batch.ref, 1000, InstructionStatus.RTND, [1])
    before = await everything(store, batch.ref)
    assert await store.archiving.restore(batch.ref, LATER)
    assert not files(folder)
    assert await everything(store, batch.ref) == before
    assert (await store.batches.read(batch.ref))[1].archived_at == 0
    assert not await store.archiving.restore(batch.ref, LATER)
    assert await store.archiving.archive_batch(batch.ref, LATER)
    assert await everything(store, batch.ref) == before


async def test_a_missing_file_is_an_error_and_not_an_empty_batch(store: Store, folder: Path) -> None:
    batch = await finished(store)
    await store.archiving.archive_batch(batch.ref, LATER)
    [file] = files(folder)
    file.unlink()
    for question in (
        store.batches.chunk(batch.ref, 0),
        store.batches.chunk_status(batch.ref, 0),
        store.batches.chunk_numbers(batch.ref),
        store.batches.slice(batch.ref, 0),
        store.events.of(batch.ref),
        store.archiving.restore(batch.ref, LATER),
    ):
        with pytest.raises(Misconfigured, match="missing"):
            await question


async def test_a_folder_that_is_not_there_is_a_matter_of_time(store: Store, folder: Path) -> None:
    batch = await finished(store)
    await store.archiving.archive_batch(batch.ref, LATER)
    shutil.rmtree(folder)
    with pytest.raises(Unavailable):
        await store.batches.chunk_status(batch.ref, 0)


@pytest.mark.parametrize("place", ["head", "record", "index", "end"])
async def test_a_damaged_file_is_an_error_that_names_it(store: Store, folder: Path, place: str) -> None:
    batch = await finished(store)
    await store.archiving.archive_batch(batch.ref, LATER)
    [file] = files(folder)
    content = bytearray(file.read_bytes())
    content[{"head": 0, "record": 100, "index": -60, "end": -41}[place]] ^= 1
    file.write_bytes(content)
    with pytest.raises(Misconfigured, match=file.name):
        await store.batches.chunk(batch.ref, 0)
    with pytest.raises(Misconfigured, match=file.name):
        store.archiving.archive.verify(file.relative_to(folder).as_posix())


async def test_the_file_of_another_batch_is_not_taken_for_this_ones(store: Store, folder: Path) -> None:
    refs = [(await finished(store, name)).ref for name in ("B1", "B2")]
    names = []
    for ref in refs:
        await store.archiving.archive_batch(ref, LATER)
        names.append(folder / (await store.archiving.file_of(ref)).name)
    shutil.copy(names[0], names[1])
    with pytest.raises(Misconfigured):
        await store.batches.chunk(refs[1], 0)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "2027/01/15/../../../x", "2027/01/15/x", ""])
async def test_names_that_lead_elsewhere_are_not_followed(store: Store, name: str) -> None:
    batch = await finished(store)
    await store.archiving.archive_batch(batch.ref, LATER)
    await store.link.ask("HSET", store.keyspace.batch(batch.ref), "archived", name)
    if name:
        with pytest.raises(Misconfigured):
            await store.batches.chunk(batch.ref, 0)
    with pytest.raises(Misconfigured):
        store.archiving.archive.index(name)


async def test_without_a_folder_archived_batches_are_an_error(
    store: Store, store_url: str, keyring: Keyring, clock: object
) -> None:
    batch = await finished(store)
    await store.archiving.archive_batch(batch.ref, LATER)
    other = await Store.connect(store_url, keys=keyring, clock=clock)
    with pytest.raises(Misconfigured):
        await other.batches.chunk(batch.ref, 0)
    await other.close()


async def test_batches_that_an_older_version_finished_are_found(store: Store) -> None:
    batch = await finished(store)
    archived = await finished(store, "B2")
    await store.archiving.archive_batch(archived.ref, LATER)
    await store.link.ask("DEL", store.keyspace.finished(store.keyspace.home(batch.ref)))
    assert await store.archiving.enlist() == 1
    assert await store.archiving.awaiting(LATER, 10) == [batch.ref]


def callback(batch: Batch, state: CallbackState, identifier: str = "final-USD", outcome: str = "200") -> Callback:
    return Callback(identifier, batch.ref, "http://bb.test/", "{}", state=state, last_outcome=outcome, changed_at=NOW)


async def test_delivered_callbacks_go_into_the_file_and_are_not_made_again(store: Store) -> None:
    batch = await finished(store)
    delivered, dead = callback(batch, CallbackState.DELIVERED), callback(batch, CallbackState.DEAD, "returned-USD")
    for each in (delivered, dead):
        assert await store.callbacks.put(each)
    assert await store.archiving.archive_batch(batch.ref, LATER)
    assert await keys_of(store, batch.ref) == {"callbacks"}
    assert await store.callbacks.find(CallbackState.DELIVERED) == []
    assert await store.callbacks.find(CallbackState.DEAD) == [dead]
    assert await store.callbacks.get(batch.ref, "final-USD") == delivered
    assert not await store.callbacks.put(callback(batch, CallbackState.PENDING))
    assert await store.callbacks.put(callback(batch, CallbackState.DELIVERED, "returned-2-USD"))
    assert await store.archiving.awaiting(NOW, 10) == [batch.ref]
    assert await store.archiving.archive_batch(batch.ref, LATER)
    assert (await store.callbacks.get(batch.ref, "final-USD"), await store.callbacks.find(CallbackState.DEAD)) == (
        delivered,
        [dead],
    )
    assert await store.archiving.restore(batch.ref, LATER)
    assert {each.id for each in await store.callbacks.find(CallbackState.DELIVERED)} == {
        "final-USD",
        "returned-2-USD",
    }


async def test_a_callback_that_is_still_to_be_delivered_keeps_the_batch_in_the_store(store: Store) -> None:
    batch = await finished(store)
    await store.callbacks.put(callback(batch, CallbackState.PENDING))
    assert not await store.archiving.archive_batch(batch.ref, LATER)
    await store.callbacks.save(callback(batch, CallbackState.DELIVERED))
    assert await store.archiving.archive_batch(batch.ref, LATER)
    await store.callbacks.save(callback(batch, CallbackState.DELIVERED, outcome="204"))
    assert (await store.callbacks.get(batch.ref, "final-USD")).last_outcome == "204"
    assert await store.archiving.archive_batch(batch.ref, LATER)
    assert (await store.callbacks.get(batch.ref, "final-USD")).last_outcome == "204"


@pytest.mark.parametrize("again", [False, True])
async def test_a_commit_whose_answer_got_lost_and_is_sent_again_keeps_the_file(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    batch = await finished(store)
    if again:
        await store.archiving.archive_batch(batch.ref, LATER)
        await pay(store, batch.ref, 1000, InstructionStatus.RTND, [1])
    before = await everything(store, batch.ref)
    call = store.link.call

    async def twice(function: str, *arguments: Any) -> object:
        await call(function, *arguments)
        return await call(function, *arguments)

    monkeypatch.setattr(store.link, "call", twice)
    assert await store.archiving.archive_batch(batch.ref, LATER)
    monkeypatch.undo()
    assert await everything(store, batch.ref) == before
    assert len(files(folder)) == 1


async def test_restoring_keeps_all_events_where_the_clock_of_the_server_went_back(store: Store) -> None:
    batch = await finished(store)
    ahead = pack_event(event("ahead of its time"))
    await store.link.ask("XADD", f"{store.keyspace.batch(batch.ref)}:events", "9999999999999-0", "e", ahead)
    await store.archiving.archive_batch(batch.ref, LATER)
    await store.events.add(batch.ref, event("late"))
    before = await store.events.of(batch.ref)
    assert await store.archiving.restore(batch.ref, LATER)
    assert await store.events.of(batch.ref) == before


async def test_a_late_change_of_a_batch_whose_file_is_missing_is_not_passed_over(store: Store, folder: Path) -> None:
    batch = await finished(store)
    await store.archiving.archive_batch(batch.ref, LATER)
    await pay(store, batch.ref, 0, InstructionStatus.RTND, [1])
    files(folder)[0].unlink()
    with pytest.raises(Misconfigured, match="missing"):
        await store.archiving.archive_batch(batch.ref, LATER)


async def test_a_file_that_may_not_be_read_is_an_error_that_names_it(store: Store, folder: Path) -> None:
    batch = await finished(store)
    await store.archiving.archive_batch(batch.ref, LATER)
    [file] = files(folder)
    file.unlink()
    file.mkdir()  # tests may run as somebody who may read everything
    with pytest.raises(Misconfigured, match=file.name):
        await store.batches.chunk(batch.ref, 0)


async def test_files_that_are_replaced_while_they_are_listed_are_not_missing(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = await finished(store)
    await store.archiving.archive_batch(batch.ref, LATER)
    await pay(store, batch.ref, 1000, InstructionStatus.RTND, [1])
    listing = store.archiving.archive.files()
    of_file = store.archiving.file_of

    async def late(ref: str) -> object:
        found = await of_file(ref)
        monkeypatch.undo()
        await store.archiving.archive_batch(ref, LATER)
        return found and found._replace(size=0)

    monkeypatch.setattr(store.archiving, "file_of", late)
    assert [ref async for ref in store.archiving.missing()] == []
    assert len(list(listing)) == 1

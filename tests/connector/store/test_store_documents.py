"""Requests, callbacks, directory and records: what is small and read by its id."""

import asyncio
from dataclasses import replace

import pytest

from connector.domain.directory import Directory, Institution, InstitutionKind, Programme, SourceBB
from connector.domain.errors import NotFound
from connector.store import Callback, CallbackState, FundsBalance, Store, Task

pytestmark = pytest.mark.cluster

REF = "A" * 20
PENSIONS = Programme("PENSIONS", "Pensions", "TREAXU22", "TREAXU22", "9000000001", "Treasury", budgets={"USD": 500})
UNION = Institution("UNIOXU22", "Union Bank", InstitutionKind.BANK, (r"10\d{8,12}",))
WORLD = Directory({"PENSIONS": PENSIONS}, {"UNIOXU22": UNION}, {}, "PENSIONS", open_sources=True)


async def test_a_request_is_new_once_then_a_repeat_or_a_conflict(store: Store) -> None:
    claim = store.requests.claim
    assert await claim("v1", "S", "R1", "d1", "B1") == "new"
    assert await claim("v1", "S", "R1", "d1", "B1") == "repeat"
    assert await claim("v1", "S", "R1", "d2", "B1") == "conflict"
    assert await claim("v1", "S", "R1", "d1", "B2") == "conflict"
    assert await claim("v1", "T", "R1", "d2", "B2") == "new"


async def test_of_racing_claims_one_is_new(store: Store) -> None:
    answers = await asyncio.gather(*(store.requests.claim("v1", "S", "R1", f"d{n}", "B") for n in range(9)))
    assert sorted(answers) == ["conflict"] * 8 + ["new"]


async def test_only_the_owner_gives_a_claim_back(store: Store) -> None:
    await store.requests.claim("v1", "S", "R1", "d1", "B1")
    await store.requests.give_back("v1", "S", "R1", "B2")
    assert await store.requests.claim("v1", "S", "R1", "d2", "B2") == "conflict"
    await store.requests.give_back("v1", "S", "R1", "B1")
    assert await store.requests.claim("v1", "S", "R1", "d2", "B2") == "new"


async def test_an_answer_is_kept_for_a_claimed_request(store: Store) -> None:
    await store.requests.keep_answer("v1", "S", "R1", "lost")
    assert await store.requests.answer_of("v1", "S", "R1") is None
    await store.requests.claim("v1", "S", "R1", "d1", "B1")
    await store.requests.keep_answer("v1", "S", "R1", '{"é": 1}')
    assert await store.requests.answer_of("v1", "S", "R1") == '{"é": 1}'


async def test_a_callback_moves_from_pending_to_its_end_with_its_tasks(store: Store) -> None:
    callback = Callback("final-1", REF, "http://bb/cb", "{}", headers={"X-A": "1"}, changed_at=1.0)
    assert await store.callbacks.put(callback, then=[Task("deliver", REF, data="final-1")])
    assert not await store.callbacks.put(replace(callback, body="other"), then=[Task("deliver", REF, 2)])
    assert await store.callbacks.get(REF, "final-1") == callback
    [entry] = await store.queue.take(["deliver"], "w", 5, 0)
    told = replace(callback, state=CallbackState.DELIVERED, attempts=1, last_outcome="200", changed_at=2.0)
    await store.callbacks.save(told, done=entry)
    assert await store.callbacks.find(CallbackState.PENDING) == []
    assert await store.callbacks.find(CallbackState.DELIVERED) == [told]
    assert (await store.queue.depth())["deliver"] == 0


async def test_callbacks_are_listed_last_changed_first(store: Store) -> None:
    for n in range(12):
        await store.callbacks.put(Callback(f"c{n}", f"batch-{n}", "http://bb", "", changed_at=float(n)))
    assert [found.id for found in await store.callbacks.find(CallbackState.PENDING, newest=3)] == ["c11", "c10", "c9"]


async def test_an_unknown_callback_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.callbacks.get(REF, "none")


async def test_the_directory_is_seeded_once_with_its_budgets(store: Store) -> None:
    assert await store.directory.load() == Directory({}, {}, {})
    assert await store.directory.seed(WORLD)
    assert not await store.directory.seed(Directory({}, {}, {}))
    assert await store.directory.load() == WORLD
    assert (await store.funds.balances("PENSIONS"))["USD"] == FundsBalance(500, 0, 0, 500)


async def test_a_change_of_the_directory_is_seen_by_all_at_once(store: Store, store_url: str, keyring, clock) -> None:
    await store.directory.seed(WORLD)
    other = await Store.connect(store_url, keys=keyring, clock=clock)
    assert await other.directory.load() == WORLD
    await store.directory.save_programme(replace(PENSIONS, budgets={"USD": 700}))
    await store.directory.save_institution(replace(UNION, chunk_size=10))
    await store.directory.save_source(SourceBB("MOSA", "Social Affairs"))
    await store.directory.save_defaults(default_programme="", open_sources=False)
    seen = await other.directory.load()
    assert seen == await store.directory.load()
    assert seen.programmes["PENSIONS"].budgets == {"USD": 700}
    assert seen.institutions["UNIOXU22"].chunk_size == 10
    assert (seen.sources["MOSA"].name, seen.open_sources) == ("Social Affairs", False)
    assert (await other.funds.balances("PENSIONS"))["USD"].available == 700
    assert await other.directory.load() is seen
    await other.close()


async def test_a_record_lives_as_long_as_it_is_told(store: Store) -> None:
    await store.records.put("prevalidation", "S/R1", '{"a": 1}', 60.0)
    assert await store.records.get("prevalidation", "S/R1") == '{"a": 1}'
    assert 0 < await store.link.ask("PTTL", store.keyspace.record("prevalidation", "S/R1")) <= 60_000
    assert await store.records.get("prevalidation", "S/R2") is None

"""The places at an institution, counted over all processes."""

import asyncio

import pytest

from connector.store import Store

pytestmark = pytest.mark.cluster

BANK = "TREAXU22"


async def test_there_are_no_more_places_than_the_institution_has(store: Store) -> None:
    taken = [await store.places.occupy(BANK, f"w{n % 2}", n, 4, 60) for n in range(6)]
    assert taken == [True, True, True, True, False, False]
    assert await store.places.occupy("UNIOXU22", "w0", 1, 4, 60)
    await store.places.vacate(BANK, "w1", 3)
    assert await store.places.occupy(BANK, "w1", 7, 4, 60)
    assert not await store.places.occupy(BANK, "w0", 8, 4, 60)


async def test_the_dead_lose_their_places_after_a_while(store: Store) -> None:
    assert await store.places.occupy(BANK, "dead", 1, 1, 0.05)
    assert not await store.places.occupy(BANK, "w1", 1, 1, 60)
    await asyncio.sleep(0.06)
    assert await store.places.occupy(BANK, "w1", 1, 1, 60)


async def test_who_is_revived_gives_back_what_he_had_and_nothing_else(store: Store) -> None:
    for owner in ("w1", "w1", "w11"):
        await store.places.occupy(BANK, owner, 1 if owner == "w11" else 5, 4, 60)
    await store.places.occupy(BANK, "w1", 6, 4, 60)
    assert await store.places.vacate_all([BANK, "UNIOXU22"], "w1") == 2
    taken = [await store.places.occupy(BANK, "w2", number, 4, 60) for number in range(4)]
    assert taken == [True, True, True, False]


async def test_places_taken_before_the_clock_was_set_back_are_not_lost_for_ever(store: Store) -> None:
    assert await store.places.occupy(BANK, "dead", 1, 1, 3600)
    assert await store.places.occupy(BANK, "w1", 1, 1, 60)
    assert not await store.places.occupy(BANK, "w2", 1, 1, 60)


async def test_who_asks_again_since_the_answer_was_lost_has_one_place(store: Store) -> None:
    assert await store.places.occupy(BANK, "w1", 1, 1, 60)
    assert await store.places.occupy(BANK, "w1", 1, 1, 60)
    await store.places.vacate(BANK, "w1", 1)
    assert await store.places.occupy(BANK, "w2", 1, 1, 60)

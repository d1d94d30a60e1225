"""Counts of wrong tries begin anew."""

from connector.store import Store

WHO = "0" * 32


async def test_every_count_ends_with_its_window(store: Store) -> None:
    assert [await store.tries.count(WHO, 60) for _ in range(3)] == [1, 2, 3]
    [key] = await store.link.ask("KEYS", "ig:*tries*")
    assert 0 < await store.link.ask("TTL", key) <= 60


async def test_a_count_that_lost_its_window_gets_one(store: Store) -> None:
    await store.tries.count(WHO, 60)
    [key] = await store.link.ask("KEYS", "ig:*tries*")
    await store.link.ask("PERSIST", key)
    assert await store.tries.count(WHO, 60) == 2
    assert await store.link.ask("TTL", key) > 0

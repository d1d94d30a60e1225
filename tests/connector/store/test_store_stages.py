"""What the processes say of their stages is known for an hour."""

from connector.domain.stages import Spent
from connector.store import Store


async def test_the_last_word_of_each_process_counts(store: Store) -> None:
    await store.stages.put("worker", {"debulk": Spent(1, 0.1)})
    await store.stages.put("api", {"read JSON": Spent(3, 0.5)})
    await store.stages.put("worker", {"debulk": Spent(2, 0.25), "compose": Spent(2, 0.5)})
    assert await store.stages.all() == {
        "api": {"read JSON": Spent(3, 0.5)},
        "worker": {"debulk": Spent(2, 0.25), "compose": Spent(2, 0.5)},
    }


async def test_a_process_that_says_nothing_for_an_hour_is_forgotten(store: Store, clock) -> None:
    await store.stages.put("gone", {"debulk": Spent(1, 0.1)})
    clock.now += 3000
    await store.stages.put("here", {"debulk": Spent(1, 0.1)})
    clock.now += 601
    assert list(await store.stages.all()) == ["here"]
    assert await store.link.ask("HKEYS", store.keyspace.stages()) == [b"here"]

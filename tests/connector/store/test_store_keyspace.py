"""Every key that the store writes is documented, and is of the type and the partition that it says."""

import re

import pytest
from store_samples import created, event, instructions, running
from test_store_documents import WORLD
from test_store_statements import ASKED, FACTS

from connector.domain.batch import BatchState
from connector.domain.beneficiary import Beneficiary
from connector.store import Callback, Store, Task
from connector.store.keyspace import FAMILIES, Keyspace, family


async def walk(store: Store, now: float) -> None:
    """Write everything that can be written."""
    await store.directory.seed(WORLD)
    await store.mapper.register("S", [Beneficiary(f"P{n}", address="10777123456") for n in range(5)])
    await store.requests.claim("v1", "S", "R1", "d", "B1")
    await store.requests.keep_answer("v1", "S", "R1", "{}")
    batch = await running(store, "B1", [[1], [2]])
    await store.events.add(batch.ref, event("looked at"))
    await store.queue.put([Task("inquire", batch.ref, due_at=now + 5), Task("settle", batch.ref, priority=0)])
    await store.queue.take(["settle", "admit"], "w", 1, 0)
    stopped = await created(store, "odd:id {x}\n", [[1]])
    await store.batches.move(stopped.ref, BatchState.ACCEPTED, BatchState.REFUSED, now=1.0)
    await store.batches.put_slice("A" * 20, 0, instructions([1]))
    await store.funds.deposit("PENSIONS", "USD", 5, "D1")
    await store.funds.reserve("PENSIONS", batch.ref, {"USD": 3}, open_budget=False)
    await store.callbacks.put(Callback("c1", batch.ref, "http://bb", "{}"))
    await store.records.put("prevalidation", "S/R:1", "{}", 60)
    await store.statements.put("TREAXU22", "9000000001", FACTS, [])
    await store.reconciliations.create(ASKED, [])
    await store.link.ask("SET", store.keyspace.layout(), store.keyspace.partitions)
    await store.link.ask("SET", store.keyspace.format(), 1)


async def test_every_key_is_documented_and_every_family_is_used(store: Store, clock) -> None:
    await walk(store, clock())
    keys = [key.decode() for key in await store.link.ask("KEYS", "*")]
    kinds = {key: family(key) for key in keys}
    assert [key for key, kind in kinds.items() if kind is None] == []
    assert {kind.pattern for kind in kinds.values()} == {kind.pattern for kind in FAMILIES}
    for key, kind in kinds.items():
        assert (await store.link.ask("TYPE", key)).decode() == kind.type.replace("sorted set", "zset")


async def test_keys_that_do_not_live_forever_say_so(store: Store, clock) -> None:
    await walk(store, clock())
    for key in await store.link.ask("KEYS", "*"):
        mortal = await store.link.ask("TTL", key) >= 0
        assert mortal == (family(key.decode()).life in {"1 day", "as its writer says"})


@pytest.mark.parametrize("identifier", ["B1", "odd:id {x}\n", "é", ""])
def test_the_hash_tag_is_the_partitions_whatever_the_id(identifier: str) -> None:
    keyspace = Keyspace(8)
    for key in (keyspace.batch(identifier), keyspace.sender(identifier), keyspace.hold(identifier, "x")):
        assert re.search(r"\{([^}]*)\}", key)[1] == f"p{keyspace.partition(identifier)}"

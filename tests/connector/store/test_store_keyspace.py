"""Every key that the store writes is documented, and is of the type and the partition that it says."""

import re

import pytest
from store_samples import created, event, running
from test_store_documents import WORLD
from test_store_messages import ASKED as RETAIL
from test_store_statements import ASKED, FACTS
from voucher_samples import PAYING, made, order

from connector.domain.batch import BatchState
from connector.domain.beneficiary import Beneficiary
from connector.domain.stages import Spent
from connector.domain.voucher import Command, VoucherState
from connector.store import Callback, PayoutOutcome, Store, Task
from connector.store.keyspace import FAMILIES, Keyspace, family
from connector.store.plans import Plan


async def walk(store: Store, now: float) -> None:
    """Write everything that can be written."""
    await store.directory.seed(WORLD)
    await store.places.occupy("TREAXU22", "w", 1, 4, 60)
    await store.mapper.register("S", [Beneficiary(f"P{n}", address="10777123456") for n in range(5)])
    await store.requests.claim("v1", "S", "R1", "d", "B1")
    await store.requests.keep_answer("v1", "S", "R1", "{}")
    batch = await running(store, "B1", [[1], [2]])
    await store.events.add(batch.ref, event("looked at"))
    await store.queue.put([Task("inquire", batch.ref, due_at=now + 5), Task("settle", batch.ref, priority=0)])
    await store.queue.take(["settle", "admit"], "w", 1, 0)
    stopped = await created(store, "odd:id {x}\n", [[1]])
    await store.batches.move(stopped.ref, BatchState.ACCEPTED, BatchState.REFUSED, now=1.0)
    await store.staging.put("A" * 20, "t1", 0, b"")
    await store.funds.deposit("PENSIONS", "USD", 5, "D1")
    await store.funds.reserve("PENSIONS", batch.ref, {"USD": 3}, open_budget=False)
    await store.callbacks.put(Callback("c1", batch.ref, "http://bb", "{}"))
    await store.stages.put("worker", {"debulk": Spent(1, 0.1)})
    await store.records.put("prevalidation", "S/R:1", "{}", 60)
    await store.statements.put("TREAXU22", "9000000001", FACTS, [])
    await store.reconciliations.create(ASKED, [])
    await walk_vouchers(store)
    await store.link.ask("SET", store.keyspace.layout(), store.keyspace.partitions)
    await store.link.ask("SET", store.keyspace.format(), 1)


async def walk_vouchers(store: Store) -> None:
    """Write everything that can be written about vouchers."""
    vouchers = store.vouchers
    one, two, three = await made(store, [5, 6, 7], policy=PAYING, group="odd:group {x}\n")
    await made(store, [5, 5], id="S" * 20, state=VoucherState.IN_STOCK)
    await vouchers.take_stock("FOOD", "USD", 5, actor="a", now=1.0, token="0" * 16)
    await vouchers.adopt_blocks([3 * 10**15])
    paid = await vouchers.redeem(order(one, pays=True))
    entries = await store.queue.take(["payout"], "w", 1, 0)
    await vouchers.close_payouts(entries[0].task.data)
    await vouchers.decide([PayoutOutcome(paid.redemption.id, paid=True)])
    await vouchers.redeem(order(two, pays=True, request="R2"))
    await vouchers.undo_unseen(three, "R1")
    await vouchers.move(Command.SUSPEND, [three], actor="a", now=1.0)
    await store.plans.keep(Plan("P" * 20, "v3", "S", "R", "a", one, 1))
    await store.tries.count("0" * 32, 60)
    await store.messages.claim(RETAIL, "token")
    await store.messages.hold_refund(paid.redemption.id, one, "refund")


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
        assert mortal == (
            family(key.decode()).life in {"1 day", "30 days", "the window", "an hour", "as its writer says"}
        )


@pytest.mark.parametrize("identifier", ["B1", "odd:id {x}\n", "é", ""])
def test_the_hash_tag_is_the_partitions_whatever_the_id(identifier: str) -> None:
    keyspace = Keyspace(8)
    for key in (keyspace.batch(identifier), keyspace.sender(identifier), keyspace.hold(identifier, "x")):
        assert re.search(r"\{([^}]*)\}", key)[1] == f"p{keyspace.partition(identifier)}"

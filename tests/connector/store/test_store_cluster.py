"""The store on three nodes: everything goes where it belongs, also while slots move and nodes come and go."""

import asyncio
import time

import pytest
from store_samples import running
from valkey_cluster import ValkeyCluster

from connector.domain.errors import Misconfigured, Unavailable
from connector.store import Store, Task, commands
from connector.store.cluster import ClusterLink
from connector.store.link import ServerLink

STEPS = ("resolve", "dispatch")


def test_a_clusters_url_is_taken_apart() -> None:
    url = "rediss+cluster://ann:se%40cret@a.example:7000,[::1]:7001?ssl_ca_certs=/ca.pem"
    first, second = commands.seeds(url)
    assert first == "rediss://ann:se%40cret@a.example:7000?ssl_ca_certs=/ca.pem"
    assert second == "rediss://ann:se%40cret@[::1]:7001?ssl_ca_certs=/ca.pem"
    assert commands.address(first, "10.0.0.1", 7003) == "rediss://ann:se%40cret@10.0.0.1:7003?ssl_ca_certs=/ca.pem"
    assert commands.address(first, "", 7003) == "rediss://ann:se%40cret@a.example:7003?ssl_ca_certs=/ca.pem"


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("GET", "k"), b"k"),
        (("get", b"k", "other"), b"k"),
        (("FCALL", "f", 2, "k", "l", "argument"), b"k"),
        (("FCALL", "f", 0, "argument"), None),
        (("XREADGROUP", "GROUP", "g", "w", "STREAMS", "k", ">"), b"k"),
        (("XINFO", "STREAM", "k"), b"k"),
        (("FLUSHALL",), None),
    ],
)
def test_the_key_of_a_command_is_found(command: tuple[str, ...], key: bytes | None) -> None:
    assert commands.key_of(command) == key


def test_a_waiting_read_is_divided_by_slots() -> None:
    read = (
        "XREADGROUP",
        "GROUP",
        "g",
        "w",
        "COUNT",
        1,
        "BLOCK",
        700,
        "STREAMS",
        "{a}1",
        "{b}1",
        "{a}2",
        ">",
        "0-1",
        ">",
    )
    looks, seconds = commands.divided(read)
    head = ["XREADGROUP", "GROUP", "g", "w", "COUNT", 1, "STREAMS"]
    assert looks == [[*head, "{a}1", "{a}2", ">", ">"], [*head, "{b}1", "0-1"]]
    assert seconds == 0.7
    with pytest.raises(ValueError, match="explicit id"):
        commands.divided(("XREAD", "BLOCK", 1, "STREAMS", "{a}1", "$"))


async def test_a_store_spreads_over_all_nodes(cluster_store: Store, valkey_cluster: ValkeyCluster) -> None:
    for number in range(20):
        await running(cluster_store, f"B{number}", [[100, 200]])
    assert len(await cluster_store.batches.find()) == 20
    assert all(node.ask("DBSIZE") != b":0\r\n" for node in valkey_cluster.nodes)


async def test_answers_come_in_the_order_of_the_commands(cluster_store: Store) -> None:
    bases = cluster_store.keyspace.bases()
    await cluster_store.link.ask_all([("SET", f"{base}:record:o:x", base) for base in bases])
    keys = [f"{base}:record:o:x" for base in reversed(bases * 3)]
    answers = await cluster_store.link.ask_all([("GET", key) for key in keys])
    assert [f"{answer.decode()}:record:o:x" for answer in answers] == keys


async def test_waiting_on_many_slots_gives_each_task_once(cluster_store: Store) -> None:
    tasks = {Task("dispatch", f"B{n}") for n in range(24)}
    waiting = [asyncio.create_task(cluster_store.queue.take(STEPS, f"w{n}", 4, 4.0)) for n in range(3)]
    await asyncio.sleep(0.02)
    await cluster_store.queue.put(list(tasks))
    taken = [entry.task for part in await asyncio.gather(*waiting) for entry in part]
    while more := await cluster_store.queue.take(STEPS, "w0", 10, 0):
        taken += [entry.task for entry in more]
    assert sorted(task.batch for task in taken) == sorted(task.batch for task in tasks)


async def test_a_slot_that_moves_is_followed(cluster_store: Store, valkey_cluster: ValkeyCluster) -> None:
    key = f"{cluster_store.keyspace.base(2)}:record:moving:x"
    await cluster_store.link.ask("SET", key, "here")
    source = valkey_cluster.node_of(key)
    target = next(node for node in valkey_cluster.nodes if node is not source)
    valkey_cluster.begin_to_move(key, source, target)
    try:
        assert await cluster_store.link.ask("GET", key) == b"here"  # by way of ASK
        valkey_cluster.finish_moving(key, source, target)
        assert await cluster_store.link.ask_all([("GET", key), ("GET", key)]) == [b"here"] * 2  # by way of MOVED
        await cluster_store.funds.deposit("P1", "USD", 500, "D1")
    finally:
        valkey_cluster.begin_to_move(key, target, source)
        valkey_cluster.finish_moving(key, target, source)


async def test_a_lost_node_is_news_at_once_and_works_again_when_it_is_back(
    cluster_store: Store, valkey_cluster: ValkeyCluster
) -> None:
    await cluster_store.funds.deposit("P1", "USD", 500, "D1")
    lost = valkey_cluster.node_of(cluster_store.keyspace.funds("P1"))
    lost.kill()
    try:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await cluster_store.funds.balances("P1")
        assert time.monotonic() - began < 3.0  # 0.8 s on a quiet machine
    finally:
        lost.start()
        valkey_cluster.wait_until_ready()
    lost.ask("FUNCTION FLUSH")
    await cluster_store.funds.deposit("P1", "USD", 500, "D1")
    assert (await cluster_store.funds.balances("P1"))["USD"].available == 500
    await running(cluster_store, "B1", [[100, 200]])


async def test_what_one_node_gave_is_kept_while_another_is_away(
    cluster_store: Store, valkey_cluster: ValkeyCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = cluster_store.queue
    await queue.take(STEPS, "w", 1, 0)
    await queue.put([Task("dispatch", f"B{n}") for n in range(40)])
    away = valkey_cluster.node_of(cluster_store.keyspace.bases()[0])
    link = cluster_store.link
    assert isinstance(link, ClusterLink)
    monkeypatch.setitem(link._servers, f"redis://127.0.0.1:{away.port}", link._server("redis://127.0.0.1:1"))
    monkeypatch.setattr("connector.store.cluster.PAUSES_SECONDS", (0.0,))
    taken = await queue.take(STEPS, "w", 80, 0)
    assert {holder_of.port for entry in taken for holder_of in [valkey_cluster.node_of(entry.stream)]}.isdisjoint(
        {away.port}
    )
    assert taken
    assert {entry.id for entry in await queue.take_over("w", 0.0, 80)} == {entry.id for entry in taken}
    with pytest.raises(Unavailable):
        await queue.depth()


async def test_a_server_and_a_cluster_are_not_taken_for_each_other(
    cluster_store: Store, valkey_cluster: ValkeyCluster
) -> None:
    single = ServerLink(f"redis://127.0.0.1:{valkey_cluster.nodes[0].port}")
    with pytest.raises(Misconfigured, match=r"redis\+cluster://"):
        await single.ask_all([("GET", f"{{p{n}}}") for n in range(8)])
    await single.close()
    nobody = ClusterLink("redis+cluster://127.0.0.1:1")
    with pytest.raises(Unavailable):
        await nobody.ask("GET", "ig:{p0}:x")
    await nobody.close()


async def test_a_pipeline_has_a_key_in_every_command(cluster_store: Store) -> None:
    with pytest.raises(ValueError, match="PING has no key"):
        await cluster_store.link.ask_all([("PING",), ("GET", "k")])

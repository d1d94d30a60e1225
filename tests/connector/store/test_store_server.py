"""Commands that are asked at the same time travel together, and nobody notices."""

import asyncio
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from connector.domain.errors import Unavailable
from connector.store import EmbeddedServer, Store
from connector.store.server import HEAVY_BYTES, MOST_ON_BOARD, Server

KEY = "ig:{p0}:record:test:travellers"


@pytest.fixture
async def server(store: Store, store_server: EmbeddedServer):
    opened = Server(store_server.url)
    yield opened
    await opened.close()


async def count(store: Store, field: str) -> int:
    """What the server counts since its start."""
    return int((await store.link.ask("INFO", "stats"))[field])


async def test_many_callers_take_a_few_round_trips(store: Store, server: Server) -> None:
    await server.send([("PING",)])
    before = await count(store, "total_reads_processed")
    answers = await asyncio.gather(*(server.send([("ECHO", f"{n}")]) for n in range(200)))
    assert answers == [[f"{n}".encode()] for n in range(200)]
    assert await count(store, "total_reads_processed") - before < 10


async def test_more_than_fit_on_one_flight_all_arrive(server: Server) -> None:
    crowd = [server.send([("ECHO", f"{n}"), ("ECHO", "and me")]) for n in range(3 * MOST_ON_BOARD)]
    assert await asyncio.gather(*crowd) == [[f"{n}".encode(), b"and me"] for n in range(3 * MOST_ON_BOARD)]


async def test_an_error_reply_goes_to_whom_it_belongs(store: Store) -> None:
    await store.link.ask("SET", KEY, "text")
    answers = await asyncio.gather(
        store.link.ask("GET", KEY), store.link.ask("INCR", KEY), store.link.ask("GET", KEY), return_exceptions=True
    )
    assert answers[0] == answers[2] == b"text"
    assert isinstance(answers[1], ResponseError)
    assert "text" not in str(answers[1])


async def test_what_cannot_be_packed_disturbs_only_who_asked_it(store: Store) -> None:
    odd: object = object()
    answers = await asyncio.gather(
        store.link.ask("SET", KEY, odd),
        store.link.ask("PING"),
        return_exceptions=True,  # type: ignore[arg-type]
    )
    assert isinstance(answers[0], TypeError)
    assert answers[1]


async def test_a_caller_who_gives_up_leaves_the_others_alone(server: Server) -> None:
    callers = [asyncio.create_task(server.send([("ECHO", f"{n}")])) for n in range(9)]
    await asyncio.sleep(0)
    callers[3].cancel()
    await asyncio.sleep(0)
    callers[5].cancel()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert [answer for answer in answers if isinstance(answer, list)] == [
        [f"{n}".encode()] for n in (0, 1, 2, 4, 6, 7, 8)
    ]
    assert await server.send([("ECHO", "still in step")]) == [b"still in step"]


async def test_one_callers_commands_keep_their_order(server: Server) -> None:
    await asyncio.gather(*(server.send([("RPUSH", f"{KEY}:{n}", m) for m in range(20)]) for n in range(20)))
    for n in range(20):
        assert await server.send([("LRANGE", f"{KEY}:{n}", 0, -1)]) == [[f"{m}".encode() for m in range(20)]]


async def test_heavy_commands_travel_alone_and_arrive(server: Server) -> None:
    heavy = b"x" * (4 * HEAVY_BYTES)
    answers = await asyncio.gather(
        *(server.send([("ECHO", heavy)]) for _ in range(3)), server.send([("ECHO", "light")])
    )
    assert answers == [[heavy]] * 3 + [[b"light"]]


async def test_a_connection_that_the_server_closed_is_opened_again(server: Server, store: Store) -> None:
    await server.send([("SET", KEY, 1)])
    await store.link.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert await asyncio.gather(*(server.send([("GET", KEY)]) for _ in range(10))) == [[b"1"]] * 10


async def test_a_broken_connection_is_news_for_everybody_on_it(tmp_path: Path, keyring, clock) -> None:
    embedded = EmbeddedServer(tmp_path / "data", fsync="no")
    embedded.start()
    store = await Store.connect(embedded.url, keys=keyring, clock=clock)
    try:
        asked = [asyncio.create_task(store.link.ask("GET", f"{KEY}:{n}")) for n in range(20)]
        await asyncio.sleep(0)
        embedded.stop()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert all(answer is None or isinstance(answer, Unavailable) for answer in answers)
        failures = await asyncio.gather(*(store.ping() for _ in range(5)), return_exceptions=True)
        assert [type(failure) for failure in failures] == [Unavailable] * 5
        embedded.start()
        await asyncio.gather(*(store.ping() for _ in range(5)))
    finally:
        await store.close()
        embedded.stop()

"""One server: its connections, and the flights in which the commands of many callers travel together.

A command costs far more on the way than on the server. So what is asked within one turn of the event loop, or while
others are under way, is written and read as one pipeline. Nobody notices the company: an error reply goes to whom it
belongs, a caller who gives up leaves the others alone, and a broken connection is the same news for everybody on it.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, Final, NamedTuple

from hiredis import pack_command
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as NoAnswer

Reply = Any
"""What the server answers: its shape is known by who asks, redis-py does not type it."""

Argument = str | bytes | int | float
Command = Sequence[Argument]

ANSWER_WITHIN_SECONDS: Final = 10.0
LONGEST_BLOCK_SECONDS: Final = 5.0
MOST_CONNECTIONS: Final = 64
"""More flights and heavy commands than that at once wait for each other."""

RETRIES: Final = 2
"""A connection that broke is tried again at once: the server may have been restarted in between. A commit that is
repeated that way finds its own first try and gives False, as if somebody else had been faster."""

FLIGHTS: Final = 2
"""Flights under way at once: one is written while another is read."""
MOST_ON_BOARD: Final = 512
HEAVY_BYTES: Final = 32_768
"""Commands of that size travel alone: nobody should have to wait while they are written."""


class _Passenger(NamedTuple):
    names: list[str]
    packed: bytes
    answered: asyncio.Future[list[Reply]]


class Server:
    """One server, with as many connections as are needed at once."""

    def __init__(self, url: str, retries: int = RETRIES) -> None:
        """Prepare the connections; nothing is opened yet. retries: of everything but waiting."""
        self._client = _client(url, None, retries)
        self._waiting = _client(url, LONGEST_BLOCK_SECONDS + ANSWER_WITHIN_SECONDS, 0)
        self._queued: list[_Passenger] = []
        self._boarding = False
        self._idle: list[AbstractConnection] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def send(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands in one round trip; they are not one transaction. Error replies stand in their places.

        Raises what redis-py raises where the server cannot be reached.
        """
        names = [str(command[0]) for command in commands]
        packed = b"".join([_packed(command) for command in commands])
        if len(packed) > HEAVY_BYTES or len(commands) > MOST_ON_BOARD:
            return await self._send_alone(names, packed)
        passenger = _Passenger(names, packed, asyncio.get_running_loop().create_future())
        self._queued.append(passenger)
        self._call()
        return await passenger.answered

    async def wait(self, *command: Argument) -> Reply:
        """Send a command that blocks on the server, on a connection of its own."""
        return await self._waiting.execute_command(*command)

    async def close(self) -> None:
        """Let those who are under way arrive, then close the connections."""
        while self._queued or self._under_way:
            await asyncio.sleep(0)
            if self._under_way:
                await asyncio.wait(self._under_way)
        await self._client.aclose()
        await self._waiting.aclose()

    def _call(self) -> None:
        """See to it that those who are queued leave when everybody of this turn of the loop has come."""
        if not self._boarding and len(self._under_way) < FLIGHTS:
            self._boarding = True
            flight = asyncio.get_running_loop().create_task(self._fly())
            self._under_way.add(flight)
            flight.add_done_callback(self._landed)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._under_way.discard(flight)
        if self._queued:
            self._call()

    def _aboard(self) -> list[_Passenger]:
        """Take those who go with this flight; the rest waits for the next."""
        self._boarding = False
        seats = list(accumulate(len(passenger.names) for passenger in self._queued))
        last = max(1, bisect_right(seats, MOST_ON_BOARD))
        aboard, self._queued = self._queued[:last], self._queued[last:]
        if self._queued:
            self._call()
        return aboard

    async def _fly(self) -> None:
        """Carry commands there and answers back; whoever has given up in the meantime gets nothing."""
        passengers = self._aboard()
        names = [name for passenger in passengers for name in passenger.names]
        try:
            connection = await self._boarded()
            try:
                replies = await self._exchange(connection, names, b"".join([each.packed for each in passengers]))
            finally:
                self._idle.append(connection)
        except BaseException as error:  # noqa: BLE001 (whatever it is, the callers raise it; nobody may be left waiting)
            for passenger in passengers:
                if not passenger.answered.done():
                    passenger.answered.set_exception(error)
            return
        first = 0
        for passenger in passengers:
            last = first + len(passenger.names)
            if not passenger.answered.done():
                passenger.answered.set_result(replies[first:last])
            first = last

    async def _boarded(self) -> AbstractConnection:
        """Give a connection to fly with. They are not given back to the pool, which would cost half a flight."""
        if not self._idle:
            opened: AbstractConnection = await self._client.connection_pool.get_connection()
            return opened
        connection = self._idle.pop()
        if connection.is_connected and await connection.can_read():  # nothing is expected: the server has closed it
            await connection.disconnect(nowait=True)
        return connection

    async def _send_alone(self, names: Sequence[str], packed: bytes) -> list[Reply]:
        pool = self._client.connection_pool
        connection = await pool.get_connection()
        try:
            return await self._exchange(connection, names, packed)
        finally:
            await pool.release(connection)

    async def _exchange(self, connection: AbstractConnection, names: Sequence[str], packed: bytes) -> list[Reply]:
        """Write commands and read their replies, again where the connection broke."""
        read = partial(_spoken, connection, packed, len(names))
        replies = await connection.retry.call_with_retry(read, lambda _: connection.disconnect(nowait=True))
        return [self._shaped(name, reply) for name, reply in zip(names, replies, strict=True)]

    def _shaped(self, name: str, reply: Reply) -> Reply:
        """Give a reply the shape that redis-py gives it."""
        shape: Callable[[Reply], Reply] | None = self._client.response_callbacks.get(name)
        return reply if shape is None or isinstance(reply, ResponseError) else shape(reply)


def _packed(command: Command) -> bytes:
    arguments: Any = tuple(command)  # the stub of hiredis knows tuples of one item only
    packed: bytes = pack_command(arguments)
    return packed


async def _spoken(connection: AbstractConnection, packed: bytes, count: int) -> list[Reply]:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
            await connection.send_packed_command(packed, check_health=False)
            return [await _reply(connection) for _ in range(count)]
    except TimeoutError as error:
        raise NoAnswer("no answer in time") from error


async def _reply(connection: AbstractConnection) -> Reply:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error


def _client(url: str, timeout_seconds: float | None, retries: int) -> Reply:
    """Make a client with every default that matters written down."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MOST_CONNECTIONS,
        timeout=ANSWER_WITHIN_SECONDS,
        protocol=3,
        legacy_responses=False,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=2.0,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), retries),
    )
    return Redis.from_pool(pool)

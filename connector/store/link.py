"""The connection to the server: raw commands, pipelines and functions, with its errors turned into ours."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import (
    ConnectionError as NoConnection,
)
from redis.exceptions import (
    TimeoutError as NoAnswer,
)

from connector.domain.errors import Misconfigured, Unavailable
from connector.store import library

Reply = Any
"""What the server answers: its shape is known by who asks, redis-py does not type it."""

Argument = str | bytes | int | float
Command = Sequence[Argument]
Call = tuple[str, Sequence[str], Sequence[Argument]]
"""Function, keys, arguments."""

ANSWER_WITHIN_SECONDS: Final = 10.0
LONGEST_BLOCK_SECONDS: Final = 5.0
MOST_CONNECTIONS: Final = 64
"""More callers than that at once wait for each other."""

RETRIES: Final = 2
"""A connection that broke is tried again at once: the server may have been restarted in between. A commit that is
repeated that way finds its own first try and gives False, as if somebody else had been faster."""


PASSING: Final = ("MISCONF", "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "OOM ")
"""Error replies that speak of the server's state (a full disk, say), not of what was asked."""


class Link:
    """Speaks to one server; the only holder of a client.

    Every method raises Unavailable where the server does not answer, is loading its data or cannot write.
    """

    def __init__(self, url: str) -> None:
        """Prepare the connections; nothing is opened yet."""
        self._client = _client(url, ANSWER_WITHIN_SECONDS, RETRIES)
        self._waiting = _client(url, LONGEST_BLOCK_SECONDS + ANSWER_WITHIN_SECONDS, 0)

    async def ask(self, *command: Argument) -> Reply:
        """Send one command."""
        async with _translated():
            return await self._client.execute_command(*command)

    async def ask_all(self, commands: Iterable[Command]) -> list[Reply]:
        """Send commands in one round trip; they are not one transaction."""
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        async with _translated():
            return list(await pipeline.execute())

    async def wait(self, *command: Argument) -> Reply:
        """Send a command that blocks on the server, for at most ``LONGEST_BLOCK_SECONDS``."""
        async with _translated():
            return await self._waiting.execute_command(*command)

    async def call(self, function: str, keys: Sequence[str], *arguments: Argument) -> Reply:
        """Call a function of the library, loading the library where the server has lost it."""
        return (await self.call_all([(function, keys, arguments)]))[0]

    async def call_all(self, calls: Sequence[Call]) -> list[Reply]:
        """Call functions in one round trip."""
        commands = [("FCALL", f"{library.NAME}_{name}", len(keys), *keys, *rest) for name, keys, rest in calls]
        try:
            return await self.ask_all(commands)
        except ResponseError as error:
            if "Function not found" not in str(error):
                raise
        await self.load()
        return await self.ask_all(commands)

    async def load(self) -> None:
        """Load the function library where the server has none or another version. Raises Misconfigured."""
        try:
            there = await self.ask("FCALL", f"{library.NAME}_version", 0)
        except ResponseError:
            there = None
        if there == library.VERSION.encode():
            return
        try:
            await self.ask("FUNCTION", "LOAD", "REPLACE", library.TEXT)
        except ResponseError as error:
            raise Misconfigured("store", 0, "", f"the server does not take the function library: {error}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        await self._waiting.aclose()


def _client(url: str, timeout_seconds: float, retries: int) -> Reply:
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


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    """Turn the client's errors into ours; an error reply of the server itself stays what it is."""
    try:
        yield
    except AuthenticationError as error:
        raise Misconfigured("store", 0, "", "the server refuses the user or password") from error
    except (NoConnection, NoAnswer, BusyLoadingError, ReadOnlyError, OutOfMemoryError, OSError) as error:
        raise Unavailable("store", f"the server cannot be reached ({type(error).__name__})") from error
    except ResponseError as error:
        if any(word in str(error) for word in PASSING):
            raise Unavailable("store", "the server cannot write at the moment") from error
        raise
    except RedisError as error:
        raise Unavailable("store", type(error).__name__) from error

"""The way to the store, a server or a cluster: raw commands, pipelines and functions; errors are turned into ours."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    MovedError,
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
from connector.store.server import LONGEST_BLOCK_SECONDS, Argument, Command, Reply, Server

__all__ = ["LONGEST_BLOCK_SECONDS", "Argument", "Call", "Command", "Link", "Reply", "ServerLink"]

Call = tuple[str, Sequence[str], Sequence[Argument]]
"""Function, keys, arguments."""

PASSING: Final = ("MISCONF", "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "OOM ")
"""Error replies that speak of the server's state (a full disk, say), not of what was asked."""

AWAY: Final = (NoConnection, NoAnswer, OSError, Unavailable)
"""What stands in the place of an answer where a server of several is away."""


class Link(ABC):
    """Speaks to the store; the only holder of clients.

    Every method raises Unavailable where a server does not answer, is loading its data or cannot write.
    """

    async def ask(self, *command: Argument) -> Reply:
        """Send one command. On a cluster, one without a key goes to every primary (see ``ask_everywhere``)."""
        return (await self.ask_all([command]))[0]

    async def ask_all(self, commands: Iterable[Command]) -> list[Reply]:
        """Send commands in one round trip; they are not one transaction. The first error reply is raised."""
        async with translated():
            return _sound(await self._send(list(commands)))

    async def ask_everywhere(self, *command: Argument) -> list[Reply]:
        """Send a command to every primary; one server is its own only one."""
        async with translated():
            return _sound([(await server.send([command]))[0] for server in await self._primaries()])

    async def ask_where_possible(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands in one round trip, to give ``None`` for those whose server is away, unless all are."""
        async with translated():
            return _present(await self._send(commands))

    @abstractmethod
    async def wait(self, *command: Argument) -> Reply:
        """Send an XREAD or XREADGROUP that blocks, for at most ``LONGEST_BLOCK_SECONDS``.

        Its streams have explicit ids or ``>``, never ``$``, which would miss what comes between two reads.
        """

    async def call(self, function: str, keys: Sequence[str], *arguments: Argument) -> Reply:
        """Call a function of the library, loading the library where the server has lost it."""
        return (await self.call_all([(function, keys, arguments)]))[0]

    async def call_all(self, calls: Sequence[Call]) -> list[Reply]:
        """Call functions in one round trip."""
        async with translated():
            return _sound(await self._call(calls))

    async def call_where_possible(self, calls: Sequence[Call]) -> list[Reply]:
        """Call functions in one round trip, to give ``None`` for those whose server is away, unless all are."""
        async with translated():
            return _present(await self._call(calls))

    async def load(self) -> None:
        """Load the function library wherever a primary has none or another version. Raises Misconfigured."""
        async with translated():
            await asyncio.gather(*(_load(server) for server in await self._primaries()))

    async def _call(self, calls: Sequence[Call]) -> list[Reply]:
        """Call functions, and once more those whose server has lost the library."""
        commands = [("FCALL", f"{library.NAME}_{name}", len(keys), *keys, *rest) for name, keys, rest in calls]
        replies = await self._send(commands)
        if lost := [place for place, reply in enumerate(replies) if _is_lost(reply)]:
            await self.load()
            for place, reply in zip(lost, await self._send([commands[place] for place in lost]), strict=True):
                replies[place] = reply
        return replies

    @abstractmethod
    async def close(self) -> None:
        """Close the connections."""

    @abstractmethod
    async def _send(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands, each where it belongs; error replies stand in their places."""

    @abstractmethod
    async def _primaries(self) -> Sequence[Server]:
        """Give the servers that hold data."""


class ServerLink(Link):
    """Speaks to one server."""

    def __init__(self, url: str) -> None:
        """Prepare the connections; nothing is opened yet."""
        self._server = Server(url)

    async def wait(self, *command: Argument) -> Reply:
        """See Link."""
        async with translated():
            return await self._server.wait(*command)

    async def close(self) -> None:
        """See Link."""
        await self._server.close()

    async def _send(self, commands: Sequence[Command]) -> list[Reply]:
        return await self._server.send(commands)

    async def _primaries(self) -> Sequence[Server]:
        return [self._server]


async def _load(server: Server) -> None:
    [there] = await server.send([("FCALL", f"{library.NAME}_version", 0)])
    if there == library.VERSION.encode():
        return
    [answer] = await server.send([("FUNCTION", "LOAD", "REPLACE", library.TEXT)])
    if isinstance(answer, ResponseError) and not _is_passing(answer):
        raise Misconfigured("store", 0, "", f"the server does not take the function library: {answer}") from answer
    _sound([answer])


def _sound(replies: list[Reply]) -> list[Reply]:
    """Give replies as they are, none of which may be an error."""
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


def _present(replies: list[Reply]) -> list[Reply]:
    """Give replies, ``None`` in the place of those whose server is away; not all may be."""
    if replies and all(isinstance(reply, AWAY) for reply in replies):
        return _sound(replies)
    return _sound([None if isinstance(reply, AWAY) else reply for reply in replies])


def _is_lost(reply: Reply) -> bool:
    return isinstance(reply, ResponseError) and "Function not found" in str(reply)


def _is_passing(error: ResponseError) -> bool:
    return isinstance(error, ReadOnlyError | OutOfMemoryError) or any(word in str(error) for word in PASSING)


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turn the client's errors into ours; an error reply of the server itself stays what it is."""
    try:
        yield
    except AuthenticationError as error:
        raise Misconfigured("store", 0, "", "the server refuses the user or password") from error
    except (NoConnection, NoAnswer, BusyLoadingError, OSError) as error:
        raise Unavailable("store", f"the server cannot be reached ({type(error).__name__})") from error
    except MovedError as error:
        raise Misconfigured(
            "store", 0, "", "the server belongs to a cluster; its URL begins redis+cluster://"
        ) from error
    except ResponseError as error:
        if _is_passing(error):
            raise Unavailable("store", "the server cannot write at the moment") from error
        raise
    except RedisError as error:
        raise Unavailable("store", type(error).__name__) from error

"""One connection as bytes go over it: a pipeline is written whole, and its replies are read as they come in.

redis-py opens the connection (TLS, password, protocol) and closes it. In between, its streams are passed by, which go
through several coroutines for every reply: this is the protocol of the connection's transport.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from hiredis import PushNotification, Reader
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import InvalidResponse
from redis.exceptions import TimeoutError as NoAnswer

_NOT_ALL: Final = object()


class Wire(asyncio.Protocol):
    """Writes one pipeline at a time and collects its replies; what else happens is passed to redis-py's streams."""

    def __init__(self, transport: asyncio.Transport, error_of: Callable[[str], Exception]) -> None:
        """Take over a connection on which nothing is under way; error_of: makes an error of an error reply."""
        self._transport = transport
        self._streams: Any = transport.get_protocol()
        self._reader = Reader(protocolError=InvalidResponse, replyError=error_of, notEnoughData=_NOT_ALL)
        self._replies: list[Any] = []
        self._count = 0
        self._answered: asyncio.Future[list[Any]] | None = None
        self._lost = False

    async def exchange(self, packed: bytes, count: int, within_seconds: float) -> list[Any]:
        """Write commands and give their replies, errors among them.

        Raises redis-py's errors where the connection breaks or the replies do not come in time; then, and when
        cancelled, the connection is of no more use.
        """
        if self._lost or self._reader.has_data():  # what is there already belongs to nobody
            raise NoConnection("the connection was closed")
        if not count:
            return []
        loop = asyncio.get_running_loop()
        self._replies, self._count, self._answered = [], count, loop.create_future()
        timer = loop.call_later(within_seconds, self._fail, NoAnswer("no answer in time"))
        try:
            self._transport.write(packed)
            replies = await self._answered
        finally:
            timer.cancel()
            self._answered = None
        if broken := next((reply for reply in replies if isinstance(reply, NoConnection)), None):
            raise broken  # the server is loading its data, say: not an answer to what was asked
        return replies

    def data_received(self, data: bytes) -> None:
        """Take replies; those that nobody asked for make the connection one that redis-py does not use again."""
        if self._answered is None:
            return self._streams.data_received(data)  # type: ignore[no-any-return] # redis-py's streams have no type
        try:
            self._reader.feed(data)
            while len(self._replies) < self._count:
                reply = self._reader.gets()
                if reply is _NOT_ALL:
                    return None
                if not isinstance(reply, PushNotification):
                    self._replies.append(reply)
        except InvalidResponse as error:
            return self._fail(error)
        if not self._answered.done():
            self._answered.set_result(self._replies)
        return None

    def eof_received(self) -> bool | None:
        """See asyncio."""
        self._fail(NoConnection("the server has closed the connection"))
        return self._streams.eof_received()  # type: ignore[no-any-return] # as above

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._fail(NoConnection("the connection was lost"))
        self._streams.connection_lost(exc)

    def pause_writing(self) -> None:
        """See asyncio."""
        self._streams.pause_writing()

    def resume_writing(self) -> None:
        """See asyncio."""
        self._streams.resume_writing()

    def _fail(self, error: Exception) -> None:
        self._lost = True
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error)


async def exchange(connection: AbstractConnection, packed: bytes, count: int, within_seconds: float) -> list[Any]:
    """Write commands to a server, opening the connection where it is not; give the replies, errors among them.

    Raises as ``Wire.exchange``; the connection is closed then.
    """
    try:
        return await (await _wire(connection)).exchange(packed, count, within_seconds)
    except BaseException:
        await connection.disconnect(nowait=True)
        raise


async def _wire(connection: AbstractConnection) -> Wire:
    if not connection.is_connected:
        await connection.connect_check_health(check_health=False)
    opened: Any = connection  # redis-py has no public name for its transport
    transport: asyncio.Transport = opened._writer.transport  # noqa: SLF001
    protocol = transport.get_protocol()
    if isinstance(protocol, Wire):
        return protocol
    wire = Wire(transport, opened._parser.parse_error)  # noqa: SLF001
    transport.set_protocol(wire)
    return wire

"""The store on a cluster: which primary holds which slot, and what to do when that changes.

Every command goes to the primary that holds the slot of its first key; all keys of one command lie in one slot
(``keyspace``). A pipeline is divided by primary, the parts are on the way at the same time, and the answers come back
in the order of the commands. While a slot moves or a primary is replaced, only what was not answered is sent again.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoAnswer

from connector.domain.errors import Misconfigured, Unavailable
from connector.store import commands
from connector.store.link import Link, ServerLink
from connector.store.server import Argument, Command, Reply, Server

PAUSES_SECONDS: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
"""Before each further try. A replica needs longer than all of them together to take over from a lost primary: the
caller is told at once that the store is away, and comes again when it likes."""

TRY_FOR_SECONDS: Final = 4.0
"""After that long there is no further try: an address that swallows everything costs two seconds each time."""

LOOK_SECONDS: Final = 0.01
"""Between two looks at streams that are waited for."""

ELSEWHERE: Final = (MovedError, ClusterDownError, MasterDownError, TryAgainError)
"""Error replies that say: not here, or not now."""

AWAY: Final = (NoConnection, NoAnswer, OSError)
"""What is raised where a server cannot be reached."""

_Sent = tuple[int, Command]
"""A command and its place in the pipeline."""


def link_of(url: str) -> Link:
    """Make the link to a server or, where the URL begins ``redis+cluster://`` or ``rediss+cluster://``, a cluster."""
    return ClusterLink(url) if urlsplit(url).scheme in commands.CLUSTER_SCHEMES else ServerLink(url)


class ClusterLink(Link):
    """Speaks to the primaries of a cluster.

    url: ``redis+cluster://[user:password@]host:port[,host:port...]``; the addresses are where the cluster is asked
    for its slots, the first time and whenever they have changed.
    """

    def __init__(self, url: str) -> None:
        """Prepare; nothing is opened yet."""
        self._seeds = commands.seeds(url)
        self._servers: dict[str, Server] = {}
        self._slots: list[str] = []
        self._holders: list[str] = []
        self._mapping: asyncio.Task[None] | None = None

    async def ask(self, *command: Argument) -> Reply:
        """See Link. Of a command without a key, all lists are joined and of other answers the first is given."""
        if commands.key_of(command) is not None:
            return await super().ask(*command)
        answers = await self.ask_everywhere(*command)
        return [part for answer in answers for part in answer] if isinstance(answers[0], list) else answers[0]

    async def wait(self, *command: Argument) -> Reply:
        """See Link. Looks at the streams of all slots again and again.

        A read that blocks would have to be broken off when another slot has something, and whatever it was being
        given at that moment would be lost to everybody until it is taken over.
        """
        looks, seconds = commands.divided(command)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            found = [pair for answer in await self.ask_where_possible(looks) for pair in commands.streams_of(answer)]
            if found or loop.time() >= deadline:
                return dict(found)
            await asyncio.sleep(LOOK_SECONDS)

    async def close(self) -> None:
        """See Link."""
        if self._mapping:
            self._mapping.cancel()
        await asyncio.gather(*(server.close() for server in self._servers.values()))

    async def _primaries(self) -> Sequence[Server]:
        await self._know()
        return [self._server(url) for url in self._holders]

    async def _send(self, asked: Sequence[Command]) -> list[Reply]:
        """Send, and send again what a changing cluster did not answer."""
        replies: list[Reply] = [None] * len(asked)
        left: list[_Sent] = list(enumerate(asked))
        give_up = asyncio.get_running_loop().time() + TRY_FOR_SECONDS
        for pause in PAUSES_SECONDS:
            if pause:
                await asyncio.sleep(pause)
            await self._know()
            left = [sent for part in await self._send_parts(left, replies) for sent in part]
            if not left or asyncio.get_running_loop().time() > give_up:
                break
            await self._map()
        for place, _ in left:
            if isinstance(replies[place], ELSEWHERE):
                replies[place] = Unavailable("store", "the cluster is not whole")
        return replies

    async def _send_parts(self, sent: Iterable[_Sent], replies: list[Reply]) -> list[list[_Sent]]:
        """Send to each primary what is its; write the answers into ``replies`` and give what has to be repeated."""
        by_server: dict[str, list[_Sent]] = {}
        for each in sent:
            by_server.setdefault(self._server_of(each[1]), []).append(each)
        parts = list(by_server.items())
        if len(parts) == 1:
            return [await self._send_part(*parts[0], replies)]
        return await asyncio.gather(*(self._send_part(url, part, replies) for url, part in parts))

    async def _send_part(self, url: str, part: list[_Sent], replies: list[Reply]) -> list[_Sent]:
        answers = await self._answers(url, [command for _, command in part])
        left = []
        for (place, command), first in zip(part, answers, strict=True):
            gone = isinstance(first, AskError) and not isinstance(first, MovedError)
            replies[place] = answer = await self._follow(first, command) if gone else first
            if isinstance(answer, (*ELSEWHERE, *AWAY)):
                left.append((place, command))
        return left

    async def _follow(self, directions: AskError, command: Command) -> Reply:
        """Ask where a moving slot's key has gone already."""
        url = commands.address(self._seeds[0], directions.host, directions.port)
        return (await self._answers(url, [("ASKING",), command]))[1]

    async def _answers(self, url: str, asked: list[Command]) -> list[Reply]:
        """Ask one server; where it is away, that is the answer to everything."""
        if not url:
            return [ClusterDownError("nobody holds the slot")] * len(asked)
        try:
            return await self._server(url).send(asked)
        except AuthenticationError:
            raise
        except AWAY as error:
            return [error] * len(asked)

    def _server_of(self, command: Command) -> str:
        key = commands.key_of(command)
        if key is None:
            raise ValueError(f"{command[0]!s} has no key; it cannot go into a pipeline on a cluster")
        return self._slots[key_slot(key)]

    def _server(self, url: str) -> Server:
        if url not in self._servers:
            self._servers[url] = Server(url, retries=0)
        return self._servers[url]

    async def _know(self) -> None:
        if not self._slots:
            await self._map()

    async def _map(self) -> None:
        """Learn where the slots are; those who want to know at the same time ask once."""
        if self._mapping is None or self._mapping.done():
            self._mapping = asyncio.create_task(self._ask_for_slots())
        await asyncio.shield(self._mapping)

    async def _ask_for_slots(self) -> None:
        """Ask one server after the other until one tells; what is known stays where none does."""
        answer: Reply = None
        for url in dict.fromkeys([*self._holders, *self._seeds]):
            [answer] = await self._answers(url, [("CLUSTER", "SLOTS")])
            if isinstance(answer, ResponseError):
                raise Misconfigured("store", 0, "", f"the server is not part of a cluster: {answer}") from answer
            if not isinstance(answer, Exception):
                self._slots = commands.slots(answer, url)
                self._holders = list(filter(None, dict.fromkeys(self._slots)))
                return
        if not self._slots:
            raise answer

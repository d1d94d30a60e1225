"""HTTP as the channels need it: one session, whole answers of bounded size, failures as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from connector.channels.gate import Gates
from connector.domain.directory import Institution

MAXIMUM_ANSWER_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status and body of an answer; status 0: there was none, and ``problem`` says why."""

    status: int
    body: bytes = b""
    problem: str = ""


class Wire:
    """The shared HTTP client of all channels."""

    def __init__(self, timeout_seconds: float, gates: Gates) -> None:
        self._gates = gates
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open session; raises ``RuntimeError`` before ``open``."""
        if self._session is None:
            raise RuntimeError("the channels are not open")
        return self._session

    async def open(self) -> None:
        """Open the session; must run inside the event loop that will use it."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
            self._session = aiohttp.ClientSession(timeout=self._timeout, connector=connector)

    async def close(self) -> None:
        """Close the session if it is open."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def exchange(
        self,
        to: Institution,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> HttpAnswer:
        """Send one request to an institution when it is its turn, and read the whole answer.

        Redirects are not followed. No failure raises, unless nobody can tell whose turn it is (``Unavailable``), or
        it never was the turn of this one (``OutOfTurn``): then nothing was sent.
        """
        async with self._gates.through(to):
            return await self._exchange(method, url, headers, body)

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> HttpAnswer:
        try:
            async with self.session.request(
                method, url, headers=headers, data=body, allow_redirects=False
            ) as response:
                return HttpAnswer(response.status, await _bounded(response))
        except TimeoutError:
            return HttpAnswer(0, problem="no answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return HttpAnswer(0, problem=type(error).__name__)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """Read the body up to the limit; raises ``ValueError`` beyond it."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(1 << 18):
        size += len(part)
        if size > MAXIMUM_ANSWER_BYTES:
            raise ValueError("the answer is too large")
        parts.append(part)
    return b"".join(parts)

"""Load over HTTP/1.1 from so many kept-alive connections, each of which asks again as soon as it is answered.

The client writes requests that were made beforehand and reads no more of an answer than its status and length, so
that it takes a small part of the machine, and the same part whatever it measures.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final, NamedTuple, cast

from connector.domain.errors import Unavailable

MOST_TRIES: Final = 10
"""A request whose outcome is not known yet (503) is sent again, and its time runs on."""

_LENGTH: Final = b"content-length:"


class Answer(NamedTuple):
    """What a request came to."""

    status: int
    body: bytes
    seconds: float


@dataclass
class Load:
    """Answers in the order of the requests, and the time from the first request to the last answer."""

    answers: Sequence[Answer]
    seconds: float

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.answers) / self.seconds


def request(method: str, host: str, path: str, body: bytes = b"", headers: str = "") -> bytes:
    """Write a request; headers: more lines, each with its end."""
    content = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{content}{headers}\r\n".encode() + body


async def load(host: str, port: int, requests: Sequence[bytes], clients: int) -> Load:
    """Send the requests over so many connections; raises ``Unavailable`` where a connection breaks."""
    run = _Run(requests)
    loop = asyncio.get_running_loop()
    lines = []
    for _ in range(min(clients, len(requests))):
        _, line = await loop.create_connection(lambda: _Line(run), host, port)
        lines.append(line)
    begun = perf_counter()
    for line in lines:
        line.go_on()
    try:
        await run.over
    finally:
        for line in lines:
            line.close()
    return Load([answer for answer in run.answers if answer], perf_counter() - begun)


class _Run:
    """Which requests are still to be sent, and what the others came to."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self.requests = requests
        self.answers: list[Answer | None] = [None] * len(requests)
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting = iter(range(len(requests)))
        self._missing = len(requests)

    def next(self) -> int | None:
        return next(self._waiting, None)

    def answered(self, number: int, answer: Answer) -> None:
        self.answers[number] = answer
        self._missing -= 1
        if not self._missing and not self.over.done():
            self.over.set_result(None)

    def broken(self) -> None:
        if not self.over.done():
            self.over.set_exception(Unavailable("connection", "it was closed in the middle"))


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._transport: asyncio.Transport | None = None
        self._number: int | None = None
        self._begun = 0.0
        self._tries = 0
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._number is not None:
            self._run.broken()

    def go_on(self) -> None:
        """Send the next request, if there is one."""
        self._number = self._run.next()
        if self._number is not None:
            self._tries, self._begun = 0, perf_counter()
            self._send(self._number)

    def close(self) -> None:
        self._number = None
        if self._transport:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        answer = self._whole()
        if answer is None or self._number is None:
            return
        self._received = b""
        if answer.status == 503 and self._tries < MOST_TRIES:
            self._send(self._number)
        else:
            self._run.answered(self._number, answer)
            self.go_on()

    def _send(self, number: int) -> None:
        self._tries += 1
        if self._transport:
            self._transport.write(self._run.requests[number])

    def _whole(self) -> Answer | None:
        """Give the answer once all of it is there."""
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return None
        lower = head.lower()
        at = lower.find(_LENGTH)
        length = int(lower[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(body) < length:
            return None
        return Answer(int(head[9:12]), body, perf_counter() - self._begun)

"""Where institutions do what takes time: in a thread beside the event loop, which stays free for HTTP.

Two threads for all institutions of a process are the usual number: while one is in libxml2 or waits for a ledger, the
other goes on. More take up to a third more processor time, since they wait for the interpreter.
What takes little time goes first, so that a single payment does not wait for many large messages. Of what takes long,
work that ends something goes before work that begins something: whatever was begun earlier is finished earlier.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Final, TypeVar, TypeVarTuple

Given = TypeVarTuple("Given")
Got = TypeVar("Got")

BULKY_PAYMENTS: Final = 100
BULKY_BYTES: Final = 64 * 1024
"""A message with more payments or bytes is bulky work; all other work is brief."""

_Waiting = tuple[Future[None], Callable[[], None]]
_Queue = deque[_Waiting]


class Desk:
    """Brief work that waits, bulky work that ends or begins something, and the threads that do it."""

    def __init__(self, threads: int) -> None:
        """Begin with no work; the threads start with the first."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="desk")
        self._taking = Lock()
        self._brief, self._ending, self._beginning = _Queue(), _Queue(), _Queue()

    async def do(
        self, work: Callable[[*Given], Got], *args: *Given, bulky: bool = False, begins: bool = False
    ) -> Got:
        """Do work when its turn comes, and give what came of it.

        bulky: it waits for all brief work; begins: it is followed by more, and waits for what ends something.
        """
        found: list[Got] = []
        turn: Future[None] = Future()
        queue = (self._beginning if begins else self._ending) if bulky else self._brief
        queue.append((turn, lambda: found.append(work(*args))))
        self._pool.submit(self._serve)
        await asyncio.wrap_future(turn)
        return found[0]

    def close(self) -> None:
        """Finish what was begun, and do no more."""
        self._pool.shutdown(cancel_futures=True)

    def _serve(self) -> None:
        """Do one thing of those that wait; each of them calls for this once."""
        with self._taking:
            turn, work = (self._brief or self._ending or self._beginning).popleft()
        if not turn.set_running_or_notify_cancel():
            return
        try:
            work()
        except BaseException as fault:  # noqa: BLE001 - whatever it is, it is for the one who waits
            turn.set_exception(fault)
        else:
            turn.set_result(None)

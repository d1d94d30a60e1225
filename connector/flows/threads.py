"""Threads for what takes a processor longer than the event loop can spare, some of them for urgent work alone."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from connector.domain.urgency import URGENT

P = ParamSpec("P")
T = TypeVar("T")

URGENT_THREADS: Final = 2


class Threads(ThreadPoolExecutor):
    """The threads of a process; urgent work (``URGENT``) never waits for the end of other work.

    There are about as many as cores: more of them would only keep one another, and the event loop, from working.
    """

    def __init__(self, count: int = 0, urgent: int = URGENT_THREADS) -> None:
        """Have so many threads, one more than cores unless told otherwise, and others for urgent work."""
        super().__init__(count or (os.cpu_count() or 1) + 1, "isogate")
        self._urgent = ThreadPoolExecutor(urgent, "isogate-urgent")

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Let a thread do the work."""
        if URGENT.get():
            return self._urgent.submit(fn, *args, **kwargs)
        return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads when they have done their work."""
        self._urgent.shutdown(wait, cancel_futures=cancel_futures)
        super().shutdown(wait, cancel_futures=cancel_futures)

"""Where institutions do what takes time: in a thread beside the event loop, which stays free for HTTP.

One thread for all institutions of a process is the usual number. It never waits for a ledger that another one holds
nor for the interpreter, and what it needs of memory it needs once; several take a fifth more processor time.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Got = TypeVar("Got")


class Desk:
    """A queue of work with its threads."""

    def __init__(self, threads: int) -> None:
        """Begin with no work; the threads start with the first."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="desk")

    async def do(self, work: Callable[Given, Got], *args: Given.args, **kwargs: Given.kwargs) -> Got:
        """Do work when its turn comes, and give what came of it."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Finish what was begun, and take no more."""
        self._pool.shutdown(cancel_futures=True)

"""What every long-running process of ours does: a fast event loop, an orderly end, no life after its supervisor."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

COLLECT_AFTER: Final = (20_000, 20, 50)
"""New objects until the youngest are looked at, and how often those until older ones are (Python: 700, 10, 10)."""

SUPERVISOR: Final = "ISOGATE_SUPERVISOR"
"""Environment variable with the process id of the supervisor that a child must not outlive."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on uvloop where there is one, else on asyncio's own loop."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def loaded() -> None:
    """Spare the garbage collector what is there before work begins: none of it ever becomes garbage.

    A slice or a message is thousands of tuples at once and no cycle among them, so that it need not look so often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


async def until_stopped(body: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run ``body`` with an event that is set on SIGINT, on SIGTERM, or when the supervisor is gone."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    watch = asyncio.create_task(_watch_supervisor(stop))
    try:
        await body(stop)
    finally:
        watch.cancel()


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Do the work, or give it up as soon as ``stop`` is set; ``None`` where it was given up."""
    task, told = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return None


async def _watch_supervisor(stop: asyncio.Event) -> None:
    supervisor = os.environ.get(SUPERVISOR)
    while supervisor and os.getppid() == int(supervisor):  # noqa: ASYNC110 - nobody tells of a parent's death
        await asyncio.sleep(0.5)
    if supervisor:
        stop.set()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    try:
        import uvloop  # noqa: PLC0415 - optional: there are platforms without it
    except ImportError:
        return None
    return uvloop.new_event_loop

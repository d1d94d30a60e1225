"""Child processes under one roof: started in order, restarted when they die, stopped in the opposite order."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from connector.cli.process import SUPERVISOR
from connector.domain.errors import Unavailable

STOP_SECONDS: Final = 20.0
READY_SECONDS: Final = 20.0
RESTART_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
QUICK_DEATH_SECONDS: Final = 1.0
"""Who dies sooner than this again and again is started more and more slowly."""

POLL_SECONDS: Final = 0.03


@dataclass
class Part:
    """One child process: its name, the ``isogate`` command that it runs, and how to see that it is ready.

    where: what a person is shown (an address, a folder); ready: tells whether it works now.
    """

    name: str
    arguments: Sequence[str]
    where: str
    ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    ready_after_seconds: float = 0.0

    @property
    def pid(self) -> int:
        """The process id, 0 while it does not run."""
        return self.process.pid if self.process and self.process.returncode is None else 0

    async def start(self, inherited: Sequence[int] = ()) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches the supervisor alone.

        inherited: open files that it is to hold as long as it lives.
        """
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "connector.cli", *self.arguments,
            env={**os.environ, **self.environment, SUPERVISOR: str(os.getpid())},
            start_new_session=True,
            pass_fds=inherited,
        )  # fmt: skip

    async def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until it works; raises ``Unavailable`` when it ends or takes too long."""
        began = time.monotonic()
        while not await self.ready():
            if not self.pid:
                raise Unavailable(self.name, "ended while it was starting; its log says why")
            if time.monotonic() - began > seconds:
                raise Unavailable(self.name, f"was not ready after {seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)
        self.ready_after_seconds = time.monotonic() - began

    async def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Ask it to end, kill it when it does not; tell whether it ended by itself and with success."""
        if self.process is None:
            return True
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.process.wait(), seconds) == 0
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            return False


class Supervisor:
    """Keeps a list of stages alive; the parts of one stage start together, after those of the stage before."""

    def __init__(
        self, stages: Sequence[Sequence[Part]], notice: Callable[[str], None], inherited: Sequence[int] = ()
    ) -> None:
        """Take the stages in the order of their start; ``notice`` is told about everything unexpected.

        inherited: open files that every part holds as long as it lives.
        """
        self.stages = stages
        self._inherited = inherited
        self._notice = notice
        self._watches: list[asyncio.Task[None]] = []

    @property
    def parts(self) -> list[Part]:
        """All parts in the order of their start."""
        return [part for stage in self.stages for part in stage]

    async def start(self) -> None:
        """Start every stage and wait until it is ready; whatever was started is stopped again on failure."""
        try:
            for stage in self.stages:
                await asyncio.gather(*(part.start(self._inherited) for part in stage))
                await asyncio.gather(*(part.wait_ready() for part in stage))
        except BaseException:
            await self.stop()
            raise
        self._watches = [asyncio.create_task(self._keep_alive(part)) for part in self.parts]

    async def stop(self) -> bool:
        """Stop everything, last stage first; tell whether all ended by themselves and with success."""
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        clean = True
        for stage in reversed(self.stages):
            clean = all(await asyncio.gather(*(part.stop() for part in stage))) and clean
        return clean

    async def _keep_alive(self, part: Part) -> None:
        quick_deaths = 0
        while part.process is not None:
            started = time.monotonic()
            code = await part.process.wait()
            quick_deaths = quick_deaths + 1 if time.monotonic() - started < QUICK_DEATH_SECONDS else 0
            self._notice(f"{part.name} ended with {_ending(code)}; starting it again")
            await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, RESTART_PAUSE_SECONDS * 2 ** min(quick_deaths, 10)))
            part.restarts += 1
            await part.start(self._inherited)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"

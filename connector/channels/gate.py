"""How many exchanges run at once with an institution, and who is next: in this process, and over all of them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from itertools import count
from types import TracebackType
from typing import Final, Protocol

from connector.domain.directory import Institution
from connector.domain.errors import OutOfTurn, Unavailable
from connector.domain.urgency import URGENT

KEPT_FROM: Final = 3
"""Where there are this many places, one of them is kept for urgent exchanges."""

LEASE_SECONDS: Final = 60.0
"""Longer than any exchange: after this time whoever has a place is taken for dead."""

LOOK_EVERY_SECONDS: Final = 0.02

LONGEST_WAIT_SECONDS: Final = 20.0
"""For a turn: short enough that an exchange that has begun then still ends within the limit of every step."""


class Places(Protocol):
    """Where all processes count their exchanges."""

    async def occupy(self, institution: str, owner: str, number: int, places: int, seconds: float) -> bool:
        """Take a place for a while, unless all are taken; tell whether that was done."""

    async def vacate(self, institution: str, owner: str, number: int) -> None:
        """Give a place back."""

    async def vacate_all(self, institutions: Sequence[str], owner: str) -> int:
        """Give back all that an owner had."""


def places_for(width: int, *, urgent: bool) -> int:
    """Tell how many of the places exchanges of a kind may take."""
    return width if urgent or width < KEPT_FROM else width - 1


class Gate:
    """Lets so many exchanges through at once; urgent ones first, each kind in its order. Use as ``async with``."""

    def __init__(self, width: int) -> None:
        """Have so many places."""
        self._width = width
        self._busy = 0
        self._waiting: dict[bool, deque[asyncio.Future[None]]] = {True: deque(), False: deque()}

    async def __aenter__(self) -> None:
        """Wait for a place."""
        urgent = URGENT.get()
        if self._has_place(urgent=urgent) and not self._waiting[urgent]:
            self._busy += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting[urgent].append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the place was given, and nobody will use it
                self._leave()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the place to the next."""
        self._leave()

    def _has_place(self, *, urgent: bool) -> bool:
        return self._busy < places_for(self._width, urgent=urgent)

    def _leave(self) -> None:
        self._busy -= 1
        for urgent, waiting in self._waiting.items():
            while waiting and self._has_place(urgent=urgent):
                turn = waiting.popleft()
                if not turn.done():
                    self._busy += 1
                    turn.set_result(None)


class Gates:
    """The gates to all institutions: one in this process for each, and behind it the places that all processes share.

    owner: names this process; who starts again under a name has what it had before. Without ``places`` this process
    is the only one.
    """

    def __init__(self, places: Places | None, owner: str) -> None:
        """Begin with nobody inside."""
        self._places = places
        self.owner = owner
        self._numbers = count()
        self._gates: dict[tuple[str, int], Gate] = {}

    @asynccontextmanager
    async def through(self, to: Institution) -> AsyncIterator[None]:
        """Have an exchange with an institution when it is its turn; a changed ``in_flight`` takes effect at once.

        Raises ``OutOfTurn`` where that takes too long.
        """
        async with AsyncExitStack() as inside:
            try:
                async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                    await inside.enter_async_context(
                        self._gates.setdefault((to.code, to.in_flight), Gate(to.in_flight))
                    )
                    await inside.enter_async_context(self._place(to))
            except TimeoutError:
                raise OutOfTurn(to.code) from None
            yield

    async def revive(self, institutions: Sequence[str]) -> None:
        """Give back what this process had when it died; before its first exchange."""
        if self._places:
            await self._places.vacate_all(institutions, self.owner)

    def _place(self, to: Institution) -> AbstractAsyncContextManager[None]:
        return self._shared(self._places, to) if self._places else nullcontext()

    @asynccontextmanager
    async def _shared(self, places: Places, to: Institution) -> AsyncIterator[None]:
        """Have one of the places that all processes share; raises ``Unavailable`` while the store is away."""
        number, most = next(self._numbers), places_for(to.in_flight, urgent=URGENT.get())
        try:
            while not await places.occupy(to.code, self.owner, number, most, LEASE_SECONDS):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_SECONDS)  # who leaves is in another process
            yield
        finally:
            with suppress(Unavailable):  # then it is lost after a while
                await places.vacate(to.code, self.owner, number)

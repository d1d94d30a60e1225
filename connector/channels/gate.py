"""How many exchanges run at once with an institution, and who is next."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Final

from connector.domain.urgency import URGENT

KEPT_FROM: Final = 3
"""Where there are this many places, one of them is kept for urgent exchanges."""


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

"""Callbacks to the Source BB: a durable record of each, with its attempts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from connector.store.queue import Entry, Task


class CallbackState(StrEnum):
    """How a callback stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Callback:
    """One message to a Source BB.

    id: unique within its batch, derived so that a repeated step names it again; batch: reference, or the stable id
    of what it is about; changed_at: Unix seconds; last_outcome: status line or error of the last attempt.
    """

    id: str
    batch: str
    url: str
    body: str
    verb: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0
    state: CallbackState = CallbackState.PENDING
    last_outcome: str = ""
    changed_at: float = 0.0


class Callbacks:
    """Keeps callbacks until they are delivered or given up."""

    async def put(self, callback: Callback, *, then: Sequence[Task] = (), done: Entry | None = None) -> bool:
        """Keep a new callback and append its tasks; False where its id is there already (nothing changes)."""
        raise NotImplementedError

    async def get(self, batch: str, identifier: str) -> Callback:
        """Give a callback. Raises NotFound."""
        raise NotImplementedError

    async def save(self, callback: Callback, *, then: Sequence[Task] = (), done: Entry | None = None) -> None:
        """Replace a callback after an attempt, append tasks and strike off the entry, in one step."""
        raise NotImplementedError

    async def find(self, state: CallbackState, newest: int = 50) -> list[Callback]:
        """List callbacks in a state, the last changed first."""
        raise NotImplementedError

"""The event log of a batch."""

from connector.domain.event import Event


class Events:
    """Reads what the commits have written: who, when, what, from where, outcome."""

    async def of(self, ref: str, count: int = 1000) -> list[Event]:
        """Give the first ``count`` events of a batch, oldest first."""
        raise NotImplementedError

    async def add(self, ref: str, event: Event) -> None:
        """Write an event that goes with no change of state."""
        raise NotImplementedError

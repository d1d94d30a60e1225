"""The loop that carries stream entries to their steps."""

import asyncio

from connector.flows.services import Services


class Worker:
    """One worker; any number of them, in any number of processes, share the work."""

    def __init__(self, services: Services, name: str, concurrency: int = 8) -> None:
        self._services = services
        self._name = name
        self._concurrency = concurrency

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then finish what was begun."""
        raise NotImplementedError

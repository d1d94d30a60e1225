"""A process tells the others what its stages have cost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from connector.domain.errors import Unavailable
from connector.domain.stages import Spent
from connector.flows.services import Services

EVERY_SECONDS: Final = 1.0
AT_LEAST_EVERY: Final = 600
"""So many seconds later it is said again although nothing has changed: what is not repeated is forgotten."""


@asynccontextmanager
async def published(services: Services, process: str) -> AsyncIterator[None]:
    """Tell about every second, where something has changed, and at the end."""
    telling = asyncio.create_task(_tell(services, process))
    try:
        yield
    finally:
        telling.cancel()
        with suppress(Unavailable):
            await services.store.stages.put(process, services.stages.spent())


async def _tell(services: Services, process: str) -> None:
    told: dict[str, Spent] = {}
    silent = 0
    while True:
        spent, silent = services.stages.spent(), silent + 1
        if spent != told or silent >= AT_LEAST_EVERY:
            with suppress(Unavailable):  # the next second is another chance
                await services.store.stages.put(process, spent)
                told, silent = spent, 0
        await asyncio.sleep(EVERY_SECONDS)

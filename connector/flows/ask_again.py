"""An operator has the institution asked now, whatever number of inquiries was configured."""

from typing import Final

from connector.domain.chunk import Dispatch
from connector.domain.event import Event
from connector.flows import tasks
from connector.flows.inquire import ONCE
from connector.flows.services import Services

FIRST_NUMBER: Final = 50_000
"""From here such inquiries are numbered, by the second: apart from those that follow silence."""


async def now(services: Services, ref: str, actor: str, origin: str) -> int:
    """Ask about every message of which something is open; tells how many there are. Raises ``NotFound``."""
    batch, _ = await services.store.batches.read(ref)
    numbers = [
        number
        for number in await services.store.batches.chunk_numbers(ref)
        if (status := await services.store.batches.chunk_status(ref, number)).dispatch is Dispatch.SENT
        and not status.settled
    ]
    if numbers:
        event = Event(services.clock(), actor, "inquiry", origin, "ok", f"{len(numbers)} messages")
        await services.store.events.add(ref, event)
        patience = f"{ONCE}/{FIRST_NUMBER + int(services.clock()) % FIRST_NUMBER}"
        await services.store.queue.put(
            [tasks.inquire(batch, number, due_at=0.0, patience=patience) for number in numbers]
        )
    return len(numbers)

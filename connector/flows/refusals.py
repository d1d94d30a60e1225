"""A refused report leaves a trace: an event of the batch that it was about, where that can be told."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from connector.domain.errors import NotFound, Refused
from connector.domain.event import Event
from connector.domain.ids import chunk_of_message
from connector.flows.services import Services

_NAMED: Final = re.compile(rb">\s*([A-Z2-7]{20}[PV]\d{1,7})\s*<")


@asynccontextmanager
async def refusals_noted(services: Services, institution: str, batch: Callable[[], str]) -> AsyncIterator[None]:
    """Note a ``Refused`` that passes through; ``batch`` finds the reference, or "", when it is needed."""
    try:
        yield
    except Refused as refused:
        ref = batch()
        if ref and await _is_known(services, ref):
            event = Event(services.clock(), institution, "report refused", "push", str(refused)[:300])
            await services.store.events.add(ref, event)
        raise


def batch_named_in(body: bytes) -> str:
    """The reference in the first text of a message that has the form of our message ids, however bad the rest is."""
    found = _NAMED.search(body)
    chunk = chunk_of_message(found[1].decode()) if found else None
    return chunk.batch if chunk else ""


async def _is_known(services: Services, ref: str) -> bool:
    try:
        await services.store.batches.read(ref)
    except NotFound:
        return False
    return True

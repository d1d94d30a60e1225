"""Which batch a caller means, and whether it is theirs to see."""

import re
from typing import Final

from connector.api.operation import Call
from connector.api.settings import Role
from connector.domain.errors import NotFound

_REFERENCE: Final = re.compile(r"[A-Z2-7]{20}")


async def reference(call: Call, identifier: str) -> str:
    """Find the reference behind a batch id or reference; raises ``NotFound``, also for somebody else's batch."""
    own = call.identity.name if call.identity and call.identity.role is Role.SOURCE else ""
    found = await call.services.store.batches.by_sender_id(identifier, own)
    if found is None and _REFERENCE.fullmatch(identifier):
        found = identifier
    if found is None:
        raise NotFound("batch", identifier)
    batch, _ = await call.services.store.batches.read(found)
    if own and batch.source != own:
        raise NotFound("batch", identifier)
    return found

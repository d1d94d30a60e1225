"""What a building block is told about vouchers: durable callbacks, repeated until they are taken."""

from typing import Final

from connector.domain.batch import CallbackTarget
from connector.flows import tasks
from connector.flows.notify import headers
from connector.flows.services import Services
from connector.store import Callback

ONLY: Final = "voucher"


async def notify(services: Services, identifier: str, target: CallbackTarget, body: str) -> bool:
    """Queue a callback once per identifier (no blanks); False where there is nowhere to call, or it was queued before.

    body: JSON, made by the dialect; it is sealed in the store, so that it may have encrypted numbers.
    """
    if not target.url:
        return False
    kept = Callback(
        id=ONLY,
        batch=identifier,
        url=target.url,
        body=body,
        verb=target.verb or services.settings.callback_verb,
        headers=headers(target.correlation_id, identifier),
        changed_at=services.clock(),
    )
    return await services.store.callbacks.put(kept, then=[tasks.callback(identifier, ONLY)])

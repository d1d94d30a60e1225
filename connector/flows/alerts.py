"""What an operator has to look at: a line in the batch's event log, marked, and a warning in the process's log."""

from typing import Final

import structlog

from connector.domain.event import Event
from connector.flows.services import Services

ALERT: Final = "alert: "
"""How the action of such an event begins."""

_log = structlog.get_logger(__name__)


async def raise_alert(services: Services, ref: str, event: Event) -> None:
    """Write an event down as an alert."""
    await services.store.events.add(ref, event._replace(action=f"{ALERT}{event.action}"))
    _log.warning("operator needed", batch=ref, what=event.action, detail=event.detail)

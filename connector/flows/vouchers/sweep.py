"""Step ``voucher-sweep``: vouchers whose time has passed expire; what a crash interrupted is completed.

The clock is a timer of the store, so it goes off once, however many workers there are and whatever is restarted.
"""

from typing import Final

import structlog

from connector.domain.voucher import Command
from connector.flows.services import Services
from connector.flows.vouchers import purge
from connector.flows.vouchers.caller import ISOGATE
from connector.flows.vouchers.issue import recover
from connector.store import Entry, Task

CLOCK: Final = "voucher-sweep"
"""The step of the timer, and the stable id under which it lies in the queue."""

AT_ONCE: Final = 1000
"""Vouchers that expire at once in a partition."""

_log = structlog.get_logger(__name__)


async def arm(services: Services) -> None:
    """Set the clocks of the sweep and of the purge. Every worker does so when it starts: equal timers are one."""
    if (every := services.settings.voucher_sweep_seconds) > 0:
        due_at = (services.clock() // every + 1) * every
        await services.store.queue.put([Task(CLOCK, CLOCK, due_at=due_at)])
    await purge.arm(services)


async def run(services: Services, entry: Entry) -> None:
    """Sweep once, and set the clock again."""
    expired = await expire(services)
    completed = await recover(services)
    if expired or completed:
        _log.info("vouchers swept", expired=expired, requests_completed=completed)
    await arm(services)
    await services.store.queue.done(entry)


async def expire(services: Services) -> int:
    """Let every voucher expire whose time has passed; gives how many that were."""
    vouchers, now, expired = services.store.vouchers, services.clock(), 0
    while serials := await vouchers.due(now, AT_ONCE):
        moved = await vouchers.move(Command.EXPIRE, serials, actor=ISOGATE.actor, now=now)
        done = sum(one.fault is None for one in moved)
        expired += done
        if not done:  # what is being redeemed expires when that is decided
            break
    return expired

"""Step ``voucher-funds``: what the vouchers of a lot have spent and released, told to whoever holds their money.

Absolute per lot and block, so that a repeat changes nothing.
"""

from typing import Final

from connector.domain.errors import NotFound
from connector.flows.services import Services
from connector.flows.vouchers import bulk
from connector.store import Entry

BLOCKS: Final = 10**6
"""A lot never has blocks that are so far apart; so the number of a block within the reservation is short."""


async def run(services: Services, entry: Entry) -> None:
    """Settle a lot's part in one block with its programme, or return the money to the bulk payment that it was."""
    block, store = int(entry.task.batch), services.store
    try:
        account = await store.vouchers.lot_account(entry.task.data, block)
    except NotFound:
        return await store.queue.done(entry)
    lot = account.lot
    if not lot.funded:
        return await store.queue.done(entry, await bulk.take_back(services, account, entry.task) if lot.batch else ())
    await store.funds.settle(
        lot.programme, lot.id, block % BLOCKS, account.version, lot.currency, account.spent, account.released
    )
    return await store.queue.done(entry)

"""Step 4: send a chunk, once.

A chunk found on its way (a crash, a lost answer) is asked about first, and sent again, under the same ids, only if
the FSP never saw it.
"""

from typing import Final

from connector.channels import NotKnown
from connector.domain.chunk import Dispatch
from connector.flows.exchange import Exchange
from connector.flows.services import Services
from connector.flows.times import attempt_of
from connector.store import Entry

RECOVERING: Final = 10_000
"""From here the inquiries about a message whose answer was lost are numbered: apart from those about silence."""


async def run(services: Services, entry: Entry) -> None:
    """Send a chunk that is ready; ask about one that may have been sent."""
    exchange, status = await Exchange.of(services, entry)
    if status.dispatch is Dispatch.READY:
        return await exchange.send(status)
    if status.dispatch is not Dispatch.SENDING or exchange.may_be_on_its_way(status):
        return await exchange.hand_on(status)
    if exchange.harmless:
        return await exchange.send(status)
    answer = await exchange.ask(RECOVERING + attempt_of(entry))
    never_seen = isinstance(answer, NotKnown) and status.unanswered
    return await (exchange.send(status) if never_seen else exchange.note(answer, status))

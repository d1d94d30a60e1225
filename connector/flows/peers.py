"""What an FSP calls our messages, where it names them itself (GovStack JSON answers with a batchId of its own)."""

from typing import Final

from connector.flows.services import Services

LIFE_SECONDS: Final = 90 * 24 * 3600.0


async def remember(services: Services, institution: str, peer_id: str, message_id: str) -> None:
    """Keep both directions; nothing to do for an FSP that uses our id."""
    if peer_id and peer_id != message_id:
        await services.store.records.put("peer-id", f"{institution}/{message_id}", peer_id, LIFE_SECONDS)
        await services.store.records.put("own-id", f"{institution}/{peer_id}", message_id, LIFE_SECONDS)


async def name_at(services: Services, institution: str, message_id: str) -> str:
    """What the institution calls our message."""
    return await services.store.records.get("peer-id", f"{institution}/{message_id}") or message_id


async def own_name(services: Services, institution: str, peer_id: str) -> str:
    """What we call the institution's message."""
    return await services.store.records.get("own-id", f"{institution}/{peer_id}") or peer_id

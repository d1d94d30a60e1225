"""What an operator may do to a batch: cancel it before anything was sent, or repeat what failed."""

from connector.domain.batch import Batch
from connector.flows.services import Services


async def cancel(services: Services, ref: str, actor: str, origin: str) -> None:
    """Cancel a batch of which nothing was sent yet; raises ``NotFound``, ``NotPermitted``."""
    raise NotImplementedError


async def retry(services: Services, ref: str, actor: str, origin: str) -> Batch:
    """Repeat the failed instructions of a finished batch as a new one; a second call gives the same new batch.

    Raises ``NotFound``, ``NotPermitted`` (still running, or nothing failed).
    """
    raise NotImplementedError

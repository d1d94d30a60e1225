"""The store as a whole."""

from collections.abc import Callable

from connector.store.batches import Batches
from connector.store.callbacks import Callbacks
from connector.store.crypto import Keyring
from connector.store.directory import DirectoryStore
from connector.store.events import Events
from connector.store.funds import Funds
from connector.store.mapper import Mapper
from connector.store.queue import Queue
from connector.store.records import Records
from connector.store.requests import Requests


class Store:
    """Everything that IsoGate remembers, behind one connection."""

    queue: Queue
    batches: Batches
    events: Events
    mapper: Mapper
    funds: Funds
    requests: Requests
    callbacks: Callbacks
    directory: DirectoryStore
    records: Records

    @classmethod
    async def connect(cls, url: str, *, keys: Keyring, partitions: int = 8, clock: Callable[[], float]) -> "Store":
        """Connect to a server, check that it is fit for money, and load the function library.

        Raises Unavailable where no server answers, Misconfigured for one that is too old, not persistent or evicting.
        """
        raise NotImplementedError

    async def ping(self) -> None:
        """Ask the server for a sign of life. Raises Unavailable."""
        raise NotImplementedError

    async def close(self) -> None:
        """Give the connections back."""
        raise NotImplementedError

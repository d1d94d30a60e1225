"""The store as a whole."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from connector.domain.directory import Directory
from connector.domain.errors import Misconfigured
from connector.domain.stages import Stages
from connector.store import requirements
from connector.store.archive import Archive
from connector.store.archived import Archived
from connector.store.archiving import Archiving
from connector.store.batches import Batches
from connector.store.callbacks import Callbacks
from connector.store.cluster import link_of
from connector.store.crypto import Keyring
from connector.store.directory import DirectoryStore
from connector.store.events import Events
from connector.store.funds import Funds
from connector.store.keyspace import Keyspace
from connector.store.link import Link
from connector.store.mapper import Mapper
from connector.store.outbox import Outbox
from connector.store.places import Places
from connector.store.plans import Plans
from connector.store.queue import Queue
from connector.store.reconciliations import Reconciliations
from connector.store.records import Records
from connector.store.requests import Requests
from connector.store.stages import StageBook
from connector.store.staging import Staging
from connector.store.statements import Statements
from connector.store.tries import Tries
from connector.store.vouchers import Vouchers
from connector.store.vouchers.messages import Messages

FORMAT: Final = 1
"""How values are packed; counts up with every change after which older data cannot be read."""


class Store:
    """Everything that IsoGate remembers, behind one connection."""

    def __init__(
        self,
        link: Link,
        keyspace: Keyspace,
        keys: Keyring,
        clock: Callable[[], float],
        stages: Stages | None = None,
        archive: Path | None = None,
    ) -> None:
        """Put the parts together; ``connect`` is the way in."""
        archived = Archived(link, keyspace, keys, Archive(archive, keys) if archive else None)
        outbox, stages = Outbox(keyspace, clock), stages or Stages(time.thread_time)
        self.link = link
        self.keyspace = keyspace
        self._keys = keys
        self.queue = Queue(link, keyspace, outbox)
        self.batches = Batches(link, keyspace, keys, outbox, stages, archived)
        self.staging = Staging(link, keyspace, keys)
        self.events = Events(link, keyspace, archived)
        self.archiving = Archiving(link, keyspace, keys, archived)
        self.mapper = Mapper(link, keyspace, keys, stages)
        self.funds = Funds(link, keyspace)
        self.requests = Requests(link, keyspace, keys)
        self.callbacks = Callbacks(link, keyspace, keys, outbox, archived)
        self.directory = DirectoryStore(link, keyspace, keys, self.funds)
        self.records = Records(link, keyspace, keys)
        self.statements = Statements(link, keyspace, keys)
        self.reconciliations = Reconciliations(link, keyspace, keys, outbox)
        self.plans = Plans(link, keyspace, keys, clock)
        self.tries = Tries(link, keyspace)
        self.places = Places(link, keyspace)
        self.stages = StageBook(link, keyspace, clock)
        self.vouchers = Vouchers(link, keyspace, keys, outbox, clock)
        self.messages = Messages(link, keyspace, keys)

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        keys: Keyring,
        partitions: int = 8,
        clock: Callable[[], float],
        stages: Stages | None = None,
        archive: Path | None = None,
    ) -> Self:
        """Connect to a server, check that it is fit for money, and load the function library.

        stages: where what packing and sealing cost is added up; archive: folder of archived batches.
        Raises Unavailable where no server answers, Misconfigured for one that is too old, not persistent or
        evicting, or that holds a store of another number of partitions or in another format.
        """
        link = link_of(url)
        try:
            await requirements.check(link)
            await link.load()
            keyspace = Keyspace(partitions)
            await _check_layout(link, keyspace)
            await _check_format(link, keyspace)
        except BaseException:
            await link.close()
            raise
        return cls(link, keyspace, keys, clock, stages, archive)

    async def presented(self, number: str) -> tuple[Directory, int | None]:
        """Give the directory as it is now and the serial number of a voucher's number, in one round trip."""
        questions = [self.directory.question(), *self.vouchers.questions(number)]
        version, *found = await self.link.ask_all(questions)
        return await self.directory.of_version(version), self.vouchers.serial_in(found)

    def digest(self, text: str) -> str:
        """Name something by what must not be read: 32 hexadecimal digits that depend on the newest key."""
        return self._keys.lookup(text).hex()

    async def ping(self) -> None:
        """Ask the server for a sign of life. Raises Unavailable."""
        await self.link.ask("PING")

    async def close(self) -> None:
        """Give the connections back."""
        await self.link.close()


async def _check_layout(link: Link, keyspace: Keyspace) -> None:
    """Note the number of partitions on first use, and insist on it afterwards: it decides where everything is."""
    await link.ask("SET", keyspace.layout(), keyspace.partitions, "NX")
    there = int(await link.ask("GET", keyspace.layout()))
    if there != keyspace.partitions:
        raise Misconfigured("store", 0, "partitions", f"the store was made with {there} partitions")


async def _check_format(link: Link, keyspace: Keyspace) -> None:
    """Refuse a store whose values were written in a way that this version does not read."""
    await link.ask("SET", keyspace.format(), FORMAT, "NX")
    there = int(await link.ask("GET", keyspace.format()))
    if there != FORMAT:
        raise Misconfigured("store", 0, "format", f"the store has format {there}, this version knows {FORMAT}")

"""Reconciliations: what was asked for, and what was found, day by day and in parts of bounded size."""

from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from heapq import nlargest
from typing import Final, NamedTuple, TypeVar

from connector.domain.errors import NotFound
from connector.domain.reconciliation import Finding
from connector.store.crypto import Keyring
from connector.store.keyspace import Keyspace
from connector.store.link import Argument, Link
from connector.store.outbox import Outbox
from connector.store.packing import Sealer
from connector.store.task import Entry, Task

T = TypeVar("T")

MOST_LISTED: Final = 5000


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What was asked for.

    programme: whose account it is, programmes: all that pay from it; institution: holds the account; first, last:
    the days; requested_at: Unix seconds; requested_by: an operator, or ``daily``.
    """

    id: str
    programme: str
    programmes: tuple[str, ...]
    institution: str
    first: date
    last: date
    tolerance_days: int
    requested_at: float
    requested_by: str

    @property
    def days(self) -> list[date]:
        """Each day, in order."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]


class Total(NamedTuple):
    """What findings of a kind add up to in a currency, in minor units: by our records, and by the statement."""

    kind: str
    currency: str
    findings: int
    payments: int
    amount_minor: int
    statement_minor: int


@dataclass(frozen=True, slots=True)
class DayResult:
    """What was found on a day.

    fetched: a sentence on what came of asking the institution for statements; statements: kind and id of those it
    rests on; parts: pieces of its findings.
    """

    day: date
    statements: tuple[str, ...]
    totals: tuple[Total, ...]
    parts: int
    fetched: str = ""


@dataclass(frozen=True, slots=True)
class ReconciliationProgress:
    """A reconciliation and how far it is."""

    asked: Reconciliation
    days: tuple[DayResult, ...]

    @property
    def finished(self) -> bool:
        """Whether all days are done."""
        return len(self.days) == len(self.asked.days)


class Reconciliations:
    """Keeps reconciliations; each step of one is written once, with the task that follows."""

    def __init__(self, link: Link, keyspace: Keyspace, keys: Keyring, outbox: Outbox) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace
        self._outbox = outbox
        self._asked = Sealer(keys, Reconciliation)
        self._texts = Sealer(keys, str)
        self._days = Sealer(keys, DayResult)
        self._parts = Sealer(keys, list[Finding])

    async def create(self, asked: Reconciliation, then: Sequence[Task]) -> bool:
        """Note what is asked for, with the first task; False where its id is there already."""
        key = self._keyspace.reconciliation(asked.id)
        keys = [key, f"{self._keyspace.home(asked.id)}:reconciliations"]
        member = "\n".join((asked.id, *asked.programmes))
        outbox = self._outbox.packed(asked.id, then)
        facts = self._asked.seal(asked, key)
        return bool(await self._link.call("reconciliation", keys, facts, member, repr(asked.requested_at), outbox))

    async def fetched(
        self, identifier: str, number: int, sentence: str, *, then: Sequence[Task], done: Entry
    ) -> None:
        """Note what came of fetching the statements for the ``number``-th day."""
        key, field = self._keyspace.reconciliation(identifier), f"fetched:{number}"
        sealed = self._texts.seal(sentence, f"{key}:{field}")
        await self._step(identifier, f"done:{field}", [field, sealed], then, done)

    async def part(self, identifier: str, number: int, part: int, findings: Sequence[Finding]) -> None:
        """Keep a piece of a day's findings; the same again while the day is not done."""
        key, field = self._keyspace.reconciliation(identifier), f"part:{number}:{part}"
        await self._link.ask("HSET", key, field, await to_thread(self._parts.seal, list(findings), f"{key}:{field}"))

    async def day(
        self, identifier: str, number: int, result: DayResult, *, then: Sequence[Task], done: Entry
    ) -> None:
        """Finish the ``number``-th day, whose parts are all there."""
        key, field = self._keyspace.reconciliation(identifier), f"day:{number}"
        sealed = self._days.seal(result, f"{key}:{field}")
        await self._step(identifier, f"done:{field}", [field, sealed], then, done)

    async def read(self, identifier: str) -> ReconciliationProgress:
        """Give a reconciliation without its findings. Raises NotFound."""
        key = self._keyspace.reconciliation(identifier)
        facts = await self._link.ask("HGET", key, "facts")
        if facts is None:
            raise NotFound("reconciliation", identifier)
        asked = self._asked.open(facts, key)
        days = await self._fields(key, "day", asked, self._days)
        fetched = await self._fields(key, "fetched", asked, self._texts)
        return ReconciliationProgress(
            asked, tuple(replace(day, fetched=fetched.get(number, "")) for number, day in days.items())
        )

    async def findings(self, identifier: str, number: int, part: int) -> list[Finding]:
        """Give a piece of a day's findings."""
        key, field = self._keyspace.reconciliation(identifier), f"part:{number}:{part}"
        sealed = await self._link.ask("HGET", key, field)
        return [] if sealed is None else await to_thread(self._parts.open, sealed, f"{key}:{field}")

    async def find(self, *, programme: str = "", newest: int = 50) -> list[str]:
        """List ids, the newest first."""
        most = MOST_LISTED if programme else newest
        listed = await self._link.ask_all(
            [("ZREVRANGE", f"{base}:reconciliations", 0, most - 1, "WITHSCORES") for base in self._keyspace.bases()]
        )
        found = [(at, member.decode().split("\n")) for part in listed for member, at in part]
        meant = [(at, member[0]) for at, member in found if not programme or programme in member[1:]]
        return [identifier for _, identifier in nlargest(newest, meant)]

    async def _fields(self, key: str, kind: str, asked: Reconciliation, sealer: Sealer[T]) -> dict[int, T]:
        """Open what there is of one kind, by the number of its day."""
        fields = [f"{kind}:{number}" for number in range(len(asked.days))]
        sealed = enumerate(await self._link.ask("HMGET", key, *fields))
        return {number: sealer.open(one, f"{key}:{kind}:{number}") for number, one in sealed if one}

    async def _step(
        self, identifier: str, step: str, fields: Sequence[Argument], then: Sequence[Task], done: Entry
    ) -> None:
        """Write a step once; done before, only its entry is struck off."""
        outbox = self._outbox.packed(identifier, then, done=done)
        key = self._keyspace.reconciliation(identifier)
        if not await self._link.call("reconciled", [key], step, outbox, *fields):
            await self._link.call("enqueue", [key], self._outbox.packed(identifier, (), done=done))

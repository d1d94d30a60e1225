"""One day of an account: its statements against the messages that were sent, a message at a time.

Read are the chunks sent within the tolerance around the day, those that the statements name beyond that, and of each
statement the parts that have lines about the chunk in hand. In memory are one chunk with its lines, the lines that
name no message of ours, and a piece of the findings.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import inf, nextafter
from typing import Final

from connector.domain.batch import FINISHED, Batch, BatchKind
from connector.domain.booking import Line
from connector.domain.chunk import Chunk, ChunkStatus
from connector.domain.errors import NotFound
from connector.domain.ids import MessageKind, own_message
from connector.domain.matching import Matcher
from connector.domain.reconciliation import Finding, FindingKind, Instruction, Terms
from connector.flows.compose import chunk_message_id, transaction_id
from connector.flows.reconciliation_accounts import Account, account_of
from connector.flows.services import Services
from connector.store.reconciliations import DayResult, Reconciliation, Total
from connector.store.statements import KeptStatement

LOOK_BACK_DAYS: Final = 92
"""How long before the day a batch may have been accepted of which something is sent on it."""

ROWS: Final = 1000
"""Findings kept as one piece."""

_PAGE: Final = 200


async def reconcile(services: Services, asked: Reconciliation, number: int) -> DayResult:
    """Reconcile the ``number``-th day, keep its findings in pieces, and give what they add up to."""
    day, tolerance = asked.days[number], timedelta(days=asked.tolerance_days)
    account = account_of(await services.store.directory.load(), asked.programme)
    window = _Window(day - tolerance, day + tolerance)
    books = await Books.open(services, account, window)
    messages = await _messages(services, account, window, books)
    rows = _Rows(services, asked.id, number)
    matcher = Matcher(await books.loose(set(messages)), Terms(asked.tolerance_days, books.closed))
    for _, name in sorted((sent, name) for name, sent in messages.items()):
        instructions = await _instructions(services, name)
        await rows.add(one for one in matcher.take(instructions, await books.about(name)) if one.day == day)
    await rows.add(one for one in matcher.finish() if one.day == day)
    return await rows.close(day, books)


@dataclass(frozen=True, slots=True)
class _Window:
    first: date
    last: date

    def has(self, day: date) -> bool:
        return self.first <= day <= self.last


class Books:
    """The statements about some days; what several of them tell is counted once."""

    def __init__(self, services: Services, kept: Sequence[KeptStatement], window: _Window) -> None:
        self._services = services
        self._window = window
        self.kept = kept
        self.closed = frozenset(
            (currency, day)
            for one in kept
            if one.facts.closed
            for day in one.facts.days()
            for currency in one.facts.currencies
        )

    @classmethod
    async def open(cls, services: Services, account: Account, window: _Window) -> "Books":
        """Find the statements."""
        kept = await services.store.statements.find(account.institution, account.number, window.first, window.last)
        return cls(services, kept, window)

    @property
    def messages(self) -> set[str]:
        """The messages of ours that they name."""
        return {name for one in self.kept for name in one.messages if name}

    async def about(self, message: str) -> list[Line]:
        """Give the lines about a message of ours, "" for those that name none.

        A closed statement is the last word on its days; what reports of the day and notifications say of other days
        is counted once, however often they say it.
        """
        found: list[Line] = []
        early: Counter[Line] = Counter()
        names: dict[Line, str] = {}
        for one in self.kept:
            lines = [line async for line in self._lines(one, message)]
            if one.facts.closed:
                found += lines
            else:
                open_days = [line for line in lines if (line.currency, line.booked) not in self.closed]
                plain = [line._replace(statement="") for line in open_days]
                names |= {line: one.facts.id for line in plain if line not in names}
                early |= Counter(plain)
        return [*found, *(line._replace(statement=names[line]) for line in early.elements())]

    async def loose(self, known: set[str]) -> list[Line]:
        """Give the lines about no message, or about one that is not among those known."""
        found = await self.about("")
        for message in sorted(self.messages - known):
            found += await self.about(message)
        return found

    async def _lines(self, one: KeptStatement, message: str) -> AsyncIterator[Line]:
        for number in one.parts_with(message):
            for line in await self._services.store.statements.part(one, number):
                if line.own == message and self._window.has(line.booked):
                    yield line


async def _messages(services: Services, account: Account, window: _Window, books: Books) -> dict[str, date]:
    """The messages that were sent on these days, and the earlier ones that statements name, with their days."""
    sent: dict[str, date] = {}
    for programme in account.programmes:
        async for batch in _batches(services, programme, window):
            for number in await services.store.batches.chunk_numbers(batch.ref):
                status = await services.store.batches.chunk_status(batch.ref, number)
                if status.sent_at and window.has(_day(status.sent_at)):
                    sent[f"{batch.ref}{MessageKind.TRANSFER}{number}"] = _day(status.sent_at)
    for name in books.messages - sent.keys():
        found = await _chunk(services, name)
        if found and found[0].programme in account.programmes and found[2].sent_at:
            sent[name] = _day(found[2].sent_at)
    return sent


async def _batches(services: Services, programme: str, window: _Window) -> AsyncIterator[Batch]:
    """The programme's batches of which something may have been sent on these days, the newest first."""
    begin = _seconds(window.first)
    before, seen = _seconds(window.last + timedelta(days=1)), set[str]()
    while refs := [ref for ref in await _page(services, programme, before) if ref not in seen]:
        for ref in refs:
            batch, progress = await services.store.batches.read(ref)
            over = progress.state in FINISHED and progress.finished_at < begin
            if batch.kind is BatchKind.DISBURSEMENT and not over:
                yield batch
            before = min(before, nextafter(batch.accepted_at, inf))
        seen.update(refs)
        if before < begin - LOOK_BACK_DAYS * 86_400:
            return


async def _page(services: Services, programme: str, before: float) -> list[str]:
    return await services.store.batches.find(programme=programme, newest=_PAGE, before=before)


async def _chunk(services: Services, message: str) -> tuple[Batch, Chunk, ChunkStatus] | None:
    own = own_message(message)
    if own is None or own.kind is not MessageKind.TRANSFER:
        return None
    try:
        batch, _ = await services.store.batches.read(own.chunk.batch)
        return (batch, *await services.store.batches.chunk(*own.chunk))
    except NotFound:
        return None


async def _instructions(services: Services, message: str) -> list[Instruction]:
    found = await _chunk(services, message)
    if found is None:
        return []
    batch, chunk, status = found
    return list(_of_chunk(batch, chunk, status))


def _of_chunk(batch: Batch, chunk: Chunk, status: ChunkStatus) -> Iterator[Instruction]:
    name, sent, changed = chunk_message_id(batch.kind, chunk.id), _day(status.sent_at), _day(status.changed_at)
    for index, credit in enumerate(chunk.credits):
        yield Instruction(
            name,
            batch.programme,
            chunk.institution,
            batch.ref,
            credit.position,
            credit.instruction_id,
            credit.end_to_end_id,
            transaction_id(chunk.id, credit),
            credit.amount_minor,
            chunk.currency,
            status.status(index),
            sent,
            changed,
        )


class _Rows:
    """Writes findings away in pieces, and adds them up."""

    def __init__(self, services: Services, identifier: str, number: int) -> None:
        self._services = services
        self._identifier = identifier
        self._number = number
        self._rows: list[Finding] = []
        self._parts = 0
        self._totals: Counter[tuple[str, str, str]] = Counter()

    async def add(self, findings: Iterable[Finding]) -> None:
        """Take findings; what neither is nor should be on a statement is only counted."""
        for one in findings:
            self._count(one)
            if one.kind is not FindingKind.NOT_DUE:
                self._rows.append(one)
            if len(self._rows) >= ROWS:
                await self._write()

    async def close(self, day: date, books: Books) -> DayResult:
        """Write the rest, and give the sums."""
        if self._rows:
            await self._write()
        names = sorted({(kind, currency) for kind, currency, _ in self._totals})
        totals = tuple(Total(*name, *(self._totals[*name, what] for what in Total._fields[2:])) for name in names)
        about = [one.facts for one in books.kept if one.facts.first <= day <= one.facts.last]
        return DayResult(day, tuple(f"{one.kind} {one.id}" for one in about), totals, self._parts)

    def _count(self, one: Finding) -> None:
        ours = one.currency or one.statement_currency
        theirs = one.statement_currency or ours
        self._totals[one.kind.value, ours, "findings"] += 1
        self._totals[one.kind.value, ours, "payments"] += one.payments
        self._totals[one.kind.value, ours, "amount_minor"] += one.amount_minor
        self._totals[one.kind.value, theirs, "statement_minor"] += one.statement_minor

    async def _write(self) -> None:
        await self._services.store.reconciliations.part(self._identifier, self._number, self._parts, self._rows)
        self._parts += 1
        self._rows = []


def _day(seconds: float) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def _seconds(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()

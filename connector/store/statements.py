"""Account statements as they came in: taken apart into lines, in parts of bounded size, found by account and day.

The lines of a part are sorted by the message of ours that they are about, so that the lines of one message are in few
parts. No key and nothing unsealed holds an account number: an account is named by its keyed hash.
"""

import hashlib
from asyncio import to_thread
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import msgspec

from connector.domain.booking import LONGEST_DAYS, Line, StatementFacts
from connector.store.crypto import Keyring
from connector.store.keyspace import Keyspace
from connector.store.link import Argument, Link
from connector.store.packing import Sealer

PART_LINES: Final = 2000


@dataclass(frozen=True, slots=True)
class _Cover:
    """What is kept of a statement beside its lines; bounds: the first and last message of each part."""

    facts: StatementFacts
    messages: tuple[str, ...]
    bounds: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KeptStatement:
    """A statement in the store; messages: those of ours that it names, "" among them where lines name none."""

    key: str
    facts: StatementFacts
    messages: tuple[str, ...]
    bounds: tuple[tuple[str, str], ...]

    def parts_with(self, message: str) -> Iterator[int]:
        """The numbers of the parts that may have lines about a message."""
        return (number for number, (first, last) in enumerate(self.bounds) if first <= message <= last)


class Statements:
    """Keeps statements, each once."""

    def __init__(self, link: Link, keyspace: Keyspace, keys: Keyring) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace
        self._keys = keys
        self._covers = Sealer(keys, _Cover)
        self._parts = Sealer(keys, list[Line])

    async def put(self, institution: str, account: str, facts: StatementFacts, lines: Iterable[Line]) -> bool:
        """Keep a statement of an account at an institution.

        It is known by its kind and id. One that comes again with other content takes the place of the earlier one if
        it was made later. False where that changed nothing.
        """
        ordered = sorted(lines, key=lambda line: (line.own, line))
        pieces = [ordered[start : start + PART_LINES] for start in range(0, len(ordered), PART_LINES)]
        bounds = tuple((piece[0].own, piece[-1].own) for piece in pieces)
        cover = _Cover(facts, tuple(dict.fromkeys(line.own for line in ordered)), bounds)
        token = self._tokens(institution, account)[0]
        name = _name(facts)
        key = self._keyspace.statement(token, name)
        fields = await to_thread(self._sealed, key, cover, pieces)
        arguments = (_digest(facts, ordered), repr(facts.created), name, _seconds(facts.last))
        return bool(await self._link.call("statement", [key, self._keyspace.statements(token)], *arguments, *fields))

    async def find(self, institution: str, account: str, first: date, last: date) -> list[KeptStatement]:
        """List the statements about any day of a period, in the order of their ids."""
        end = _seconds(last + timedelta(days=LONGEST_DAYS))
        found: dict[str, KeptStatement] = {}
        for token in self._tokens(institution, account):
            asked = ("ZRANGEBYSCORE", self._keyspace.statements(token), _seconds(first), end)
            names = [name.decode() for name in await self._link.ask(*asked)]
            keys = [self._keyspace.statement(token, name) for name in names]
            covers = await self._link.ask_all([("HGET", key, "cover") for key in keys]) if keys else []
            for name, key, sealed in zip(names, keys, covers, strict=True):
                cover = self._covers.open(sealed, key)
                if cover.facts.first <= last:
                    found.setdefault(name, KeptStatement(key, cover.facts, cover.messages, cover.bounds))
        return sorted(found.values(), key=lambda kept: (kept.facts.kind, kept.facts.id))

    async def part(self, statement: KeptStatement, number: int) -> list[Line]:
        """Give a part of a statement's lines; none where the statement has been replaced by a shorter one."""
        sealed = await self._link.ask("HGET", statement.key, f"part:{number}")
        return [] if sealed is None else await to_thread(self._parts.open, sealed, f"{statement.key}:{number}")

    def _sealed(self, key: str, cover: _Cover, pieces: Sequence[Sequence[Line]]) -> list[Argument]:
        fields: list[Argument] = ["cover", self._covers.seal(cover, key)]
        for number, piece in enumerate(pieces):
            fields += [f"part:{number}", self._parts.seal(list(piece), f"{key}:{number}")]
        return fields

    def _tokens(self, institution: str, account: str) -> list[str]:
        """The names of an account under each key, the newest key first."""
        return [token.hex() for token in self._keys.lookups(f"statement {institution} {account}")]


def _name(facts: StatementFacts) -> str:
    return hashlib.sha256(f"{facts.kind} {facts.id}".encode()).hexdigest()[:24]


def _digest(facts: StatementFacts, lines: Sequence[Line]) -> str:
    """Name the content, whenever it was written."""
    content = (facts.first, facts.last, facts.currencies, facts.pending, lines)
    return hashlib.sha256(msgspec.msgpack.encode(content)).hexdigest()


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())

"""The account mapper: where each person is paid, sealed, found by a keyed hash of source and functional id."""

from asyncio import to_thread
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import starmap
from typing import Final, NamedTuple, TypeVar

import msgspec

from connector.domain.beneficiary import Beneficiary, FailedCase
from connector.domain.errors import Unavailable
from connector.domain.stages import Stages
from connector.store.crypto import Keyring
from connector.store.keyspace import MAPPER_BUCKETS, Keyspace
from connector.store.link import Link

ALREADY_REGISTERED: Final = "Beneficiary already registered"
NOT_REGISTERED: Final = "Beneficiary not registered"
SWAP_ROUNDS: Final = 20
"""How often an update starts again because somebody else changed the same beneficiary."""

FEW: Final = 200
"""So many entries are worked on at once without a thread."""

T = TypeVar("T")

_decoder = msgspec.msgpack.Decoder(Beneficiary)


class _Place(NamedTuple):
    """Where an entry is: bucket and field."""

    bucket: int
    field: bytes


class _Kept(NamedTuple):
    """An entry as it stands in the store."""

    place: _Place
    sealed: bytes


class Mapper:
    """Registers, updates and looks up beneficiaries of a Source BB."""

    def __init__(self, link: Link, keyspace: Keyspace, keys: Keyring, stages: Stages) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace
        self._keys = keys
        self._stages = stages

    async def register(self, source: str, entries: Sequence[Beneficiary]) -> list[FailedCase]:
        """Add beneficiaries. The same data again is fine; other data under a registered id is a failed case."""
        failed = []
        known = await self._kept(source, [entry.functional_id for entry in entries])
        new = []
        for entry, kept in zip(entries, known, strict=True):
            if kept is None:
                new.append(entry)
            elif self._opened(kept) != entry:
                failed.append(_failed(entry, ALREADY_REGISTERED))
        return failed + await self._add(source, new)

    async def update(self, source: str, entries: Sequence[Beneficiary]) -> list[FailedCase]:
        """Change beneficiaries; empty fields keep what is there. An unknown one is a failed case."""
        failed: list[FailedCase] = []
        waiting = list(entries)
        for _ in range(SWAP_ROUNDS):
            known = await self._kept(source, [entry.functional_id for entry in waiting])
            failed += [_failed(entry, NOT_REGISTERED) for entry, kept in zip(waiting, known, strict=True) if not kept]
            waiting = await self._swap([(entry, kept) for entry, kept in zip(waiting, known, strict=True) if kept])
            if not waiting:
                return failed
        raise Unavailable("account mapper", "the same beneficiaries are being changed by others")

    async def resolve(self, source: str, functional_ids: Sequence[str]) -> list[Beneficiary | None]:
        """Look up beneficiaries in one round trip; ``None`` where unknown. Same order as asked.

        Who is not found under the newest key is looked for under the older ones, a round trip each.
        """
        found: list[Beneficiary | None] = [None] * len(functional_ids)
        places: Sequence[int] = range(len(functional_ids))
        for hashed in self._keys.hashers():
            names = [f"{source}\x1f{functional_ids[place]}" for place in places]
            fields = await _beside(len(places), partial(self._hashed, hashed, names))
            sealed = await self._sealed_at(fields)
            entries = await _beside(len(places), partial(self._entries, sealed, fields))
            for place, entry in zip(places, entries, strict=True):
                found[place] = entry
            places = [place for place in places if found[place] is None]
            if not places:
                break
        return found

    def _hashed(self, hashed: Callable[[Sequence[str]], list[bytes]], names: Sequence[str]) -> list[bytes]:
        with self._stages.measure("look accounts up", len(names)):
            return hashed(names)

    def _entries(self, sealed: Sequence[bytes | None], fields: Sequence[bytes]) -> list[Beneficiary | None]:
        """Open what was found; in the place of what was not stands ``None``."""
        with self._stages.measure("map accounts", len(fields)):
            there = [(value, field) for value, field in zip(sealed, fields, strict=True) if value is not None]
            opened = map(_decoder.decode, self._keys.open_all(there))
            return [None if value is None else next(opened) for value in sealed]

    async def _sealed_at(self, fields: Sequence[bytes]) -> list[bytes | None]:
        """Read entries by field in one round trip, one command a bucket; in the place of none stands ``None``."""
        buckets: list[list[int]] = [[] for _ in range(MAPPER_BUCKETS)]
        for number, field in enumerate(fields):
            buckets[field[1] % MAPPER_BUCKETS].append(number)  # as _bucket, whose number of buckets divides 256
        asked = [(self._keyspace.mapper(bucket), numbers) for bucket, numbers in enumerate(buckets) if numbers]
        answers = await self._link.ask_all([("HMGET", key, *[fields[n] for n in numbers]) for key, numbers in asked])
        found: list[bytes | None] = [None] * len(fields)
        for (_, numbers), values in zip(asked, answers, strict=True):
            for number, value in zip(numbers, values, strict=True):
                found[number] = value
        return found

    async def _kept(self, source: str, functional_ids: Sequence[str]) -> list[_Kept | None]:
        """Read entries, under the newest key or an older one."""
        places = await _beside(len(functional_ids), partial(self._all_places, source, functional_ids))
        there = await self._read(place for alternatives in places for place in alternatives)
        return [
            next((_Kept(place, there[place]) for place in alternatives if place in there), None)
            for alternatives in places
        ]

    async def _read(self, places: Iterable[_Place]) -> dict[_Place, bytes]:
        """Read what is there, one command a bucket."""
        fields: dict[int, list[bytes]] = defaultdict(list)
        for place in places:
            fields[place.bucket].append(place.field)
        if not fields:
            return {}
        values = await self._link.ask_all(
            [("HMGET", self._keyspace.mapper(bucket), *wanted) for bucket, wanted in fields.items()]
        )
        return {
            _Place(bucket, field): value
            for (bucket, wanted), found in zip(fields.items(), values, strict=True)
            for field, value in zip(wanted, found, strict=True)
            if value is not None
        }

    async def _add(self, source: str, entries: Sequence[Beneficiary]) -> list[FailedCase]:
        """Add entries that were not there a moment ago; the server has the last word."""
        buckets: dict[int, list[tuple[_Place, Beneficiary]]] = defaultdict(list)
        for entry in entries:
            place = self._places(source, entry.functional_id)[0]
            buckets[place.bucket].append((place, entry))
        if not buckets:
            return []
        values = await _beside(
            len(entries), lambda: [_pairs(starmap(self._sealed, some)) for some in buckets.values()]
        )
        calls = [
            ("mapper_add", [self._keyspace.mapper(bucket)], added)
            for bucket, added in zip(buckets, values, strict=True)
        ]
        answers = await self._link.call_all(calls)
        return [
            _failed(entry, ALREADY_REGISTERED)
            for pairs, there in zip(buckets.values(), answers, strict=True)
            for (place, entry), value in zip(pairs, there, strict=True)
            if value and self._opened(_Kept(place, value)) != entry
        ]

    async def _swap(self, changes: Sequence[tuple[Beneficiary, _Kept]]) -> list[Beneficiary]:
        """Write merged entries where nobody was faster; give those that have to be tried again."""
        buckets: dict[int, list[tuple[Beneficiary, _Kept]]] = defaultdict(list)
        again = []
        places = set()
        for entry, kept in changes:
            if kept.place in places:  # named twice in one update: the second goes on top of the first
                again.append(entry)
                continue
            places.add(kept.place)
            buckets[kept.place.bucket].append((entry, kept))
        calls = [
            (
                "mapper_swap",
                [self._keyspace.mapper(bucket)],
                [part for change in found for part in self._swapped(*change)],
            )
            for bucket, found in buckets.items()
        ]
        answers = await self._link.call_all(calls) if calls else []
        for found, swapped in zip(buckets.values(), answers, strict=True):
            again += [entry for (entry, _), done in zip(found, swapped, strict=True) if not done]
        return again

    def _swapped(self, entry: Beneficiary, kept: _Kept) -> tuple[bytes, bytes, bytes]:
        """Give field, expected value and new value of a change."""
        before = self._opened(kept)
        given = {name: value for name, value in entry._asdict().items() if value != ""}
        _, value = self._sealed(kept.place, before._replace(**given))
        return kept.place.field, kept.sealed, value

    def _all_places(self, source: str, functional_ids: Sequence[str]) -> list[list[_Place]]:
        with self._stages.measure("look accounts up", len(functional_ids)):
            return [self._places(source, functional_id) for functional_id in functional_ids]

    def _places(self, source: str, functional_id: str) -> list[_Place]:
        """Say where an entry may be, newest key first."""
        fields = self._keys.lookups(f"{source}\x1f{functional_id}")
        return [_Place(int.from_bytes(field[:2], "big") % MAPPER_BUCKETS, field) for field in fields]

    def _sealed(self, place: _Place, entry: Beneficiary) -> tuple[bytes, bytes]:
        return place.field, self._keys.seal(msgspec.msgpack.encode(entry), place.field)

    def _opened(self, kept: _Kept) -> Beneficiary:
        return _decoder.decode(self._keys.open(kept.sealed, kept.place.field))


async def _beside(size: int, work: Callable[[], T]) -> T:
    """Do work on so many entries; where they are many in a thread, since the event loop has others to serve."""
    return work() if size <= FEW else await to_thread(work)


def _pairs(fields: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    return [part for pair in fields for part in pair]


def _failed(entry: Beneficiary, reason: str) -> FailedCase:
    return FailedCase(entry.functional_id, entry.modality, entry.institution, reason)

"""Serial numbers, and the secret numbers: claimed in an index of keyed hashes, sealed beside the voucher."""

import hmac
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain

from connector.domain.errors import NotFound
from connector.domain.voucher import BLOCK, FIRST_SERIAL
from connector.store.link import Argument, Call
from connector.store.vouchers import records
from connector.store.vouchers.part import Part, by_block


def context(serial: int) -> bytes:
    """Say what a voucher's facts are sealed for."""
    return b"voucher %d" % serial


class Numbers(Part):
    """Draws serial numbers and finds vouchers by their secret numbers."""

    async def next_serials(self, count: int) -> int:
        """Set apart consecutive serial numbers; gives the first."""
        used = int(await self._link.ask("INCRBY", self._keyspace.serials(), count))
        return FIRST_SERIAL + used - count

    async def skip_serials(self, last: int) -> None:
        """See to it that ``next_serials`` gives none up to ``last``: those were chosen otherwise (demo data)."""
        await self._link.call("voucher_skip", [self._keyspace.serials()], last + 1 - FIRST_SERIAL)

    async def adopt_blocks(self, serials: Iterable[int]) -> None:
        """Note the blocks of serial numbers that ``next_serials`` never gives, so that ``blocks`` gives them too."""
        await self._link.ask("SADD", self._keyspace.odd_blocks(), *{serial // BLOCK for serial in serials})

    async def blocks(self) -> list[int]:
        """Give the blocks that have serial numbers so far."""
        counter, odd = self._keyspace.serials(), self._keyspace.odd_blocks()
        used, others = await self._link.ask_all([("GET", counter), ("SMEMBERS", odd)])
        first = FIRST_SERIAL // BLOCK
        counted = range(first, first + -(-int(used or 0) // BLOCK))
        return [*sorted({int(block) for block in others} - {*counted}), *counted]

    async def claim_numbers(self, numbers: Sequence[tuple[str, int]]) -> list[int]:
        """Claim (number, serial) pairs; gives the positions whose number another serial has, the others are claimed.

        The same pair may be claimed again. A number named twice is taken by the first.
        """
        others = await self._claimed_under_older_keys(numbers) if len(self._keys.ids) > 1 else set()
        first: dict[str, int] = {}
        for place, (number, serial) in enumerate(numbers):
            if first.setdefault(number, serial) != serial:
                others.add(place)
        free = [place for place in range(len(numbers)) if place not in others]
        return sorted(others | await self._claim_newest(numbers, free))

    async def release_numbers(self, numbers: Sequence[tuple[str, int]]) -> None:
        """Give (number, serial) claims back, where the voucher is over or was never made; those of others stay."""
        await self._release(numbers, 0)

    async def serial_of(self, number: str) -> int | None:
        """Find a voucher by its number; the serial may be of one that was never created (``read`` gives None)."""
        hashes = self._hashes(number)
        found = await self._link.ask_all([("HGET", self._keyspace.voucher_index(name), name) for name in hashes])
        return next((int(serial) for serial in found if serial is not None), None)

    async def numbers(self, serials: Sequence[int]) -> list[str]:
        """Give the secret numbers, for creation answers and encrypted export only. Raises NotFound."""
        facts = await self._facts(serials)
        for serial, found in zip(serials, facts, strict=True):
            if found is None:
                raise NotFound("voucher", str(serial))
        return [found.number for found in facts if found]

    def pin_hash(self, number: str, pin: str) -> str:
        """Hash a PIN for ``NewVoucher.pin_hash`` and ``RedeemOrder.pin_hash``.

        Its key is the voucher's number, which nobody has who reads the store, and which no change of keys changes.
        """
        return hmac.digest(number.encode(), b"pin\x1f" + pin.encode(), "sha256").hex()[:32]

    async def _facts(self, serials: Sequence[int]) -> list[records.Facts | None]:
        sealed = await self._sealed(serials)
        return [
            None if blob is None else self._opened(serial, blob) for serial, blob in zip(serials, sealed, strict=True)
        ]

    async def _sealed(self, serials: Sequence[int]) -> list[bytes | None]:
        """Read sealed facts, in one round trip."""
        places = by_block(serials)
        answers = await self._link.ask_all(
            [
                ("HMGET", f"{self._keyspace.vouchers(block)}:facts", *(serials[place] for place in found))
                for block, found in places.items()
            ]
        )
        given: list[bytes | None] = [None] * len(serials)
        for place, blob in zip(chain.from_iterable(places.values()), chain.from_iterable(answers), strict=True):
            given[place] = blob
        return given

    def _opened(self, serial: int, sealed: bytes) -> records.Facts:
        return records.unpack_facts(self._keys.open(sealed, context(serial)))

    def _hashes(self, number: str) -> list[bytes]:
        return self._keys.lookups(_named(number))

    async def _claim_newest(
        self, numbers: Sequence[tuple[str, int]], places: Sequence[int] | None = None
    ) -> set[int]:
        """Claim under the newest key; gives the positions whose number another serial has."""
        claims = range(len(numbers)) if places is None else places
        hashes = self._keys.lookup_all([_named(numbers[place][0]) for place in claims])
        calls, asked = self._calls("voucher_claim", zip(hashes, claims, strict=True), numbers)
        taken = await self._link.call_all(calls) if calls else []
        return {places[index] for places, others in zip(asked, taken, strict=True) for index in others}

    async def _release(self, numbers: Sequence[tuple[str, int]], first_key: int) -> None:
        """Remove index entries under the keys from ``first_key`` on, the newest being 0."""
        named = [
            (found, place) for place, (number, _) in enumerate(numbers) for found in self._hashes(number)[first_key:]
        ]
        calls, _ = self._calls("voucher_unclaim", named, numbers)
        if calls:
            await self._link.call_all(calls)

    async def _claimed_under_older_keys(self, numbers: Sequence[tuple[str, int]]) -> set[int]:
        """Give the positions whose number another serial has, by an index entry that is not under the newest key."""
        named = [(found, place) for place, (number, _) in enumerate(numbers) for found in self._hashes(number)[1:]]
        there = await self._link.ask_all([("HGET", self._keyspace.voucher_index(name), name) for name, _ in named])
        return {
            place
            for (_, place), serial in zip(named, there, strict=True)
            if serial is not None and int(serial) != numbers[place][1]
        }

    def _calls(
        self, function: str, named: Iterable[tuple[bytes, int]], numbers: Sequence[tuple[str, int]]
    ) -> tuple[list[Call], list[list[int]]]:
        """Give one call a partition, and the positions that each speaks of."""
        arguments: dict[str, list[Argument]] = defaultdict(list)
        places: dict[str, list[int]] = defaultdict(list)
        for name, place in named:
            key = self._keyspace.voucher_index(name)
            arguments[key] += (name, numbers[place][1])
            places[key].append(place)
        return [(function, [key], rest) for key, rest in arguments.items()], list(places.values())


def _named(number: str) -> str:
    return f"voucher number\x1f{number}"

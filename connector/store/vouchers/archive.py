"""Purging: what is over leaves the store for an archive, without its number."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from connector.domain.voucher import BLOCK, TRANSITIONS, Command, VoucherState, block_of
from connector.store.vouchers import records
from connector.store.vouchers.part import by_block
from connector.store.vouchers.payouts import Payouts
from connector.store.vouchers.values import ArchivedVoucher

_SOURCES: Final = TRANSITIONS[Command.PURGE].sources
_GIVEN: Final = _SOURCES | {VoucherState.PURGED}


class Archive(Payouts):
    """Takes vouchers out.

    The state goes first, then the index entry, then the sealed number that leads to it: an interrupted purge is
    finished by the next one.
    """

    async def purgeable(self, block: int, before: float) -> list[int]:
        """Give the block's redeemed, cancelled and expired vouchers that nothing happened to since ``before``.

        Those that an interrupted purge left behind are among them.
        """
        key = self._keyspace.vouchers(block)
        kept, facts = await self._link.ask_all([("HGETALL", f"{key}:state"), ("HKEYS", f"{key}:facts")])
        whole = set(facts)
        return sorted(
            int(serial)
            for serial, packed in kept.items()
            if serial in whole and _is_over(records.unpack_record(packed), before)
        )

    async def to_archive(self, serials: Sequence[int]) -> list[ArchivedVoucher]:
        """Give what the archive keeps, changing nothing: written first, then ``purge``, nothing can be lost.

        Vouchers that are not over are not given.
        """
        return [archived for archived, _ in await self._to_archive(serials)]

    async def purge(self, serials: Sequence[int], *, actor: str, now: float) -> list[ArchivedVoucher]:
        """Remove numbers, facts and redemptions of vouchers that are over; gives what was there, of those purged.

        Can be repeated; vouchers in another state are left alone and not given, nor are those purged before.
        """
        there = await self._to_archive(serials)
        arguments: dict[int, list[str | bytes | int]] = defaultdict(lambda: [repr(now), actor])
        found = [archived.voucher.serial for archived, _ in there]
        for block, places in by_block(found).items():
            arguments[block] += [part for place in places for part in (found[place], there[place][1])]
        answers = await self._call_blocks("voucher_purge", arguments)
        fate = {
            found[place]: answer
            for block, places in by_block(found).items()
            for place, answer in zip(places, answers[block], strict=True)
        }
        purged = [serial for serial, answer in fate.items() if answer]
        await self._forget(purged)
        return [archived for archived, _ in there if fate[archived.voucher.serial] == 1]

    async def _to_archive(self, serials: Sequence[int]) -> list[tuple[ArchivedVoucher, bytes]]:
        found = [pair for pair in await self._read(serials) if pair and pair[0].state in _GIVEN]
        serials = [voucher.serial for voucher, _ in found]
        redemptions = await self._redemptions(serials)
        events = {block: await self._histories(block) for block in by_block(serials)}
        return [
            (
                ArchivedVoucher(
                    voucher, tuple(past), tuple(events[block_of(voucher.serial)][voucher.serial % BLOCK])
                ),
                packed,
            )
            for (voucher, packed), past in zip(found, redemptions, strict=True)
        ]

    async def _forget(self, serials: Sequence[int]) -> None:
        """Remove the index entries, then the sealed numbers."""
        facts = await self._facts(serials)
        numbers = [(kept.number, serial) for serial, kept in zip(serials, facts, strict=True) if kept]
        await self.release_numbers(numbers)
        places = by_block(serials)
        await self._call_blocks(
            "voucher_forget", {block: [serials[place] for place in found] for block, found in places.items()}
        )


def _is_over(record: records.Record, before: float) -> bool:
    over = record.state in _SOURCES and record.changed_at < before
    return over or record.state is VoucherState.PURGED

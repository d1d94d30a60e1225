"""Change of keys: vouchers made under an older key are put under the newest one."""

from collections.abc import Callable, Mapping

from connector.store.vouchers import records
from connector.store.vouchers.archive import Archive
from connector.store.vouchers.numbers import context
from connector.store.vouchers.values import ResealCounts


class Rotation(Archive):
    """Seals anew, block by block.

    A voucher's new index entry comes first, the old one goes then, and its facts are sealed anew last: whatever is
    still under an older key is done again by the next run.
    """

    async def reseal(
        self, progress: Callable[[ResealCounts], None] | None = None, first_block: int = 0
    ) -> ResealCounts:
        """Put numbers, facts and index under the newest key, block by block; told after each. Can be repeated."""
        counts = ResealCounts(0, 0, 0)
        for block in await self.blocks():
            if block >= first_block:
                seen, resealed = await self._reseal_block(block)
                counts = ResealCounts(counts.blocks + 1, counts.vouchers + seen, counts.resealed + resealed)
                if progress:
                    progress(counts)
        return counts

    async def _reseal_block(self, block: int) -> tuple[int, int]:
        """Give how many vouchers there are, and how many were under an older key."""
        kept = await self._link.ask("HGETALL", f"{self._keyspace.vouchers(block)}:facts")
        older = {int(serial): blob for serial, blob in kept.items() if not self._keys.is_newest(blob)}
        if older:
            await self._reseal(block, older)
        return len(kept), len(older)

    async def _reseal(self, block: int, older: Mapping[int, bytes]) -> None:
        facts = {serial: self._opened(serial, blob) for serial, blob in older.items()}
        numbers = [(kept.number, serial) for serial, kept in facts.items()]
        await self._claim_newest(numbers)
        await self._release(numbers, 1)
        sealed = self._keys.seal_all([(records.pack(kept), context(serial)) for serial, kept in facts.items()])
        triples = [
            part for (serial, old), new in zip(older.items(), sealed, strict=True) for part in (serial, old, new)
        ]
        await self._link.call("voucher_reseal", [self._keyspace.vouchers(block)], *triples)

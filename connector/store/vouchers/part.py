"""What the parts of the voucher store work with."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from connector.domain.voucher import block_of
from connector.store.crypto import Keyring
from connector.store.keyspace import Keyspace
from connector.store.link import Link, Reply
from connector.store.outbox import Outbox


class Part:
    """One subject of the voucher store."""

    def __init__(
        self, link: Link, keyspace: Keyspace, keys: Keyring, outbox: Outbox, clock: Callable[[], float]
    ) -> None:
        """Work on this connection; clock: Unix seconds."""
        self._link = link
        self._keyspace = keyspace
        self._keys = keys
        self._outbox = outbox
        self._clock = clock

    async def _call_blocks(
        self, function: str, arguments: Mapping[int, Sequence[str | bytes | int]]
    ) -> dict[int, Reply]:
        """Call a function for every block, in one round trip."""
        calls = [(function, [self._keyspace.vouchers(block)], rest) for block, rest in arguments.items()]
        answers = await self._link.call_all(calls) if calls else []
        return dict(zip(arguments, answers, strict=True))

    async def _each(self, function: str, serials: Sequence[int], *head: str | bytes | int) -> list[Reply]:
        """Call a function that gives one answer a voucher; they come in the order of ``serials``."""
        places = by_block(serials)
        answers = await self._call_blocks(
            function, {block: [*head, *(serials[place] for place in found)] for block, found in places.items()}
        )
        given: list[Reply] = [None] * len(serials)
        for block, found in places.items():
            for place, answer in zip(found, answers[block], strict=True):
                given[place] = answer
        return given


def by_block(serials: Iterable[int]) -> dict[int, list[int]]:
    """Give the positions of the serials by their block."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, serial in enumerate(serials):
        places[block_of(serial)].append(place)
    return places

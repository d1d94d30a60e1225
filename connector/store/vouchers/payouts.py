"""Paying merchants: the lists of redemptions to be paid, and what became of their payments."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from connector.domain.voucher import RedemptionState, block_of, redemption_serial
from connector.store.link import LONGEST_BLOCK_SECONDS, Call, Reply
from connector.store.vouchers import records
from connector.store.vouchers.redemptions import Redemptions
from connector.store.vouchers.values import DecidedRedemption, PayoutMember, PayoutOutcome

CLOSED_LIFE_SECONDS: Final = 30 * 86_400
"""For so long a closing can be repeated and gives the same members."""

_ACTOR: Final = "isogate"
_member = msgspec.msgpack.Decoder(PayoutMember)


class Payouts(Redemptions):
    """Closes payout lists, decides redemptions, and tells who waits."""

    async def close_payouts(self, name: str) -> list[PayoutMember]:
        """Close the open payout lists under a name, ``<partition>.<turn>``; the same members on every repetition.

        The name's own partition goes first; where it was empty, nothing else is closed.
        """
        own = int(name.partition(".")[0])
        members = await self._close(name, [own])
        if not members:
            return []
        return members + await self._close(name, [p for p in range(self._keyspace.partitions) if p != own])

    async def decide(self, outcomes: Sequence[PayoutOutcome]) -> None:
        """Note what became of merchants' payments; one that is decided already stays as it is.

        Appends a line to the outcomes, and ``Task("voucher-notice", batch=str(block), data=redemption id)`` where the
        order asked for a receipt.
        """
        decisions: dict[int, list[bytes]] = defaultdict(list)
        for outcome in outcomes:
            decisions[block_of(redemption_serial(outcome.redemption))].append(records.pack(outcome))
        head = repr(self._clock()), _ACTOR
        await self._call_blocks("voucher_decide", {block: [*head, *packed] for block, packed in decisions.items()})

    async def outcomes(
        self, after: Mapping[str, str] | None = None, block_seconds: float = LONGEST_BLOCK_SECONDS
    ) -> tuple[dict[str, str], list[DecidedRedemption]]:
        """Wait for decided redemptions of all partitions; gives the position to go on from, and what was decided.

        after: a position given before; without one nothing is waited for, and the position is "from now on".
        """
        if after is None:
            streams = [self._keyspace.outcomes(base) for base in self._keyspace.bases()]
            last = await self._link.ask_all([("XREVRANGE", stream, "+", "-", "COUNT", 1) for stream in streams])
            return {s: found[0][0].decode() if found else "0-0" for s, found in zip(streams, last, strict=True)}, []
        block = max(1, int(min(block_seconds, LONGEST_BLOCK_SECONDS) * 1000))
        found = await self._link.wait("XREAD", "BLOCK", block, "STREAMS", *after, *after.values())
        position, decided = dict(after), []
        for stream, entries in _pairs(found):
            position[stream.decode()] = entries[-1][0].decode()
            decided += [_decided(fields) for _, fields in entries]
        return position, decided

    async def _close(self, name: str, partitions: Sequence[int]) -> list[PayoutMember]:
        calls: list[Call] = [
            ("voucher_close", [self._keyspace.payouts(self._keyspace.base(number))], [name, CLOSED_LIFE_SECONDS])
            for number in partitions
        ]
        answers = await self._link.call_all(calls) if calls else []
        return [_member.decode(packed) for found in answers for packed in found]


def _decided(fields: Reply) -> DecidedRedemption:
    pairs = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
    return DecidedRedemption(pairs[b"r"].decode(), RedemptionState(pairs[b"s"].decode()))


def _pairs(found: Reply) -> list[tuple[bytes, Reply]]:
    """Give stream and entries of an XREAD reply; nothing where the wait ended without one."""
    return list(found.items()) if isinstance(found, dict) else list(found or ())

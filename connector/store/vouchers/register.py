"""Creating and reading vouchers."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from connector.domain.chunk import Tally
from connector.domain.errors import Conflict, NotFound, Refused
from connector.domain.voucher import (
    BLOCK,
    LARGEST_AMOUNT,
    Lot,
    NewVoucher,
    Voucher,
    VoucherEvent,
    VoucherState,
    block_of,
)
from connector.store.funds import LARGEST_AMOUNT as LARGEST_SUM
from connector.store.link import Call, Reply
from connector.store.task import Task
from connector.store.vouchers import records
from connector.store.vouchers.numbers import Numbers, context
from connector.store.vouchers.part import by_block
from connector.store.vouchers.values import LotAccount

_V = VoucherState
_OVER: Final = frozenset({_V.REDEEMED, _V.CANCELLED, _V.EXPIRED, _V.PURGED})
_TIMED: Final = frozenset({_V.ACTIVATED, _V.SUSPENDED, _V.BLOCKED})

KNOWN_SECONDS: Final = 5.0
MOST_KNOWN: Final = 1000
"""For so long, and so many, lots are known without being read again."""


class Register(Numbers):
    """Makes vouchers and shows them."""

    _known_lots: Mapping[str, Lot] = MappingProxyType({})
    _forget_at = 0.0

    async def create(  # noqa: PLR0913 (one commit: what becomes true together is said together)
        self,
        lot: Lot,
        vouchers: Sequence[NewVoucher],
        *,
        actor: str,
        activated_at: float = 0.0,
        expires_at: float = 0.0,
        then: Sequence[Task] = (),
        balances: Mapping[int, int] | None = None,
    ) -> None:
        """Make the vouchers of a lot, in state ``lot.state``; a block that has the lot already is left as it is.

        One function call a block, all blocks at once; ``then`` goes with the block of the highest serial, after all
        others, so its tasks have ``batch=str(block_of(highest serial))``. Vouchers in stock go on the shelf.
        activated_at, expires_at: for those made activated (0: ``lot.created_at`` and the lot's validity from then).
        balances: serial -> what is left, for demo data; the difference counts as spent.
        Raises Refused for amounts beyond the counters, Conflict for a serial that another lot has.
        """
        _check(vouchers)
        makers = _Makers(lot, activated_at, expires_at, balances or {})
        places = by_block(voucher.serial for voucher in vouchers)
        calls = []
        for block in sorted(places):
            last = block == max(places)
            outbox = self._outbox.packed(str(block), then if last else ())
            calls.append(self._creation(makers, block, [vouchers[place] for place in places[block]], actor, outbox))
        if then and len(calls) > 1:
            await self._make(calls[:-1])
            calls = calls[-1:]
        await self._make(calls)

    async def created(self, lot_id: str, first: int, count: int) -> bool:
        """Tell whether every block of these serials has vouchers of the lot."""
        blocks = range(block_of(first), block_of(first + max(count, 1) - 1) + 1)
        there = await self._link.ask_all([("EXISTS", self._keyspace.lot(lot_id, block)) for block in blocks])
        return all(there)

    async def read(self, serials: Sequence[int], *, facts: bool = True) -> list[Voucher | None]:
        """Give vouchers in one round trip; those whose time has passed are shown EXPIRED though nobody touched them.

        A purged voucher is there in state PURGED, without its facts. facts: also those that are sealed (payee,
        narration); what is purged at this very moment may be shown as it was, without them.
        """
        now = self._clock()
        kept, *sealed = await self._fields(serials, *(("state", "facts") if facts else ("state",)))
        found = [None if packed is None else records.unpack_record(packed) for packed in kept]
        lots = await self._lots(serials, found, now)
        given: list[Voucher | None] = [None] * len(serials)
        for place, record in enumerate(found):
            if record and (lot := lots.get(record.lot)):
                blob, serial = sealed[0][place] if sealed else None, serials[place]
                known = records.NOTHING if blob is None else self._opened(serial, blob)
                given[place] = records.voucher(serial, record, known, lot, now)
        return given

    async def history(self, serial: int) -> list[VoucherEvent]:
        """Give what happened to a voucher, oldest first."""
        return (await self._histories(block_of(serial)))[serial % BLOCK]

    async def stock(self, group: str) -> dict[tuple[VoucherState, str], Tally]:
        """Count a group's vouchers by state and currency: how many (payments), and their face value (minor)."""
        totals: dict[tuple[VoucherState, str], Tally] = {}
        for state, currency, kind, amount in await self._counters(group):
            if kind == "b":
                continue
            was = totals.get((_V(state), currency), Tally(0, 0))
            more = Tally(amount, 0) if kind == "n" else Tally(0, amount)
            totals[_V(state), currency] = Tally(was.payments + more.payments, was.minor + more.minor)
        return {key: tally for key, tally in totals.items() if tally.payments}

    async def left(self, group: str) -> dict[str, int]:
        """Sum up what is left in a group's vouchers, in stock or out, by currency (minor units).

        What is left in one whose time has passed counts until somebody touches it: the sweep, at the latest.
        """
        sums: dict[str, int] = {}
        for _, currency, kind, amount in await self._counters(group):
            if kind == "b":
                sums[currency] = sums.get(currency, 0) + amount
        return sums

    async def _counters(self, group: str) -> list[tuple[str, str, str, int]]:
        """Read a group's counters: state (or "left"), currency, kind, amount."""
        counted = await self._link.ask_all(
            [("HGETALL", self._keyspace.stock(base, group)) for base in self._keyspace.bases()]
        )
        named = ((name.decode().split(":"), int(amount)) for fields in counted for name, amount in fields.items())
        return [(state, currency, kind, amount) for (state, currency, kind), amount in named]

    async def lot_account(self, lot_id: str, block: int) -> LotAccount:
        """Give what a lot has spent and released in a block, for ``voucher-funds``; later changes append a new task.

        The task is appended for every change of a funded lot, and for releases of one that is not. Raises NotFound.
        """
        facts, *amounts = await self._link.call("voucher_account", [self._keyspace.lot(lot_id, block)])
        if facts is None:
            raise NotFound("lot", f"{lot_id} {block}")
        return LotAccount(records.unpack_lot(facts), *map(int, amounts))

    async def _histories(self, block: int) -> dict[int, list[VoucherEvent]]:
        """Give what happened to the vouchers of a block, by their offsets in it."""
        entries = await self._link.ask("XRANGE", f"{self._keyspace.vouchers(block)}:events", "-", "+")
        return records.histories(_field(fields, b"e") for _, fields in entries)

    async def _lots(
        self, serials: Sequence[int], found: Sequence[records.Record | None], now: float
    ) -> Mapping[str, Lot]:
        """Give the lots of vouchers; one that was read lately is not read again, since lots never change.

        But in a sandbox that is emptied, another may come to have the same id; hence "lately".
        """
        if now > self._forget_at:
            self._known_lots, self._forget_at = {}, now + KNOWN_SECONDS
        known = self._known_lots
        missing = {
            each.lot: serial for serial, each in zip(serials, found, strict=True) if each and each.lot not in known
        }
        if missing:
            keys = [self._keyspace.lot(lot, block_of(serial)) for lot, serial in missing.items()]
            facts = await self._link.ask_all([("HGET", key, "facts") for key in keys])
            there = {lot: records.unpack_lot(packed) for lot, packed in zip(missing, facts, strict=True) if packed}
            known = {**known, **there}
            self._known_lots = known if len(known) <= MOST_KNOWN else {}
        return known

    async def _make(self, calls: Sequence[Call]) -> None:
        for answer in await self._link.call_all(calls) if calls else ():
            if isinstance(answer, bytes):
                raise Conflict("voucher", answer.decode())

    def _creation(
        self, makers: "_Makers", block: int, vouchers: Sequence[NewVoucher], actor: str, outbox: bytes
    ) -> Call:
        """Give the call that makes the vouchers of one block."""
        serials = [str(voucher.serial) for voucher in vouchers]
        packed = [makers.record(voucher) for voucher in vouchers]
        sealed = self._keys.seal_all([(records.pack_facts(voucher), context(voucher.serial)) for voucher in vouchers])
        head = makers.head(vouchers, actor, self._clock())
        arguments: list[str | bytes] = [head, makers.packed_lot, outbox]
        for values in (packed, sealed):
            pairs = [b""] * (2 * len(serials))
            pairs[::2], pairs[1::2] = [serial.encode() for serial in serials], values
            arguments += pairs
        return "voucher_create", [self._keyspace.vouchers(block)], arguments

    async def _read(self, serials: Sequence[int]) -> list[tuple[Voucher, bytes] | None]:
        """Read vouchers, each with its record as it is packed."""
        places = by_block(serials)
        answers = await self._call_blocks(
            "voucher_read", {block: [serials[place] for place in found] for block, found in places.items()}
        )
        given: list[tuple[Voucher, bytes] | None] = [None] * len(serials)
        now = self._clock()
        for block, found in places.items():
            kept, sealed, lots = answers[block]
            of = {lots[i].decode(): records.unpack_lot(lots[i + 1]) for i in range(0, len(lots), 2)}
            for place, packed, blob in zip(found, kept, sealed, strict=True):
                if packed is not None:
                    record, serial = records.unpack_record(packed), serials[place]
                    facts = records.NOTHING if blob is None else self._opened(serial, blob)
                    given[place] = records.voucher(serial, record, facts, of[record.lot], now), packed
        return given


class _Makers:
    """Makes the records of one creation; those that are equal are packed once."""

    def __init__(self, lot: Lot, activated_at: float, expires_at: float, balances: Mapping[int, int]) -> None:
        self._lot = lot
        self._balances = balances
        self._activated, self._expires = _times(lot, activated_at, expires_at)
        self._packed: dict[tuple[int, int, str], bytes] = {}
        self.packed_lot = records.pack(lot)

    def record(self, voucher: NewVoucher) -> bytes:
        """Pack a voucher's record."""
        balance = 0 if self._lot.state in _OVER else self._left(voucher)
        kind = (voucher.amount_minor, balance, voucher.pin_hash)
        return self._packed.get(kind) or self._packed.setdefault(kind, self._pack(*kind))

    def head(self, vouchers: Sequence[NewVoucher], actor: str, now: float) -> bytes:
        """Pack what the vouchers of one block have in common."""
        left = sum(map(self._left, vouchers)) if self._lot.state is not _V.REDEEMED else 0
        minor = sum(voucher.amount_minor for voucher in vouchers)
        serials = [voucher.serial for voucher in vouchers]
        head: dict[str, Any] = {
            "lot": self._lot.id,
            "group": self._lot.group,
            "currency": self._lot.currency,
            "state": self._lot.state.value,
            "minor": str(minor),
            "spent": str(minor - left),
            "released": str(left if self._lot.state in _OVER else 0),
            "left": str(0 if self._lot.state in _OVER else left),
            "expires_at": self._expires if self._lot.state in _TIMED else 0,
            "count": len(vouchers),
            "actor": actor,
            "now": now,
            "first": str(min(serials)),
            "last": str(max(serials)),
            "shelves": self._shelves(vouchers),
        }
        return records.pack(head)

    def _left(self, voucher: NewVoucher) -> int:
        return self._balances.get(voucher.serial, voucher.amount_minor) if self._balances else voucher.amount_minor

    def _shelves(self, vouchers: Sequence[NewVoucher]) -> list[tuple[int, list[str]]]:
        """List vouchers in stock by their amount."""
        shelves: dict[int, list[str]] = {}
        for voucher in vouchers if self._lot.state is _V.IN_STOCK else ():
            shelves.setdefault(voucher.amount_minor, []).append(str(voucher.serial))
        return list(shelves.items())

    def _pack(self, amount: int, balance: int, pin_hash: str) -> bytes:
        lot, held = self._lot, self._lot.state in {_V.SUSPENDED, _V.BLOCKED}
        before = (_V.ACTIVATED if self._activated else _V.PRE_ACTIVATED).value if held else ""
        times = (self._activated, self._expires)
        return records.pack(
            records.Record(lot.state, balance, amount, lot.id, *times, before, 0, 0, pin_hash, lot.created_at)
        )


def _times(lot: Lot, activated_at: float, expires_at: float) -> tuple[float, float]:
    """Say when a lot was activated and when it expires; 0 for one that is not."""
    if lot.state in {_V.IN_STOCK, _V.PRE_ACTIVATED} or not (activated_at or lot.state is _V.ACTIVATED):
        return 0.0, 0.0
    start = activated_at or lot.created_at
    return start, expires_at or (start + lot.validity_seconds if lot.validity_seconds else 0.0)


def _check(vouchers: Sequence[NewVoucher]) -> None:
    amounts = [voucher.amount_minor for voucher in vouchers]
    if any(not 0 < amount <= LARGEST_AMOUNT for amount in amounts) or sum(amounts) > LARGEST_SUM:
        raise Refused.because("", "AM12", "The amount of a voucher, or their sum, is too large or not positive.")


def _field(fields: Reply, name: bytes) -> bytes:
    """Read a field of a stream's entry, whose fields are a list or a mapping."""
    found = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
    value: bytes = found[name]
    return value

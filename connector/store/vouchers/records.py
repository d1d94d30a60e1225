"""How vouchers and redemptions are kept: small msgpack arrays that the server-side functions read and rewrite.

Whole numbers in them stay below 2^53, Lua's limit. The sealed facts never reach a function's eyes.
"""

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from connector.domain.voucher import (
    Lot,
    NewVoucher,
    Redemption,
    RedemptionState,
    Voucher,
    VoucherEvent,
    VoucherState,
    redemption_serial,
)


class Record(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The changing part of a voucher; before: the states to go back to, blank-separated, the nearest first."""

    state: VoucherState
    balance: int
    amount: int
    lot: str
    activated_at: float
    expires_at: float
    before: str
    tries: int
    redemptions: int
    pin: str
    changed_at: float


class Facts(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What of a voucher is sealed and never changes."""

    number: str
    instruction_id: str = ""
    payee_functional_id: str = ""
    narration: str = ""


class RedemptionRecord(msgspec.Struct, array_like=True, frozen=True):
    """A redemption; pays: 1 where the merchant is paid by us; refunds: (request, amount); receipt: 1 for a notice."""

    state: RedemptionState
    amount: int
    currency: str
    merchant: str
    dialect: str
    at: float
    request: str
    presenter: str
    reason: str
    decided_at: float
    batch: str
    programme: str
    pays: int
    confirmed: int
    refunds: list[tuple[str, int]]
    receipt: int = 0


class _EventRecord(msgspec.Struct, array_like=True, frozen=True):
    """A line of a block's history; runs: the vouchers by their offsets in the block, ``0-999`` or ``3,5-7``."""

    at: float
    actor: str
    action: str
    before: str
    after: str
    amount: int
    detail: str
    runs: str


_record = msgspec.msgpack.Decoder(Record)
_facts = msgspec.msgpack.Decoder(Facts)
_redemption = msgspec.msgpack.Decoder(RedemptionRecord)
_event = msgspec.msgpack.Decoder(_EventRecord)
_lot = msgspec.msgpack.Decoder(Lot)
_encoder = msgspec.msgpack.Encoder()

pack = _encoder.encode
unpack_record = _record.decode
unpack_facts = _facts.decode
unpack_lot = _lot.decode

NOTHING = Facts("")


def pack_facts(voucher: NewVoucher) -> bytes:
    """Pack what is to be sealed of a new voucher."""
    return _encoder.encode((voucher.number, voucher.instruction_id, voucher.payee_functional_id, voucher.narration))


def voucher(serial: int, record: Record, facts: Facts, lot: Lot, now: float) -> Voucher:
    """Put a voucher together; one whose time has passed is shown expired, with nothing left."""
    late = record.state in _TIMED and 0 < record.expires_at <= now
    before = record.before.partition(" ")[0]
    return Voucher(
        serial=serial,
        lot=record.lot,
        group=lot.group,
        programme=lot.programme,
        currency=lot.currency,
        amount_minor=record.amount,
        balance_minor=0 if late else record.balance,
        state=VoucherState.EXPIRED if late else record.state,
        policy=lot.policy,
        validity_seconds=lot.validity_seconds,
        created_at=lot.created_at,
        activated_at=record.activated_at,
        expires_at=record.expires_at,
        before=VoucherState(before) if before and not late else None,
        wrong_tries=record.tries,
        redemptions=record.redemptions,
        source=lot.source,
        instruction_id=facts.instruction_id,
        payee_functional_id=facts.payee_functional_id,
        narration=facts.narration,
    )


_TIMED = {VoucherState.ACTIVATED, VoucherState.SUSPENDED, VoucherState.BLOCKED}


def redemption(identifier: str, packed: bytes) -> Redemption:
    """Read a redemption."""
    kept = _redemption.decode(packed)
    return Redemption(
        id=identifier,
        serial=redemption_serial(identifier),
        state=kept.state,
        amount_minor=kept.amount,
        currency=kept.currency,
        merchant=kept.merchant,
        dialect=kept.dialect,
        at=kept.at,
        request=kept.request,
        presenter=kept.presenter,
        reason=kept.reason,
        decided_at=kept.decided_at,
        batch=kept.batch,
    )


def histories(entries: Iterable[bytes]) -> dict[int, list[VoucherEvent]]:
    """Give the lines of a block's history by the vouchers' offsets in the block."""
    found: dict[int, list[VoucherEvent]] = defaultdict(list)
    for line in map(_event.decode, entries):
        event = VoucherEvent(line.at, line.actor, line.action, line.before, line.after, line.amount, line.detail)
        for run in line.runs.split(","):
            first, _, last = run.partition("-")
            for offset in range(int(first), int(last or first) + 1):
                found[offset].append(event)
    return found

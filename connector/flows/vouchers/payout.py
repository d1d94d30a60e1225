"""Step "payout": pay the merchants of many redemptions by one batch; and decide redemptions as their payments end.

A redemption is put on its partition's open list by the commit that locks the voucher. The first on a list appends the
task, whose name is also that of the closing: which redemptions a closing takes is decided once in each partition, and
the batch is derived from its name, so that however often a step is repeated, by however many workers, there is one
batch, and every redemption is in exactly one.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from connector.domain.batch import REDEMPTIONS, Batch, BatchKind
from connector.domain.chunk import UNROUTED, Chunk, ChunkStatus
from connector.domain.directory import Directory
from connector.domain.errors import Conflict, Refused
from connector.domain.event import Event
from connector.domain.ids import batch_reference
from connector.domain.instruction import CreditInstruction, Reason
from connector.domain.status import OUTCOME_OF_BYTE, Outcome
from connector.domain.voucher import RETURNED
from connector.flows import alerts, tasks
from connector.flows.debulk import Debulk
from connector.flows.draft import sums
from connector.flows.routing import way_of
from connector.flows.services import Services
from connector.flows.vouchers import merchants
from connector.store import Entry, PayoutMember, PayoutOutcome

PRIORITY: Final = 1
"""Somebody stands at a counter and waits."""

_PROGRAMME: Final = attrgetter("programme")

_UNKNOWN: Final = Reason("NARR", "The payment failed.")


async def run(services: Services, entry: Entry) -> None:
    """Make the batches of one closing of the payout lists."""
    pace, name = services.desk.pace, entry.task.data
    ticket = pace.ticket
    async with pace.turn():
        if not pace.served(ticket):
            await pace.wait(services.settings.payout_interval_seconds)
            await _close(services, name)
            return await services.store.queue.done(entry)
    await _close(services, name)  # most probably another closing has taken the list meanwhile, which this finds out
    return await services.store.queue.done(entry)


async def decide(services: Services, batch: Batch, chunk: Chunk, status: ChunkStatus) -> None:
    """Decide the redemptions that a chunk pays, as far as its payments are final; repeatable.

    Money that a merchant's bank gives back does not free the voucher, whose holder has the goods: somebody has to
    look into it.
    """
    final = [outcome for outcome in _outcomes(batch, chunk, status) if outcome is not None]
    await _report_returned(services, batch, [outcome for outcome in final if outcome.reason.startswith(RETURNED)])
    if final:
        await services.store.vouchers.decide(final)
    if len(final) == len(chunk.credits):
        services.desk.pace.ended(batch.ref)


async def _report_returned(services: Services, batch: Batch, returned: Sequence[PayoutOutcome]) -> None:
    """Raise an alert for the payments that came back, but not for those whose redemptions say so already."""
    there = await asyncio.gather(*(services.store.vouchers.redemption(outcome.redemption) for outcome in returned))
    news = [found.id for found in there if found is not None and not found.reason.startswith(RETURNED)]
    if news:
        sentence = f"{len(news)} payments to merchants were returned: {' '.join(news[:10])}"
        event = Event(services.clock(), "isogate", "merchant not paid", "worker", "returned", sentence)
        await alerts.raise_alert(services, batch.ref, event)


def _outcomes(batch: Batch, chunk: Chunk, status: ChunkStatus) -> list[PayoutOutcome | None]:
    """Say what each payment has come to; ``None`` where that is not known yet."""
    return [
        _outcome(batch.ref, credit.instruction_id, OUTCOME_OF_BYTE[code], status.reasons.get(index, _UNKNOWN))
        for index, (credit, code) in enumerate(zip(chunk.credits, status.codes, strict=True))
    ]


def _outcome(ref: str, redemption: str, result: Outcome, reason: Reason) -> PayoutOutcome | None:
    if result is Outcome.ONGOING:
        return None
    why = f"{reason.code} {reason.information}".strip()
    if result is Outcome.FAILED:
        return PayoutOutcome(redemption, paid=False, reason=why, batch=ref)
    returned = f"{RETURNED} {why}" if result is Outcome.RETURNED else ""
    return PayoutOutcome(redemption, paid=True, reason=returned, batch=ref)


async def _close(services: Services, name: str) -> None:
    """Close the lists, and have a batch made for each programme that pays; nothing where another closing took all.

    Raises ``Refused``, when all others are made, where the directory leads a programme nowhere.
    """
    members = await services.store.vouchers.close_payouts(name)
    if not members:
        return
    directory = await services.store.directory.load()
    payouts: dict[str, int] = {}
    refused: Refused | None = None
    for programme, group in groupby(sorted(members, key=attrgetter("programme", "redemption")), _PROGRAMME):
        try:
            ref, chunks = await _pay(services, directory, _Payout(name, programme, list(group)))
            payouts[ref] = chunks
        except Refused as error:
            await _complain(services, name, programme, error)
            refused = error
    services.desk.pace.complete(payouts)
    if refused is not None:
        raise refused


async def _complain(services: Services, name: str, programme: str, error: Refused) -> None:
    """Tell the operator that redeemed vouchers stay locked until the programme can pay again."""
    event = Event(services.clock(), "isogate", "merchants not paid", name, str(error)[:300], f"programme {programme}")
    await alerts.raise_alert(services, programme, event)


async def _pay(services: Services, directory: Directory, payout: "_Payout") -> tuple[str, int]:
    """Make one batch, which runs at once: the commit that locked the vouchers has authorised it.

    Gives its reference, and how many chunks it has.
    """
    way = way_of(directory, payout.programme, BatchKind.DISBURSEMENT)
    found = await merchants.places(services, directory, {member.merchant for member in payout.members})
    instructions = [_instruction(member, found.get(member.merchant)) for member in payout.members]
    batch = payout.batch(services, instructions)
    size, now = services.settings.slice_size, batch.accepted_at
    chunks: list[tuple[Chunk, ChunkStatus]] = []
    for number in range(batch.slices):
        piece = instructions[number * size : (number + 1) * size]
        cut = Debulk(directory, services.terms(way.executor).transactions).slice
        chunks += cut(batch.ref, number, number * size, piece, [None] * len(piece), now)
    event = Event(now, "isogate", "merchants to be paid", payout.name, "ok", f"{batch.count} vouchers")
    then = [
        tasks.settle(batch, chunk) if chunk.institution == UNROUTED else tasks.dispatch(batch, chunk.id.number)
        for chunk, _ in chunks
    ]
    there = await services.store.batches.create(batch, then, event, chunks=chunks)
    if there is not None and there.digest != batch.digest:
        raise Conflict("payout", payout.name)
    return batch.ref, len(chunks)


class _Payout(NamedTuple):
    """What of one closing one programme pays, in the order of the redemptions."""

    name: str
    programme: str
    members: Sequence[PayoutMember]

    def batch(self, services: Services, instructions: Sequence[CreditInstruction]) -> Batch:
        """Describe the batch; its reference and digest are the same in every repetition."""
        ref = batch_reference(REDEMPTIONS, self.programme, self.name)
        ids = "\n".join(member.redemption for member in self.members)
        return Batch(
            ref=ref,
            kind=BatchKind.DISBURSEMENT,
            contract=REDEMPTIONS,
            source="",
            request_id=self.name,
            batch_id=ref,
            programme=self.programme,
            digest=hashlib.sha256(ids.encode()).hexdigest(),
            slices=-(-len(instructions) // services.settings.slice_size),
            expected=sums(instructions),
            accepted_at=services.clock(),
            priority=PRIORITY,
            slice_size=services.settings.slice_size,
        )


def _instruction(member: PayoutMember, place: merchants.Place | None) -> CreditInstruction:
    """Credit the merchant; one that is not known any more has no address, and its payment is refused for that."""
    institution, address, modality, name = place or ("", "", "", "")
    narration, amount = f"Voucher {member.redemption}", (member.amount_minor, member.currency)
    credited = (address, institution, modality, name)
    return CreditInstruction(member.redemption, member.merchant, *amount, narration, *credited)

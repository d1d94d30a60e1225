"""What became of a batch and of each of its payments; O(chunks), never O(payments) unless details are asked for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from connector.domain.batch import Batch, BatchKind, BatchProgress, BatchState
from connector.domain.chunk import Chunk, ChunkStatus
from connector.domain.errors import NotFound, Refused
from connector.domain.event import Event
from connector.domain.ids import CHUNKS_PER_SLICE
from connector.domain.instruction import CreditInstruction, Reason
from connector.domain.status import BYTE_OF, CODES, OUTCOME_OF_BYTE, InstructionStatus, Outcome, outcome
from connector.flows.compose import chunk_message_id
from connector.flows.reconcile import VERIFIED
from connector.flows.services import Services

_WHOLE_BATCH: Final = {BatchState.REFUSED: InstructionStatus.RJCT, BatchState.CANCELLED: InstructionStatus.CANC}
_NO_REASON: Final = Reason("")
_CODED: Final = re.compile(r"([A-Z]{2}\d{2}|NARR) (.*)", re.DOTALL)

OUTCOMES: Final = frozenset(result.value for result in Outcome)
"""The words by which payments may be filtered, beside ISO codes."""


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """A batch and how far it is."""

    batch: Batch
    progress: BatchProgress


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """The transaction record of one payment; it has no account number.

    status: the ISO 20022 code; outcome: ongoing, completed, failed or returned; started_at and completed_at: Unix
    seconds, 0 where it has not happened; message_id: of the message that carried it, "" before it is routed.
    """

    instruction_id: str
    payee_functional_id: str
    institution: str
    modality: str
    amount_minor: int
    currency: str
    status: str
    outcome: str
    reason: str
    information: str
    started_at: float
    completed_at: float
    message_id: str


async def summary(services: Services, ref: str) -> BatchSummary:
    """Tell how far a batch is; raises ``NotFound``."""
    return BatchSummary(*await services.store.batches.read(ref))


async def details(services: Services, ref: str, *, page: int, size: int, status: str = "") -> list[PaymentRecord]:
    """Give a page (from 0) of the payments, in the order of the batch's slices.

    status: ISO codes, comma separated, or an outcome, "" for all. Raises ``NotFound``; ``Refused`` for an unknown
    status.
    """
    wanted = _wanted(status)
    whole = await summary(services, ref)
    skip, records = page * size, list[PaymentRecord]()
    by_slice = _by_slice(await services.store.batches.chunk_numbers(ref))
    for number in range(whole.batch.slices):
        pieces = by_slice.get(number) or [None]
        for chunk_number in pieces:
            piece = await _piece(services, whole, number, chunk_number, wanted, skip)
            skip = max(0, skip - piece.matching)
            records += piece.records
            if len(records) >= size:
                return records[:size]
    return records


async def events(services: Services, ref: str) -> list[Event]:
    """Give the batch's event log; raises ``NotFound``."""
    await services.store.batches.read(ref)
    return await services.store.events.of(ref)


def _wanted(status: str) -> frozenset[int]:
    """The status bytes that a filter lets pass; raises ``Refused``."""
    if not status:
        return frozenset(range(len(CODES)))
    if status.lower() in OUTCOMES:
        return frozenset(code for code, result in enumerate(OUTCOME_OF_BYTE) if result.value == status.lower())
    codes = [code for code in CODES if code.value in status.upper().split(",")]
    if codes:
        return frozenset(BYTE_OF[code] for code in codes)
    raise Refused.because("/status", "unknown_status", "The status is neither an ISO code nor an outcome.")


def _by_slice(numbers: list[int]) -> dict[int, list[int | None]]:
    found: dict[int, list[int | None]] = {}
    for number in numbers:
        found.setdefault(number // CHUNKS_PER_SLICE, []).append(number)
    return found


@dataclass(frozen=True, slots=True)
class _Piece:
    """The records of one chunk or slice from the first that is wanted; matching: how many passed the filter."""

    matching: int
    records: list[PaymentRecord]


async def _piece(
    services: Services, whole: BatchSummary, number: int, chunk: int | None, wanted: frozenset[int], skip: int
) -> _Piece:
    """Read a chunk (or a slice without chunks), without its facts where all of it lies before the page."""
    if chunk is None:
        return await _slice_piece(services, whole, number, wanted, skip)
    batches, ref = services.store.batches, whole.batch.ref
    codes = (await batches.chunk_status(ref, chunk)).codes
    matching = sum(codes.count(code) for code in wanted)
    if matching <= skip:
        return _Piece(matching, [])
    facts, status = await batches.chunk(ref, chunk)
    records = list(_chunk_records(whole.batch, facts, status, wanted))
    return _Piece(len(records), records[skip:])


async def _slice_piece(
    services: Services, whole: BatchSummary, number: int, wanted: frozenset[int], skip: int
) -> _Piece:
    """A slice that was never resolved: everything in it has the batch's own status."""
    status = _WHOLE_BATCH.get(whole.progress.state, InstructionStatus.RCVD)
    if BYTE_OF[status] not in wanted:
        return _Piece(0, [])
    try:
        instructions = await services.store.batches.slice(whole.batch.ref, number)
    except NotFound:  # resolved meanwhile: its chunks are on the next reading
        return _Piece(0, [])
    records = [_slice_record(whole, instruction, status) for instruction in instructions[skip:]]
    return _Piece(len(instructions), records)


def _slice_record(whole: BatchSummary, instruction: CreditInstruction, status: InstructionStatus) -> PaymentRecord:
    reason = reason_of(whole.progress.reason)
    return PaymentRecord(
        instruction.instruction_id,
        instruction.payee_functional_id,
        instruction.institution,
        instruction.modality,
        instruction.amount_minor,
        instruction.currency,
        status.value,
        outcome(status).value,
        reason.code,
        reason.information,
        whole.batch.accepted_at,
        whole.progress.finished_at,
        "",
    )


def reason_of(text: str) -> Reason:
    """Read a batch's reason as an ISO code and a sentence."""
    coded = _CODED.fullmatch(text)
    return Reason(coded[1], coded[2]) if coded else Reason("NARR" if text else "", text)


def _chunk_records(
    batch: Batch, chunk: Chunk, status: ChunkStatus, wanted: frozenset[int]
) -> Iterator[PaymentRecord]:
    name = chunk_message_id(batch.kind, chunk.id) if status.attempts and not chunk.by_voucher else ""
    for index, (credit, code) in enumerate(zip(chunk.credits, status.codes, strict=True)):
        if code not in wanted:
            continue
        result = OUTCOME_OF_BYTE[code]
        reason = status.reasons.get(index, _NO_REASON)
        yield PaymentRecord(
            credit.instruction_id,
            credit.payee_functional_id,
            chunk.institution,
            chunk.modality,
            credit.amount_minor,
            chunk.currency,
            shown(batch, CODES[code]),
            result.value,
            reason.code,
            reason.information,
            batch.accepted_at,
            0.0 if result is Outcome.ONGOING else status.changed_at,
            name,
        )


def shown(batch: Batch, status: InstructionStatus) -> str:
    """The ISO code as others see it: a verified account is not settled money, but technically valid."""
    verified = batch.kind is BatchKind.PREVALIDATION and status is VERIFIED
    return InstructionStatus.ACTC.value if verified else status.value

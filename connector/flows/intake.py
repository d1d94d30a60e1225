"""Step 1: take a batch in. What this answers survives any crash; what it refuses leaves no trace."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from connector.domain.batch import Batch, BatchKind, CallbackTarget
from connector.domain.chunk import Tally
from connector.domain.directory import Directory
from connector.domain.errors import Conflict, Fault, NotFound, Refused
from connector.domain.event import Event
from connector.domain.ids import batch_reference
from connector.domain.instruction import CreditInstruction
from connector.flows import prevalidation, tasks
from connector.flows.services import FlowSettings, Services
from connector.store import totals

MOST_FAULTS: Final = 20
SLICES_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Submission:
    """A batch as a contract's adapter hands it over.

    batch_id "": the derived reference is the batch's id as well (v3.0). digest: SHA-256 of the content, by which a
    repeat is told from a conflict. programme "": the source's own, else the default. execute_at: Unix seconds.
    """

    contract: str
    kind: BatchKind
    source: str
    request_id: str
    batch_id: str
    instructions: Sequence[CreditInstruction]
    digest: str
    programme: str = ""
    callback: CallbackTarget = field(default_factory=CallbackTarget)
    execute_at: float = 0.0
    priority: int | None = None
    origin: str = ""
    retry_of: str = ""


def reference(contract: str, kind: BatchKind, source: str, sender_id: str) -> str:
    """Derive the reference; a prevalidation and a payment of the same batch id are two batches."""
    return batch_reference(_contract_of(contract, kind), source, sender_id)


async def submit(services: Services, submission: Submission) -> Batch:
    """Check, store and queue a batch; an identical repeat gives the batch that was there.

    Raises ``Refused`` (unknown source or programme, no instructions, over the ceiling, duplicates inside) and
    ``Conflict`` (a used batch or request id with other content).
    """
    directory = await services.store.directory.load()
    programme = _programme(directory, submission)
    expected = await asyncio.to_thread(_checked, submission.instructions, services.settings)
    batch = _batch(directory, submission, programme, expected, services)
    totals.check(batch)
    if (known := await _known(services, batch)) is not None:
        return known
    await _claim(services, batch)
    if batch.kind is BatchKind.PREVALIDATION:
        await prevalidation.remember(services, batch)
    await _put_slices(services, batch, submission.instructions)
    accepted = Event(batch.accepted_at, batch.source, "batch accepted", batch.origin, "ok", f"{batch.count} payments")
    raced = await services.store.batches.create(batch, [tasks.admit(batch)], accepted)
    return batch if raced is None else _same(batch, raced)


def _contract_of(contract: str, kind: BatchKind) -> str:
    return contract if kind is BatchKind.DISBURSEMENT else f"{contract}/{kind}"


def _programme(directory: Directory, submission: Submission) -> str:
    """Find the programme that pays; raises ``Refused``."""
    source = directory.sources.get(submission.source)
    if source is None and not directory.open_sources:
        raise Refused.because("/SourceBBID", "unknown_source", "The Source BB is not registered here.")
    name = submission.programme or (source.programme if source else "") or directory.default_programme
    programme = directory.programmes.get(name)
    if programme is None:
        raise Refused.because("/programme", "unknown_programme", "There is no such programme.")
    if programme.sources and submission.source not in programme.sources:
        raise Refused.because("/programme", "foreign_programme", "The Source BB may not use this programme.")
    return name


def _checked(instructions: Sequence[CreditInstruction], settings: FlowSettings) -> dict[str, Tally]:
    """Check the instructions as a whole and add them up per currency; raises ``Refused``."""
    if not instructions:
        raise Refused.because("/CreditInstructions", "empty", "The batch has no instructions.")
    if len(instructions) > settings.ceiling:
        raise Refused.because(
            "/CreditInstructions", "too_many", f"A batch has at most {settings.ceiling} instructions."
        )
    _refuse_duplicates(instructions)
    expected = sums(instructions)
    if len(expected) > settings.currencies:
        raise Refused.because("/CreditInstructions", "AM03", f"A batch has at most {settings.currencies} currencies.")
    return expected


def _refuse_duplicates(instructions: Sequence[CreditInstruction]) -> None:
    ids = [instruction.instruction_id for instruction in instructions]
    if len(set(ids)) == len(ids):
        return
    counted, seen = Counter(ids), set[str]()
    faults: list[Fault] = []
    for index, name in enumerate(ids):
        if counted[name] > 1 and name in seen and len(faults) < MOST_FAULTS:
            where = f"/CreditInstructions/{index}/InstructionID"
            faults.append(Fault(where, "AM05", "The instruction id is used before in the same batch."))
        seen.add(name)
    raise Refused(faults)


def sums(instructions: Sequence[CreditInstruction]) -> dict[str, Tally]:
    """Add instructions up per currency."""
    counts: dict[str, int] = {}
    minors: dict[str, int] = {}
    for instruction in instructions:
        currency = instruction.currency
        counts[currency] = counts.get(currency, 0) + 1
        minors[currency] = minors.get(currency, 0) + instruction.amount_minor
    return {currency: Tally(counts[currency], minors[currency]) for currency in counts}


def _batch(
    directory: Directory, submission: Submission, programme: str, expected: dict[str, Tally], services: Services
) -> Batch:
    ref = reference(
        submission.contract, submission.kind, submission.source, submission.batch_id or submission.request_id
    )
    given = submission.priority
    return Batch(
        ref=ref,
        kind=submission.kind,
        contract=submission.contract,
        source=submission.source,
        request_id=submission.request_id,
        batch_id=submission.batch_id or ref,
        programme=programme,
        digest=submission.digest,
        slices=-(-len(submission.instructions) // services.settings.slice_size),
        expected=expected,
        accepted_at=services.clock(),
        callback=submission.callback,
        execute_at=submission.execute_at,
        priority=directory.programmes[programme].priority if given is None else given,
        retry_of=submission.retry_of,
        origin=submission.origin,
        slice_size=services.settings.slice_size,
    )


async def _known(services: Services, batch: Batch) -> Batch | None:
    """Find the batch under the same id, if there is one; raises ``Conflict`` where it has other content."""
    try:
        known, _ = await services.store.batches.read(batch.ref)
    except NotFound:
        return None
    return _same(batch, known)


def _same(batch: Batch, known: Batch) -> Batch:
    if known.digest != batch.digest:
        raise Conflict("BatchID", batch.batch_id)
    return known


async def _claim(services: Services, batch: Batch) -> None:
    """Claim the ids last of all, so that nothing refused has used them up; raises ``Conflict``.

    Two different batches under one id, sent at the same moment, must not both write slices: one of them stops here.
    """
    if batch.retry_of:
        return
    contract = _contract_of(batch.contract, batch.kind)
    requests, content = services.store.requests, (batch.digest, batch.ref)
    claimed = "repeat"
    if batch.request_id:
        claimed = await requests.claim(contract, batch.source, batch.request_id, *content)
        if claimed == "conflict":
            raise Conflict("RequestID", batch.request_id)
    if await requests.claim(f"{contract}/batch", batch.source, batch.batch_id, *content) == "conflict":
        if claimed == "new":
            await requests.give_back(contract, batch.source, batch.request_id, batch.ref)
        raise Conflict("BatchID", batch.batch_id)


async def _put_slices(services: Services, batch: Batch, instructions: Sequence[CreditInstruction]) -> None:
    """Store the slices, a few at once."""
    size = services.settings.slice_size
    gate = asyncio.Semaphore(SLICES_AT_ONCE)

    async def put(number: int) -> None:
        async with gate:
            piece = instructions[number * size : (number + 1) * size]
            await services.store.batches.put_slice(batch.ref, number, piece, digest=batch.digest)

    await asyncio.gather(*(put(number) for number in range(-(-len(instructions) // size))))

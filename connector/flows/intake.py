"""Step 1: take a batch in. What this answers survives any crash; what it refuses leaves no trace."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connector.domain.batch import Batch, BatchKind, CallbackTarget
from connector.domain.directory import Directory
from connector.domain.errors import Conflict, NotFound, Refused
from connector.domain.event import Event
from connector.domain.ids import batch_reference
from connector.domain.instruction import CreditInstruction
from connector.flows import prevalidation, tasks
from connector.flows.draft import Draft
from connector.flows.services import FlowSettings, Services
from connector.store import totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """What is said of a batch beside its instructions.

    batch_id "": the derived reference is the batch's id as well (v3.0). digest: SHA-256 of the content, by which a
    repeat is told from a conflict. programme "": the source's own, else the default. execute_at: Unix seconds.
    """

    contract: str
    kind: BatchKind
    source: str
    request_id: str
    batch_id: str
    digest: str
    programme: str = ""
    callback: CallbackTarget = field(default_factory=CallbackTarget)
    execute_at: float = 0.0
    priority: int | None = None
    origin: str = ""
    retry_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(Cover):
    """A batch whose instructions are all at hand."""

    instructions: Sequence[CreditInstruction]


def reference(contract: str, kind: BatchKind, source: str, sender_id: str) -> str:
    """Derive the reference; a prevalidation and a payment of the same batch id are two batches."""
    return batch_reference(_contract_of(contract, kind), source, sender_id)


async def submit(services: Services, submission: Submission) -> Batch:
    """Take in a batch whose instructions are at hand; raises what ``accept`` raises."""
    async with Draft(services) as draft:
        await draft.add(submission.instructions)
        await draft.finish()
        return await accept(services, draft, submission)


async def accept(services: Services, draft: Draft, cover: Cover) -> Batch:
    """Check, store and queue a finished draft as a batch; an identical repeat gives the batch that was there.

    Raises ``Refused`` (unknown source or programme, no instructions, over the ceiling, duplicates inside) and
    ``Conflict`` (a used batch or request id with other content).
    """
    directory = await services.store.directory.load()
    programme = _programme(directory, cover)
    await _check(draft, services.settings)
    batch = _batch(directory, cover, programme, draft, services)
    totals.check(batch)
    if (known := await _known(services, batch)) is not None:
        return known
    await _claim(services, batch)
    if batch.kind is BatchKind.PREVALIDATION:
        await prevalidation.remember(services, batch)
    await draft.stage(batch.ref)
    accepted = Event(batch.accepted_at, batch.source, "batch accepted", batch.origin, "ok", f"{batch.count} payments")
    raced = await services.store.batches.create(batch, [tasks.admit(batch)], accepted, token=draft.token)
    return batch if raced is None else _same(batch, raced)


def _contract_of(contract: str, kind: BatchKind) -> str:
    return contract if kind is BatchKind.DISBURSEMENT else f"{contract}/{kind}"


def _programme(directory: Directory, cover: Cover) -> str:
    """Find the programme that pays; raises ``Refused``."""
    source = directory.sources.get(cover.source)
    if source is None and not directory.open_sources:
        raise Refused.because("/SourceBBID", "unknown_source", "The Source BB is not registered here.")
    name = cover.programme or (source.programme if source else "") or directory.default_programme
    programme = directory.programmes.get(name)
    if programme is None:
        raise Refused.because("/programme", "unknown_programme", "There is no such programme.")
    if programme.sources and cover.source not in programme.sources:
        raise Refused.because("/programme", "foreign_programme", "The Source BB may not use this programme.")
    return name


async def _check(draft: Draft, settings: FlowSettings) -> None:
    """Check the instructions as a whole; raises ``Refused``."""
    if not draft.count:
        raise Refused.because("/CreditInstructions", "empty", "The batch has no instructions.")
    if draft.count > settings.ceiling:
        raise Refused.because(
            "/CreditInstructions", "too_many", f"A batch has at most {settings.ceiling} instructions."
        )
    await draft.refuse_duplicates()
    if len(draft.expected) > settings.currencies:
        raise Refused.because("/CreditInstructions", "AM03", f"A batch has at most {settings.currencies} currencies.")


def _batch(directory: Directory, cover: Cover, programme: str, draft: Draft, services: Services) -> Batch:
    ref = reference(cover.contract, cover.kind, cover.source, cover.batch_id or cover.request_id)
    given = cover.priority
    return Batch(
        ref=ref,
        kind=cover.kind,
        contract=cover.contract,
        source=cover.source,
        request_id=cover.request_id,
        batch_id=cover.batch_id or ref,
        programme=programme,
        digest=cover.digest,
        slices=draft.slices,
        expected=draft.expected,
        accepted_at=services.clock(),
        callback=cover.callback,
        execute_at=cover.execute_at,
        priority=directory.programmes[programme].priority if given is None else given,
        retry_of=cover.retry_of,
        origin=cover.origin,
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

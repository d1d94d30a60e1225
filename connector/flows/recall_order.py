"""An operator's order to ask for payments back: the whole batch, one chunk, or single payments.

What is asked is durable, with each chunk, when the order is answered; the messages go out in the step ``recall``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from connector.domain import clawback
from connector.domain.batch import Batch, BatchKind, BatchState
from connector.domain.chunk import Chunk, ChunkStatus, Dispatch, advance_all, moved
from connector.domain.directory import ChannelKind, RecallPolicy
from connector.domain.errors import Fault, NotPermitted, Refused
from connector.domain.event import Event
from connector.domain.ids import ChunkId
from connector.domain.instruction import Reason
from connector.domain.status import InstructionStatus
from connector.flows import control, tasks
from connector.flows.change import change
from connector.flows.compose import chunk_message_id
from connector.flows.routing import Way, way_of
from connector.flows.services import Services
from connector.iso20022.codesets import CodeSets
from connector.store import Task

MOST_FAULTS: Final = 20
CANCELLATION_REASONS: Final = "ExternalCancellationReason1Code"

_SENT: Final = frozenset({BatchState.RUNNING, BatchState.COMPLETED})
_NOT_STARTED: Final = frozenset({BatchState.ACCEPTED, BatchState.SCHEDULED, BatchState.AWAITING_AUTHORISATION})


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be asked back, and why.

    instructions: ids as the Source BB knows them; message_id: of the chunk's message; neither: the whole batch.
    reason: an ISO code (ExternalCancellationReason1Code) and what else the institution is told.
    """

    reason: Reason
    instructions: tuple[str, ...] = ()
    message_id: str = ""

    @property
    def whole(self) -> bool:
        """Whether everything of the batch, or of one chunk, is meant rather than single payments."""
        return not self.instructions


@dataclass(frozen=True, slots=True)
class Asked:
    """What an order has come to, in numbers of payments.

    asked: are being asked back now or were before; cancelled: had not left yet; left: cannot be asked back.
    """

    asked: int = 0
    cancelled: int = 0
    left: int = 0

    def __add__(self, other: "Asked") -> "Asked":
        return Asked(self.asked + other.asked, self.cancelled + other.cancelled, self.left + other.left)


async def ask(services: Services, ref: str, order: Order, actor: str, origin: str) -> Asked:
    """Ask for payments of a batch back; the same order again changes nothing.

    What was not sent yet is cancelled. Raises ``NotFound``; ``Refused``: an unknown instruction or message, a single
    payment that cannot be asked back; ``NotPermitted``: the programme, the batch's state or the channel forbids it.
    """
    if not _codes().knows(CANCELLATION_REASONS, order.reason.code):
        raise Refused.because("/reason", "unknown_code", f"ISO 20022 has no reason {order.reason.code} for this.")
    batch, progress = await services.store.batches.read(ref)
    way = await _way(services, batch)
    if progress.state in _NOT_STARTED and order.whole and not order.message_id:
        await control.cancel(services, ref, actor, origin)
        return Asked(cancelled=batch.count)
    if progress.state not in _SENT:
        raise NotPermitted("batch", ref, progress.state)
    event = Event(services.clock(), actor, "recall asked", origin, "ok", _described(order))
    await services.store.events.add(ref, event)
    if order.instructions:
        return await _single(services, batch, way, order, actor)
    if not order.message_id:
        for number in range(batch.slices):
            await control.cancel_slice(services, batch, number)
    numbers = await _numbers(services, batch, order)
    total = Asked()
    for number in numbers:
        chunk, status = await services.store.batches.chunk(ref, number)
        total += await _open(services, batch, way, (chunk, status), range(len(chunk.credits)), order, actor)
    return total


@cache
def _codes() -> CodeSets:
    return CodeSets()


async def _way(services: Services, batch: Batch) -> Way:
    """The way that the money went; raises ``NotPermitted`` where none of it may be asked back."""
    if batch.kind is not BatchKind.DISBURSEMENT:
        raise NotPermitted("batch", batch.ref, "a prevalidation")
    way = way_of(await services.store.directory.load(), batch.programme, batch.kind)
    if way.programme.recall is RecallPolicy.FORBIDDEN:
        raise NotPermitted("programme", batch.programme, "closed to recalls")
    if way.executor.channel is not ChannelKind.ISO20022:
        raise NotPermitted("institution", way.executor.code, "spoken to by JSON")
    return way


def _described(order: Order) -> str:
    about = f"{len(order.instructions)} payments" if order.instructions else order.message_id or "whole batch"
    return f"{about}, {order.reason.code}"


async def _numbers(services: Services, batch: Batch, order: Order) -> list[int]:
    """The chunks that an order is about; raises ``Refused`` for a message that is not of this batch."""
    numbers = await services.store.batches.chunk_numbers(batch.ref)
    if not order.message_id:
        return numbers
    found = [number for number in numbers if order.message_id == _message(batch, number)]
    if not found:
        raise Refused.because("/message_id", "unknown_message", "The batch has no such message.")
    return found


def _message(batch: Batch, number: int) -> str:
    return chunk_message_id(batch.kind, ChunkId(batch.ref, number))


async def _single(services: Services, batch: Batch, way: Way, order: Order, actor: str) -> Asked:
    """Ask for single payments: first look whether all of them can be asked back, then ask."""
    places = await _places(services, batch, order)
    _refuse(order, places, way.programme.recall)
    total = Asked()
    for chunk, status, names in places:
        positions = sorted(names.values())
        total += await _open(services, batch, way, (chunk, status), positions, order, actor)
    return total


Place = tuple[Chunk, ChunkStatus, dict[str, int]]
"""A chunk, and where in it the wanted instructions are."""


async def _places(services: Services, batch: Batch, order: Order) -> list[Place]:
    """Find the instructions; raises ``Refused`` for unknown ones."""
    wanted = set(order.instructions)
    places: list[Place] = []
    for number in await _numbers(services, batch, order):
        if not wanted:
            break
        chunk, status = await services.store.batches.chunk(batch.ref, number)
        names = {
            credit.instruction_id: index
            for index, credit in enumerate(chunk.credits)
            if credit.instruction_id in wanted
        }
        if names:
            places.append((chunk, status, names))
            wanted -= names.keys()
    _refuse_all(order, wanted, "unknown_instruction", lambda _: "The batch has sent no such payment.")
    return places


def _refuse(order: Order, places: Sequence[Place], policy: RecallPolicy) -> None:
    """Raise ``Refused`` for payments that cannot be asked back, unless they are being asked back already."""
    why: dict[str, str] = {}
    for _, status, names in places:
        before = clawback.asked_before(status, order.reason.code)
        for name, position in names.items():
            if position not in before and (sentence := clawback.obstacle(status, position, policy)):
                why[name] = sentence
    _refuse_all(order, why.keys(), "not_recallable", why.__getitem__)


def _refuse_all(order: Order, names: Iterable[str], code: str, sentence: Callable[[str], str]) -> None:
    bad = set(names)
    faults = [
        Fault(f"/instructions/{index}", code, sentence(name))
        for index, name in enumerate(order.instructions)
        if name in bad
    ]
    if faults:
        raise Refused(faults[:MOST_FAULTS])


async def _open(  # noqa: PLR0913, PLR0917 (one commit: what becomes true together is said together)
    services: Services,
    batch: Batch,
    way: Way,
    found: tuple[Chunk, ChunkStatus],
    positions: Sequence[int],
    order: Order,
    actor: str,
) -> Asked:
    """Open a case in one chunk, or cancel the chunk where it has not left."""
    chunk, status = found
    if chunk.by_voucher and status.dispatch is not Dispatch.READY:  # cancel the voucher instead
        return Asked(left=len(positions))
    now = services.clock()

    def alter(current: ChunkStatus) -> ChunkStatus:
        if order.whole and current.dispatch is Dispatch.READY:
            return moved(advance_all(current, InstructionStatus.CANC, order.reason, now), Dispatch.CLOSED, now)
        return clawback.recalled(current, positions, way.programme.recall, order.reason, actor, now)

    def then(current: ChunkStatus) -> Sequence[Task]:
        return [tasks.recall(batch, chunk.id.number)] if clawback.undelivered(current) else ()

    after, changed = await change(services, batch, chunk, status, alter, then=then)
    if changed and after.dispatch is Dispatch.CLOSED and not after.attempts:
        return Asked(cancelled=len(positions))
    asked = len(clawback.asked_before(after, order.reason.code).intersection(positions))
    return Asked(asked, 0, len(positions) - asked)

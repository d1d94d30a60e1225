"""Which payments may be asked back, and what the answers do to them. Pure.

Before settlement an accepted recall ends a payment as cancelled; after settlement it is accepted here, and the money
comes with a return (pacs.004). A refused one leaves the payment as it was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from connector.domain.chunk import ChunkStatus, Update, advance
from connector.domain.directory import RecallPolicy
from connector.domain.instruction import Reason
from connector.domain.recall import MOST_CASES, RecallCase, RecallState, RecallVerdict, judged, new_case
from connector.domain.status import CODES, OUTCOME_OF_BYTE, InstructionStatus, Outcome

_FAILED_BY_ITSELF: Final = frozenset({InstructionStatus.RJCT, InstructionStatus.BLCK})


def obstacle(status: ChunkStatus, position: int, policy: RecallPolicy) -> str:
    """Say why a payment cannot be asked back, as a person reads it; "" where it can."""
    result = OUTCOME_OF_BYTE[status.codes[position]]
    if policy is RecallPolicy.FORBIDDEN:
        return "The programme forbids recalls."
    if result is Outcome.FAILED:
        return "The payment failed or was cancelled."
    if result is Outcome.RETURNED:
        return "The payment was returned."
    if result is Outcome.COMPLETED and policy is RecallPolicy.BEFORE_SETTLEMENT:
        return "The payment is settled, and the programme does not claw back."
    return ""


def asked_before(status: ChunkStatus, reason: str) -> frozenset[int]:
    """The positions that are being asked back already, or were refused for the same reason."""
    return frozenset(
        position
        for case in status.recalls
        for position, state in case.by_position().items()
        if case.reason == reason or state is not RecallState.REFUSED
    )


def recalled(
    status: ChunkStatus,
    positions: Iterable[int],
    policy: RecallPolicy,
    reason: Reason,
    actor: str,
    now: float,
) -> ChunkStatus:
    """Open a case for those of the positions that can be asked back and are not yet.

    Gives back the very same object where there are none, or where the chunk has had its most cases.
    """
    before = asked_before(status, reason.code)
    about = [position for position in positions if position not in before and not obstacle(status, position, policy)]
    if not about or len(status.recalls) >= MOST_CASES:
        return status
    case = new_case(len(status.recalls), about, reason.code, reason.information, actor, now)
    return replace(status, recalls=(*status.recalls, case), version=status.version + 1)


def answered(
    status: ChunkStatus, verdicts: Sequence[RecallVerdict], now: float, number: int | None = None
) -> ChunkStatus:
    """Apply an answer to one case (or to all that its positions are in), and to the payments; forward only."""
    cases: list[RecallCase] = []
    for case in status.recalls:
        meant = number is None or case.number == number
        after = judged(case, verdicts) if meant else case
        cases.append(replace(after, delivered_at=after.delivered_at or now) if after is not case else case)
    if all(after is before for after, before in zip(cases, status.recalls, strict=True)):
        return status
    cancelled = [
        Update(position, InstructionStatus.CANC, Reason(after.reason, after.information))
        for after, before in zip(cases, status.recalls, strict=True)
        if after is not before
        for position, state in after.by_position().items()
        if state is RecallState.ACCEPTED
    ]
    kept = replace(status, recalls=tuple(cases), version=status.version + 1)
    return advance(kept, cancelled, now)


def delivered(status: ChunkStatus, number: int, now: float) -> ChunkStatus:
    """Note that the institution has a case's message."""
    if status.recalls[number].delivered_at:
        return status
    cases = tuple(replace(case, delivered_at=now) if case.number == number else case for case in status.recalls)
    return replace(status, recalls=cases, version=status.version + 1)


def undelivered(status: ChunkStatus) -> RecallCase | None:
    """The first case whose message is still to go out; one whose payments have all ended needs none."""
    return next((case for case in status.recalls if not case.delivered_at and _open(status, case)), None)


def unanswered(status: ChunkStatus, number: int) -> bool:
    """Whether the institution has a case, and for some payment of it neither a word nor an ending has come."""
    case = status.recalls[number]
    return bool(case.delivered_at) and any(
        shown_state(status, position, state) is RecallState.ASKED for position, state in case.by_position().items()
    )


def _open(status: ChunkStatus, case: RecallCase) -> bool:
    ending = {Outcome.ONGOING, Outcome.COMPLETED}
    return any(OUTCOME_OF_BYTE[status.codes[position]] in ending for position in case.positions)


def shown_state(status: ChunkStatus, position: int, state: RecallState) -> RecallState:
    """The state as it is now that the payment may have ended otherwise: without an answer, the ending is one."""
    if state not in {RecallState.ASKED, RecallState.PENDING}:
        return state
    code = CODES[status.codes[position]]
    if code in _FAILED_BY_ITSELF:
        return RecallState.OVERTAKEN
    ended = code in {InstructionStatus.CANC, InstructionStatus.RTND}
    return RecallState.ACCEPTED if ended else state

"""Recalls: asking an institution to cancel, or to give back, what it was told to pay. Pure.

A *case* is one message (camt.055, camt.056) about credits of one chunk. It is kept with the chunk's changing part, so
that the question, its answers and the credits' statuses change in one commit.
Source: ISO 20022 camt.029, external code set ExternalPaymentCancellationRejection1Code; states are ours.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, NamedTuple

from connector.domain.instruction import Reason

MOST_CASES: Final = 20
"""So many times one chunk may be asked about; a programme that recalls more often has another problem."""


class RecallState(StrEnum):
    """What became of asking for one payment back."""

    ASKED = "asked"  # decided here; the institution has not answered
    PENDING = "pending"  # the institution is looking into it
    ACCEPTED = "accepted"  # cancelled, or to be returned
    REFUSED = "refused"  # the payment stays as it is
    OVERTAKEN = "overtaken"  # the payment failed by itself before there was an answer


RECALL_STATES: Final = tuple(RecallState)
"""The order in which a state is stored as one byte; append only."""

_BYTE_OF: Final = {state: index for index, state in enumerate(RECALL_STATES)}
_FOLLOWING: Final = {
    RecallState.ASKED: frozenset({RecallState.PENDING, RecallState.ACCEPTED, RecallState.REFUSED}),
    RecallState.PENDING: frozenset({RecallState.ACCEPTED, RecallState.REFUSED}),
}


class RecallVerdict(NamedTuple):
    """What an answer says of one credit of a chunk; position counts within the chunk, from 0."""

    position: int
    state: RecallState
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class RecallCase:
    """One recall; ``states[i]`` belongs to ``positions[i]``, ``answers`` are by position within the chunk.

    number counts the chunk's cases from 0; reason and information are what the institution is told; actor: who asked;
    asked_at and delivered_at (0: the institution does not have it yet) are Unix seconds.
    """

    number: int
    reason: str
    information: str
    positions: tuple[int, ...]
    states: bytes
    asked_at: float
    actor: str = ""
    delivered_at: float = 0.0
    answers: Mapping[int, Reason] = field(default_factory=dict)

    def state(self, position: int) -> RecallState:
        """The state of one credit's recall; raises ``ValueError`` for one that the case is not about."""
        return RECALL_STATES[self.states[self.positions.index(position)]]

    def by_position(self) -> dict[int, RecallState]:
        """All states."""
        return {position: RECALL_STATES[byte] for position, byte in zip(self.positions, self.states, strict=True)}


def new_case(
    number: int, positions: Iterable[int], reason: str, information: str, actor: str, now: float
) -> RecallCase:
    """Open a case: everything is asked, nothing delivered."""
    about = tuple(positions)
    return RecallCase(
        number, reason, information, about, bytes([_BYTE_OF[RecallState.ASKED]]) * len(about), now, actor
    )


def judged(case: RecallCase, verdicts: Iterable[RecallVerdict]) -> RecallCase:
    """Take the verdicts that are a step forward; gives back the very same object where there is none."""
    index = {position: place for place, position in enumerate(case.positions)}
    states, answers = bytearray(case.states), dict(case.answers)
    for position, state, reason in verdicts:
        place = index.get(position)
        if place is None or state not in _FOLLOWING.get(RECALL_STATES[states[place]], frozenset()):
            continue
        states[place] = _BYTE_OF[state]
        if reason is not None:
            answers[position] = reason
    return case if states == case.states else replace(case, states=bytes(states), answers=answers)

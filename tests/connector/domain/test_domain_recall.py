"""Recalls: what may be asked back, and what answers do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain import clawback
from connector.domain.chunk import ChunkStatus, Dispatch
from connector.domain.directory import RecallPolicy
from connector.domain.instruction import Reason
from connector.domain.recall import MOST_CASES, RecallState, RecallVerdict
from connector.domain.status import BYTE_OF, OUTCOME_OF_BYTE, InstructionStatus, Outcome

S = InstructionStatus
DUPL = Reason("DUPL", "Paid twice")
ALLOWED, BEFORE = RecallPolicy.ALLOWED, RecallPolicy.BEFORE_SETTLEMENT


def sent(*statuses: InstructionStatus) -> ChunkStatus:
    return ChunkStatus(bytes(BYTE_OF[status] for status in statuses), dispatch=Dispatch.SENT, version=3, attempts=1)


def asked(status: ChunkStatus, *positions: int, reason: Reason = DUPL, policy: RecallPolicy = ALLOWED) -> ChunkStatus:
    return clawback.recalled(status, positions, policy, reason, "operator", 10.0)


@pytest.mark.parametrize(
    ("status", "policy", "may"),
    [
        (S.PDNG, BEFORE, True),
        (S.ACSP, BEFORE, True),
        (S.ACSC, BEFORE, False),
        (S.ACSC, ALLOWED, True),
        (S.ACCC, ALLOWED, True),
        (S.RJCT, ALLOWED, False),
        (S.CANC, ALLOWED, False),
        (S.RTND, ALLOWED, False),
        (S.PDNG, RecallPolicy.FORBIDDEN, False),
    ],
)
def test_what_may_be_asked_back(status: InstructionStatus, policy: RecallPolicy, may: bool) -> None:
    assert (clawback.obstacle(sent(status), 0, policy) == "") is may
    assert bool(asked(sent(status), 0, policy=policy).recalls) is may


def test_the_same_order_again_asks_nothing() -> None:
    once = asked(sent(S.PDNG, S.ACSP, S.RJCT), 0, 1, 2)
    assert once.recalls[0].positions == (0, 1)
    assert asked(once, 0, 1, 2) is once
    assert asked(once, 0, reason=Reason("FRAD")) is once


def test_a_refused_one_may_be_asked_again_for_another_reason_only() -> None:
    once = clawback.answered(asked(sent(S.PDNG), 0), [RecallVerdict(0, RecallState.REFUSED)], 11.0)
    assert asked(once, 0) is once
    again = asked(once, 0, reason=Reason("FRAD"))
    assert [case.number for case in again.recalls] == [0, 1]


def test_a_chunk_has_a_bounded_number_of_cases() -> None:
    status = sent(*[S.PDNG] * (MOST_CASES + 5))
    for position in range(MOST_CASES + 5):
        status = asked(status, position)
    assert len(status.recalls) == MOST_CASES


def test_an_accepted_one_is_cancelled_before_settlement_and_waits_for_its_return_after() -> None:
    status = asked(sent(S.PDNG, S.ACSC), 0, 1)
    accepted = [RecallVerdict(0, RecallState.ACCEPTED), RecallVerdict(1, RecallState.ACCEPTED)]
    after = clawback.answered(status, accepted, 12.0, 0)
    assert [after.status(0), after.status(1)] == [S.CANC, S.ACSC]
    assert after.reasons[0] == DUPL
    assert after.recalls[0].delivered_at == 12.0
    assert clawback.answered(after, accepted, 13.0, 0) is after


def test_a_refused_one_stays_as_it_was_with_the_reason() -> None:
    why = Reason("LEGL", "Legal decision")
    after = clawback.answered(asked(sent(S.ACSC), 0), [RecallVerdict(0, RecallState.REFUSED, why)], 12.0)
    assert (after.status(0), after.recalls[0].state(0)) == (S.ACSC, RecallState.REFUSED)
    assert after.recalls[0].answers == {0: why}


def test_another_case_is_not_touched() -> None:
    status = asked(asked(sent(S.PDNG, S.PDNG), 0), 1)
    after = clawback.answered(status, [RecallVerdict(1, RecallState.ACCEPTED)], 12.0, 0)
    assert after is status


def test_an_ending_without_an_answer_is_one() -> None:
    state = RecallState.ASKED
    for code, shown in ((S.RJCT, "overtaken"), (S.CANC, "accepted"), (S.RTND, "accepted"), (S.ACSC, "asked")):
        assert clawback.shown_state(sent(code), 0, state) == shown
    assert clawback.shown_state(sent(S.RTND), 0, RecallState.REFUSED) == "refused"


def test_what_has_ended_needs_no_message() -> None:
    status = asked(sent(S.PDNG), 0)
    assert clawback.undelivered(status) is status.recalls[0]
    assert clawback.undelivered(replace(status, codes=bytes([BYTE_OF[S.RJCT]]))) is None
    assert clawback.undelivered(clawback.delivered(status, 0, 12.0)) is None


verdicts = st.lists(st.builds(RecallVerdict, st.integers(0, 4), st.sampled_from(RecallState), st.none()), max_size=12)


@given(st.lists(st.sampled_from(S), min_size=5, max_size=5), st.lists(verdicts, max_size=4))
def test_answers_in_any_order_never_bring_an_ended_payment_back(codes: list[S], rounds: list) -> None:
    status = asked(sent(*codes), *range(5))
    for said in rounds:
        after = clawback.answered(status, said, 20.0)
        for before_code, after_code in zip(status.codes, after.codes, strict=True):
            if OUTCOME_OF_BYTE[before_code] is not Outcome.ONGOING:
                assert after_code == before_code
        assert clawback.answered(after, [], 21.0) is after
        status = after

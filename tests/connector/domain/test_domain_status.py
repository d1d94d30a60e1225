"""Statuses move forward only, and a final one never changes back except by a return."""

import itertools

from connector.domain.status import CODES, TRANSITIONS, InstructionStatus, Outcome, may_follow, outcome

S = InstructionStatus


def test_every_status_has_a_row_in_the_transition_table() -> None:
    assert set(TRANSITIONS) == set(S)


def test_no_chain_of_transitions_comes_back_to_where_it_began() -> None:
    def reachable(start: S) -> set[S]:
        seen: set[S] = set()
        todo = list(TRANSITIONS[start])
        while todo:
            status = todo.pop()
            if status not in seen:
                seen.add(status)
                todo.extend(TRANSITIONS[status])
        return seen

    assert all(status not in reachable(status) for status in S)


def test_a_settled_instruction_is_only_ever_returned_or_settled_further() -> None:
    settled = {S.ACSC, S.ACCC, S.CPUC}
    for now, then in itertools.product(settled, S):
        if may_follow(now, then):
            assert then in settled | {S.RTND}


def test_a_failed_instruction_never_changes() -> None:
    for now in (S.RJCT, S.CANC, S.BLCK, S.RTND):
        assert not TRANSITIONS[now]


def test_outcomes_follow_the_status() -> None:
    assert outcome(S.PDNG) is Outcome.ONGOING
    assert outcome(S.ACSP) is Outcome.ONGOING
    assert outcome(S.ACSC) is Outcome.COMPLETED
    assert outcome(S.CANC) is Outcome.FAILED
    assert outcome(S.RTND) is Outcome.RETURNED


def test_the_byte_of_a_status_is_never_renumbered() -> None:
    assert "".join(CODES) == "RCVDPDNGACTCACCPACFCACWCPATCACSPACPDACWPACISACSCACCCCPUCBLCKRJCTCANCRTND"

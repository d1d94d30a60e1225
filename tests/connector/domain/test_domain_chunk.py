"""Chunk status: any sequence of reports, in any order and repeated, ends in the same place."""

from hypothesis import given
from hypothesis import strategies as st

from connector.domain.chunk import (
    Chunk,
    ChunkStatus,
    Dispatch,
    Update,
    advance,
    advance_all,
    fresh,
    moved,
    tallies,
)
from connector.domain.ids import ChunkId
from connector.domain.instruction import Credit, Reason
from connector.domain.status import InstructionStatus, Outcome, may_follow

SIZE = 6
S = InstructionStatus
updates = st.builds(
    Update,
    st.integers(0, SIZE - 1),
    st.sampled_from(S),
    st.none() | st.builds(Reason, st.sampled_from(["AC04", "AM04"])),
)


def chunk_of(amounts: list[int]) -> Chunk:
    credits = tuple(Credit(n, f"I{n}", f"I{n}", f"P{n}", amount, "", "", "") for n, amount in enumerate(amounts))
    return Chunk(ChunkId("A" * 20, 0), "UNIOXU22", "00", "USD", credits)


@given(st.lists(updates, max_size=40))
def test_statuses_only_ever_take_allowed_steps(reports: list[Update]) -> None:
    status = fresh(SIZE)
    for report in reports:
        before = status.status(report.position)
        status = advance(status, [report], now=1.0)
        after = status.status(report.position)
        assert after == before or may_follow(before, after)


@given(st.lists(updates, max_size=20))
def test_a_repeated_report_changes_nothing(reports: list[Update]) -> None:
    once = fresh(SIZE)
    for report in reports:
        once = advance(once, [report], now=1.0)
        assert advance(once, [report], now=2.0) is once


@given(st.lists(st.integers(1, 10**12), min_size=SIZE, max_size=SIZE), st.lists(updates, max_size=30))
def test_tallies_always_add_up_to_the_chunk(amounts: list[int], reports: list[Update]) -> None:
    chunk, status = chunk_of(amounts), advance(fresh(SIZE), reports, now=1.0)
    found = tallies(chunk, status)
    assert sum(tally.payments for tally in found.values()) == SIZE
    assert sum(tally.minor for tally in found.values()) == chunk.total_minor


def test_the_reason_of_a_rejection_is_kept() -> None:
    status = advance(fresh(SIZE), [Update(2, S.RJCT, Reason("AC04", "closed"))], now=1.0)
    assert status.status(2) is S.RJCT
    assert status.reasons == {2: Reason("AC04", "closed")}
    assert status.version == 1


def test_a_chunk_is_settled_when_nothing_in_it_is_ongoing() -> None:
    status = advance_all(fresh(SIZE), S.ACSC, None, now=1.0)
    assert status.settled
    assert tallies(chunk_of([1] * SIZE), status)[Outcome.COMPLETED] == (SIZE, SIZE)


def test_only_a_sending_counts_as_an_attempt() -> None:
    status: ChunkStatus = moved(fresh(1), Dispatch.SENDING, now=5.0)
    assert (status.attempts, status.sent_at) == (1, 5.0)
    assert (moved(status, Dispatch.SENT, now=6.0).attempts, status.version) == (1, 1)

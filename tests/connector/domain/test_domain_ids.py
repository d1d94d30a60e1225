"""Identifiers are derived, fit ISO 20022 and can be read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.ids import (
    ChunkId,
    MessageKind,
    batch_reference,
    chunk_number,
    chunk_of_message,
    end_to_end_id,
    message_id,
)


@given(st.text(), st.text(), st.integers(0, 9_999_999), st.sampled_from(MessageKind))
def test_a_message_id_says_which_chunk_it_is(source: str, batch: str, number: int, kind: MessageKind) -> None:
    chunk = ChunkId(batch_reference("govstack-v1", source, batch), number)
    identifier = message_id(kind, chunk)
    assert len(identifier) <= 35
    assert chunk_of_message(identifier) == chunk


@pytest.mark.parametrize("foreign", ["", "MSG-1", "A" * 20, "A" * 20 + "X1", "a" * 20 + "P1", "A" * 20 + "P1\n"])
def test_a_foreign_message_id_is_nobodys_chunk(foreign: str) -> None:
    assert chunk_of_message(foreign) is None


def test_the_same_submission_always_gets_the_same_reference() -> None:
    assert batch_reference("govstack-v1", "BB", "B1") == batch_reference("govstack-v1", "BB", "B1")
    assert batch_reference("govstack-v1", "BB", "B1") != batch_reference("govstack-v3", "BB", "B1")


def test_chunks_of_different_slices_never_share_a_number() -> None:
    assert chunk_number(3, 999) < chunk_number(4, 0)
    with pytest.raises(ValueError, match="at most"):
        chunk_number(0, 1000)


def test_a_uuid_as_instruction_id_fits_max35text() -> None:
    assert end_to_end_id("0123456789abcdef") == "0123456789abcdef"
    assert len(end_to_end_id("123e4567-e89b-12d3-a456-426614174000")) == 32

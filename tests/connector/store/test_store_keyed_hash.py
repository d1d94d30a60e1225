"""The prepared keyed hash is the standard one."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.store.keyed_hash import KeyedHash


@given(st.binary(max_size=64), st.binary(max_size=300))
def test_it_is_the_hmac_of_the_standard(key: bytes, value: bytes) -> None:
    hashed = KeyedHash(key)
    assert [hashed.digest(value), hashed.digest(value)] == [hmac.digest(key, value, "sha256")] * 2
    assert hashed.digests([value, b"", value])[::2] == [hmac.digest(key, value, "sha256")] * 2


def test_a_key_beyond_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="hashed first"):
        KeyedHash(bytes(65))

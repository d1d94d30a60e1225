"""Sealing: what is written under one key stays readable under a ring, and nothing else opens it."""

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.errors import Misconfigured
from connector.store import Keyring
from connector.store.crypto import secrets_text, write_again

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_what_was_sealed_opens_again(plain: bytes, context: bytes) -> None:
    ring = Keyring({"k1": OLD})
    assert ring.open(ring.seal(plain, context), context) == plain


def test_old_keys_read_and_the_newest_writes() -> None:
    old, both = Keyring({"k1": OLD}), Keyring({"k1": OLD, "k2": NEW})
    assert both.open(old.seal(b"x", b""), b"") == b"x"
    with pytest.raises(Misconfigured, match="not in the key ring"):
        old.open(both.seal(b"x", b""), b"")
    assert old.lookup("a") in both.lookups("a")
    assert both.lookup("a") != old.lookup("a")


def test_another_context_or_a_changed_byte_does_not_open() -> None:
    ring = Keyring({"k1": OLD})
    sealed = ring.seal(b"x", b"here")
    for blob, context in [(sealed, b"there"), (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"here")]:
        with pytest.raises(Misconfigured):
            ring.open(blob, context)


def test_the_same_thing_sealed_twice_looks_different() -> None:
    ring = Keyring({"k1": OLD})
    assert ring.seal(b"x", b"") != ring.seal(b"x", b"")


def test_the_sandbox_key_file_is_private_and_made_once(tmp_path: Path) -> None:
    path = tmp_path / "data" / "keys"
    sealed = Keyring.of_file(path).seal(b"x", b"")
    assert Keyring.of_file(path).open(sealed, b"") == b"x"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["keys"]


def test_keys_come_from_a_setting() -> None:
    text = f"k1:{base64.b64encode(OLD).decode()}, k2:{base64.b64encode(NEW).decode()}"
    assert Keyring.of_text(text).open(Keyring({"k1": OLD}).seal(b"x", b""), b"") == b"x"


@pytest.mark.parametrize("text", ["", "k1", "k1:!!", "k1:c2hvcnQ=", f"k 1:{base64.b64encode(OLD).decode()}"])
def test_a_key_that_cannot_be_used_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Keyring.of_text(text)
    assert "c2hvcnQ" not in str(caught.value)


def key_file(path: Path, *names: str) -> None:
    write_again(path, secrets_text({name: name.encode().ljust(32) for name in names}))


def test_a_ring_follows_its_file_within_a_second(tmp_path: Path, clock) -> None:
    path = tmp_path / "keys"
    key_file(path, "k1")
    ring = Keyring.of_file(path, clock)
    key_file(path, "k1", "k2")
    assert ring.ids == ["k1"]
    clock.pass_seconds(1.0)
    assert ring.ids == ["k1", "k2"]
    assert ring.is_newest(ring.seal(b"x", b""))


def test_a_ring_looks_at_once_for_a_key_that_it_does_not_know(tmp_path: Path, clock) -> None:
    path = tmp_path / "keys"
    key_file(path, "k1")
    ring = Keyring.of_file(path, clock)
    key_file(path, "k1", "k2")
    assert ring.open(Keyring.of_file(path, clock).seal(b"x", b""), b"") == b"x"


def test_a_ring_goes_on_without_its_file_and_refuses_a_broken_one(tmp_path: Path, clock) -> None:
    path = tmp_path / "keys"
    key_file(path, "k1")
    ring = Keyring.of_file(path, clock)
    path.rename(tmp_path / "gone")
    clock.pass_seconds(1.0)
    assert ring.ids == ["k1"]
    path.write_text("k1:!!")
    clock.pass_seconds(1.0)
    with pytest.raises(Misconfigured):
        ring.seal(b"x", b"")

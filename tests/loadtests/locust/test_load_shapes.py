"""Shapes say how many users there are at which second, and which stretches count."""

import sys

import pytest

from loadtests.locust.shapes import SHAPES, Ramp, Soak, Spike, Steady, shape_of


@pytest.mark.parametrize("name", sorted(SHAPES))
@pytest.mark.parametrize("users", [1, 2, 7, 32])
def test_every_shape_keeps_to_its_users_and_its_time(name, users):
    shape = shape_of(name, users=users, seconds=120)
    counts = [shape.users_at(second / 4) for second in range(480)]
    assert max(counts) == users
    assert min(counts) >= 1
    assert shape.users_at(120) is None
    for window in shape.windows():
        assert 0 <= window.start < window.end <= 120
        inside = {shape.users_at(window.start + window.seconds * part / 50) for part in range(50)}
        assert inside == {window.users}


def test_steady_leaves_out_the_warm_up():
    assert Steady(4, 60).windows()[0][1:] == (10.0, 60, 4)
    assert Steady(4, 8).windows()[0].start == 2.0  # a quarter at most
    assert Steady(4, 600).windows()[0].start == 90.0


def test_a_ramp_doubles_until_all_are_there():
    assert Ramp(32, 60).levels == [1, 2, 4, 8, 16, 32]
    assert Ramp(20, 60).levels == [1, 2, 4, 8, 16, 20]
    assert Ramp(1, 60).levels == [1]
    assert [window.name for window in Ramp(3, 60).windows()] == ["1 user", "2 users", "3 users"]
    assert [round(window.seconds) for window in Ramp(3, 60).windows()] == [12, 12, 12]


def test_a_spike_comes_and_goes():
    shape = Spike(50, 100)
    assert [shape.users_at(second) for second in (0, 34, 36, 49, 51, 99)] == [10, 10, 50, 50, 10, 10]
    assert [window.name for window in shape.windows()] == ["before", "spike", "after"]


def test_a_soak_compares_its_first_with_its_last_quarter():
    whole, early, late = Soak(4, 1000).windows()
    assert early.seconds == late.seconds == whole.seconds / 4
    assert (early.start, late.end) == (whole.start, whole.end)


def test_nothing_of_this_patches_sockets():
    assert "gevent" not in sys.modules
    assert "locust" not in sys.modules

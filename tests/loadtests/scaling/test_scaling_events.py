"""The event loop against what queueing theory knows: M/D/1, several places, order, utilisation."""

from random import Random

import pytest

from loadtests.scaling.events import First, Loop, Station, serve


def visits(loop, station, arrivals, seconds, waits):
    def one(at):
        yield from serve(station, seconds)
        waits.append(loop.now - at)

    for at in arrivals:
        loop.plan(at, one(at))


@pytest.mark.parametrize("busy", [0.5, 0.8])
def test_one_server_with_poisson_arrivals_waits_as_the_formula_for_m_d_1_says(busy):
    random, at, arrivals = Random(7), 0.0, []
    for _ in range(200_000):
        at += random.expovariate(busy)
        arrivals.append(at)
    loop, waits = Loop(), []
    station = Station(loop)
    visits(loop, station, arrivals, 1.0, waits)
    loop.run()
    expected = 1.0 + busy / (2 * (1 - busy))  # Pollaczek and Khinchine, with constant service
    assert sum(waits) / len(waits) == pytest.approx(expected, rel=0.05)
    assert station.utilisation() == pytest.approx(busy, rel=0.02)


def test_several_places_serve_at_once_and_in_order():
    loop, waits = Loop(), []
    visits(loop, Station(loop, places=2), [0.0] * 5, 1.0, waits)
    loop.run()
    assert waits == [1.0, 1.0, 2.0, 2.0, 3.0]


def test_who_is_first_passes_those_who_wait():
    loop, order = Loop(), []
    station = Station(loop)

    def one(name, wish):
        yield wish
        yield 1.0
        order.append(name)
        station.leave()

    for name, wish in (("a", station), ("b", station), ("c", First(station))):
        loop.plan(0.0, one(name, wish))
    loop.run()
    assert order == ["a", "c", "b"]

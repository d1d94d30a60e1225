"""The gate of an institution: never more than it may have at once, urgent exchanges first, and no place is lost."""

import asyncio
from contextlib import suppress

import pytest

from connector.channels import gate as gates
from connector.channels.gate import Gate, Gates
from connector.domain.directory import Institution, InstitutionKind
from connector.domain.errors import OutOfTurn
from connector.domain.urgency import URGENT


class Doorstep:
    """Exchanges that stay inside until they are let out."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.inside: list[str] = []
        self.out: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, *, urgent: bool = False) -> None:
        self.out[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._exchange(name, urgent=urgent))
        await settled()

    async def leave(self, name: str) -> None:
        self.out[name].set()
        await self.tasks[name]
        await settled()

    async def give_up(self, name: str) -> None:
        self.tasks[name].cancel()
        with suppress(asyncio.CancelledError):
            await self.tasks[name]
        await settled()

    async def _exchange(self, name: str, *, urgent: bool) -> None:
        URGENT.set(urgent)
        async with self.gate:
            self.inside.append(name)
            try:
                await self.out[name].wait()
            finally:
                self.inside.remove(name)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def doorstep() -> Doorstep:
    return Doorstep(Gate(4))


async def test_one_place_is_kept_for_urgent_exchanges(doorstep: Doorstep) -> None:
    for name in "abcd":
        await doorstep.come(name)
    assert doorstep.inside == ["a", "b", "c"]
    await doorstep.come("urgent", urgent=True)
    await doorstep.come("urgent too", urgent=True)
    assert doorstep.inside == ["a", "b", "c", "urgent"]
    await doorstep.leave("a")
    assert doorstep.inside == ["b", "c", "urgent", "urgent too"]
    await doorstep.leave("b")
    assert len(doorstep.inside) == 3
    await doorstep.leave("urgent")
    assert doorstep.inside == ["c", "urgent too", "d"]


async def test_where_there_is_one_place_urgent_exchanges_are_next() -> None:
    doorstep = Doorstep(Gate(1))
    await doorstep.come("first")
    await doorstep.come("second")
    await doorstep.come("urgent", urgent=True)
    assert doorstep.inside == ["first"]
    await doorstep.leave("first")
    assert doorstep.inside == ["urgent"]
    await doorstep.leave("urgent")
    assert doorstep.inside == ["second"]


async def test_who_gives_up_leaves_no_place_occupied(doorstep: Doorstep) -> None:
    for name in "abcde":
        await doorstep.come(name)
    await doorstep.give_up("d")
    await doorstep.give_up("a")
    assert doorstep.inside == ["b", "c", "e"]


async def test_who_gives_up_when_a_place_was_just_given_passes_it_on() -> None:
    doorstep = Doorstep(Gate(1))
    for name in "abc":
        await doorstep.come(name)
    doorstep.out["a"].set()
    await asyncio.sleep(0)  # a leaves and b is given the place, but has not noticed
    doorstep.tasks["b"].cancel()
    await settled()
    assert doorstep.inside == ["c"]


class Crowd:
    """Places that others have, all but so many."""

    def __init__(self, left: int) -> None:
        self.left = left

    async def occupy(self, _institution: str, _owner: str, _number: int, _places: int, _seconds: float) -> bool:
        self.left -= 1
        return self.left >= 0

    async def vacate(self, _institution: str, _owner: str, _number: int) -> None:
        self.left = 1

    async def vacate_all(self, _institutions: object, _owner: str) -> int:
        return 0


@pytest.mark.parametrize("places", [None, Crowd(0)], ids=["of this process", "of others"])
async def test_who_waits_too_long_learns_it_and_is_gone(places: Crowd | None, monkeypatch) -> None:
    monkeypatch.setattr(gates, "LONGEST_WAIT_SECONDS", 0.02)
    bank = Institution("TREAXU22", "Treasury", InstitutionKind.BANK, in_flight=1)
    doors = Gates(places, "w1")
    inside = doors.through(bank)
    if places is None:
        await inside.__aenter__()
    with pytest.raises(OutOfTurn):
        async with doors.through(bank):
            pytest.fail("there was no place")
    if places is None:
        await inside.__aexit__(None, None, None)
    async with doors.through(bank):
        pass

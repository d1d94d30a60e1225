"""Processor time is added up by stage, whoever measures."""

from collections.abc import Iterator
from threading import Thread

import pytest

from connector.domain.stages import Spent, Stages


def _every_second() -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += 1.0


def test_a_stage_adds_up_payments_and_seconds() -> None:
    stages = Stages(_every_second().__next__)
    for payments in (3, 4):
        with stages.measure("write", payments):
            pass
    assert stages.spent() == {"write": Spent(7, 2.0)}


def test_what_fails_has_cost_its_time_too() -> None:
    stages = Stages(_every_second().__next__)
    with pytest.raises(ValueError, match="broken"), stages.measure("read", 1):
        raise ValueError("broken")
    assert stages.spent() == {"read": Spent(1, 1.0)}


def test_threads_lose_nothing_of_each_other() -> None:
    stages = Stages(lambda: 0.0)

    def work() -> None:
        for _ in range(1000):
            with stages.measure("check", 1):
                pass

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stages.spent() == {"check": Spent(4000, 0.0)}

"""What the stages of all processes cost, as the processes themselves say it."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import aiohttp

from connector.settings import Settings

MICRO: Final = 1_000_000
SIMULATORS: Final = "simulators"


class Cost(NamedTuple):
    """Payments that went through a stage, and the processor seconds that it took."""

    payments: int
    seconds: float


Stages = Mapping[str, Mapping[str, Cost]]
"""Costs by process and stage."""


async def read(settings: Settings, session: aiohttp.ClientSession, processes: Mapping[str, int]) -> Stages:
    """Ask the API, which knows of the workers as well, and the simulators; processes: their ids by name.

    A process of ours names itself by machine and process id.
    """
    told = await _asked(session, f"{settings.api_url}/admin/stages")
    names = {str(pid): name for name, pid in processes.items()}
    said = {names.get(process.rpartition("-")[2], process): stages for process, stages in told.items()}
    if simulated := await _asked(session, f"{settings.simulators_base}/sim/stages"):
        said[SIMULATORS] = simulated
    return {process: {stage: _cost(cost) for stage, cost in stages.items()} for process, stages in said.items()}


def between(before: Stages, after: Stages) -> Stages:
    """Give what was added since, leaving out stages that cost nothing meanwhile."""
    return {
        process: {
            stage: added
            for stage, cost in stages.items()
            if (added := _minus(cost, before.get(process, {}).get(stage, Cost(0, 0.0)))).payments
        }
        for process, stages in after.items()
    }


def breakdown(spent: Stages, processor: Mapping[str, float], payments: int) -> dict[str, dict[str, dict[str, float]]]:
    """Give for each process its stages and the rest of its processor time, in microseconds a payment of the run.

    spent: by the name of the process as ``processor`` has it; those without stages have a rest alone.
    """
    return {process: _with_rest(spent.get(process, {}), seconds, payments) for process, seconds in processor.items()}


def _with_rest(stages: Mapping[str, Cost], seconds: float, payments: int) -> dict[str, dict[str, float]]:
    found = {
        stage: {"payments": cost.payments, "microseconds": round(cost.seconds * MICRO / payments, 2)}
        for stage, cost in stages.items()
    }
    rest = seconds - sum(cost.seconds for cost in stages.values())
    return {**found, "rest": {"payments": payments, "microseconds": round(rest * MICRO / payments, 2)}}


def _cost(said: Mapping[str, Any]) -> Cost:
    return Cost(int(said["payments"]), float(said["cpu_seconds"]))


def _minus(after: Cost, before: Cost) -> Cost:
    return Cost(after.payments - before.payments, after.seconds - before.seconds)


async def _asked(session: aiohttp.ClientSession, url: str) -> Mapping[str, Any]:
    """Give what is said there; nothing where nobody says anything."""
    async with session.get(url) as answer:
        said: Mapping[str, Any] = await answer.json() if answer.status == 200 else {}
        return said

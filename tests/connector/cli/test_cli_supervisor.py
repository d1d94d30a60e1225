import asyncio
import os
import signal

import pytest

from connector.cli import supervisor as supervising
from connector.cli.supervisor import Part, Supervisor
from connector.domain.errors import Unavailable


class Script(Part):
    """A part that runs a shell script instead of a command of ours."""

    async def start(self, inherited=()):
        self.process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", self.arguments[0], start_new_session=True
        )


async def at_once():
    return True


async def never():
    return False


def sleeper(name="sleeper"):
    return Script(name, ["exec sleep 60"], "here", at_once)


async def test_parts_are_stopped_by_a_signal():
    stages = Supervisor([[sleeper("one")], [sleeper("two"), sleeper("three")]], print)
    await stages.start()
    pids = [part.pid for part in stages.parts]
    assert all(pids)
    assert not await stages.stop()  # sleep knows no orderly end
    assert not any(part.pid for part in stages.parts)


async def test_a_dead_part_is_started_again_with_a_notice():
    notices = []
    part = sleeper()
    stages = Supervisor([[part]], notices.append)
    await stages.start()
    first = part.pid
    os.kill(first, signal.SIGKILL)
    while part.restarts == 0 or not part.pid:  # noqa: ASYNC110 (the notice comes before the restart)
        await asyncio.sleep(0.02)
    assert part.pid != first
    assert notices == ["sleeper ended with signal 9; starting it again"]
    await stages.stop()


async def test_a_part_that_ends_while_starting_is_reported_and_the_others_are_stopped():
    healthy = sleeper()
    stages = Supervisor([[healthy], [Script("broken", ["exit 3"], "here", never)]], print)
    with pytest.raises(Unavailable, match="broken"):
        await stages.start()
    assert not healthy.pid


async def test_a_part_that_ignores_the_signal_is_killed(monkeypatch):
    monkeypatch.setattr(supervising, "STOP_SECONDS", 0.2)
    part = Script("stubborn", ["trap '' TERM; while :; do sleep 0.05; done"], "here", at_once)
    await part.start()
    await asyncio.sleep(0.1)
    assert not await part.stop(0.2)
    assert not part.pid

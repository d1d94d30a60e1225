"""Does exactly what ``docs/add-a-switch.md`` says: writes its files, runs its commands, and looks for what it shows.

A fence with ``file=`` is a file to write, ``sh`` is for the reader's terminal (one shell: what a block sets holds for
the next), ``sh terminal=2`` runs beside it, every line of ``text`` must be in what the commands before it printed.
Only the ports differ, since the page's own may be taken.
"""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from connector.cli.instance import free_ports

PAGE = Path(__file__).parents[2] / "docs" / "add-a-switch.md"
_FENCE = re.compile(r"^```(\w+)(?: (\w+)=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHELL = "set -aeu; [ -f {state} ] && . {state}; {{\n{commands}\n}}; declare -px > {state}"


class Fence(NamedTuple):
    """One fenced block of the page."""

    language: str
    key: str
    value: str
    text: str


def fences() -> list[Fence]:
    return [Fence(*found) for found in _FENCE.findall(PAGE.read_text(encoding="utf-8"))]


class Reader:
    """Somebody who follows the page in an empty folder, with one terminal and sometimes a second."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        self.state = folder / "state.sh"
        self.printed = ""
        self.beside: list[subprocess.Popen[bytes]] = []
        self.port, self.simulators = free_ports(2)
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "ISOGATE_PORT": str(self.port),
            "ISOGATE_SIMULATORS_PORT": str(self.simulators),
            "ISOGATE_DATA_DIR": str(folder / "data"),
            "COLUMNS": "200",
        }

    def follow(self, fence: Fence) -> None:
        match fence:
            case Fence(key="file"):
                (self.folder / fence.value).write_text(fence.text, encoding="utf-8")
            case Fence("sh", "terminal"):
                self.open_terminal(fence.text)
            case Fence("sh"):
                self.run(fence.text)
            case Fence("text"):
                missing = [line for line in fence.text.splitlines() if line not in self.printed]
                assert not missing, self.printed

    def run(self, commands: str) -> None:
        done = subprocess.run(
            ["bash", "-c", self.script(commands)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        self.printed = done.stdout
        assert done.returncode == 0, f"{commands}\n{done.stdout}"

    def open_terminal(self, commands: str) -> None:
        output = (self.folder.parent / "second.log").open("wb")
        with output:
            self.beside.append(
                subprocess.Popen(
                    ["bash", "-c", self.script(f"exec {commands.strip()}")],
                    cwd=self.folder,
                    env=self.environment,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            )
        deadline = time.monotonic() + 30
        while not self.is_up():
            said = (self.folder.parent / "second.log").read_text()
            assert time.monotonic() < deadline, said
            assert self.beside[-1].poll() is None, said
            time.sleep(0.05)

    def is_up(self) -> bool:
        return all(
            self.answers(address)
            for address in (f"{self.port}/ready", f"{self.simulators}/healthcheck", f"{self.port}/sim/clock")
        )

    def answers(self, address: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://localhost:{address}", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def script(self, commands: str) -> str:
        here = commands.replace(":3333", f":{self.port}").replace(":3334", f":{self.simulators}")
        return _SHELL.format(state=self.state, commands=here)

    def close(self) -> None:
        for process in self.beside:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture
def reader(tmp_path) -> Iterator[Reader]:
    person = Reader(tmp_path)
    yield person
    person.close()


def test_the_page_can_be_followed_from_top_to_bottom(reader):
    found = fences()
    assert {fence.language for fence in found} >= {"sh", "yaml", "text"}
    for fence in found:
        reader.follow(fence)
    assert reader.beside, "the page pays a batch"


def test_every_file_of_the_page_says_its_name_above_it():
    text = PAGE.read_text(encoding="utf-8")
    for fence in fences():
        if fence.key == "file":
            assert f"File `{fence.value}`:" in text

"""Processor time of processes: the kernel's own count on Linux (in hundredths of a second), ``ps`` elsewhere."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from loadtests.bench.memory import process_table, process_tree

_FIRST: Final = 11
"""Where in ``/proc/<pid>/stat``, counted from behind the name, the four times begin: own and ended children's."""


def cpu_seconds(processes: Mapping[str, int]) -> dict[str, float]:
    """Give the processor seconds that each named process and its children have taken so far."""
    table = process_table()
    return {name: sum(map(_seconds, process_tree(root, table))) for name, root in processes.items()}


def _seconds(pid: int) -> float:
    return _of_kernel(pid) if sys.platform == "linux" else _of_ps(pid)


def _of_kernel(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has just ended
        return 0.0
    return sum(map(int, fields[_FIRST : _FIRST + 4])) / os.sysconf("SC_CLK_TCK")


def _of_ps(pid: int) -> float:
    command = ["/bin/ps", "-o", "time=", "-p", str(pid)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - fixed
    seconds = 0.0
    for part in said.replace("-", ":").split(":") if said else ():
        seconds = seconds * 60 + float(part)
    return seconds

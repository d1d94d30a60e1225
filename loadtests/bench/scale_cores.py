"""Which processor cores the processes of the scaling measurement may use, and when workers hold still."""

import os
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from loadtests.bench.memory import process_table, process_tree


def cores() -> list[int]:
    """Give the numbers of the cores that this process may use; an empty list where the system does not pin."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


def pin(processes: Iterable[int], to: Sequence[int]) -> None:
    """Let processes, all that came from them, and all their threads use these cores only, from now on."""
    if sys.platform != "linux" or not to:
        return
    table = process_table()
    for pid in (each for root in processes for each in process_tree(root, table)):
        for thread in _threads(pid):
            with suppress(ProcessLookupError):  # it has just ended
                os.sched_setaffinity(thread, to)


def hold(processes: Iterable[int]) -> None:
    """Stop processes where they are."""
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)


def release(processes: Iterable[int]) -> None:
    """Let processes go on."""
    for pid in processes:
        os.kill(pid, signal.SIGCONT)


def _threads(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(each.name) for each in Path(f"/proc/{pid}/task").iterdir()]
    return []

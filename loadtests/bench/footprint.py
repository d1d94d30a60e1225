"""What processes and store have taken so far: processor time, peak memory, bytes in memory and on disk."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Self

from connector.store.link import Link
from loadtests.bench.memory import peak_rss_mb, process_table, process_tree
from loadtests.bench.processor import cpu_seconds

CLIENT: Final = "client"
_FORGET_PEAK: Final = "5"
"""What ``/proc/<pid>/clear_refs`` takes to set the peak of resident memory back to what is resident now."""


_COUNTS: Final = ("used_memory", "aof_current_size", "aof_rewrites", "total_commands_processed")


class StoreBytes(NamedTuple):
    """What the store holds: bytes in memory, in its append-only file, and how often that was written anew.

    commands: how many it was sent since it started, those inside of functions not counted.
    """

    memory: int
    file: int
    rewrites: int
    commands: int
    rewriting: bool

    @classmethod
    async def read(cls, link: Link) -> Self:
        """Ask the server."""
        said: dict[str, object] = {}
        for section in ("memory", "persistence", "stats"):
            said.update(await link.ask("INFO", section))
        memory, file, rewrites, commands = (int(str(said.get(name, 0))) for name in _COUNTS)
        return cls(memory, file, rewrites, commands, rewriting=bool(said.get("aof_rewrite_in_progress")))


def processor_seconds(processes: Mapping[str, int]) -> dict[str, float]:
    """Give the processor seconds of each process with its children, and of this one, the client, without."""
    return cpu_seconds(processes) | {CLIENT: time.process_time()}


def forget_peaks(processes: Mapping[str, int]) -> bool:
    """Let the peaks of memory begin anew; tell whether that can be done here (Linux, own processes)."""
    table = process_table()
    pids = [pid for root in processes.values() for pid in process_tree(root, table)]
    done = False
    for pid in (*pids, os.getpid()):
        with suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text(_FORGET_PEAK)
            done = True
    return done


def own_peak_mb() -> dict[str, float]:
    """Give the client's peak."""
    return {CLIENT: peak_rss_mb(os.getpid())}

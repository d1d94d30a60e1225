"""Peak memory of processes: the kernel's own high-water mark on Linux, samples of ``ps`` elsewhere."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

SAMPLE_SECONDS: Final = 0.5
KIBIBYTES: Final = 1024


class PeakMemory:
    """Peak resident memory in MB by process name, a process with its children; read it after ``watching``."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        """Take process ids by name."""
        self._processes = processes
        self.peak_rss_mb: dict[str, float] = dict.fromkeys(processes, 0.0)

    def sample(self) -> None:
        """Look once, and keep what is higher than before."""
        table = process_table()
        for name, root in self._processes.items():
            resident = sum(_peak_kib(pid, table[pid][1]) for pid in process_tree(root, table)) / KIBIBYTES
            self.peak_rss_mb[name] = max(self.peak_rss_mb[name], round(resident, 1))


def peak_rss_mb(pid: int) -> float:
    """Give the peak resident memory of one process in MB: its own, without its children."""
    return round(_peak_kib(pid, 0 if sys.platform == "linux" else process_table()[pid][1]) / KIBIBYTES, 1)


@asynccontextmanager
async def watching(processes: Mapping[str, int]) -> AsyncIterator[PeakMemory]:
    """Sample from time to time until the block ends, and once more at its end."""
    memory = PeakMemory(processes)
    task = asyncio.create_task(_sample_forever(memory))
    try:
        yield memory
    finally:
        task.cancel()
        memory.sample()


async def _sample_forever(memory: PeakMemory) -> None:
    while sys.platform != "linux":
        await asyncio.to_thread(memory.sample)
        await asyncio.sleep(SAMPLE_SECONDS)


def process_table() -> dict[int, tuple[int, int]]:
    """List parent and resident kibibytes by process id."""
    command = ["/bin/ps", "-A", "-o", "pid=,ppid=,rss="]
    rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - fixed words
    return {int(pid): (int(parent), int(rss)) for pid, parent, rss in (row.split() for row in rows.splitlines())}


def process_tree(root: int, table: Mapping[int, tuple[int, int]]) -> list[int]:
    """List a process and all that came from it."""
    found = [root] if root in table else []
    for pid in found:
        found.extend(child for child, (parent, _) in table.items() if parent == pid)
    return found


def _peak_kib(pid: int, resident: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return resident
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), resident)

"""What a figure depends on: the machine, the versions, the commit, and what else was going on."""

import os
import platform
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from connector.domain.errors import Unavailable
from connector.store.embedded import find_binary, version_of
from loadtests.bench.rounds import machine

GIBIBYTE: Final = 1024**3
_ROOT: Final = Path(__file__).parents[2]


def facts() -> dict[str, str]:
    """Say where and with what is measured; what cannot be found out is left out."""
    found = {
        "time": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": str(_cores()),
        "memory": f"{_memory_bytes() / GIBIBYTE:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "load before": load(),
        "commit": _commit(),
        "store": _store(),
        **machine(),
    }
    return {name: value for name, value in found.items() if value}


def load() -> str:
    """Give the load averages of the last 1, 5 and 15 minutes."""
    return " ".join(f"{average:.2f}" for average in os.getloadavg())


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _commit() -> str:
    """The commit of the checkout, and whether anything was changed since."""
    name = _git("rev-parse", "--short=12", "HEAD")
    return f"{name}, with changes" if name and _git("status", "--porcelain", "--untracked-files=no") else name


def _git(*words: str) -> str:
    with suppress(OSError):
        done = subprocess.run(["git", "-C", str(_ROOT), *words], capture_output=True, text=True, check=False)  # noqa: S603, S607 - fixed words, git as the user has it
        return done.stdout.strip() if done.returncode == 0 else ""
    return ""


def _store() -> str:
    with suppress(Unavailable):
        binary = find_binary()
        return f"{binary.name} {'.'.join(map(str, version_of(binary)))}"
    return ""

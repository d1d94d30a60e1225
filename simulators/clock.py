"""The virtual clock: real time plus an offset that only grows, so that nothing in a rehearsal has to wait."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path


class VirtualClock:
    """Gives Unix seconds; the offset is kept in a file, so that what was due before a restart stays due."""

    def __init__(self, real: Callable[[], float], file: Path) -> None:
        """Start at the offset that the file remembers, or at real time."""
        self._real = real
        self._file = file
        self._offset = float(json.loads(file.read_text())["offset_seconds"]) if file.exists() else 0.0

    def __call__(self) -> float:
        """Tell the virtual time."""
        return self._real() + self._offset

    @property
    def offset_seconds(self) -> float:
        """How far the virtual time is ahead of the real one."""
        return self._offset

    def now(self) -> datetime:
        """Tell the virtual time as a UTC date and time in whole seconds, as messages carry it."""
        return datetime.fromtimestamp(self(), UTC).replace(microsecond=0)

    def advance(self, seconds: float) -> None:
        """Move the virtual time forward; ``ValueError`` for a negative number, since ledgers do not run backwards."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._keep(self._offset + seconds)

    def reset(self) -> None:
        """Go back to real time; only together with an erasure of everything that was booked."""
        self._keep(0.0)

    def _keep(self, offset: float) -> None:
        self._offset = offset
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps({"offset_seconds": offset}))
        fresh.replace(self._file)  # at once: the end of the process at any moment leaves a whole file

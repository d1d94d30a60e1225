"""One SQLite file an institution: short transactions, one at a time, from any thread.

WAL with ``synchronous=NORMAL``: a commit is in the operating system's hands before anything is answered, so the end
of the process at any moment loses nothing. Only a crash of the machine itself could, which a simulator need not fear.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class Database:
    """A file, its schema and the lock that lets one thread at a time work on it."""

    def __init__(self, path: Path, *schemas: str) -> None:
        """Open the file, making its tables where they are missing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._link = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "temp_store=MEMORY", "cache_size=-4000"):
            self._link.execute(f"PRAGMA {pragma}")
        for schema in schemas:
            self._link.executescript(schema)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside happens together or not at all."""
        with self._lock:
            self._link.execute("BEGIN IMMEDIATE")
            try:
                yield self._link
            except BaseException:
                self._link.execute("ROLLBACK")
                raise
            self._link.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Look at what is written, without writing."""
        with self._lock:
            yield self._link

    def erase(self, tables: Sequence[str]) -> None:
        """Empty the named tables."""
        with self.transaction() as link:
            for table in tables:
                link.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own tables, never input

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._link.close()

"""What the users of one Locust process share: the record of what happens, the receiver of callbacks, names."""

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from loadtests.locust.callbacks import Book
from loadtests.locust.timeline import Timeline

DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BLOCKS_A_PROCESS: Final = 1000
"""Users of one process that have people of their own; those after them share."""


@dataclass(frozen=True)
class Terms:
    """What the load consists of; times in seconds."""

    batch_size: int = 100
    people: int = 500
    sync: str = "callback"
    programme: str = "PENSIONS"
    currency: str = "USD"
    voucher_group: str = "FOOD"
    payer_bank: str = "TREAXU22"
    pause: float = 0.0
    patience: float = 60.0
    poll: float = 0.1


@dataclass(frozen=True)
class Tokens:
    """Bearer tokens by name; a role without any speaks openly."""

    sources: Mapping[str, str] = field(default_factory=dict)
    institutions: Mapping[str, str] = field(default_factory=dict)
    admin: str = ""

    @classmethod
    def of_environment(cls) -> "Tokens":
        """Read them where the instance itself reads them, so that no command line ever shows one."""
        return cls(
            json.loads(os.environ.get("ISOGATE_SOURCE_TOKENS") or "{}"),
            json.loads(os.environ.get("ISOGATE_INSTITUTION_TOKENS") or "{}"),
            os.environ.get("ISOGATE_ADMIN_TOKEN", ""),
        )


class Process:
    """One Locust process that has users."""

    def __init__(
        self, terms: Terms, tokens: Tokens, *, callback_url: str, book: Book, interval_seconds: float
    ) -> None:
        """Begin with nothing done."""
        self.terms = terms
        self.tokens = tokens
        self.callback_url = callback_url
        self.book = book
        self.timeline = Timeline(interval_seconds)
        self.number = 0
        self._lock = threading.Lock()
        self._born = _base36(int(time.time()), 5)
        self._ids = 0
        self._users = 0

    def new_id(self) -> str:
        """Give an id of 12 characters that no request of any run has had."""
        with self._lock:
            self._ids += 1
        return self._born + _base36(self.number, 2) + _base36(self._ids, 5)

    def new_block(self) -> int:
        """Give a user the number of a block of people."""
        with self._lock:
            self._users += 1
        return self.number * BLOCKS_A_PROCESS + (self._users - 1) % BLOCKS_A_PROCESS

    def begin(self, terms: Terms, number: int, interval_seconds: float) -> None:
        """Begin a run; number: this process's own among all that take part."""
        self.terms = terms
        self.number = max(number, 0)
        self.timeline.interval_seconds = interval_seconds
        self._users = 0
        self.timeline.drain()

    def count(self, name: str, number: int = 1) -> None:
        """Count something that happened now."""
        self.timeline.count(time.time(), name, number)


def terms_of(options: Mapping[str, Any]) -> Terms:
    """Take the terms out of Locust's options."""
    return Terms(**{name: options[name] for name in Terms.__dataclass_fields__ if options.get(name) is not None})


def _base36(number: int, width: int) -> str:
    text = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        text = DIGITS[digit] + text
    return text

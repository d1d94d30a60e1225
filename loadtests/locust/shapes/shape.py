"""What a shape of load is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final, NamedTuple

WARM_UP_SHARE: Final = 0.15
WARM_UP_SECONDS: Final = 10.0
"""How long the first answers, connections and caches are left to settle: that share, at least so long if there is
room for it, and never more than a quarter of the run."""


class Window(NamedTuple):
    """A stretch of the run that counts, in seconds from its beginning, with a constant number of users."""

    name: str
    start: float
    end: float
    users: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True)
class Shape(ABC):
    """A number of users over time; users: the most at once, seconds: until the load ends."""

    users: int
    seconds: float

    def users_at(self, second: float) -> int | None:
        """How many users there are to be; ``None``: it is over."""
        return None if second >= self.seconds else self._users(second)

    @property
    def warm_up(self) -> float:
        """Seconds at the beginning that never count."""
        return min(max(self.seconds * WARM_UP_SHARE, WARM_UP_SECONDS), self.seconds / 4)

    @abstractmethod
    def windows(self) -> list[Window]:
        """The stretches that count, in order."""

    @abstractmethod
    def _users(self, second: float) -> int: ...

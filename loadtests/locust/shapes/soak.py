"""The same number of users for long, and a look at what becomes worse with time."""

from typing import Final

from loadtests.locust.shapes.shape import Window
from loadtests.locust.shapes.steady import Steady

SHARE: Final = 0.25


class Soak(Steady):
    """As steady; its first and its last quarter are compared."""

    def windows(self) -> list[Window]:
        """Everything after the warm-up, then its first and its last quarter."""
        whole = super().windows()[0]
        part = whole.seconds * SHARE
        return [
            whole,
            Window("early", whole.start, whole.start + part, self.users),
            Window("late", whole.end - part, whole.end, self.users),
        ]

"""A crowd that comes at once, and leaves again."""

from typing import Final

from loadtests.locust.shapes.shape import Shape, Window

USUAL_SHARE: Final = 0.2
BEGINS: Final = 0.35
ENDS: Final = 0.5
RECOVERED: Final = 0.7
"""The crowd comes and leaves at these parts of the run; from the third on nothing of it may be felt any more."""


class Spike(Shape):
    """A fifth of the users, then all, then a fifth again."""

    @property
    def usual(self) -> int:
        """How many users there are before and after."""
        return max(1, round(self.users * USUAL_SHARE))

    def windows(self) -> list[Window]:
        """Before, the crowd, and after it."""
        begins, ends, recovered = (self.seconds * share for share in (BEGINS, ENDS, RECOVERED))
        return [
            Window("before", self.warm_up, begins, self.usual),
            Window("spike", begins, ends, self.users),
            Window("after", recovered, self.seconds, self.usual),
        ]

    def _users(self, second: float) -> int:
        crowd = BEGINS <= second / self.seconds < ENDS
        return self.users if crowd else self.usual

"""More and more users, in steps, until the instance is saturated."""

from typing import Final

from loadtests.locust.shapes.shape import Shape, Window

SETTLING_SHARE: Final = 0.4
"""The part of each step in which its users arrive and queues find their length: it does not count."""


class Ramp(Shape):
    """Steps of equal length; each has twice the users of the one before, the last one all."""

    @property
    def levels(self) -> list[int]:
        """The numbers of users, in order."""
        doubled = [1 << power for power in range(self.users.bit_length())]
        return [*(level for level in doubled if level < self.users), self.users]

    def windows(self) -> list[Window]:
        """The settled part of each step."""
        step = self.seconds / len(self.levels)
        return [
            Window(f"{users} user{'s' * (users > 1)}", (number + SETTLING_SHARE) * step, (number + 1) * step, users)
            for number, users in enumerate(self.levels)
        ]

    def _users(self, second: float) -> int:
        return self.levels[int(second / self.seconds * len(self.levels))]

"""The same number of users all the time."""

from loadtests.locust.shapes.shape import Shape, Window


class Steady(Shape):
    """All users from the beginning to the end."""

    def windows(self) -> list[Window]:
        """Everything after the warm-up."""
        return [Window("steady", self.warm_up, self.seconds, self.users)]

    def _users(self, second: float) -> int:  # noqa: ARG002 - the same at any time
        return self.users

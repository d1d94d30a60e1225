"""Shapes of load: how many users are there at which second, and which stretches of the run count."""

from typing import Final

from loadtests.locust.shapes.ramp import Ramp
from loadtests.locust.shapes.shape import Shape, Window
from loadtests.locust.shapes.soak import Soak
from loadtests.locust.shapes.spike import Spike
from loadtests.locust.shapes.steady import Steady

__all__ = ["SHAPES", "Ramp", "Shape", "Soak", "Spike", "Steady", "Window", "shape_of"]

SHAPES: Final[dict[str, type[Shape]]] = {"steady": Steady, "ramp": Ramp, "spike": Spike, "soak": Soak}


def shape_of(name: str, *, users: int, seconds: float) -> Shape:
    """Make a shape of that name; users: the most at once. Raises ``KeyError`` for a name that is not there."""
    return SHAPES[name](users, seconds)

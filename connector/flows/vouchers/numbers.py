"""Voucher numbers: 16 digits drawn without any bias. Pure but for the random source, which is passed in."""

from collections.abc import Callable
from struct import unpack
from typing import Final

SMALLEST: Final = 10**15
SPAN: Final = 8 * 10**15
"""The first digit is 1 to 8: every number stays below 2^53, which JavaScript can still count exactly."""

_SPARE_BITS: Final = 11
"""Of 64 random bits 53 are used: of those values 89 % lie within the span, the others are thrown away."""


def draw(random: Callable[[int], bytes], count: int) -> list[str]:
    """Draw ``count`` numbers, uniform over the span; equal ones among them are as rare as chance has it."""
    numbers: list[str] = []
    while (missing := count - len(numbers)) > 0:
        values = unpack(f"<{missing}Q", random(8 * missing))
        numbers += [str(SMALLEST + value) for bits in values if (value := bits >> _SPARE_BITS) < SPAN]
    return numbers

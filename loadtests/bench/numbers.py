"""Ten million voucher numbers: no repeat, uniform digits, nothing to be told from serial numbers.

Drawn as the flows draw them, from the operating system's random source. Digits are counted at every position, and in
pairs of neighbours; both counts are compared with the uniform distribution (Pearson's chi-square).
"""

import argparse
import json
import math
import operator
import os
import statistics
import sys
import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple

from connector.cli.check import versions
from connector.domain.voucher import NUMBER_DIGITS
from connector.flows.vouchers.numbers import SMALLEST, draw
from loadtests.bench.memory import peak_rss_mb

AT_ONCE: Final = 100_000
IMPROBABLE: Final = 1e-6
"""A test fails where chance gives such a value, or one that fits too well, less than once in a million times."""

BUCKETS: Final = 80
"""Numbers by their first two digits, so that what is sorted at a time stays small."""

_FIRST_DIGITS: Final = range(1, 9)
_DIGITS: Final = range(10)
_ZERO: Final = ord("0")
_BUCKET_SPAN: Final = SMALLEST // 10


class Uniformity(NamedTuple):
    """A chi-square test: what of, its value, the degrees of freedom, and how often chance gives at least that."""

    of: str
    chi_square: float
    degrees: int
    p_value: float

    @property
    def suspicious(self) -> bool:
        """Whether the counts are too uneven, or too even, for chance."""
        return not IMPROBABLE < self.p_value < 1 - IMPROBABLE


@dataclass
class NumbersResult:
    """What was found; correlations are Pearson's: with the serial number, and of each number with the next."""

    count: int
    seconds: float
    drawn_per_second: float
    repeats: int
    chance_of_a_repeat: float
    least_p_value: float
    greatest_p_value: float
    correlation_with_serial: float
    correlation_with_serial_p_value: float
    correlation_with_next: float
    correlation_with_next_p_value: float
    digits: list[dict[str, Any]]
    pairs: list[dict[str, Any]]
    peak_rss_mb: float
    versions: dict[str, str]
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give the figures by name, units in the names."""
        return asdict(self)


def measure(count: int, random: Callable[[int], bytes] = os.urandom) -> NumbersResult:
    """Draw numbers and examine them; random: where from."""
    begun = time.perf_counter()
    drawn = Drawn(random)
    for first in range(0, count, AT_ONCE):
        drawn.draw(min(AT_ONCE, count - first))
    repeats = drawn.repeats()
    digits, pairs = drawn.digits(), drawn.pairs()
    serial, following = drawn.correlations()
    chances = chance_of_correlation(serial, count), chance_of_correlation(following, count - 1)
    tests = [*digits, *pairs]
    return NumbersResult(
        count=count,
        seconds=round(time.perf_counter() - begun, 2),
        drawn_per_second=round(count / drawn.seconds, 1),
        repeats=repeats,
        chance_of_a_repeat=round(-math.expm1(-count * (count - 1) / 2 / (8 * SMALLEST)), 6),
        least_p_value=min(test.p_value for test in tests),
        greatest_p_value=max(test.p_value for test in tests),
        correlation_with_serial=round(serial, 8),
        correlation_with_serial_p_value=chances[0],
        correlation_with_next=round(following, 8),
        correlation_with_next_p_value=chances[1],
        digits=[test._asdict() for test in digits],
        pairs=[test._asdict() for test in pairs],
        peak_rss_mb=peak_rss_mb(os.getpid()),
        versions=versions(),
        problems=_problems(repeats, tests, chances),
    )


class Drawn:
    """Numbers in the order in which they were drawn, which is that of the serial numbers, and counts of digits."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self.seconds = 0.0
        self._random = random
        self._numbers = array("Q")
        self._pairs = [[0] * 100 for _ in range(NUMBER_DIGITS - 1)]

    def draw(self, count: int) -> None:
        """Draw more numbers, and count their digits."""
        begun = time.perf_counter()
        numbers = draw(self._random, count)
        self.seconds += time.perf_counter() - begun
        self._numbers.extend(map(int, numbers))
        text = "".join(numbers).encode()
        if len(text) != NUMBER_DIGITS * count:
            raise ValueError("a number has not 16 digits")
        columns = [_column(text, position) for position in range(NUMBER_DIGITS)]
        for counts, left, right in zip(self._pairs, columns, columns[1:], strict=False):
            both = (left * 10 + right).to_bytes(count, "big")  # digit by digit: no byte exceeds 99
            for pair in range(100):
                counts[pair] += both.count(pair)

    def repeats(self) -> int:
        """Count numbers that were drawn before, bucket by bucket."""
        buckets = [array("Q") for _ in range(BUCKETS)]
        for number in self._numbers:
            buckets[number // _BUCKET_SPAN - 10].append(number)
        return sum(_repeats(bucket) for bucket in buckets)

    def digits(self) -> list[Uniformity]:
        """Test the digits of every position; the first one is 1 to 8."""
        tests = [_uniformity("digit 1", self._first())]
        for position, counts in enumerate(self._pairs, start=2):
            seen = [sum(counts[left * 10 + digit] for left in _DIGITS) for digit in _DIGITS]
            tests.append(_uniformity(f"digit {position}", seen))
        return tests

    def pairs(self) -> list[Uniformity]:
        """Test the pairs of neighbouring digits."""
        return [
            _uniformity(f"digits {position} and {position + 1}", counts[10:90] if position == 1 else counts)
            for position, counts in enumerate(self._pairs, start=1)
        ]

    def correlations(self) -> tuple[float, float]:
        """Compare the numbers with their serial numbers, and each number with the next one."""
        numbers = self._numbers
        mean = sum(numbers) / len(numbers)
        around = array("d", (number - mean for number in numbers))
        half = (len(numbers) - 1) / 2
        square = _product(around, around)
        serials = _product(around, (serial - half for serial in range(len(numbers))))
        spread = math.sqrt(square * len(numbers) * (len(numbers) ** 2 - 1) / 12)
        return serials / spread, _product(around, islice(around, 1, None)) / square

    def _first(self) -> list[int]:
        return [sum(self._pairs[0][digit * 10 : digit * 10 + 10]) for digit in _FIRST_DIGITS]


def chi_square_chance(value: float, degrees: int) -> float:
    """Say how often chance gives at least this chi-square: the regularised upper incomplete gamma function.

    By its series below the middle and by its continued fraction (Lentz) above it: Abramowitz and Stegun, 6.5.
    """
    shape, at = degrees / 2, value / 2
    if at <= 0:
        return 1.0
    scale = math.exp(shape * math.log(at) - at - math.lgamma(shape))
    return 1 - scale * _series(shape, at) if at < shape + 1 else scale * _fraction(shape, at)


def chance_of_correlation(correlation: float, count: int) -> float:
    """Say how often chance gives a correlation at least as strong, either way; for a large count."""
    return math.erfc(abs(correlation) * math.sqrt(count / 2))


def _series(shape: float, at: float) -> float:
    term = total = 1 / shape
    while term > total * 1e-16:
        shape += 1
        term *= at / shape
        total += term
    return total


def _fraction(shape: float, at: float) -> float:
    below = at + 1 - shape
    upper, lower = 1e300, 1 / below
    result = lower
    for step in range(1, 10_000):
        factor = step * (shape - step)
        below += 2
        lower = 1 / (factor * lower + below)
        upper = below + factor / upper
        result *= upper * lower
        if abs(upper * lower - 1) < 1e-15:
            break
    return result


def _column(text: bytes, position: int) -> int:
    """Give the digits of one position, one byte each, as one large number."""
    return int.from_bytes(bytes(text[position::NUMBER_DIGITS]).translate(_VALUES), "big")


_VALUES: Final = bytes((byte - _ZERO) % 256 for byte in range(256))


def _repeats(bucket: Sequence[int]) -> int:
    ordered = sorted(bucket)
    return sum(map(operator.eq, ordered, islice(ordered, 1, None)))


def _product(left: Iterable[float], right: Iterable[float]) -> float:
    return math.fsum(map(operator.mul, left, right))


def _uniformity(of: str, counts: Sequence[int]) -> Uniformity:
    expected = statistics.fmean(counts)
    value = sum((count - expected) ** 2 for count in counts) / expected
    return Uniformity(of, round(value, 3), len(counts) - 1, chi_square_chance(value, len(counts) - 1))


def _problems(repeats: int, tests: Iterable[Uniformity], correlations: Iterable[float]) -> list[str]:
    problems = [f"{repeats} numbers were drawn twice"] if repeats else []
    problems += [f"{test.of}: not as chance has it, p {test.p_value:.3g}" for test in tests if test.suspicious]
    names = ("the serial number", "the number before")
    return problems + [
        f"a number goes with {name}, p {chance:.3g}"
        for name, chance in zip(names, correlations, strict=True)
        if chance < IMPROBABLE
    ]


def main() -> int:
    """Run from the command line: one JSON object on standard output."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=10_000_000, help="how many numbers")
    result = measure(options.parse_args().count)
    print(json.dumps(result.as_json()))  # noqa: T201 - the answer
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main())

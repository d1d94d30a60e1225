"""Voucher numbers: 16 digits, below 2^53, without bias, from the random source that is given."""

import os
from collections import Counter

from connector.flows.vouchers.numbers import SMALLEST, SPAN, draw


def test_numbers_have_sixteen_digits_that_javascript_can_count() -> None:
    drawn = draw(os.urandom, 20_000)
    assert len(drawn) == len(set(drawn)) == 20_000
    assert all(len(number) == 16 and SMALLEST <= int(number) < SMALLEST + SPAN <= 2**53 for number in drawn)


def test_digits_are_uniform() -> None:
    drawn = draw(os.urandom, 20_000)
    for place in range(16):
        digits = "12345678" if place == 0 else "0123456789"
        counted = Counter(number[place] for number in drawn)
        expected = len(drawn) / len(digits)
        chi_square = sum((counted[digit] - expected) ** 2 / expected for digit in digits)
        assert set(counted) == set(digits)
        assert chi_square < 45  # nine degrees of freedom: less than one in a million is above


def test_values_beyond_the_span_are_thrown_away() -> None:
    pieces = iter([(2**64 - 1).to_bytes(8, "little") + bytes(8), (1 << 11).to_bytes(8, "little")])
    assert draw(lambda _: next(pieces), 2) == ["1000000000000000", "1000000000000001"]

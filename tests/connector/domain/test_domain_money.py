"""Money: exact, positive, in minor units."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.errors import Refused
from connector.domain.money import (
    amount_text,
    decimal_amount,
    exponent,
    is_currency,
    minor_units,
    ordinary_minor_units,
)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("10.5", "USD", 1050),
        ("1e2", "USD", 10000),
        ("7", "JPY", 7),
        ("1.234", "KWD", 1234),
        ("10.50", "EUR", 1050),
        ("2." + "0" * 60, "USD", 200),
    ],
)
def test_amount_becomes_minor_units_of_its_currency(amount: str, currency: str, minor: int) -> None:
    assert minor_units(Decimal(amount), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("10.001", "USD", "AM12"),
        ("0.0000000000000000000001", "USD", "AM12"),
        ("7.5", "JPY", "AM12"),
        ("0", "USD", "AM01"),
        ("-3", "USD", "AM01"),
        ("NaN", "USD", "AM01"),
        ("Infinity", "USD", "AM01"),
        ("1e30", "USD", "AM12"),
        ("99999999999999999.99", "USD", "AM12"),
        ("1", "XXQ", "AM03"),
        ("1", "XAU", "AM03"),
        ("1e999999", "USD", "AM12"),
        ("1.0000000000000000000000000000000000000001", "USD", "AM12"),
        ("1e-999999", "USD", "AM12"),
    ],
)
def test_amount_that_is_not_exact_money_is_refused_with_its_place(amount: str, currency: str, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        minor_units(Decimal(amount), currency, "/CreditInstructions/0/Amount")
    assert refusal.value.faults[0].code == code
    assert refusal.value.faults[0].where == "/CreditInstructions/0/Amount"


@given(st.integers(min_value=1, max_value=10**17), st.sampled_from(["USD", "JPY", "KWD", "EUR", "SLE"]))
def test_minor_units_survive_the_way_through_text(minor: int, currency: str) -> None:
    text = amount_text(minor, exponent(currency))
    assert minor_units(Decimal(text), currency) == minor
    assert Decimal(text) == decimal_amount(minor, currency)


AMOUNTS = st.one_of(
    st.from_regex(r"[0-9]{0,20}(\.[0-9]{0,6})?", fullmatch=True), st.text(alphabet="0159.eE+- _x", max_size=8)
)


@given(AMOUNTS, st.sampled_from(["USD", "JPY", "KWD", "XXQ"]))
def test_an_ordinary_amount_is_what_decimal_arithmetic_makes_of_it(text: str, currency: str) -> None:
    if minor := ordinary_minor_units(text.encode(), currency):
        assert decimal_amount(minor, currency) == Decimal(text)


@pytest.mark.parametrize(
    "text", ["", ".", ".5", "0", "0.00", "-1", "+1", "1e2", "1.001", "1" * 14, "\u0661", "1.5.0", "NaN"]
)
def test_what_is_no_ordinary_amount_is_left_to_arithmetic(text: str) -> None:
    assert ordinary_minor_units(text.encode(), "USD") == 0


def test_currency_without_minor_units_is_no_payment_currency() -> None:
    assert is_currency("USD")
    assert not is_currency("XDR")
    assert not is_currency("usd")

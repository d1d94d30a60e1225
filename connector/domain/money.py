"""Money as integer minor units with an ISO 4217 currency; never a float.

Source: ISO 4217 minor units (list one), by way of the iso4217 package; ISO 20022 ActiveCurrencyAndAmount
(at most 18 digits, 5 of them fractional).
"""

from decimal import Decimal
from typing import Final, NamedTuple

from iso4217 import Currency

from connector.domain.errors import Refused

MAXIMUM_DIGITS: Final = 18

_ORDINARY_DIGITS: Final = 13
"""Before the point: with the decimals of any currency, fewer than an amount may have."""

_POWERS: Final[tuple[int, ...]] = tuple(10**power for power in range(6))

_EXPONENTS: Final[dict[str, int]] = {
    currency.code: currency.exponent for currency in Currency if currency.exponent is not None
}


_NUMBERS: Final[dict[str, str]] = {
    currency.code: f"{currency.number:03d}" for currency in Currency if currency.exponent is not None
}
_CODES: Final[dict[str, str]] = {number: code for code, number in _NUMBERS.items()}


class Money(NamedTuple):
    """An amount in minor units of its currency: ``Money(1050, "USD")`` is ten dollars and fifty cents."""

    minor: int
    currency: str


def exponent(currency: str) -> int:
    """Tell how many decimals a currency has; raises ``KeyError`` for an unknown one."""
    return _EXPONENTS[currency]


def is_currency(code: str) -> bool:
    """Tell whether ISO 4217 lists the code as a currency that has minor units."""
    return code in _EXPONENTS


def currency_number(code: str) -> str:
    """Give a currency's three-digit number in ISO 4217; raises ``KeyError`` for an unknown one."""
    return _NUMBERS[code]


def currency_of_number(number: str) -> str | None:
    """Find a currency by its three-digit number; ``None`` where ISO 4217 has none with minor units."""
    return _CODES.get(number)


def ordinary_minor_units(text: bytes, currency: str) -> int:
    """Read a plain positive amount (``150.25``) with no more decimals than the currency has; 0 for anything else."""
    decimals = _EXPONENTS.get(currency, -1)
    whole, _, fraction = text.partition(b".")
    if decimals < 0 or not whole.isdigit() or len(whole) > _ORDINARY_DIGITS:
        return 0
    if not fraction:
        return int(whole) * _POWERS[decimals]
    missing = decimals - len(fraction)
    if missing < 0 or not fraction.isdigit():
        return 0
    return int(whole + fraction) * _POWERS[missing]


def minor_units(amount: Decimal, currency: str, where: str = "/amount") -> int:
    """Turn a positive amount into minor units, exactly.

    Raises ``Refused`` naming ``where``: AM03 unknown currency, AM01 not positive, AM12 too precise or too large.
    """
    decimals = _EXPONENTS.get(currency)
    if decimals is None:
        raise Refused.because(where, "AM03", "The currency is not in ISO 4217.")
    if ordinary := ordinary_minor_units(str(amount).encode(), currency):
        return ordinary
    if not amount.is_finite() or amount <= 0:
        raise Refused.because(where, "AM01", "The amount must be greater than zero.")
    if amount.adjusted() >= MAXIMUM_DIGITS:
        raise Refused.because(where, "AM12", f"The amount has more than {MAXIMUM_DIGITS} digits.")
    whole, beyond = _split(amount, decimals)
    if any(beyond):
        raise Refused.because(where, "AM12", f"{currency} has {decimals} decimals; the amount has more.")
    if len(whole) > MAXIMUM_DIGITS:
        raise Refused.because(where, "AM12", f"The amount has more than {MAXIMUM_DIGITS} digits.")
    return int("".join(map(str, whole)))


def _split(amount: Decimal, decimals: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Split the digits at the last decimal of the currency; arithmetic would round to the context's precision."""
    _, digits, power = amount.as_tuple()
    shift = int(power) + decimals
    return (digits + (0,) * shift, ()) if shift >= 0 else (digits[:shift], digits[shift:])


def decimal_amount(minor: int, currency: str) -> Decimal:
    """Give the amount as a ``Decimal`` with the currency's number of decimals."""
    return Decimal(minor).scaleb(-_EXPONENTS[currency])


def amount_text(minor: int, decimals: int) -> str:
    """Write minor units as a plain decimal number: ``amount_text(1050, 2)`` is ``"10.50"``."""
    if not decimals:
        return str(minor)
    digits = str(minor).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}"

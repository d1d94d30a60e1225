"""How values of the domain look as XML text, a whole column at a time, in both directions."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape

from connector.domain.errors import Refused
from connector.domain.money import exponent, is_currency, minor_units

_MARKUP: Final = ("&", "<", ">", '"', "\r")
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_QUOTES: Final = {'"': "&quot;", "\r": "&#13;"}


def escaped(values: Sequence[str], where: str) -> Sequence[str]:
    """Make text safe for XML; one search over the whole column where there is nothing to do, as nearly always.

    Raises ``Refused`` for control characters, which XML cannot carry.
    """
    joined = " ".join(values)
    if not joined.isprintable() and _FORBIDDEN.search(joined):
        raise Refused.because(where, "characters", "The text has control characters, which XML cannot carry.")
    if any(mark in joined for mark in _MARKUP):
        return [escape(value, _QUOTES) for value in values]
    return values


def _write_text(values: Sequence[Any], _currency: str, where: str) -> Sequence[str]:
    return escaped(values, where)


def _write_datetime(values: Sequence[Any], _currency: str, _where: str) -> Sequence[str]:
    return ["" if value is None else value.isoformat(timespec="milliseconds") for value in values]


def _write_date(values: Sequence[Any], _currency: str, _where: str) -> Sequence[str]:
    return [_day(value) for value in values]


def _day(value: date | None) -> str:
    if value is None:
        return ""
    return f"{value:%Y-%m-%d}" if value.year > 999 else value.isoformat()[:10]


def _write_integer(values: Sequence[Any], _currency: str, _where: str) -> Sequence[str]:
    return ["" if value is None else str(value) for value in values]


def _write_boolean(values: Sequence[Any], _currency: str, _where: str) -> Sequence[str]:
    return ["true" if value else "false" for value in values]


def _write_amount(values: Sequence[Any], currency: str, where: str) -> Sequence[str]:
    """Minor units as a decimal number with the currency's decimals."""
    if not values:
        return values
    if not is_currency(currency):
        raise Refused.because(where, "AM03", "The currency is not in ISO 4217.")
    if min(values) < 0:
        raise Refused.because(where, "AM01", "The amount must not be negative.")
    decimals = exponent(currency)
    if not decimals:
        return [str(value) for value in values]
    unit, fractions = 10**decimals, _fractions(decimals)
    return [f"{value // unit}{fractions[value % unit]}" for value in values]


@cache
def _fractions(decimals: int) -> Sequence[str]:
    """What may stand behind the digits of an amount, by its minor units (``.05``)."""
    return [f".{minor:0{decimals}d}" for minor in range(10**decimals)]


def _read_text(texts: Sequence[str], _currency: str, _where: str) -> Sequence[Any]:
    return texts


def _read_datetime(texts: Sequence[str], _currency: str, where: str) -> Sequence[Any]:
    return [_moment(text.strip(), where) for text in texts]


def _moment(text: str, where: str) -> datetime:
    """A moment; one without a time zone is taken as UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused.because(where, "DT01", "The date and time cannot be understood.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_date(texts: Sequence[str], _currency: str, where: str) -> Sequence[Any]:
    """Dates; "" stays None. A time zone behind the date says nothing about the day and is left out."""
    try:
        return [date.fromisoformat(text.strip()[:10]) if text else None for text in texts]
    except ValueError:
        raise Refused.because(where, "DT01", "The date cannot be understood.") from None


def _read_integer(texts: Sequence[str], _currency: str, where: str) -> Sequence[Any]:
    try:
        return [int(text) if text else None for text in texts]
    except ValueError:
        raise Refused.because(where, "FF01", "The number cannot be understood.") from None


def _read_boolean(texts: Sequence[str], _currency: str, _where: str) -> Sequence[Any]:
    return [text.strip() in {"true", "1"} for text in texts]


def _read_amount(texts: Sequence[str], currency: str, where: str) -> Sequence[Any]:
    if not is_currency(currency):
        raise Refused.because(where, "AM03", "The currency is not in ISO 4217.")
    decimals = exponent(currency)
    column = "".join([f"{text} " for text in texts])
    if _usual_amounts(decimals).fullmatch(column):
        return list(map(int, column.replace(".", "").split()))
    return [minor_of(text, currency, decimals, where) for text in texts]


@cache
def _usual_amounts(decimals: int) -> re.Pattern[str]:
    """A column of amounts of at least one whole unit, with all their decimals, and a blank behind each."""
    fraction = rf"\.[0-9]{{{decimals}}}" if decimals else ""
    return re.compile(rf"(?:[1-9][0-9]*+{fraction} )*+")


def _read_balance(texts: Sequence[str], currency: str, where: str) -> Sequence[Any]:
    """Amounts that may be nothing at all, as a balance may."""
    zero = [not text.strip("0. ") for text in texts]
    if all(zero):
        return [0] * len(texts)
    amounts = iter(
        _read_amount([text for text, nothing in zip(texts, zero, strict=True) if not nothing], currency, where)
    )
    return [0 if nothing else next(amounts) for nothing in zero]


def _write_credit(values: Sequence[Any], _currency: str, _where: str) -> Sequence[str]:
    return ["CRDT" if value else "DBIT" for value in values]


def _read_credit(texts: Sequence[str], _currency: str, _where: str) -> Sequence[Any]:
    return [text == "CRDT" for text in texts]


def minor_of(text: str, currency: str, decimals: int, where: str) -> int:
    """Decimal text to minor units; the usual spelling (all decimals, digits only) goes the short way."""
    whole, _, fraction = text.partition(".")
    if len(fraction) == decimals and whole.isdecimal() and (fraction.isdecimal() or not decimals) and int(whole):
        return int(whole + fraction)
    return minor_units(Decimal(text.strip()), currency, where)


class Format(NamedTuple):
    """One way of spelling: the Python type it is for and the built-in schema types it may fill.

    read_bases: built-in types that it can be read from beside those; currency: whether it needs to know the currency.
    """

    type: type
    bases: frozenset[str]
    write: Callable[[Sequence[Any], str, str], Sequence[str]]
    read: Callable[[Sequence[str], str, str], Sequence[Any]]
    read_bases: frozenset[str] = frozenset()
    currency: bool = False


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "text": Format(str, frozenset({"string", "anyURI"}), _write_text, _read_text),
        "decimal": Format(str, frozenset({"decimal", "string"}), _write_text, _read_text),
        "datetime": Format(datetime, frozenset({"dateTime"}), _write_datetime, _read_datetime),
        "date": Format(date, frozenset({"date"}), _write_date, _read_date, frozenset({"dateTime"})),
        "integer": Format(int, frozenset({"string", "decimal", "integer"}), _write_integer, _read_integer),
        "boolean": Format(bool, frozenset({"boolean"}), _write_boolean, _read_boolean),
        "credit": Format(bool, frozenset({"string"}), _write_credit, _read_credit),
        "amount": Format(int, frozenset({"decimal"}), _write_amount, _read_amount, currency=True),
        "balance": Format(int, frozenset({"decimal"}), _write_amount, _read_balance, currency=True),
    }
)

_BY_TYPE: Final = {str: "text", datetime: "datetime", date: "date", int: "integer", bool: "boolean"}


def format_for(name: str, kind: type) -> str:
    """The format a field of this type gets unless the profile names another; amounts must be named."""
    return "amount" if name.endswith("_minor") else _BY_TYPE[kind]

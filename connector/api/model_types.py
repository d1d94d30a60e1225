"""The building blocks of the request models: texts, amounts and how lists fail."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, Literal, TypeVar

from pydantic import FailFast, Field, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from connector.domain.errors import Fault, Refused
from connector.domain.money import is_currency, minor_units

MAXIMUM_FAULTS: Final = 20
MAXIMUM_DIGITS: Final = 24
"""More than any amount needs, fewer than the 28 to which decimal arithmetic rounds."""

PRINTABLE: Final = r"^[^\x00-\x1f\x7f-\x9f\ufffe\uffff]*$"
"""No control characters, and nothing that XML 1.0 cannot carry."""


def _amount(value: object) -> Decimal:
    """Take a JSON number as it was written."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise PydanticCustomError("number", "The amount must be a JSON number.")
    return _bounded(Decimal(value))


def _amount_or_text(value: object) -> Decimal:
    """Take a JSON number, or the same number in a string, as common clients send it."""
    if not isinstance(value, str):
        return _amount(value)
    if not value.isascii() or len(value) > MAXIMUM_DIGITS + 2 or value != value.strip() or "_" in value:
        raise PydanticCustomError("number", "The amount must be a decimal number.")
    try:
        return _bounded(Decimal(value))
    except InvalidOperation:
        raise PydanticCustomError("number", "The amount must be a decimal number.") from None


def _bounded(amount: Decimal) -> Decimal:
    if not amount.is_finite() or len(amount.as_tuple().digits) > MAXIMUM_DIGITS:
        raise PydanticCustomError("number", "The amount has too many digits.")
    return amount


Amount = Annotated[
    Decimal, PlainValidator(_amount), WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "examples": [150.25]})
]
AmountOrText = Annotated[
    Decimal,
    PlainValidator(_amount_or_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^[0-9]{1,18}(\.[0-9]{1,5})?$"},
            ],
            "examples": [150.25],
        }
    ),
]

Upto2 = Annotated[str, StringConstraints(max_length=2, pattern=PRINTABLE)]
Upto11 = Annotated[str, StringConstraints(max_length=11, pattern=PRINTABLE)]
Upto12 = Annotated[str, StringConstraints(min_length=1, max_length=12, pattern=PRINTABLE)]
Upto16 = Annotated[str, StringConstraints(min_length=1, max_length=16, pattern=PRINTABLE)]
Upto20 = Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=PRINTABLE)]
Upto36 = Annotated[str, StringConstraints(min_length=1, max_length=36, pattern=PRINTABLE)]
From1To50 = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=PRINTABLE)]
Upto50 = Annotated[str, StringConstraints(max_length=50, pattern=PRINTABLE)]
Upto100 = Annotated[str, StringConstraints(max_length=100, pattern=PRINTABLE)]
Address = Annotated[str, StringConstraints(max_length=30, pattern=PRINTABLE)]
Exactly12 = Annotated[str, StringConstraints(min_length=12, max_length=12, pattern=PRINTABLE)]
Exactly16 = Annotated[str, StringConstraints(min_length=16, max_length=16, pattern=PRINTABLE)]
Exactly20 = Annotated[str, StringConstraints(min_length=20, max_length=20, pattern=PRINTABLE)]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(examples=["USD"])]
Modality = Literal["00", "01", "02", "03", "04"]

Item = TypeVar("Item")
Several = Annotated[list[Item], Field(min_length=1), FailFast()]
"""A list with at least one item, which is given up at the first wrong one: a batch may have millions."""


def minor(amount: Decimal, currency: str, place: str, names: tuple[str, str], faults: list[Fault]) -> int:
    """Turn an amount into minor units, or note what is wrong with it under ``place`` and give 0.

    names: what the contract calls the amount and the currency.
    """
    if not is_currency(currency):
        faults.append(Fault(f"{place}/{names[1]}", "AM03", "The currency is not in ISO 4217."))
        return 0
    try:
        return minor_units(amount, currency, f"{place}/{names[0]}")
    except Refused as error:
        faults.extend(error.faults)
        return 0


def refuse(faults: list[Fault]) -> None:
    """Raise ``Refused`` with the first of the faults, if there are any."""
    if faults:
        raise Refused(faults[:MAXIMUM_FAULTS])


def any_case(*names: str, **others: str) -> Callable[[object], object]:
    """Make a function that gives an object's keys the model's spelling, whatever their case.

    names: as the model spells them; others: further lower-case spellings, each with what the model calls it.
    """
    spelled = frozenset(names)
    spellings = {name.lower(): name for name in names} | others

    def respell(value: object) -> object:
        if not isinstance(value, dict) or value.keys() <= spelled:
            return value
        return {spellings.get(key.lower(), key): each for key, each in value.items()}

    return respell

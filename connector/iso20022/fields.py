"""The fields of the values in ``connector.domain.messages``, by name and type, for profiles to refer to."""

import dataclasses
import types
from collections.abc import Sequence
from typing import Final, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

from connector.domain import messages


class Field(NamedTuple):
    """One field: the Python type of its value, or the item class where it is a collection."""

    name: str
    type: type
    item: "Shape | None"
    required: bool


class Shape(NamedTuple):
    """A value class and its fields."""

    cls: type
    fields: dict[str, Field]


def shape_of(cls: type) -> Shape:
    """Look at a dataclass or named tuple."""
    hints = get_type_hints(cls)
    return Shape(cls, {name: _field(name, hint, name in _required(cls)) for name, hint in hints.items()})


def _field(name: str, hint: object, required: bool) -> Field:
    if get_origin(hint) is Sequence:
        (item,) = get_args(hint)
        return Field(name, tuple, None if item is str else shape_of(item), required)
    if isinstance(hint, types.UnionType) or get_origin(hint) is Union:
        return Field(name, next(option for option in get_args(hint) if option is not type(None)), None, required)
    return Field(name, cast("type", hint), None, required)


def _required(cls: type) -> frozenset[str]:
    """The fields without a default."""
    if dataclasses.is_dataclass(cls):
        missing = dataclasses.MISSING
        return frozenset(
            item.name
            for item in dataclasses.fields(cls)
            if item.default is missing and item.default_factory is missing
        )
    named = cast("type[NamedTuple]", cls)
    return frozenset(set(named._fields) - set(named._field_defaults))


SHAPES: Final[dict[str, Shape]] = {
    cls.__name__: shape_of(cls)
    for cls in (
        messages.CreditTransfer,
        messages.StatusReport,
        messages.VerificationRequest,
        messages.VerificationReport,
        messages.PaymentReturn,
        messages.StatusInquiry,
        messages.Recall,
        messages.RecallAnswer,
        messages.PaymentRequest,
        messages.Statement,
        messages.Rejection,
        messages.Recall,
        messages.RecallAnswer,
        messages.PaymentRequest,
        messages.Statement,
        messages.Rejection,
    )
}
"""The values that a profile may be about."""

_COLLECTIONS: Final = {
    shape.cls: [name for name, field in shape.fields.items() if field.item is not None] for shape in SHAPES.values()
}


def payments_in(value: messages.Message) -> int:
    """How many payments a message is about, as far as it lists them; 1 where it lists none."""
    return max([1, *(len(getattr(value, name)) for name in _COLLECTIONS[type(value)])])

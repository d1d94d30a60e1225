"""The fast way into a batch: msgspec accepts what is plain and sound, and leaves everything else to pydantic.

The structs are derived from the models' own fields, so that there is one place for lengths. What the fast way
accepts, pydantic accepts as well, with the same result; what it does not may still be right, spelled otherwise say.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

import msgspec
from pydantic import StringConstraints
from pydantic.fields import FieldInfo
from typing_extensions import is_typeddict

from connector.api.model_types import PRINTABLE

_ODD: Final = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xef\xbf[\xbe\xbf]")
"""In UTF-8, what is not printable and yet needs no escape in JSON."""

_ESCAPED_KEY: Final = re.compile(rb'\\.[^"\\]*+"[ \t\r\n]*+:', re.DOTALL)
"""The last escape of a key, and what follows it: nothing is looked at twice, whatever the text is."""

_PRINTABLE: Final = PRINTABLE.removesuffix("$") + r"\Z"  # in Python, $ lets a line feed pass


class Quick:
    """Reads elements of one model: every field known and spelled as the model has it, texts as long as it wants them.

    Amounts are left as they are written (``msgspec.Raw``), currencies are not looked up.
    """

    def __init__(self, model: object, amount: str) -> None:
        """Derive the structs from a TypedDict; amount: the name of its amount."""
        self._amount = b'"%s"' % amount.encode()
        self._clean = _decoder(model, pattern=None)
        self._escaped = _decoder(model, pattern=_PRINTABLE)

    def read(self, text: bytes) -> list[Any] | None:
        """Give the structs in an array; ``None`` where not all of it is plain. Raises nothing."""
        decoder = self._decoder(text)
        if decoder is None:
            return None
        try:
            found = decoder.decode(text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        return found if text.count(self._amount) == len(found) else None  # twice in one: the first is not looked at

    def _decoder(self, text: bytes) -> msgspec.json.Decoder[list[Any]] | None:
        """Choose how closely to look: whether texts without escapes are printable is seen at once for all of them."""
        if not text.isascii() and not _is_utf8(text):
            return None
        if b"\\" in text:
            return None if _ESCAPED_KEY.search(text) else self._escaped
        odd = b"\x7f" in text if text.isascii() else _ODD.search(text)
        return None if odd else self._clean


def plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """Give a struct as the model's validation wants it; amounts are still as they are written."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return [plain(each) for each in value] if isinstance(value, list) else value


def _decoder(model: object, pattern: str | None) -> msgspec.json.Decoder[list[Any]]:
    return msgspec.json.Decoder(list.__class_getitem__(_mapped(model, pattern)))


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _mapped(kind: Any, pattern: str | None) -> Any:  # noqa: ANN401 - types of either library
    """Translate a field's type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if is_typeddict(kind):
        return _struct(kind, pattern)
    if origin is Annotated:
        return _limited(arguments[0], arguments[1:], pattern)
    if origin in {Union, UnionType}:
        return Union[tuple(_mapped(each, pattern) for each in arguments)]  # noqa: UP007 - of a tuple
    if origin is list:
        return list.__class_getitem__(_mapped(arguments[0], pattern))
    if origin in {Required, NotRequired}:
        return _mapped(arguments[0], pattern)
    if kind is NoneType or origin is Literal:
        return kind
    raise TypeError(kind)


def _limited(kind: Any, limits: Sequence[object], pattern: str | None) -> Any:  # noqa: ANN401 - as above
    """Translate a type with limits."""
    if kind is Decimal:
        return msgspec.Raw
    if kind is str:
        return _text(next(each for each in limits if isinstance(each, StringConstraints)), pattern)
    bounds = _lengths(limits)
    return Annotated[_mapped(kind, pattern), msgspec.Meta(**bounds)] if bounds else _mapped(kind, pattern)


def _text(limits: StringConstraints, pattern: str | None) -> Any:  # noqa: ANN401 - as above
    lengths = {"min_length": limits.min_length, "max_length": limits.max_length}
    wanted = pattern if limits.pattern == PRINTABLE else None
    found: dict[str, Any] = {
        name: limit for name, limit in {**lengths, "pattern": wanted}.items() if limit is not None
    }
    return Annotated[str, msgspec.Meta(**found)] if found else str


def _lengths(limits: Sequence[object]) -> dict[str, Any]:
    """Find how many items a list may have."""
    found: dict[str, Any] = {}
    for field in limits:
        for limit in field.metadata if isinstance(field, FieldInfo) else ():
            for name in ("min_length", "max_length"):
                if hasattr(limit, name):
                    found[name] = getattr(limit, name)
    return found


def _struct(model: Any, pattern: str | None) -> type[msgspec.Struct]:  # noqa: ANN401 - a TypedDict
    hints: Mapping[str, Any] = get_type_hints(model, include_extras=True)
    required = model.__required_keys__
    fields = [
        (name, _mapped(kind, pattern)) if name in required else (name, _mapped(kind, pattern), None)
        for name, kind in hints.items()
    ]
    return msgspec.defstruct(model.__name__, fields, kw_only=True, forbid_unknown_fields=True, gc=False)

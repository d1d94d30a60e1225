"""From the bytes of a message to the checked message, or to what is wrong with it, path by path."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from connector.api.json_body import MAXIMUM_FAULTS, Parsed, decode
from connector.api.suv.errors import NIL
from connector.domain.errors import Fault, Refused

LONGEST_ID: Final = 64
LONGEST_STEP: Final = 60

_PINS: Final = frozenset({"CLEAR_PIN", "HASHED_PIN", "ENCRYPTED_PIN"})


@dataclass(frozen=True, slots=True)
class Received:
    """A message: its id and its request's ("": it says none), and the checked message or the refusal."""

    id: str = NIL
    original: str = ""
    message: Any = None
    refusal: Refused | None = None


def parse(content: bytes, adapter: TypeAdapter[Any]) -> Parsed:
    """Decode and check a message; what is wrong with it is part of the value, which also tells its id."""
    return Parsed("", _received(content, adapter))


def _received(content: bytes, adapter: TypeAdapter[Any]) -> Received:
    try:
        decoded = decode(content)
    except Refused as error:
        return Received(refusal=error)
    ids = (_text(decoded, "id") or NIL, _text(decoded, "requestId"))
    try:
        return Received(*ids, adapter.validate_python(decoded))
    except ValidationError as error:
        found = error.errors(include_url=False)[:MAXIMUM_FAULTS]
        return Received(*ids, refusal=Refused(Fault("", each["type"], _sentence(each)) for each in found))


def _text(decoded: object, name: str) -> str:
    value = decoded.get(name) if isinstance(decoded, dict) else None
    return value if isinstance(value, str) and len(value) <= LONGEST_ID else ""


def _sentence(found: ErrorDetails) -> str:
    """Say what is wrong as clients expect it; no value that was sent is repeated."""
    path = _path(found["loc"])
    if found["type"] == "missing" or found["input"] is None:
        return f"{path} may not be null"
    if found["type"] == "union_tag_not_found":
        return f"{path}.type may not be null"
    if found["type"] == "extra_forbidden":
        return f"{path} is not a known field"
    return f"{path}: {found['msg']}" if path else found["msg"]


def _path(place: Sequence[str | int]) -> str:
    """Write a place with dots and brackets; which kind of PIN was understood is no step of it."""
    steps = [
        f"[{step}]" if isinstance(step, int) else f".{step[:LONGEST_STEP]}" for step in place if step not in _PINS
    ]
    return "".join(steps).removeprefix(".")

"""JSON from strangers: from bytes to checked values, exactly, or to a list of faults.

Amounts keep every digit: numbers with a fraction become ``Decimal`` straight from the text (pydantic's own JSON
reader goes through binary floating point, which is why it is not used for the first step).
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from threading import Lock
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from connector.api.model_types import PRINTABLE
from connector.domain.errors import Fault, Refused

MAXIMUM_NUMBER_LENGTH: Final = 40
MAXIMUM_FAULTS: Final = 20
MAXIMUM_ECHO: Final = 36

_SENTENCES: Final = {
    "model_type": "A JSON object is expected.",
    "dict_type": "A JSON object is expected.",
    "list_type": "A JSON array is expected.",
    "string_type": "A JSON string is expected.",
    "missing": "This is required.",
    "too_short": "At least one is expected.",
}

_ECHOED: Final = ("RequestID", "requestID", "requestId")


class _UnreadableNumberError(ValueError):
    """A number that no amount can be."""


def _number(text: str) -> Decimal:
    if len(text) > MAXIMUM_NUMBER_LENGTH:
        raise _UnreadableNumberError("a number is too long")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _UnreadableNumberError("a number is too large") from None


_DECODER: Final = msgspec.json.Decoder(float_hook=_number)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What came of a body: its request id for echoing ("" where there is none), and the value or the refusal."""

    request_id: str
    value: Any = None
    refusal: Refused | None = None

    def accepted(self) -> object:
        """Give the value, or raise the refusal."""
        if self.refusal:
            raise self.refusal
        return self.value


def decode(body: bytes) -> object:
    """Read JSON without losing a digit; raises ``Refused`` where it is not JSON, or nested too deeply."""
    if not body.strip():
        raise Refused.because("", "empty", "The request needs a JSON body.")
    try:
        return _DECODER.decode(body)
    except RecursionError:
        raise Refused.because("", "too_deep", "The JSON is nested too deeply.") from None
    except (msgspec.MsgspecError, ValueError):
        raise Refused.because("", "malformed", "The body is not well-formed JSON in UTF-8.") from None


def is_cut_off(text: bytes) -> bool:
    """Tell whether a text is the beginning of something in JSON."""
    try:
        _DECODER.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return "truncated" in str(error)
    return False


def parse_large(body: bytes, adapter: TypeAdapter[Any], read: Callable[[Any], Any]) -> Parsed:
    """As ``parse``, for bodies in which the garbage collector should not look for anything."""
    with uncollected():
        return parse(body, adapter, read)


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector from looking through millions of fresh objects: half of the time of large bodies."""
    _PAUSE.begin()
    try:
        yield
    finally:
        _PAUSE.end()


class _Pause:
    """The collector's pause for several threads: the first one in begins it, the last one out ends it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._collecting = False

    def begin(self) -> None:
        with self._lock:
            if not self._inside:
                self._collecting = gc.isenabled()
                gc.disable()
            self._inside += 1

    def end(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._collecting:
                gc.enable()


_PAUSE: Final = _Pause()


def parse(body: bytes, adapter: TypeAdapter[Any], read: Callable[[Any], Any]) -> Parsed:
    """Decode, validate and turn a body into domain values; never raises for what a stranger sent."""
    try:
        decoded = decode(body)
    except Refused as error:
        return Parsed("", refusal=error)
    return judged(decoded, lambda: read(adapter.validate_python(decoded)))


def judged(decoded: object, read: Callable[[], Any]) -> Parsed:
    """Give what ``read`` makes of a decoded body, or why it does not, and the request id."""
    request_id = echo(decoded)
    try:
        return Parsed(request_id, read())
    except ValidationError as error:
        refused = refusal(error)
    except Refused as error:
        refused = error
    unfit = any(fault.where.removeprefix("/") in _ECHOED for fault in refused.faults)
    return Parsed("" if unfit else request_id, refusal=refused)


def echo(decoded: object) -> str:
    """Find the request id that an answer should carry back, if there is a presentable one.

    One that is itself what is wrong with the request is not echoed (see ``judged``): the contract's answers have
    the same lengths as its requests.
    """
    if not isinstance(decoded, dict):
        return ""
    found = next((decoded[key] for key in _ECHOED if isinstance(decoded.get(key), str)), "")
    return found if len(found) <= MAXIMUM_ECHO else ""


def refusal(error: ValidationError) -> Refused:
    """Translate what pydantic found, without repeating any value that was sent."""
    return Refused(faults_of(error))


def faults_of(error: ValidationError, within: str = "", first: int = 0) -> list[Fault]:
    """Translate what pydantic found; within, first: where in the body the list is of which it saw a part."""
    found = error.errors(include_input=False, include_url=False)[:MAXIMUM_FAULTS]
    return [Fault(within + pointer(_counted(each["loc"], first)), each["type"], _sentence(each)) for each in found]


def _counted(place: tuple[str | int, ...], first: int) -> tuple[str | int, ...]:
    """Count list items from the first one on."""
    return (first + place[0], *place[1:]) if place and isinstance(place[0], int) else place


def pointer(place: Sequence[str | int]) -> str:
    """Write a place within the body as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in place)


def _sentence(found: ErrorDetails) -> str:
    """Say it in words of JSON where pydantic's are those of Python."""
    limits = found.get("ctx", {})
    if limits.get("pattern") == PRINTABLE:
        return "Control characters are not allowed."
    message = _SENTENCES.get(found["type"], found["msg"])
    return message if message.endswith(".") else f"{message}."

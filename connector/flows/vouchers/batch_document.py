"""The documents within voucher files: a batch in, its response or refusal out. Pure.

JSON with exact amounts; a JSON schema of each is written to ``docs/reference``. The claims of RFC 7519 say who wrote
it (``iss``), to which of our keys (``aud``: so that nobody who gets one can pass it on to us) and when (``iat``).
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from msgspec import Meta

from connector.domain.errors import Fault, Refused

MOST_FAULTS: Final = 20
MOST_AMOUNT_DIGITS: Final = 24
_PRINTABLE: Final = r"^[^\x00-\x1f\x7f-\x9f\ufffe\uffff]*$"

Name = Annotated[str, Meta(min_length=1, max_length=36, pattern=_PRINTABLE)]
Url = Annotated[str, Meta(max_length=2048, pattern=r"^(https?://[!-~]+)?$")]
Moment = Annotated[int, Meta(ge=0, lt=2**40, description="Unix seconds")]
Text = Annotated[str, Meta(max_length=36, pattern=_PRINTABLE)]
Item = TypeVar("Item")


class VoucherLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A voucher to be made."""

    instruction_id: Annotated[Name, Meta(description="Unique within the file")] = msgspec.field(name="instructionID")
    group_code: Annotated[Name, Meta(description="The voucher group")]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217")]
    amount: Annotated[Decimal, Meta(description="In units of the currency, as a number or a string; exact")]
    payee_functional_id: Annotated[Text, Meta(description="Whom it is for")] = msgspec.field(
        name="payeeFunctionalID", default=""
    )
    narration: Annotated[str, Meta(max_length=140, pattern=_PRINTABLE)] = ""
    activate: Annotated[bool, Meta(description="Activate it at once")] = False


class Frame(msgspec.Struct, Generic[Item], frozen=True, forbid_unknown_fields=True):
    """What is around the lines of a batch."""

    iss: Annotated[Name, Meta(description="The Source BB that signs")]
    aud: Annotated[str, Meta(max_length=100, description="Id (kid) of the key that the file is encrypted to")]
    iat: Annotated[Moment, Meta(description="When it was written, Unix seconds")]
    request_id: Annotated[Name, Meta(description="Unique for the Source BB; a repeat gets the same answer")] = (
        msgspec.field(name="requestID")
    )
    instructions: Annotated[list[Item], Meta(min_length=1)]
    exp: Annotated[Moment, Meta(description="From then on it is refused; 0: as late as the receiver takes it")] = 0
    batch_id: Annotated[Text, Meta(description="The sender's own id, unique too")] = msgspec.field(
        name="batchID", default=""
    )
    callback: Annotated[Url, Meta(description="Told when the response can be fetched")] = ""


class Batch(Frame[VoucherLine], frozen=True, forbid_unknown_fields=True):
    """A voucher batch: who asks for which vouchers."""


class LineResponse(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What became of one line; number, serial and expiry only where a voucher was made."""

    instruction_id: str = msgspec.field(name="instructionID")
    status: Annotated[str, Meta(description="pre-activated, activated or failed")]
    number: Annotated[str, Meta(description="16 digits; a secret")] = ""
    serial: Annotated[str, Meta(description="16 digits")] = ""
    expiry: Annotated[str, Meta(description="RFC 3339, UTC; absent before activation, from which it counts")] = ""
    code: Annotated[str, Meta(description="Why it failed: one word")] = ""
    reason: Annotated[str, Meta(description="Why it failed: a sentence")] = ""


class Response(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a batch."""

    iss: str
    aud: Annotated[str, Meta(description="The Source BB")]
    iat: Annotated[int, Meta(description="When the batch was processed, Unix seconds")]
    request_id: str = msgspec.field(name="requestID")
    batch_id: str = msgspec.field(name="batchID")
    issued: Annotated[int, Meta(description="Lines with a voucher")]
    failed: Annotated[int, Meta(description="Lines without one")]
    instructions: list[LineResponse]


class RefusalFault(msgspec.Struct, frozen=True):
    """One thing that is wrong with a file."""

    where: Annotated[str, Meta(description="JSON pointer into the document, or header parameter")]
    code: str
    sentence: str


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Why a file was refused as a whole; nothing of it was done."""

    iss: str
    iat: int
    file: Annotated[str, Meta(description="SHA-256 of the file as received, hexadecimal")]
    faults: list[RefusalFault]
    aud: str = ""
    request_id: str = msgspec.field(name="requestID", default="")


SCHEMAS: Final[dict[str, Any]] = {
    "voucher-batch.schema.json": Batch,
    "voucher-batch-response.schema.json": Response,
    "voucher-batch-refusal.schema.json": Refusal,
}
_FRAMES: Final = msgspec.json.Decoder(Frame[msgspec.Raw])
_LINES: Final = msgspec.json.Decoder(VoucherLine)


def read(content: bytes, most_lines: int) -> Batch:
    """Read a batch; raises ``Refused`` with the places of its faults: form, number of lines, duplicate ids."""
    try:
        frame = _FRAMES.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Refused([_fault("", error)]) from None
    if len(frame.instructions) > most_lines:
        raise Refused.because("/instructions", "too_many", f"A file has at most {most_lines} lines.")
    lines = _lines(frame.instructions)
    _refuse_duplicates(lines)
    return Batch(**{name: getattr(frame, name) for name in frame.__struct_fields__ if name != "instructions"},
                 instructions=lines)  # fmt: skip


def digest(batch: Batch) -> str:
    """Tell a repeat from a conflict: the same however often it is signed and encrypted anew."""
    said = batch.iss, batch.request_id, batch.batch_id, batch.callback, batch.instructions
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def _lines(raw: Sequence[msgspec.Raw]) -> list[VoucherLine]:
    lines: list[VoucherLine] = []
    faults: list[Fault] = []
    for index, one in enumerate(raw):
        try:
            lines.append(_LINES.decode(one))
            faults.extend(_amount_faults(lines[-1], index))
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            faults.append(_fault(f"/instructions/{index}", error))
        if len(faults) >= MOST_FAULTS:
            break
    if faults:
        raise Refused(faults)
    return lines


def _amount_faults(line: VoucherLine, index: int) -> Iterator[Fault]:
    amount = line.amount
    if not amount.is_finite() or max(len(amount.as_tuple().digits), abs(amount.adjusted())) > MOST_AMOUNT_DIGITS:
        yield Fault(f"/instructions/{index}/amount", "number", "The amount has too many digits.")


def _refuse_duplicates(lines: Sequence[VoucherLine]) -> None:
    """GovStack Payments §5.3.4: a file with duplicates is not processed."""
    counted = Counter(line.instruction_id for line in lines)
    twice = [index for index, line in enumerate(lines) if counted[line.instruction_id] > 1]
    if twice:
        sentence = "The instruction id is used more than once in the file."
        raise Refused(
            Fault(f"/instructions/{index}/instructionID", "AM05", sentence) for index in twice[:MOST_FAULTS]
        )


def _fault(base: str, error: Exception) -> Fault:
    """Say where and why; msgspec's sentences repeat no value."""
    sentence, _, place = str(error).partition(" - at `$")
    if not isinstance(error, msgspec.ValidationError):
        return Fault(base, "malformed", "It is not well-formed JSON in UTF-8.")
    pointer = place.rstrip("`").replace(".", "/").replace("[...]", "")
    return Fault(base + pointer, "form", f"{sentence}.")

"""Identifiers that are derived, not drawn, so that a repeated step names the same things again.

A *batch reference* is 20 characters of base 32 made from who sent the batch and the sender's own id for it.
A message id is the reference, the chunk number and the kind of message: ISO 20022 Max35Text, and readable back.
"""

import hashlib
import re
from base64 import b32encode
from enum import StrEnum
from typing import Final, NamedTuple

REFERENCE_LENGTH: Final = 20
MAXIMUM_ISO_ID: Final = 35
CHUNKS_PER_SLICE: Final = 1000


class MessageKind(StrEnum):
    """What a message of ours does; the letter is part of its message id."""

    TRANSFER = "P"
    VERIFICATION = "V"
    INQUIRY = "Q"
    RECALL = "C"


class ChunkId(NamedTuple):
    """A chunk of a batch: the batch's reference and the chunk's number within it."""

    batch: str
    number: int


_MESSAGE_ID = re.compile(r"(?P<batch>[A-Z2-7]{20})(?P<kind>[PVQC])(?P<chunk>\d{1,7})(?:-(?P<number>\d{1,5}))?")

_TRANSACTION_ID = re.compile(r"[A-Z2-7]{20}\d{1,9}")


def batch_reference(contract: str, source: str, sender_id: str) -> str:
    """Derive a batch's reference from the contract, the Source BB and the id that the Source BB gave the batch."""
    digest = hashlib.sha256(f"{contract}\x1f{source}\x1f{sender_id}".encode()).digest()
    return b32encode(digest[:13]).decode()[:REFERENCE_LENGTH]


class OwnMessage(NamedTuple):
    """What a message id of ours says: the kind of message, its chunk, and which of several of that kind it is."""

    kind: MessageKind
    chunk: ChunkId
    number: int | None = None


def message_id(kind: MessageKind, chunk: ChunkId, number: int | None = None) -> str:
    """Derive the message id under which something about a chunk goes out; the same on every repetition.

    number: which one, where there may be several of the kind (inquiries, recalls).
    """
    return f"{chunk.batch}{kind}{chunk.number}" if number is None else f"{chunk.batch}{kind}{chunk.number}-{number}"


def own_message(identifier: str) -> OwnMessage | None:
    """Read back what a message id of ours stands for; ``None`` where it is not one of ours."""
    match = _MESSAGE_ID.fullmatch(identifier)
    if match is None:
        return None
    number = None if match["number"] is None else int(match["number"])
    return OwnMessage(MessageKind(match["kind"]), ChunkId(match["batch"], int(match["chunk"])), number)


def chunk_of_message(identifier: str) -> ChunkId | None:
    """Read back which chunk a message id of ours stands for; ``None`` where it is not one of ours."""
    found = own_message(identifier)
    return found and found.chunk


def own_transaction(identifier: str) -> bool:
    """Tell whether a transaction id has the form of ours: the batch's reference and the position in it."""
    return bool(_TRANSACTION_ID.fullmatch(identifier))


def chunk_number(slice_number: int, index: int) -> int:
    """Number the ``index``-th chunk of a slice; slices are resolved independently, so each has its own range."""
    if not 0 <= index < CHUNKS_PER_SLICE:
        raise ValueError(f"a slice has at most {CHUNKS_PER_SLICE} chunks")
    return slice_number * CHUNKS_PER_SLICE + index


def end_to_end_id(instruction_id: str) -> str:
    """Fit the Source BB's instruction id into Max35Text: a UUID loses its dashes, all else stays as it is."""
    return (
        instruction_id if len(instruction_id) <= MAXIMUM_ISO_ID else instruction_id.replace("-", "")[:MAXIMUM_ISO_ID]
    )

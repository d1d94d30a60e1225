"""Slices of batches that are still coming in: kept under a token of their own until the batch is created or dropped.

A token is drawn for each sending, so that two senders who use one batch id at the same moment never mix. What nobody
takes or drops, after a crash for instance, is gone after a day.
"""

from asyncio import to_thread
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from connector.domain.errors import NotFound
from connector.domain.instruction import CreditInstruction
from connector.store.crypto import Keyring
from connector.store.keyspace import Keyspace
from connector.store.link import Link
from connector.store.packing import Sealer, compressed, expanded

LIFE_SECONDS: Final = 86_400
"""How long a slice waits for its batch to be created."""

_SHORT: Final = range(0x90, 0xA0)
_MEDIUM: Final = 0xDC

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[CreditInstruction])


class PackedSlice(NamedTuple):
    """A slice ready to be sealed, and the bytes of its instructions one after the other, however they are cut."""

    content: memoryview
    packed: bytes


def pack(instructions: Sequence[CreditInstruction]) -> PackedSlice:
    """Pack instructions; what large ones cost is best paid in a thread."""
    encoded = _encoder.encode(instructions)
    first = encoded[0]  # of an array's head in msgpack, which is 1, 3 or 5 bytes long
    head = 1 if first in _SHORT else 3 if first == _MEDIUM else 5
    return PackedSlice(memoryview(encoded)[head:], compressed(encoded))


def unpack(packed: bytes) -> list[CreditInstruction]:
    """Give the instructions of a packed slice."""
    return _decoder.decode(expanded(packed))


class Staging:
    """Keeps, gives and drops the slices of batches that are not created yet."""

    def __init__(self, link: Link, keyspace: Keyspace, keys: Keyring) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace
        self._slices = Sealer(keys, list[CreditInstruction])

    async def put(self, ref: str, token: str, number: int, packed: bytes) -> None:
        """Keep a slice, as ``pack`` made it, for a day."""
        sealed = self._slices.seal_packed(packed, self._keyspace.slice(ref, number))
        await self._link.ask("SET", self._key(ref, token, number), sealed, "EX", LIFE_SECONDS)

    async def slice(self, ref: str, token: str, number: int) -> list[CreditInstruction]:
        """Give a slice's instructions. Raises NotFound."""
        sealed = await self._link.ask("GET", self._key(ref, token, number))
        if sealed is None:
            raise NotFound("slice", f"{ref} {number}")
        return await to_thread(self._slices.open, sealed, self._keyspace.slice(ref, number))

    async def drop(self, ref: str, token: str, numbers: Iterable[int]) -> None:
        """Let go of slices; those that are not there are no matter."""
        if keys := [self._key(ref, token, number) for number in numbers]:
            await self._link.ask("UNLINK", *keys)

    def _key(self, ref: str, token: str, number: int) -> str:
        return f"{self._keyspace.batch(ref)}:staged:{token}:{number}"

"""Retail messages: which ids a client has used, for what, what was answered, and what was decided about it since.

Every step is one server-side function. Two clients may use the same id. A reversal of a request that was never seen
is kept, so that the request is refused should it still come.
"""

import hashlib
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from connector.domain.retail import RetailKind
from connector.domain.voucher import block_of
from connector.store.crypto import Keyring
from connector.store.keyspace import Keyspace
from connector.store.link import Link

_TOKEN_BYTES: Final = 20


class MessageId(NamedTuple):
    """A client and the id (UUID) that it gave a request."""

    client: str
    id: str

    @property
    def token(self) -> str:
        """Name the pair in 32 letters and digits; UUIDs are the same in capitals."""
        return _token(f"{self.client}\x1f{self.id.lower()}")


class MessageOutcome(StrEnum):
    """What came of a request."""

    APPROVED = "approved"
    REFUSED = "refused"


class MessageDecision(StrEnum):
    """What was decided about an approved request."""

    CONFIRMED = "confirmed"
    REVERSED = "reversed"


class Claim(StrEnum):
    """What a claim finds."""

    NEW = "new"
    SEEN = "seen"
    EARLY = "early"  # its reversal came before it


class Verdict(StrEnum):
    """What an advice finds."""

    DONE = "done"  # decided so now, or by this very advice before
    CONFIRMED = "confirmed"
    REVERSED = "reversed"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    BEYOND = "beyond"  # more than was approved
    FORBIDDEN = "forbidden"  # what was asked for cannot be reversed


@dataclass(frozen=True, slots=True)
class Message:
    """A request as it is remembered.

    at: Unix seconds; serial, redemption: what it is about, 0 and "" where that is not known yet; draft: what the
    answer will be made of, answer: what was answered (both as the caller of ``Messages`` wrote them); approved_minor:
    what of it stands; decision, advice: by which message that became final; reversible: whether it may be reversed
    once it was done.
    """

    id: MessageId
    kind: RetailKind
    at: float
    serial: int = 0
    redemption: str = ""
    draft: str = ""
    answer: str = ""
    outcome: MessageOutcome | None = None
    approved_minor: int = 0
    decision: MessageDecision | None = None
    advice: str = ""
    reversible: bool = True


class Messages:
    """The retail messages of all clients."""

    def __init__(self, link: Link, keyspace: Keyspace, keys: Keyring) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace
        self._keys = keys

    async def claim(self, message: Message, token: str) -> tuple[Claim, str]:
        """Claim a request's id; with ``EARLY`` comes the id of the reversal. token: tells this call from another."""
        key = self._key(message.id)
        fields: Sequence[str | bytes | int | float] = (
            *("at", message.at, "serial", message.serial, "redemption", message.redemption),
            *("reversible", int(message.reversible)),
            *("draft", self._keys.seal(message.draft.encode(), key.encode())),
        )
        keys = [key, self._users(message.id.id)]
        found, early = await self._link.call(
            "message_claim", keys, message.kind, token, _token(message.id.client), *fields
        )
        return Claim(found.decode()), early.decode()

    async def keep(
        self, message: Message, outcome: MessageOutcome, answer: str
    ) -> tuple[MessageDecision | None, str]:
        """Keep the first answer to a request, with the message's serial, redemption and amount.

        Gives what was decided about it in the meantime, and by which advice.
        """
        key = self._key(message.id)
        sealed = self._keys.seal(answer.encode(), key.encode())
        kept = (outcome, message.serial, message.redemption, message.approved_minor)
        decision, advice = await self._link.call("message_keep", [key], sealed, *kept)
        return (MessageDecision(decision.decode()) if decision else None), advice.decode()

    async def decide(
        self, request: MessageId, kind: RetailKind, decision: MessageDecision, advice: str, final_minor: int | None
    ) -> tuple[Verdict, str]:
        """Decide about a request, once; gives what is so now and by which advice.

        final_minor: what stands from now on; ``None`` confirms all or reverses all. A reversal of a request that was
        never seen is remembered (``UNKNOWN``).
        """
        final = "" if final_minor is None else final_minor
        found, by = await self._link.call("message_decide", [self._key(request)], kind, decision, advice, final)
        return Verdict(found.decode()), by.decode()

    async def find(self, request: MessageId) -> Message | None:
        """Give a request; ``None`` for one that was never seen."""
        key = self._key(request)
        pairs = await self._link.ask("HGETALL", key)
        fields = {name.decode(): value for name, value in (pairs or {}).items()}
        if "kind" not in fields:
            return None
        text = {name: fields[name].decode() for name in fields if name not in {"draft", "answer"}}
        return Message(
            id=request,
            kind=RetailKind(text["kind"]),
            at=float(text["at"]),
            serial=int(text["serial"]),
            redemption=text["redemption"],
            draft=self._open(fields, "draft", key),
            answer=self._open(fields, "answer", key),
            outcome=MessageOutcome(text["outcome"]) if "outcome" in text else None,
            approved_minor=int(text.get("approved", "0")),
            decision=MessageDecision(text["decision"]) if "decision" in text else None,
            advice=text.get("advice", ""),
            reversible=text["reversible"] == "1",
        )

    async def is_somebody_elses(self, identifier: str) -> bool:
        """Tell whether any client has used the id for a redemption."""
        return bool(await self._link.ask("EXISTS", self._users(identifier)))

    async def hold_refund(self, redemption: str, serial: int, name: str) -> bool | None:
        """Let a refund have a redemption to itself; false: another has it, ``None``: it was dropped before."""
        answer: int = await self._link.call("refund_hold", [self._refunds(serial)], redemption, name)
        return None if answer < 0 else bool(answer)

    async def drop_refund(self, redemption: str, serial: int, name: str, *, for_good: bool) -> None:
        """Let go of a redemption; for_good: this refund is refused should it come (again)."""
        await self._link.call("refund_drop", [self._refunds(serial)], redemption, name, int(for_good))

    def _open(self, fields: dict[str, bytes], name: str, key: str) -> str:
        return self._keys.open(fields[name], key.encode()).decode() if name in fields else ""

    def _key(self, message: MessageId) -> str:
        return self._keyspace.message(_token(message.id.lower()), _token(message.client))

    def _users(self, identifier: str) -> str:
        return self._keyspace.message_users(_token(identifier.lower()))

    def _refunds(self, serial: int) -> str:
        return self._keyspace.open_refunds(str(block_of(serial)))


def _token(text: str) -> str:
    """Derive letters and digits of fixed length: what comes from outside may be anything."""
    return b32encode(hashlib.sha256(text.encode()).digest()[:_TOKEN_BYTES]).decode()

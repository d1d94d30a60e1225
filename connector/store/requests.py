"""Idempotency: which request ids have been used, by whom, with what content, and what was answered."""

import hashlib
from base64 import b32encode

from connector.store.crypto import Keyring
from connector.store.keyspace import Keyspace
from connector.store.link import Link


class Requests:
    """Claims request ids, so that a repeat is told from a conflict."""

    def __init__(self, link: Link, keyspace: Keyspace, keys: Keyring) -> None:
        """Work on this connection."""
        self._link = link
        self._keyspace = keyspace
        self._keys = keys

    async def claim(self, contract: str, source: str, request_id: str, digest: str, owner: str) -> str:
        """Claim an id: "new"; "repeat" for the same owner and digest; "conflict" for any other."""
        answer: bytes = await self._link.call("claim", [self._key(contract, source, request_id)], digest, owner)
        return answer.decode()

    async def give_back(self, contract: str, source: str, request_id: str, owner: str) -> None:
        """Undo the owner's claim of a request that was refused after all."""
        await self._link.call("give_back", [self._key(contract, source, request_id)], owner)

    async def keep_plan(self, contract: str, source: str, request_id: str, plan: str) -> str:
        """Keep, sealed, how a claimed request is carried out, unless that is there already; gives what counts."""
        key = self._key(contract, source, request_id)
        kept: bytes = await self._link.call("keep_plan", [key], self._keys.seal(plan.encode(), key.encode()))
        return self._keys.open(kept, key.encode()).decode()

    async def keep_answer(self, contract: str, source: str, request_id: str, answer: str) -> None:
        """Keep the answer given to a claimed request, sealed; nothing happens where the id is not claimed."""
        key = self._key(contract, source, request_id)
        await self._link.call("keep_answer", [key], self._keys.seal(answer.encode(), key.encode()))

    async def answer_of(self, contract: str, source: str, request_id: str) -> str | None:
        """Give the answer kept for a request, if any."""
        key = self._key(contract, source, request_id)
        sealed = await self._link.ask("HGET", key, "answer")
        return None if sealed is None else self._keys.open(sealed, key.encode()).decode()

    def _key(self, contract: str, source: str, request_id: str) -> str:
        """Derive a token of fixed length: the parts come from outside."""
        digest = hashlib.sha256(f"{contract}\x1f{source}\x1f{request_id}".encode()).digest()
        return self._keyspace.request(b32encode(digest[:20]).decode())

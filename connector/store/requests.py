"""Idempotency: which request ids have been used, by whom, with what content, and what was answered."""


class Requests:
    """Claims request ids, so that a repeat is told from a conflict."""

    async def claim(self, contract: str, source: str, request_id: str, digest: str, owner: str) -> str:
        """Claim an id: "new"; "repeat" for the same owner and digest; "conflict" for any other."""
        raise NotImplementedError

    async def give_back(self, contract: str, source: str, request_id: str, owner: str) -> None:
        """Undo the owner's claim of a request that was refused after all."""
        raise NotImplementedError

    async def keep_answer(self, contract: str, source: str, request_id: str, answer: str) -> None:
        """Keep the answer given to a claimed request."""
        raise NotImplementedError

    async def answer_of(self, contract: str, source: str, request_id: str) -> str | None:
        """Give the answer kept for a request, if any."""
        raise NotImplementedError

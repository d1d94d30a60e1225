"""Small documents with an end of life, such as the results of a prevalidation."""


class Records:
    """A sealed key/value shelf."""

    async def put(self, kind: str, identifier: str, document: str, life_seconds: float) -> None:
        """Keep a document (JSON text) for so long; replaces what was there."""
        raise NotImplementedError

    async def get(self, kind: str, identifier: str) -> str | None:
        """Give a document, if it is still there."""
        raise NotImplementedError

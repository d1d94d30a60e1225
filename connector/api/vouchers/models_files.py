"""Bodies of the exchange of encrypted files."""

from typing import Any

from pydantic import BaseModel


class FileAccepted(BaseModel):
    """A file that is being worked on; response: path under which the answer can be fetched."""

    id: str
    response: str


class KeySet(BaseModel):
    """A JWK set of public keys, each with its thumbprint (RFC 7638) as kid."""

    keys: list[dict[str, Any]]

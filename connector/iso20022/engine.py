"""The message engine's front door: values to XML and back, by profile, always under the schema."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from connector.domain.errors import Fault, Refused
from connector.domain.messages import Message
from connector.iso20022.header import BusinessHeader

if TYPE_CHECKING:
    from iso20022_schemas.catalogue import Catalogue


class Received(NamedTuple):
    """A message as it was understood.

    message: its name (``pain.002.001.10``); header: the business header, where there was one;
    tolerated: what deviates from the schema or the usual form and was let pass, one sentence each.
    """

    message: str
    value: Message
    header: BusinessHeader | None
    tolerated: tuple[str, ...]


class Verdict(NamedTuple):
    """Whether a body is a valid message; message is "" where it could not be told."""

    message: str
    valid: bool
    faults: tuple[Fault, ...]
    tolerated: tuple[str, ...]


class Engine:
    """Writes and reads messages by profile; safe to use from several threads at once."""

    def __init__(self, catalogue: "Catalogue", *profile_folders: Path) -> None:
        """Load, check and compile every profile of the folders (``<folder>/<scheme>/<message>.yaml``).

        Raises ``Misconfigured`` with file, line, path and sentence for the first profile that cannot be used.
        """
        self._catalogue = catalogue
        self._folders = profile_folders

    def write(self, profile: str, message: str, value: Message) -> bytes:
        """Write a value as a message (``write("generic", "pain.001.001.09", transfer)``), valid under its schema.

        Raises ``Refused`` with the element path where the value cannot be written.
        """
        raise Refused.because(message, "unsupported", f"Profile {profile} does not write {type(value).__name__}.")

    def read(self, body: bytes, *, profile: str = "generic") -> Received:
        """Read a message of any kind that the profile reads.

        Raises ``Refused`` for anything that is not a valid message: bad or dangerous XML, unknown namespace,
        schema faults, wrong counts and sums.
        """
        raise Refused.because("/", "unsupported", f"Profile {profile} does not read this ({len(body)} bytes).")

    def validate(self, body: bytes) -> Verdict:
        """Judge any message of the catalogue: form, schema, counts and sums; never raises for what is in the body."""
        return Verdict("", not body, (), ())

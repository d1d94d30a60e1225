"""Puts a Document into its scheme's envelope: a root element, and the business header beside the Document."""

from datetime import UTC, datetime
from typing import Final, NamedTuple
from xml.sax.saxutils import quoteattr

from connector.domain.errors import Refused
from connector.domain.messages import Message
from connector.iso20022.header import BusinessHeader, header_path, write_header
from connector.iso20022.parsing import parse
from connector.iso20022.scheme import Envelope, Scheme, SignaturePlace
from connector.iso20022.signing import PLACEHOLDER, Signer
from connector.iso20022.validation import Validator
from iso20022_schemas.catalogue import Catalogue

_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
OFFSET_HEADER: Final = "head.001.001.02"
"""Correspondent banks ask for a time offset in this version; the first version allows nothing but Z."""

_SENDERS: Final = ("instructing_agent", "assigner", "initiating_party", "debtor_agent", "agent")
_RECEIVERS: Final = ("instructed_agent", "assignee", "debtor_agent", "agent")


class Parties(NamedTuple):
    """Whom a header names; empty: the institutions in the value."""

    sender: str = ""
    receiver: str = ""


class Wrapper(NamedTuple):
    """Wraps Documents of one scheme, and signs them where the scheme says so."""

    scheme: Scheme
    catalogue: Catalogue
    validator: Validator
    signer: Signer | None

    def wrap(self, document: bytes, message: str, value: Message, parties: Parties) -> bytes:
        """The bytes to send, from a valid Document with its XML declaration.

        Raises ``Refused`` where the header is not valid, ``Misconfigured`` where there is nothing to sign with.
        """
        envelope, signature = self.scheme.envelope, self.scheme.signature
        in_header = signature.make and signature.place is SignaturePlace.HEADER
        body = document
        if envelope:
            header = self.header(envelope, message, value, parties, PLACEHOLDER if in_header else "")
            body = _enclosed(envelope, header.encode(), document.removeprefix(_DECLARATION))
        if not signature.make:
            return body
        if self.signer is None:
            raise Refused.because("/", "signature", f"Scheme {self.scheme.name} signs, and no key is configured.")
        return self.signer.sign(body)

    def header(self, envelope: Envelope, message: str, value: Message, parties: Parties, signature: str) -> str:
        """The AppHdr, valid under its schema; "" where the envelope has none. Raises ``Refused``."""
        if not envelope.header:
            return ""
        facts = BusinessHeader(
            sender=parties.sender or _first(value, _SENDERS),
            receiver=parties.receiver or _first(value, _RECEIVERS),
            business_message_id=_first(value, ("message_id", "reference")),
            message=message,
            created=_moment(value, envelope.header),
            service=envelope.service,
        )
        namespace = self.catalogue.namespace(envelope.header)
        plain = parse(write_header(facts, namespace, bics=envelope.bics).encode())
        faults = self.validator.check(plain, envelope.header).faults
        if faults:
            raise Refused([fault._replace(where=header_path(fault.where)) for fault in faults])
        return write_header(facts, namespace, signature, bics=envelope.bics)


def _enclosed(envelope: Envelope, header: bytes, document: bytes) -> bytes:
    namespace = f" xmlns={quoteattr(envelope.namespace)}" if envelope.namespace else ""
    opening, closing = f"<{envelope.root}{namespace}>".encode(), f"</{envelope.root}>".encode()
    return b"".join([_DECLARATION, opening, header, document, closing])


def _first(value: Message, names: tuple[str, ...]) -> str:
    """The first of these fields that the value has and that is not empty."""
    return next((str(found) for name in names if (found := getattr(value, name, ""))), "")


def _moment(value: Message, header: str) -> str:
    """When the message was made, in UTC: with Z, or with an offset in the version whose users ask for that."""
    created = getattr(value, "created", None) or getattr(value, "rejected_at", None)
    if not isinstance(created, datetime):
        raise Refused.because("AppHdr/CreDt", "missing", "The header needs the moment at which the message was made.")
    text = created.astimezone(UTC).isoformat(timespec="milliseconds")
    return text if header == OFFSET_HEADER else text.replace("+00:00", "Z")

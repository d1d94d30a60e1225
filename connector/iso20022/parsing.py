"""Parses XML from outside, which is hostile: no DTD, no entities, no network, limits on size and depth."""

import re
from typing import Final, TypeAlias, cast

from lxml import etree

from connector.domain.errors import Refused

Element: TypeAlias = etree._Element  # noqa: SLF001 - lxml exports its element type under no other name

MAXIMUM_BYTES: Final = 64 * 1024 * 1024
"""Larger messages are refused; a chunk of 5,000 credits has about 5 MB."""

MAXIMUM_DEPTH: Final = 256
"""Libxml2's own limit without ``huge_tree``; the deepest ISO 20022 message needs about 25."""

MAXIMUM_TAGS: Final = 5_000_000
MAXIMUM_ATTRIBUTES: Final = 1_000_000
"""What the largest messages need; a tree of more takes more memory than any message is worth."""

_DECLARED: Final = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml [^<>]*?encoding *= *["']([A-Za-z0-9._-]+)""")
_EBCDIC: Final = b"\x4c\x6f\xa7\x94"
_ENCODINGS: Final = frozenset({"UTF-8", "ASCII", "US-ASCII", "ISO-8859-1", "WINDOWS-1252"})


def parse(body: bytes) -> Element:
    """Parse a message to its root element, without comments and processing instructions.

    Raises ``Refused``: too large, a document type declaration, another encoding, not well-formed.
    """
    check_bytes(body)
    try:
        root = etree.fromstring(body, safe_parser())
    except etree.XMLSyntaxError as error:
        raise Refused.because("/", "malformed", _reason(error)) from None
    except ValueError:
        raise Refused.because("/", "malformed", "The message is not XML.") from None
    check_prolog(root)
    return root


def check_bytes(body: bytes) -> None:
    """Refuse what need not be parsed to be seen: too much of anything, a declaration of types, a strange encoding."""
    if len(body) > MAXIMUM_BYTES:
        raise Refused.because("/", "too_large", f"The message has more than {MAXIMUM_BYTES} bytes.")
    if _has_more(body, b"<", MAXIMUM_TAGS) or _has_more(body, b"=", MAXIMUM_ATTRIBUTES):
        raise Refused.because("/", "too_large", f"The message has more than {MAXIMUM_TAGS} tags, or many attributes.")
    if b"!" in body and (b"<!DOCTYPE" in body or b"<!ENTITY" in body):  # the mark alone is found, or not, at once
        raise Refused.because("/", "dtd", "The message has a document type declaration; none is accepted.")
    declared = _DECLARED.match(body)
    known = declared is None or declared[1].decode().upper() in _ENCODINGS
    if not known or body.startswith(_EBCDIC):
        raise Refused.because("/", "encoding", "The message must be encoded in UTF-8.")


def _has_more(body: bytes, character: bytes, most: int) -> bool:
    """Whether there are more of a character that begins at least three others; short messages need no counting."""
    return len(body) > 4 * most and body.count(character) > most


def safe_parser(schema: etree.XMLSchema | None = None, *, recover: bool = False) -> etree.XMLParser:
    """A parser for one message; parsers are not shared between threads."""
    return etree.XMLParser(
        schema=schema,
        recover=recover,
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def check_prolog(root: Element) -> None:
    """What a search in the bytes cannot see, because of the encoding they are in."""
    prolog = root.getroottree().docinfo
    declared = cast("object | None", prolog.internalDTD)  # the stubs say it is always there
    if declared is not None:
        raise Refused.because("/", "dtd", "The message has a document type declaration; none is accepted.")
    if (prolog.encoding or "UTF-8").upper() not in _ENCODINGS:
        raise Refused.because("/", "encoding", "The message must be encoded in UTF-8.")


def _reason(error: etree.XMLSyntaxError) -> str:
    """Why it is not well-formed, by place only: libxml2's own text may quote what stands there."""
    line, column = error.position
    if "depth" in str(error.msg):
        return f"Elements are nested deeper than {MAXIMUM_DEPTH} levels at line {line}."
    return f"The message is not well-formed XML at line {line}, column {column}."

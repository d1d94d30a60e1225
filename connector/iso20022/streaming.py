"""Parses a large message and checks it under its schema in one pass, and gives up where it is wrong too often.

For each fault libxml2 is asked where it is, for which it counts all elements before it: very many faults would keep
it busy for hours. One pass costs a valid message no more time than parsing and checking one by one.
"""

import re
from typing import Final, NamedTuple

from lxml import etree

from connector.iso20022.parsing import Element, safe_parser

LARGE_BYTES: Final = 1024 * 1024
"""From this size on; in smaller messages the worst takes a second."""

TOO_MANY_FAULTS: Final = 50
_PIECE_BYTES: Final = 64 * 1024

_NAMESPACE: Final = re.compile(rb'(?:\xef\xbb\xbf)?(?:<\?xml [^<>]*\?>)?\s*<Document xmlns="([^"<&]*)"[^<>]*>')


class Streamed(NamedTuple):
    """What one pass gave: the root of a valid message; else how far it came, which is not to the end if given up."""

    root: Element | None
    looked_at: int


def namespace(body: bytes) -> str:
    """The namespace of a Document that is the root, where that can be seen in the first bytes; else ""."""
    found = _NAMESPACE.match(body[:1024])
    return found[1].decode("utf-8", "replace") if found else ""


def stream(body: bytes, schema: etree.XMLSchema) -> Streamed:
    """Parse and check, until the end or until there are too many faults."""
    parser = safe_parser(schema)
    try:
        for start in range(0, len(body), _PIECE_BYTES):
            parser.feed(body[start : start + _PIECE_BYTES])
            if len(parser.feed_error_log) > TOO_MANY_FAULTS:
                return Streamed(None, start + _PIECE_BYTES)
        return Streamed(parser.close(), len(body))
    except etree.XMLSyntaxError:
        return Streamed(None, len(body))


def beginning(body: bytes) -> Element:
    """A message that breaks off: what was left open is closed, and the last of its repeated parts left out."""
    root = etree.fromstring(body, safe_parser(recover=True))
    last = root
    while len(last):
        last = last[-1]
    for element in (last, *last.iterancestors()):
        parent = element.getparent()
        if parent is not None and element.getprevious() is not None and element.getprevious().tag == element.tag:
            parent.remove(element)
            break
    return root

"""Finds the one message in what was received: its Document, its name, the business header, and oddities on the way.

Reports in the wild stand in envelopes of many kinds, lack their namespace or use a bank's dialect of it.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from lxml import etree

from connector.domain.errors import Refused
from connector.iso20022.parsing import Element, parse
from iso20022_schemas.catalogue import Catalogue

_DECLARATION: Final = re.compile(r"\s*<\?xml [^<>]*\?>")
_DOCUMENT_TEXT: Final = re.compile(r"\s*(<\?xml [^<>]*\?>)?\s*<([A-Za-z0-9]+:)?Document[\s>]")
_MESSAGE_NAME: Final = re.compile(r"[a-z]{4}\.\d{3}\.\d{3}\.\d{2}")

USUAL_VERSIONS: Final = (
    "pain.002.001.10",
    "pacs.002.001.10",
    "pacs.004.001.09",
    "acmt.024.001.03",
    "pain.001.001.09",
    "pacs.008.001.08",
    "acmt.023.001.03",
    "pacs.028.001.03",
)
"""What a Document without namespace is taken for, by the name of its first element."""


class Found(NamedTuple):
    """The message: its element (in the namespace of the catalogue), its name, the AppHdr beside it, what was odd."""

    element: Element
    message: str
    header: Element | None
    tolerated: tuple[str, ...]


def find(root: Element, catalogue: Catalogue, usual_root: str = "", *, lone_header: bool = False) -> Found:
    """Find the message below a parsed root; ``usual_root`` is the envelope that is expected.

    lone_header: a business header is found instead, where it stands beside a Document of no known message.
    Raises ``Refused``: none, several, or none that the catalogue has.
    """
    tolerated: list[str] = []
    document = root if _local(root) == "Document" else _enveloped(root, catalogue, tolerated)
    if document is not root and _local(root) != usual_root:
        tolerated.append(f"The Document stands in an envelope ({_local(root)}).")
    header = None if document is root else _header(root, document)
    try:
        message = _name(document, catalogue, tolerated)
    except Refused:
        known = catalogue.find(_namespace(header)) if lone_header and header is not None else None
        if header is None or known is None:
            raise
        tolerated.append("The Document is no known message; the header was judged alone.")
        return Found(header, known, header, tuple(tolerated))
    return Found(document, message, header, tuple(tolerated))


def _enveloped(root: Element, catalogue: Catalogue, tolerated: list[str]) -> Element:
    """The only Document in an envelope; a bare message of the catalogue (a lone AppHdr) stands for itself."""
    documents = [element for element in root.iter("{*}Document") if not _inside_document(element)]
    if len(documents) > 1:
        raise Refused.because("/", "several", "The envelope has more than one Document.")
    if documents:
        return documents[0]
    if catalogue.find(_namespace(root)):
        return root
    return _embedded(root, tolerated)


def _embedded(root: Element, tolerated: list[str]) -> Element:
    """A Document that stands as text (CDATA) in an element of the envelope: parsed as carefully as the envelope."""
    texts = [str(element.text) for element in root.iter() if _DOCUMENT_TEXT.match(element.text or "")]
    if len(texts) != 1:
        raise Refused.because("/", "unknown_message", "There is no Document of a known message in it.")
    document = parse(_DECLARATION.sub("", texts[0], count=1).encode())
    if _local(document) != "Document":
        raise Refused.because("/", "unknown_message", "There is no Document of a known message in it.")
    tolerated.append("The Document stands in the envelope as text.")
    return document


def _header(root: Element, document: Element) -> Element | None:
    """The AppHdr that stands beside the Document in an envelope."""
    return next((element for element in root.iter("{*}AppHdr") if not _within(element, document)), None)


def _inside_document(element: Element) -> bool:
    return next(element.iterancestors("{*}Document"), None) is not None


def _within(element: Element, document: Element) -> bool:
    return any(ancestor is document for ancestor in element.iterancestors())


def _name(document: Element, catalogue: Catalogue, tolerated: list[str]) -> str:
    """The message's name by its namespace; a missing or dialect namespace is put right in the tree."""
    namespace = _namespace(document)
    message = catalogue.find(namespace)
    if message:
        return message
    if not namespace:
        message = _by_content(document, catalogue)
        tolerated.append(f"The namespace is missing; read as {message}.")
    else:
        message = _by_dialect(namespace, catalogue)
        tolerated.append(f"The namespace is a dialect; read as {message}.")
    _rename(document, namespace, catalogue.namespace(message))
    return message


def _by_content(document: Element, catalogue: Catalogue) -> str:
    first = next((_local(child) for child in document), "")
    known = catalogue.messages()
    for message in USUAL_VERSIONS:
        if message in known and catalogue.structure(message).child(first):
            return message
    raise Refused.because("/Document", "unknown_message", "The message has no namespace and no known content.")


def _by_dialect(namespace: str, catalogue: Catalogue) -> str:
    name = _MESSAGE_NAME.search(namespace)
    if name is None or name[0] not in catalogue.messages() or namespace.startswith("urn:iso:std:iso:20022"):
        raise Refused.because("/Document", "unknown_message", "The namespace is not one of a known message.")
    return name[0]


def _rename(document: Element, old: str, new: str) -> None:
    prefix = f"{{{old}}}" if old else ""
    for element in document.iter(f"{prefix}*" if old else None):
        if _namespace(element) == old:
            element.tag = f"{{{new}}}{_local(element)}"


def local_names(element: Element, top: Element) -> Iterator[str]:
    """The names from below ``top`` down to the element, with a position where there are several alike."""
    if element is top:
        return
    parent = element.getparent()
    if parent is not None:
        yield from local_names(parent, top)
        before = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
        alone = not before and next(element.itersiblings(element.tag), None) is None
        yield _local(element) if alone else f"{_local(element)}[{before + 1}]"


def _namespace(element: Element) -> str:
    return etree.QName(element).namespace or ""


def _local(element: Element) -> str:
    return etree.QName(element).localname

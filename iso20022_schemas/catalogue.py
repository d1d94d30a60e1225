"""Finds the schema of a message: in the operator's own folders first, then among those of this project."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from connector.domain.errors import Misconfigured, NotFound
from iso20022_schemas import schemafile
from iso20022_schemas.structure import Node

OWN_FOLDER = Path(__file__).parent / "xsd"
_OFFICIAL = "urn:iso:std:iso:20022:tech:xsd:"
_MESSAGE = re.compile(r"[a-z]{4}\.\d{3}\.\d{3}\.\d{2}")


class Catalogue:
    """All message schemas by message name (``pain.001.001.09``). Safe to share between threads."""

    def __init__(self, *folders: Path) -> None:
        """Look through the folders in order, the project's own last; the first file of a message counts.

        Raises Misconfigured where a folder is missing, a file is no XML, or one folder has a message twice.
        """
        self._files: dict[str, tuple[str, Path]] = {}
        for folder in (*folders, OWN_FOLDER):
            for message, found in _messages_in(folder).items():
                self._files.setdefault(message, found)
        self._by_namespace = {namespace: message for message, (namespace, _) in self._files.items()}
        self._compiled = threading.local()
        self._structures: dict[str, Node] = {}

    def messages(self) -> tuple[str, ...]:
        """The names of all messages, sorted."""
        return tuple(sorted(self._files))

    def find(self, namespace: str) -> str | None:
        """The message with this target namespace, or None."""
        return self._by_namespace.get(namespace)

    def namespace(self, message: str) -> str:
        """The target namespace of a message. Raises NotFound."""
        return self._file(message)[0]

    def xsd(self, message: str) -> Path:
        """The schema file of a message. Raises NotFound."""
        return self._file(message)[1]

    def schema(self, message: str) -> etree.XMLSchema:
        """The compiled schema; each thread holds its own, since a validator keeps the errors of its last run.

        Raises NotFound, and Misconfigured where the file is no valid schema.
        """
        compiled: dict[str, etree.XMLSchema] = self._compiled.__dict__
        if message not in compiled:
            compiled[message] = _compile(self.xsd(message))
        return compiled[message]

    def structure(self, message: str) -> Node:
        """The content model: the node of the root element (``Document``, ``AppHdr``).

        Raises NotFound, and Misconfigured where the file has no root element or an unsupported construct.
        """
        if message not in self._structures:
            self._structures[message] = _structure(self.xsd(message))
        return self._structures[message]

    def _file(self, message: str) -> tuple[str, Path]:
        if message not in self._files:
            raise NotFound("message schema", message)
        return self._files[message]


def _messages_in(folder: Path) -> dict[str, tuple[str, Path]]:
    """Message name to (namespace, file); files that declare no message (what others include) are passed over."""
    if not folder.is_dir():
        raise Misconfigured(str(folder), 0, "", "is no folder, so no schema can be read from it")
    found: dict[str, tuple[str, Path]] = {}
    for message, namespace, path in _schemas_in(folder):
        if message in found:
            raise Misconfigured(str(path), 0, "", f"declares {message}, as {found[message][1].name} does already")
        found[message] = (namespace, path)
    return found


def _schemas_in(folder: Path) -> Iterator[tuple[str, str, Path]]:
    for path in sorted(folder.glob("*.xsd")):
        namespace = schemafile.namespace_of(path)
        name = namespace.removeprefix(_OFFICIAL) if namespace.startswith(_OFFICIAL) else path.stem
        if namespace and _MESSAGE.match(name):
            yield name, namespace, path


_COMPILING = threading.Lock()
"""libxml2 sets its built-in types up when the first schema of a process is compiled. Two threads doing so at once
leave types half made, and the process refuses valid schemas or crashes later: so one compiles at a time."""


def _compile(path: Path) -> etree.XMLSchema:
    try:
        with _COMPILING:
            return etree.XMLSchema(etree.parse(str(path), schemafile.parser()))
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError) as error:
        raise Misconfigured(str(path), 0, "", f"is no valid schema: {error}") from error


def _structure(path: Path) -> Node:
    definitions = schemafile.read(path)
    if not definitions.roots:
        raise Misconfigured(str(path), 0, "", "declares no root element")
    return Node.of(definitions.roots[0], definitions)

"""The message engine's front door: values to XML and back, by profile, always under the schema."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from lxml import etree

from connector.domain.errors import Fault, Misconfigured, NotFound, Refused
from connector.domain.messages import Message
from connector.domain.stages import Laps, Stages
from connector.iso20022 import booked, checking, document, schemes, sums
from connector.iso20022.characters import NOTHING, Alphabet, Table
from connector.iso20022.characters import load_tables as load_characters
from connector.iso20022.codes import MAPPINGS_FOLDER, CodeTable, load_tables
from connector.iso20022.codesets import CodeSets
from connector.iso20022.envelope import Parties, Wrapper
from connector.iso20022.fields import SHAPES, payments_in
from connector.iso20022.header import BusinessHeader, header_path, read_header
from connector.iso20022.parsing import Element, parse
from connector.iso20022.profile import Profile, load
from connector.iso20022.reader import Reader, compile_reader
from connector.iso20022.scheme import Scheme
from connector.iso20022.screening import Screen, Use, uses
from connector.iso20022.signing import Signer, Signing, without_signature
from connector.iso20022.validation import Parsed, Validator
from connector.iso20022.writer import compile_writer
from iso20022_schemas.catalogue import Catalogue
from iso20022_schemas.structure import Node

CODES_FOLDER = "codes"
CHARACTERS_FOLDER = "characters"
"""The folders beside the schemes that hold code tables, and transliteration tables."""


_Compiled = TypeVar("_Compiled")


class Received(NamedTuple):
    """A message as it was understood.

    message: its name (``pain.002.001.10``); header: the business header, where there was one;
    tolerated: what deviates from the schema or the usual form and was let pass, one sentence each; signer: the
    subject of the certificate under which the message was verified, "" where no signature is required.
    """

    message: str
    value: Message
    header: BusinessHeader | None
    tolerated: tuple[str, ...]
    signer: str = ""


class _Opened(NamedTuple):
    """A message that was found, what it was found in, as tree and bytes, and who signed it."""

    found: document.Found
    parsed: Parsed
    body: bytes
    signer: str


class Verdict(NamedTuple):
    """Whether a body is a valid message; message is "" where it could not be told."""

    message: str
    valid: bool
    faults: tuple[Fault, ...]
    tolerated: tuple[str, ...]


class Written(NamedTuple):
    """A message to send; notes: what was cut or transliterated, by field and position, without the texts."""

    body: bytes
    notes: tuple[str, ...]


class _Writer(NamedTuple):
    value: type
    use: Use
    write: Callable[[object], bytes]


class Engine:
    """Writes and reads messages by profile; safe to use from several threads at once."""

    def __init__(
        self,
        catalogue: Catalogue,
        *profile_folders: Path,
        signing: Signing | None = None,
        stages: Stages | None = None,
    ) -> None:
        """Load, check and compile every profile of the folders (``<folder>/<scheme>/<message>.yaml``).

        A later folder may use the code tables of earlier ones, and replaces their profiles and tables of its names.
        stages: where the engine adds up what its work costs.
        Raises ``Misconfigured`` with file, line, path and sentence for the first profile that cannot be used.
        """
        self._catalogue = catalogue
        self._validator = Validator(catalogue)
        self._signer = Signer(signing) if signing else None
        self._stages = stages or Stages(time.thread_time)
        self._writers: dict[tuple[str, str], _Writer] = {}
        self._readers: dict[tuple[str, str], Reader] = {}
        self._profiles: dict[tuple[str, str], Profile] = {}
        self._tables: dict[str, CodeTable] = {}
        self._codesets = CodeSets()
        for folder in profile_folders:
            self._load(folder)
        characters = load_characters(folder / CHARACTERS_FOLDER for folder in (MAPPINGS_FOLDER, *profile_folders))
        self._schemes = schemes.load(profile_folders, schemes.Known(catalogue.messages(), characters))
        self._extend()
        self._screens = {
            (name, message): self._screen(self._schemes[name], writer.use, characters)
            for (name, message), writer in self._writers.items()
        }

    def scheme(self, name: str) -> Scheme:
        """The facts of a scheme. Raises ``NotFound``."""
        if name not in self._schemes:
            raise NotFound("scheme", name)
        return self._schemes[name]

    def ready(self, name: str) -> None:
        """See whether messages of a scheme can be exchanged.

        Raises ``NotFound`` for an unknown scheme, ``Misconfigured`` where it signs and there are no keys for that.
        """
        wanted, signer = self.scheme(name).signature, self._signer
        if wanted.make and not (signer and signer.signs):
            raise Misconfigured("signing", 0, name, "the scheme signs its messages, and no signing key is configured")
        if wanted.require and not (signer and signer.verifies):
            raise Misconfigured("signing", 0, name, "the scheme requires signatures, and no certificate is trusted")

    def compose(
        self,
        profile: str,
        message: str,
        value: Message,
        *,
        sender: str = "",
        receiver: str = "",
        validated: bool = True,
    ) -> Written:
        """Write a value as a message under its scheme's rules, in its scheme's envelope.

        sender, receiver: whom the header names; where they are empty, the agents in the value; validated: see that
        the message is valid under its schema, which is for the receiver alone where this is ``False``.
        Raises ``Refused`` as ``write`` does.
        """
        writer = self._writers.get((profile, message))
        if writer is None or not isinstance(value, writer.value):
            raise Refused.because(
                message, "unsupported", f"Scheme {profile} writes no {type(value).__name__} as {message}."
            )
        laps = self._stages.laps()
        sums.check_value(value, message)
        screened, notes = self._screens[profile, message].check(value, message)
        laps.end("check {}")
        written = writer.write(screened)
        laps.end("write {}")
        faults: tuple[Fault, ...] = ()
        if validated:
            faults = self._faults_of(written, message)
            laps.end("validate {} written")
        laps.count(_family(message), payments_in(value))
        if faults:
            raise Refused(faults)
        wrapper = Wrapper(self._schemes[profile], self._catalogue, self._validator, self._signer)
        return Written(wrapper.wrap(written, message, screened, Parties(sender, receiver)), notes)

    def write(self, profile: str, message: str, value: Message) -> bytes:
        """Write a value as a message (``write("generic", "pain.001.001.09", transfer)``), valid under its schema.

        Raises ``Refused`` with the element path where the value cannot be written.
        """
        return self.compose(profile, message, value).body

    def read(self, body: bytes, *, profile: str = "generic", signer: str = "") -> Received:
        """Read a message of any kind that the profile reads.

        signer: whose signature it must be where the scheme requires one, by subject or SHA-256 fingerprint.
        Raises ``Refused`` for anything that is not a valid message: bad or dangerous XML, unknown namespace,
        schema faults, wrong counts and sums.
        """
        laps = self._stages.laps()
        found, parsed, body, signed = self._opened(body, self._schemes.get(profile, Scheme(profile)), signer)
        reader = self._readers.get((profile, found.message))
        if reader is None:
            raise Refused.because("/Document", "unsupported", f"Scheme {profile} does not read {found.message}.")
        faults, tolerated = self._judge(found, parsed, laps)
        if faults:
            raise Refused(faults)
        value, passed = reader.read(found.element, found.message, body, tolerated)
        laps.end("extract {}")
        laps.count(_family(found.message), payments_in(value))
        header = None if found.header is None else read_header(found.header)
        return Received(found.message, value, header, passed, signed)

    def _opened(self, body: bytes, scheme: Scheme, expected: str) -> _Opened:
        """Find the message, under its signature where the scheme requires one."""
        parsed, signer = self._validator.parse(body), ""
        usual = scheme.envelope.root if scheme.envelope else ""
        if scheme.signature.require:
            if self._signer is None:
                raise Refused.because("/", "signature", f"Scheme {scheme.name} needs certificates; there are none.")
            body, signer = self._signer.verify(parsed.root, scheme.signature.place, expected)
            parsed = self._validator.parse(body)
        without_signature(parsed.root)
        return _Opened(document.find(parsed.root, self._catalogue, usual), parsed, body, signer)

    def validate(self, body: bytes) -> Verdict:
        """Judge any message of the catalogue: form, schema, counts and sums; never raises for what is in the body."""
        try:
            parsed = self._validator.parse(body)
            found = document.find(parsed.root, self._catalogue, lone_header=True)
        except Refused as refused:
            return Verdict("", valid=False, faults=refused.faults, tolerated=())
        faults, tolerated = self._judge(found, parsed, self._stages.laps())
        return Verdict(found.message, not faults, faults, tolerated)

    def profile(self, scheme: str, message: str) -> Profile:
        """The profile by which a scheme writes or reads a message. Raises ``NotFound``."""
        if (scheme, message) not in self._profiles:
            raise NotFound("profile", f"{scheme}/{message}")
        return self._profiles[scheme, message]

    def structure(self, message: str) -> Node:
        """The content model of a message. Raises ``NotFound``."""
        return self._catalogue.structure(message)

    def profiles(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Each scheme with the messages that it writes and those that it reads."""
        schemes = sorted({scheme for scheme, _ in (*self._writers, *self._readers)})
        return {scheme: (_of(scheme, self._writers), _of(scheme, self._readers)) for scheme in schemes}

    def _faults_of(self, written: bytes, message: str) -> tuple[Fault, ...]:
        tree = parse(written)
        return self._validator.check(tree, message).faults or _wrong_sums(tree, message)

    def _judge(self, found: document.Found, parsed: Parsed, laps: Laps) -> tuple[tuple[Fault, ...], tuple[str, ...]]:
        checked = self._validator.check(found.element, found.message, parsed)
        laps.end("parse and validate {}")
        faults = checked.faults or sums.faults(found.element, found.message)
        odd = () if faults else booked.faults(found.element, found.message)
        totals = (f"{where}: {code}: {sentence}" for where, code, sentence in odd)
        laps.end("check sums of {}")
        return faults, (*found.tolerated, *checked.tolerated, *totals, *self._header_oddities(found))

    def _header_oddities(self, found: document.Found) -> Iterator[str]:
        """What is wrong with the header beside a message; the message counts."""
        if found.header is None or found.header is found.element:
            return
        said = read_header(found.header).message
        if said and said != found.message:
            yield f"The header announces another message than {found.message}."
        version = self._catalogue.find(etree.QName(found.header).namespace or "")
        for where, code, sentence in self._validator.check(found.header, version).faults if version else ():
            yield f"The header is not valid under {version}: {header_path(where)}: {code}: {sentence}"

    def _load(self, folder: Path) -> None:
        if not folder.is_dir():
            raise Misconfigured(str(folder), 0, "", "is no folder, so no profiles can be read from it")
        self._tables |= load_tables(folder / CODES_FOLDER)
        for file in sorted(folder.glob("*/????.???.???.??.yaml")):
            self._add(load(file), self._tables)

    def _screen(self, scheme: Scheme, use: Use, tables: Mapping[str, Table]) -> Screen:
        characters = scheme.characters
        table = tables[characters.transliterate] if characters and characters.transliterate else NOTHING
        return Screen(scheme, use, Alphabet(characters, table) if characters else None)

    def _extend(self) -> None:
        """Let a scheme use the profiles of the one it extends, where it has none of its own."""
        for name, scheme in self._schemes.items():
            base = scheme.extends
            while base:
                _inherit(self._writers, name, base)
                _inherit(self._readers, name, base)
                _inherit(self._profiles, name, base)
                base = self._schemes[base].extends

    def _add(self, loaded: Profile, tables: dict[str, CodeTable]) -> None:
        try:
            root = self._catalogue.structure(loaded.message)
        except NotFound:
            raise loaded.place.wrong(f"there is no schema of {loaded.message}") from None
        namespace = self._catalogue.namespace(loaded.message)
        checking.check(loaded, root, tables)
        key = (loaded.scheme, loaded.message)
        self._profiles[key] = loaded
        if loaded.write is not None:
            write = compile_writer(loaded, root, namespace, tables, self._codesets)
            self._writers[key] = _Writer(SHAPES[loaded.value].cls, uses(loaded, root), write)
        if loaded.read is not None:
            self._readers[key] = compile_reader(loaded, root, namespace, tables, self._codesets)


def _inherit(owned: dict[tuple[str, str], _Compiled], name: str, base: str) -> None:
    for message in _of(base, owned):
        owned.setdefault((name, message), owned[base, message])


def _wrong_sums(written: Element, message: str) -> tuple[Fault, ...]:
    """Of what a profile states itself; the totals of payments were checked before.

    A statement's balances are the institution's own: the simulators tell false ones on purpose.
    """
    if not message.startswith("camt."):
        return ()
    return sums.faults(written, message) + booked.faults(written, message, balances=False)


def _family(message: str) -> str:
    """Name a message without variant and version, as stages do."""
    return message[:8]


def _of(scheme: str, keys: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted(message for owner, message in keys if owner == scheme))

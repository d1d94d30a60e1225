"""Reads ``scheme.yaml``; everything that is wrong in it is refused with file, line, path and reason."""

import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import yaml

from connector.domain.money import is_currency
from connector.iso20022 import yamlfile
from connector.iso20022.fields import SHAPES, Shape
from connector.iso20022.scheme import (
    GENERIC_MESSAGES,
    Characters,
    Envelope,
    Job,
    Limits,
    Scheme,
    Signature,
    SignaturePlace,
)
from connector.iso20022.yamlfile import Place

FILE: Final = "scheme.yaml"
_SET: Final = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_XML_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


class Known(NamedTuple):
    """What a scheme may refer to: messages of the catalogue, and transliteration tables."""

    messages: Container[str]
    tables: Container[str]


def load(file: Path, known: Known) -> Scheme:
    """Read and check a scheme file; sections that are not there have the defaults. Raises ``Misconfigured``."""
    return _read(_Section.root(file), known, Scheme(file.parent.name))


def extended(file: Path, known: Known, base: Scheme) -> Scheme:
    """Read a scheme file whose sections, where they are not there, are those of ``base``."""
    return _read(_Section.root(file), known, replace(base, name=file.parent.name, title="", extends=base.name))


def base_of(file: Path) -> tuple[str, Place]:
    """The scheme that this one extends ("" for none), and where it says so."""
    section = _Section.root(file)
    return section.text("extends"), section.at("extends")


class _Section(NamedTuple):
    """A mapping of the file, from which values are taken by key."""

    place: Place
    nodes: Mapping[str, yaml.Node]

    @classmethod
    def root(cls, file: Path) -> "_Section":
        place = Place(str(file), 1, "")
        keys = "name", "extends", "messages", "envelope", "characters", "limits", "timeouts", "signature"
        return cls(place, dict(yamlfile.entries(yamlfile.compose(file), place))).only(*keys)

    def only(self, *keys: str) -> "_Section":
        """The section itself, which may have no other keys."""
        for name in self.nodes:
            if name not in keys:
                raise self.at(name).wrong(f"has no meaning here; there are {', '.join(keys)}")
        return self

    def at(self, name: str) -> Place:
        return self.place.below(name, self.nodes[name]) if name in self.nodes else self.place

    def section(self, name: str) -> "_Section":
        """The section of this name, empty where there is none."""
        place = self.at(name)
        return _Section(place, dict(yamlfile.entries(self.nodes[name], place)) if name in self.nodes else {})

    def text(self, name: str, default: str = "") -> str:
        return yamlfile.text(self.nodes[name], self.at(name)) if name in self.nodes else default

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(yamlfile.items(self.nodes[name], self.at(name))) if name in self.nodes else ()

    def pairs(self) -> Iterator[tuple[str, str, Place]]:
        for name in self.nodes:
            yield name, self.text(name), self.at(name)

    def number(self, name: str, kind: Callable[[str], Any], default: Any) -> Any:  # noqa: ANN401 - kind decides
        """A number greater than zero, or the default where there is none."""
        if name not in self.nodes:
            return default
        try:
            value = kind(self.text(name))
            positive = 0 < value < float("inf")
        except (ValueError, InvalidOperation):
            raise self.at(name).wrong(f"{name} must be a number") from None
        if not positive:
            raise self.at(name).wrong(f"{name} must be greater than zero")
        return value

    def flag(self, name: str) -> bool:
        given = self.text(name, "false")
        if given not in {"true", "false"}:
            raise self.at(name).wrong(f"{name} is true or false")
        return given == "true"


def _read(root: _Section, known: Known, base: Scheme) -> Scheme:
    readers: dict[str, Callable[[_Section], Any]] = {
        "envelope": lambda section: _envelope(section, known),
        "characters": lambda section: _characters(section, known),
        "limits": _limits,
        "signature": _signature,
    }
    given = {name: reader(root.section(name)) for name, reader in readers.items() if name in root.nodes}
    messages = dict(_messages(root.section("messages"), known))
    timeouts = root.section("timeouts").only("answer_seconds", "inquiries")
    scheme = replace(
        base,
        title=root.text("name"),
        extends=root.text("extends"),
        messages=MappingProxyType({**GENERIC_MESSAGES, **base.messages, **messages}),
        answer_seconds=timeouts.number("answer_seconds", float, base.answer_seconds),
        inquiries=timeouts.number("inquiries", int, base.inquiries),
        **given,
    )
    _check_signature(scheme, root)
    return scheme


def _messages(section: _Section, known: Known) -> Iterator[tuple[Job, str]]:
    jobs = {job.value: job for job in Job}
    for name, message, place in section.pairs():
        if name not in jobs:
            raise place.wrong(f"is no job of a message; there are {', '.join(jobs)}")
        if message not in known.messages:
            raise place.wrong(f"there is no schema of {message}")
        yield jobs[name], message


def _envelope(section: _Section, known: Known) -> Envelope | None:
    section.only("root", "header", "service", "institutions")
    root = section.section("root").only("name", "namespace")
    header = section.text("header")
    if header and (not header.startswith("head.001.001.") or header not in known.messages):
        raise section.at("header").wrong(f"there is no header {header}; there is head.001.001.01, .02 and .03")
    if not root.nodes:
        if header or section.text("service"):
            raise section.place.wrong("needs a root element in which the header and the Document stand")
        return None
    name = root.text("name")
    if not _XML_NAME.fullmatch(name):
        raise root.place.wrong("the root needs the name of an XML element")
    institutions = section.text("institutions", "bic")
    if institutions not in {"bic", "other"}:
        raise section.at("institutions").wrong("is bic (where one has a BIC) or other (never by BIC)")
    return Envelope(name, root.text("namespace"), header, section.text("service"), institutions == "bic")


def _characters(section: _Section, known: Known) -> Characters:
    section.only("allowed", "transliterate", "otherwise")
    table = section.text("transliterate")
    if table and table not in known.tables:
        raise section.at("transliterate").wrong(f"there is no transliteration table {table}")
    allowed = _one_character(section)
    replacement = _replacement(section)
    if replacement is not None and not all(map(allowed.fullmatch, replacement)):
        raise section.at("otherwise").wrong("the replacement is itself not allowed")
    return Characters(allowed, table, replacement)


def _one_character(section: _Section) -> re.Pattern[str]:
    text = section.text("allowed")
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise section.at("allowed").wrong(f"is no regular expression: {error}") from error
    if not _SET.fullmatch(text) or not pattern.fullmatch("A"):
        raise section.at("allowed").wrong("must be a set of characters in brackets that has at least the letter A")
    return pattern


def _replacement(section: _Section) -> str | None:
    if "otherwise" not in section.nodes:
        return None
    if isinstance(section.nodes["otherwise"], yaml.ScalarNode):
        if section.text("otherwise") != "refuse":
            raise section.at("otherwise").wrong("is refuse, or replace with a character")
        return None
    inner = section.section("otherwise").only("replace")
    if len(inner.text("replace")) != 1:
        raise inner.place.wrong("replace needs one character")
    return inner.text("replace")


def _limits(section: _Section) -> Limits:
    section.only("currencies", "amount", "transactions", "lengths", "required")
    amount = section.section("amount").only("minimum", "maximum")
    for currency in section.texts("currencies"):
        if not is_currency(currency):
            raise section.at("currencies").wrong(f"{currency} is no currency of ISO 4217")
    lengths = section.section("lengths")
    required = section.texts("required")
    fields = set(_fields(SHAPES.values()))
    for name in (*lengths.nodes, *required):
        if name not in fields:
            raise (lengths.at(name) if name in lengths.nodes else section.at("required")).wrong(
                f"no value has a field {name}"
            )
    return Limits(
        currencies=frozenset(section.texts("currencies")),
        minimum=amount.number("minimum", Decimal, None),
        maximum=amount.number("maximum", Decimal, None),
        transactions=section.number("transactions", int, 0),
        lengths=MappingProxyType({name: lengths.number(name, int, 0) for name in lengths.nodes}),
        required=frozenset(required),
    )


def _fields(shapes: Any) -> Iterator[str]:  # noqa: ANN401 - shapes or their items
    for shape in shapes:
        yield from shape.fields
        yield from _fields(item.item for item in shape.fields.values() if isinstance(item.item, Shape))


def _signature(section: _Section) -> Signature:
    section.only("make", "require", "place")
    place = section.text("place", SignaturePlace.HEADER)
    if place not in set(SignaturePlace):
        raise section.at("place").wrong(f"is {' or '.join(SignaturePlace)}")
    return Signature(section.flag("make"), section.flag("require"), SignaturePlace(place))


def _check_signature(scheme: Scheme, root: _Section) -> None:
    """A signature in the header needs a header."""
    signature = scheme.signature
    wanted = (signature.make or signature.require) and signature.place is SignaturePlace.HEADER
    if wanted and not (scheme.envelope and scheme.envelope.header):
        raise root.at("signature").wrong("a signature in the header needs an envelope with a header")

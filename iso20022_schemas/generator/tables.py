"""Reads the element tables of pyiso20022: data classes whose field metadata state order, occurrence and facets.

The source is read as a syntax tree and never run, so that the package's own dependencies need not be installed.
"""

import ast
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from connector.domain.errors import Misconfigured, NotFound
from iso20022_schemas.generator import names
from iso20022_schemas.structure import Attribute, ComplexType, Definitions, Kind, Particle, SimpleType

OFFICIAL = "urn:iso:std:iso:20022:tech:xsd:"
_BASES = {
    "str": "string",
    "bool": "boolean",
    "Decimal": "decimal",
    "XmlDate": "date",
    "XmlDateTime": "dateTime",
    "XmlTime": "time",
    "bytes": "base64Binary",
}


@dataclass(frozen=True, slots=True)
class _Field:
    """One line of a table: the type's name, whether there may be many, and what the metadata say."""

    declared: str
    many: bool
    metadata: Mapping[str, str | int | bool]

    @property
    def name(self) -> str:
        return str(self.metadata.get("name", ""))

    @property
    def role(self) -> str:
        return str(self.metadata.get("type", "Text"))

    def number(self, key: str) -> int | None:
        value = self.metadata.get(key)
        return None if value is None else int(value)

    def text(self, key: str) -> str | None:
        value = self.metadata.get(key)
        return None if value is None else str(value)


def read(message: str) -> Definitions:
    """The definitions of a message as the tables have them. Raises NotFound."""
    return _Tables(ast.parse(_source(message).read_text("utf-8")), message).definitions()


def _source(message: str) -> Path:
    package = importlib.util.find_spec("pyiso20022")
    places = package.submodule_search_locations if package else None
    name = message.replace(".", "_")
    path = Path(next(iter(places or ("",)))) / message[:4] / name / f"{name}.py"
    if not path.is_file():
        raise NotFound("element table", message)
    return path


class _Tables:
    """One module of tables on its way to definitions; tables have Python names, types those of the standard."""

    def __init__(self, module: ast.Module, message: str) -> None:
        classes = [item for item in module.body if isinstance(item, ast.ClassDef)]
        self._message = message
        self._names = {item.name: _meta(item).get("name", item.name) for item in classes}
        self._root = next(item for item in classes if "namespace" in _meta(item))
        self._fields = {item.name: _fields(item) for item in classes if not item.bases}
        self._enumerations = {item.name: _values(item) for item in classes if _base_names(item) == ["Enum"]}
        self._simple: dict[str, SimpleType] = {}

    def definitions(self) -> Definitions:
        # A root such as AppHdr only renames its type; a root such as Document is a type of the same name.
        type_name = self._names[next(iter(_base_names(self._root)), self._root.name)]
        complex_types = {self._names[table]: self._complex(table) for table in self._fields}
        root = Particle(Kind.ELEMENT, self._names[self._root.name], type_name=type_name)
        return Definitions(OFFICIAL + self._message, self._simple, complex_types, (root,))

    def _complex(self, table: str) -> ComplexType:
        name, fields = self._names[table], self._fields[table]
        attributes = tuple(self._attribute(name, field) for field in fields if field.role == "Attribute")
        text = [field for field in fields if field.role == "Text"]
        if text:
            return ComplexType(name, None, self._simple_name(name, text[0]), attributes)
        kind = Kind.CHOICE if name.endswith("Choice") else Kind.SEQUENCE
        members = tuple(self._particle(name, field) for field in fields if field.role != "Attribute")
        return ComplexType(name, Particle(kind, members=members), "", attributes)

    def _attribute(self, owner: str, field: _Field) -> Attribute:
        return Attribute(
            field.name, bool(field.metadata.get("required")), self._simple[self._simple_name(owner, field)]
        )

    def _particle(self, owner: str, field: _Field) -> Particle:
        minimum, maximum = _occurrence(field, in_choice=owner.endswith("Choice"))
        if field.role == "Wildcard":
            contents = field.text("process_contents") or "lax"
            return Particle(Kind.ANY, "", 1, maximum, f"{field.text('namespace')} {contents}")
        composed = field.declared in self._fields
        type_name = self._names[field.declared] if composed else self._simple_name(owner, field)
        return Particle(Kind.ELEMENT, field.name, minimum, maximum, type_name)

    def _simple_name(self, owner: str, field: _Field) -> str:
        """Name the type of a text and keep it; one name with two meanings is a fault of the table of names."""
        if field.declared in self._enumerations:
            found = SimpleType(self._names[field.declared], enumeration=self._enumerations[field.declared])
        else:
            unnamed = _facets(field)
            found = replace(unnamed, name=names.of(unnamed, owner, field.name))
        if self._simple.setdefault(found.name, found) != found:
            raise Misconfigured(
                names.__file__, 0, f"{owner}/{field.name}", f"{found.name} has other facets elsewhere"
            )
        return found.name


def _meta(item: ast.ClassDef) -> dict[str, str]:
    """What the inner class ``Meta`` of a table sets: the name in the schema, and the namespace of a root."""
    inner = next((part for part in item.body if isinstance(part, ast.ClassDef)), None)
    lines = [line for line in inner.body if isinstance(line, ast.Assign)] if inner else []
    return {ast.unparse(line.targets[0]): ast.literal_eval(line.value) for line in lines}


def _base_names(item: ast.ClassDef) -> list[str]:
    return [ast.unparse(base) for base in item.bases]


def _fields(table: ast.ClassDef) -> list[_Field]:
    return [_field(line) for line in table.body if isinstance(line, ast.AnnAssign)]


def _field(line: ast.AnnAssign) -> _Field:
    """Every line of a table is ``name: type = field(default, metadata={...})``."""
    declared = ast.unparse(line.annotation)
    call = next(part for part in ast.walk(line) if isinstance(part, ast.Call))
    metadata = next(part.value for part in call.keywords if isinstance(part.value, ast.Dict))
    return _Field(re.sub(r"None \| |list\[|\]", "", declared), "list[" in declared, _literal(metadata))


def _literal(metadata: ast.Dict) -> dict[str, str | int | bool]:
    """The metadata as plain values; ``Decimal("0")`` counts as its text."""
    plain = (value.args[0] if isinstance(value, ast.Call) else value for value in metadata.values)
    pairs = zip(metadata.keys, plain, strict=True)
    return {ast.literal_eval(key): ast.literal_eval(value) for key, value in pairs if key}


def _values(enumeration: ast.ClassDef) -> tuple[str, ...]:
    return tuple(str(ast.literal_eval(line.value)) for line in enumeration.body if isinstance(line, ast.Assign))


def _occurrence(field: _Field, *, in_choice: bool) -> tuple[int, int | None]:
    """Lists have bounds of their own; the branches of a choice are all optional in Python, not so in the schema."""
    if field.many:
        fewest = field.number("min_occurs")
        return int(in_choice) if fewest is None else fewest, field.number("max_occurs")
    return int(in_choice or bool(field.metadata.get("required"))), 1


def _facets(field: _Field) -> SimpleType:
    pattern = field.text("pattern")
    return SimpleType(
        "",
        _base(field),
        patterns=(pattern,) if pattern else (),
        min_length=field.number("min_length"),
        max_length=field.number("max_length"),
        length=field.number("length"),
        min_inclusive=field.text("min_inclusive"),
        max_inclusive=field.text("max_inclusive"),
        total_digits=field.number("total_digits"),
        fraction_digits=field.number("fraction_digits"),
    )


def _base(field: _Field) -> str:
    """The tables know one type for all parts of a date, and take a date-time with a pattern for a text."""
    if field.text("pattern") == ".*Z":
        return "dateTime"
    if field.declared == "XmlPeriod":
        return "gYear" if field.name.endswith("Yr") else "gYearMonth"
    return _BASES[field.declared]

"""Writes definitions as a schema file: the root first, then the types by name, two blanks of indent a level."""

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from connector.domain.errors import Misconfigured
from iso20022_schemas.structure import Attribute, ComplexType, Definitions, Kind, Particle, SimpleType

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by the generator of the IsoGate project (python -m iso20022_schemas.generator); do not edit. -->
<xs:schema xmlns={0} xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified" targetNamespace={0}>
"""


def write(definitions: Definitions) -> bytes:
    """The schema file. Raises Misconfigured where a type is used that is not defined."""
    used = _reached(definitions)
    lines = [line for root in definitions.roots for line in _particle(root, 1)]
    for name in sorted(used):
        if name in definitions.complex:
            lines.extend(_complex(definitions.complex[name]))
        else:
            lines.extend(_simple(definitions.simple[name]))
    return (_HEAD.format(quoteattr(definitions.namespace)) + "\n".join(lines) + "\n</xs:schema>\n").encode()


def _reached(definitions: Definitions) -> set[str]:
    """The names of all types that a message can contain."""
    reached: set[str] = set()
    waiting = [root.type_name for root in definitions.roots]
    while waiting:
        name = waiting.pop()
        if name not in definitions.complex and name not in definitions.simple:
            raise Misconfigured(definitions.namespace, 0, name, "is used and defined nowhere")
        if name not in reached:
            reached.add(name)
            waiting.extend(_uses(definitions.complex.get(name)))
    return reached


def _uses(found: ComplexType | None) -> Iterator[str]:
    if found:
        yield from (attribute.type.name for attribute in found.attributes)
        yield from _types_in(found.content) if found.content else (found.text,)


def _types_in(particle: Particle) -> Iterator[str]:
    if particle.kind is Kind.ELEMENT:
        yield particle.type_name
    for member in particle.members:
        yield from _types_in(member)


def _complex(found: ComplexType) -> Iterator[str]:
    yield f"  <xs:complexType name={quoteattr(found.name)}>"
    if found.content:
        yield from _particle(found.content, 2)
        yield from (_attribute(attribute, 2) for attribute in found.attributes)
    else:
        yield "    <xs:simpleContent>"
        yield f"      <xs:extension base={quoteattr(found.text)}>"
        yield from (_attribute(attribute, 4) for attribute in found.attributes)
        yield "      </xs:extension>"
        yield "    </xs:simpleContent>"
    yield "  </xs:complexType>"


def _particle(particle: Particle, depth: int) -> Iterator[str]:
    indent, occurrence = "  " * depth, _occurrence(particle)
    if particle.kind is Kind.ELEMENT:
        name, type_name = quoteattr(particle.name), quoteattr(particle.type_name)
        yield f"{indent}<xs:element{occurrence} name={name} type={type_name}/>"
    elif particle.kind is Kind.ANY:
        namespaces, strictness = (quoteattr(part) for part in particle.type_name.split(" "))
        yield f"{indent}<xs:any{occurrence} namespace={namespaces} processContents={strictness}/>"
    else:
        yield f"{indent}<xs:{particle.kind}{occurrence}>"
        for member in particle.members:
            yield from _particle(member, depth + 1)
        yield f"{indent}</xs:{particle.kind}>"


def _occurrence(particle: Particle) -> str:
    minimum = "" if particle.minimum == 1 else f' minOccurs="{particle.minimum}"'
    if particle.maximum == 1:
        return minimum
    return f'{minimum} maxOccurs="{"unbounded" if particle.maximum is None else particle.maximum}"'


def _attribute(attribute: Attribute, depth: int) -> str:
    use = ' use="required"' if attribute.required else ""
    name, type_name = quoteattr(attribute.name), quoteattr(attribute.type.name)
    return f"{'  ' * depth}<xs:attribute name={name} type={type_name}{use}/>"


def _simple(found: SimpleType) -> Iterator[str]:
    facets = [f"      <xs:{name} value={quoteattr(value)}/>" for name, value in _facets(found)]
    yield f"  <xs:simpleType name={quoteattr(found.name)}>"
    if facets:
        yield f'    <xs:restriction base="xs:{found.base}">'
        yield from facets
        yield "    </xs:restriction>"
    else:
        yield f'    <xs:restriction base="xs:{found.base}"/>'
    yield "  </xs:simpleType>"


def _facets(found: SimpleType) -> Iterator[tuple[str, str]]:
    yield from (("enumeration", value) for value in found.enumeration)
    single = {
        "length": found.length,
        "minLength": found.min_length,
        "maxLength": found.max_length,
        "minInclusive": found.min_inclusive,
        "maxInclusive": found.max_inclusive,
        "totalDigits": found.total_digits,
        "fractionDigits": found.fraction_digits,
    }
    yield from ((name, str(value)) for name, value in single.items() if value is not None)
    yield from (("pattern", pattern) for pattern in found.patterns)

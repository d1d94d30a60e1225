"""What the element tables are known to get wrong, put right.

A type's name is unique in the ISO 20022 repository, so a correction holds for every message that uses the type.
"""

import re
from dataclasses import replace

from iso20022_schemas.structure import ComplexType, Definitions, Kind

# Choices that the tables take for sequences, since their names do not say what they are.
_CHOICES = {"CashAccountType2"}
# Branches of a choice that may be empty: the message may name neither mandate.
_EMPTY_BRANCHES = re.compile(r"MandateRelatedData[23]Choice")
_LETTERS = {"PoicomponentType1Code": "POIComponentType1Code", "Cscmanagement1Code": "CSCManagement1Code"}


def corrected(definitions: Definitions) -> Definitions:
    """The same definitions without the known faults."""
    simple = {name_of(name): replace(found, name=name_of(name)) for name, found in definitions.simple.items()}
    complex_types = {name: _corrected(found) for name, found in definitions.complex.items()}
    return replace(definitions, simple=simple, complex=complex_types)


def name_of(name: str) -> str:
    """The name in the letters of the standard, which Python's spelling of class names lost."""
    return _LETTERS.get(name, name)


def _corrected(found: ComplexType) -> ComplexType:
    if found.content is None:
        return found
    is_choice = found.name in _CHOICES
    kind = Kind.CHOICE if is_choice else found.content.kind
    fewest = 0 if _EMPTY_BRANCHES.fullmatch(found.name) else 1 if is_choice else None
    members = tuple(
        member._replace(type_name=name_of(member.type_name), minimum=member.minimum if fewest is None else fewest)
        for member in found.content.members
    )
    return found._replace(content=found.content._replace(kind=kind, members=members))

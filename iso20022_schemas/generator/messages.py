"""Which messages the project has schemas of, and where each definition comes from."""

from pathlib import Path

from iso20022_schemas.generator import tables
from iso20022_schemas.generator.corrections import corrected
from iso20022_schemas.generator.notation import Notation
from iso20022_schemas.structure import Definitions

_DEFINITIONS = Path(__file__).parent / "definitions"

# Messages whose tables are exact, once corrected.
FROM_TABLES = (
    "admi.002.001.01",
    "camt.029.001.09",
    "camt.052.001.08",
    "camt.053.001.08",
    "camt.054.001.08",
    "camt.055.001.08",
    "camt.056.001.08",
    "camt.060.001.05",
    "head.001.001.01",
    "head.001.001.02",
    "head.001.001.03",
    "pacs.002.001.10",
    "pacs.002.001.12",
    "pacs.002.001.15",
    "pacs.004.001.09",
    "pacs.004.001.11",
    "pacs.008.001.08",
    "pacs.008.001.10",
    "pacs.008.001.12",
    "pacs.008.001.13",
    "pacs.009.001.08",
    "pacs.028.001.03",
    "pacs.028.001.05",
    "pain.001.001.03",
    "pain.001.001.09",
    "pain.001.001.11",
    "pain.001.001.12",
    "pain.002.001.03",
    "pain.002.001.10",
    "pain.002.001.12",
    "pain.002.001.14",
    "pain.013.001.07",
    "pain.013.001.08",
    "pain.013.001.11",
    "pain.014.001.07",
    "pain.014.001.08",
    "pain.014.001.11",
)


def by_hand() -> tuple[str, ...]:
    """The messages that are written in the project's notation."""
    return tuple(sorted(path.stem for path in _DEFINITIONS.glob("*.txt")))


def definitions(message: str) -> Definitions:
    """The definitions of a message. Raises NotFound, and Misconfigured where they are faulty."""
    path = _DEFINITIONS / f"{message}.txt"
    if not path.is_file():
        return corrected(tables.read(message))
    notation = Notation(path, tables.OFFICIAL + message)
    found = notation.definitions
    for lender in notation.lenders:
        lent = definitions(lender)
        simple, complex_types = {**lent.simple, **found.simple}, {**lent.complex, **found.complex}
        found = Definitions(found.namespace, simple, complex_types, found.roots)
    return found

"""Messages that nobody here wrote get the official verdict from our schemas."""

from pathlib import Path

import pytest
from lxml import etree
from schema_reference import SHARED

from iso20022_schemas import Catalogue

INDEX = SHARED / "samples" / "index.csv"
OFFICIAL = "urn:iso:std:iso:20022:tech:xsd:"


def _rows() -> list[tuple[str, str, str]]:
    """(file, message, verdict) of every document and header for which there is a schema of ours."""
    if not INDEX.is_file():
        return []
    known, found = Catalogue().messages(), []
    # The first five columns alone: quotes in the free text behind them are not always closed.
    for line in INDEX.read_text("utf-8").splitlines()[1:]:
        file, message, status, _, apphdr = line.split(",")[:5]
        header, _, verdict = apphdr.partition(":")
        found += [(file, message, status), (file, header, verdict)]
    return sorted({row for row in found if row[1] in known and row[2] in {"valid", "invalid"}})


@pytest.mark.parametrize(("file", "sampled", "verdict"), _rows())
def test_samples_get_the_official_verdict(
    ours: Catalogue, reference: Path, file: str, sampled: str, verdict: str
) -> None:
    tree = etree.parse(str(reference / "samples" / file), etree.XMLParser(resolve_entities=False, huge_tree=True))
    root = ours.structure(sampled).name
    part = next(tree.iter(f"{{{OFFICIAL}{sampled}}}{root}"))
    alone = etree.fromstring(etree.tostring(part, with_tail=False))
    schema = ours.schema(sampled)
    assert ("valid" if schema.validate(alone) else "invalid") == verdict, str(schema.error_log)


def test_there_are_samples_of_the_families_built(reference: Path) -> None:
    assert reference.is_dir()
    assert len(_rows()) > 100

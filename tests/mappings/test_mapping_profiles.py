"""The profiles that come with IsoGate: loaded under our schemas and the official ones, and what schemes cover."""

import os
from pathlib import Path

import pytest

from connector.iso20022.engine import Engine
from iso20022_schemas.catalogue import Catalogue

REPOSITORY = Path(__file__).parents[2]
WRITTEN = {"pain.001.001.09", "pacs.008.001.08", "acmt.023.001.03", "pacs.028.001.03"}
READ = {"pain.002.001.10", "pacs.002.001.10", "acmt.024.001.03", "pacs.004.001.09"}


@pytest.mark.parametrize("scheme", ["generic", "othr"])
def test_every_scheme_writes_and_reads_the_whole_conversation(scheme):
    written, read = Engine(Catalogue(), REPOSITORY / "mappings").profiles()[scheme]
    assert set(written) >= WRITTEN
    assert set(read) >= READ
    answered, understood = Engine(Catalogue(), REPOSITORY / "simulators" / "profiles").profiles()[scheme]
    assert set(answered) >= READ
    assert set(understood) >= WRITTEN


def test_all_profiles_hold_under_the_official_schemas():
    folder = Path(os.environ.get("ISOGATE_SHARED", REPOSITORY.parent / "shared")) / "iso20022" / "xsd"
    if not folder.is_dir():
        pytest.skip(f"no official schemas at {folder}")
    Engine(Catalogue(folder), REPOSITORY / "mappings", REPOSITORY / "simulators" / "profiles")


def test_an_operators_own_folder_adds_a_scheme(tmp_path):
    scheme = tmp_path / "national"
    scheme.mkdir()
    text = (REPOSITORY / "mappings" / "generic" / "pain.001.001.09.yaml").read_text()
    assert "code: account-types" in text
    (scheme / "pain.001.001.09.yaml").write_text(text)
    engine = Engine(Catalogue(), REPOSITORY / "mappings", tmp_path)
    assert engine.profiles()["national"] == (("pain.001.001.09",), ())

"""The external code sets: complete for one edition, and refused where a file is none."""

import json
import re

import pytest
from mapping_places import REPOSITORY, SHARED

from connector.domain.errors import Misconfigured
from connector.iso20022.codesets import CodeSets


@pytest.fixture(scope="module")
def sets() -> CodeSets:
    return CodeSets()


@pytest.fixture(scope="module")
def edition() -> dict[str, dict[str, str]]:
    file = SHARED / "codesets" / "official_2Q2026_codes.json"
    if not file.is_file():
        pytest.skip(f"no external code sets at {file}")
    return json.loads(file.read_text("utf-8"))


def test_every_set_has_the_codes_of_its_edition(sets, edition):
    assert sets.edition == "2Q2026"
    assert {name: set(sets.codes(name)) for name in sets.names()} == {
        name: set(edition[name]) for name in sets.names()
    }


def test_every_published_set_that_our_schemas_use_is_there(sets, edition):
    schemas = (REPOSITORY / "iso20022_schemas").rglob("*.xsd")
    used = {name for file in schemas for name in re.findall(r'name="(External\w+)"', file.read_text("utf-8"))}
    assert set(sets.names()) == {name for name in used if edition.get(name)}


def test_definitions_are_our_own_words(sets, edition):
    def plain(text: str) -> str:
        return " ".join(text.split()).rstrip(".").lower()

    for name in sets.names():
        for code, text in sets.codes(name).items():
            assert text.endswith("."), (name, code)
            assert plain(text) != plain(edition[name][code]), (name, code)


def test_codes_are_known_or_unknown_and_other_types_are_neither(sets):
    assert sets.knows("ExternalStatusReason1Code", "AC04") is True
    assert sets.knows("ExternalStatusReason1Code", "ZZ99") is False
    assert sets.knows("Max35Text", "AC04") is None
    assert sets.definition("ExternalStatusReason1Code", "AC04") == "Account closed."
    assert sets.definition("ExternalStatusReason1Code", "ZZ99") == ""
    assert sets.definition("Max35Text", "AC04") == ""


def test_codes_that_yaml_takes_for_numbers_or_truth_values_are_texts(sets):
    assert sets.knows("ExternalLocalInstrument1Code", "05")
    assert sets.knows("ExternalLocalInstrument1Code", "82")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[", "YAML"),
        ("sets: {}", "edition"),
        ("edition: 1Q2020\nsets: []", "sets"),
        ("edition: 1Q2020\nsets: {ExternalX1Code: {NO: never}}", "quote"),
        ("edition: 1Q2020\nsets: {ExternalX1Code: {05: never}}", "quote"),
    ],
)
def test_what_is_no_file_of_code_sets_is_refused(tmp_path, text, sentence):
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(Misconfigured, match=sentence):
        CodeSets(tmp_path)


def test_files_must_agree(tmp_path):
    (tmp_path / "a.yaml").write_text("edition: 1Q2020\nsets: {ExternalX1Code: {AB: Something.}}")
    (tmp_path / "b.yaml").write_text("edition: 2Q2020\nsets: {ExternalY1Code: {AB: Something.}}")
    with pytest.raises(Misconfigured, match="differs"):
        CodeSets(tmp_path)
    (tmp_path / "b.yaml").write_text("edition: 1Q2020\nsets: {ExternalX1Code: {AC: Something.}}")
    with pytest.raises(Misconfigured, match="another file"):
        CodeSets(tmp_path)

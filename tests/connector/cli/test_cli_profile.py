"""``isogate profile``: right and wrong schemes, and what a profile looks like."""

import pytest
from typer.testing import CliRunner

from connector.cli import app
from connector.domain.errors import NotFound

SCHEME = "name: Sand\nextends: generic\nmessages: {initiation: pain.001.001.03}\n"


@pytest.fixture
def scheme(tmp_path):
    folder = tmp_path / "schemes" / "sandland"
    folder.mkdir(parents=True)
    (folder / "scheme.yaml").write_text(SCHEME)
    return folder


def run(*words):
    return CliRunner().invoke(app, ["profile", *map(str, words)])


def test_a_good_scheme_is_summarised_with_what_it_takes_over(scheme):
    for target in (scheme, scheme.parent, scheme / "scheme.yaml"):
        found = run("check", target)
        assert found.exit_code == 0, found.output
        assert "sandland: good, extends generic" in found.output
        assert "pain.001.001.03: writes CreditTransfer (from generic)" in found.output


def test_a_wrong_scheme_is_named_with_file_line_path_and_reason(scheme):
    (scheme / "scheme.yaml").write_text(SCHEME + "limits:\n  currencies: [EUR, DOLLARS]\n")
    found = run("check", scheme)
    assert found.exit_code == 1
    assert f"{scheme}/scheme.yaml:5: limits/currencies: DOLLARS is no currency" in found.output


def test_a_wrong_profile_is_named_with_file_line_path_and_reason(scheme):
    file = scheme / "pain.001.001.03.yaml"
    file.write_text(
        "message: pain.001.001.03\nvalue: CreditTransfer\nwrite:\n  CstmrCdtTrfInitn:\n    Header: message_id\n"
    )
    found = run("check", file)
    assert found.exit_code == 1
    assert f"{file}:5: CstmrCdtTrfInitn/Header: CstmrCdtTrfInitn has no element Header" in found.output


def test_every_wrong_file_is_named(scheme):
    (scheme / "scheme.yaml").write_text("name: Sand\nextends: generic\nlimits:\n  currencies: [DOLLARS]\n")
    for message in ("pain.001.001.03", "pain.001.001.09"):
        head = f"message: {message}\nvalue: CreditTransfer\nwrite:\n"
        (scheme / f"{message}.yaml").write_text(f"{head}  CstmrCdtTrfInitn:\n    Header: message_id\n")
    (scheme.parent / "other").mkdir()
    (scheme.parent / "other" / "scheme.yaml").write_text("extends: nothing\n")
    found = run("check", scheme.parent)
    assert found.exit_code == 1
    lines = [line.partition(": ")[0] for line in found.output.splitlines()]
    assert sorted(lines) == [
        f"{scheme.parent}/other/scheme.yaml:1",
        f"{scheme}/pain.001.001.03.yaml:5",
        f"{scheme}/pain.001.001.09.yaml:5",
        f"{scheme}/scheme.yaml:4",
    ]


def test_other_schemes_beside_it_are_not_looked_at(scheme):
    (scheme.parent / "broken").mkdir()
    (scheme.parent / "broken" / "scheme.yaml").write_text("extends: nothing\n")
    assert run("check", scheme).exit_code == 0
    assert "there is no scheme nothing" in run("check", scheme.parent).output


def test_a_profile_is_shown_with_element_occurrence_source_and_rule():
    shown = run("show", "generic", "pain.001.001.09").output
    assert "CdtTrfTxInf [1..n]  for each of transfers" in shown
    assert "EndToEndId [1..1]  end_to_end_id" in shown
    assert "Ustrd [0..n]  remittance  cut to length" in shown
    assert "ChrgBr [0..1]  'SLEV'" in shown
    assert "@Ccy  ../currency" in shown


def test_an_unknown_profile_is_said_to_be_unknown():
    assert isinstance(run("show", "generic", "pain.001.001.99").exception, NotFound)

"""The generator writes the committed files again, and refuses definitions that are wrong."""

from pathlib import Path

import pytest

from connector.domain.errors import Misconfigured, NotFound
from iso20022_schemas import Catalogue, Kind, SimpleType
from iso20022_schemas.generator import corrections, messages, tables, writer
from iso20022_schemas.generator.notation import Notation
from iso20022_schemas.structure import ComplexType, Definitions, Particle

ALL = sorted((*messages.FROM_TABLES, *messages.by_hand()))


def _notation(tmp_path: Path, text: str) -> Definitions:
    path = tmp_path / "message.txt"
    path.write_text(text)
    return Notation(path, "urn:example").definitions


def test_there_is_a_file_for_every_message_that_the_generator_knows() -> None:
    assert list(Catalogue().messages()) == ALL


def test_the_generator_reproduces_the_committed_file(ours: Catalogue, message: str) -> None:
    assert writer.write(messages.definitions(message)) == ours.xsd(message).read_bytes()


def test_a_file_says_who_wrote_it(ours: Catalogue, message: str) -> None:
    assert b"generator of the IsoGate project" in ours.xsd(message).read_bytes()[:300]


def test_tables_that_do_not_exist_are_not_found() -> None:
    with pytest.raises(NotFound, match=r"acmt\.023\.001\.03"):
        tables.read("acmt.023.001.03")


def test_tables_give_names_and_facets_of_the_standard() -> None:
    found = tables.read("pain.001.001.09")
    assert found.simple["BICFIDec2014Identifier"].patterns[0].startswith("[A-Z0-9]{4,4}")
    assert found.simple["ExternalPurpose1Code"] == SimpleType("ExternalPurpose1Code", min_length=1, max_length=4)
    assert found.complex["ActiveOrHistoricCurrencyAndAmount"].attributes[0].required
    assert found.roots == (Particle(Kind.ELEMENT, "Document", type_name="Document"),)


def test_corrections_turn_a_nameless_choice_into_one() -> None:
    raw = tables.read("pain.001.001.03")
    content = corrections.corrected(raw).complex["CashAccountType2"].content
    assert content is not None
    assert content.kind is Kind.CHOICE
    assert {member.minimum for member in content.members} == {1}


def test_the_notation_says_occurrences_choices_and_texts(tmp_path: Path) -> None:
    found = _notation(
        tmp_path,
        "# a remark\nroot Document D\nD\n  A Max4Text  # another\n  B? C1\n  C* C2\n  E+ C1\n  F{0,5} C1\n"
        "C1 choice\n  X T1\n  Y T2\nC2\n  any ##any lax\n"
        "Max4Text string 1..4\nT1 string /[A-Z# ]{2}/\nT2 ONE TWO\nT3 = dateTime\n",
    )
    first, second = found.complex["D"].content, found.complex["C1"].content
    assert first is not None
    assert second is not None
    assert [(item.name, item.minimum, item.maximum) for item in first.members] == [
        ("A", 1, 1),
        ("B", 0, 1),
        ("C", 0, None),
        ("E", 1, None),
        ("F", 0, 5),
    ]
    assert (first.kind, second.kind) == (Kind.SEQUENCE, Kind.CHOICE)
    assert found.simple["T1"].patterns == ("[A-Z# ]{2}",)
    assert found.simple["T2"].enumeration == ("ONE", "TWO")
    assert found.simple["T3"].base == "dateTime"
    assert found.simple["Max4Text"].max_length == 4


@pytest.mark.parametrize("line", ["  A Orphan", "What is this?", "A string 1-4"])
def test_a_line_that_the_notation_does_not_know_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(Misconfigured, match=r"message\.txt:2"):
        _notation(tmp_path, f"# first\n{line}\n")


def test_a_type_that_is_used_must_be_defined() -> None:
    content = Particle(Kind.SEQUENCE, members=(Particle(Kind.ELEMENT, "A", type_name="Missing"),))
    roots = (Particle(Kind.ELEMENT, "Document", type_name="D"),)
    with pytest.raises(Misconfigured, match="Missing: is used and defined nowhere"):
        writer.write(Definitions("urn:example", {}, {"D": ComplexType("D", content)}, roots))


def test_types_that_no_message_can_reach_are_left_out() -> None:
    roots = (Particle(Kind.ELEMENT, "Document", type_name="Text"),)
    simple = {"Text": SimpleType("Text"), "Unused": SimpleType("Unused")}
    assert b"Unused" not in writer.write(Definitions("urn:example", simple, {}, roots))

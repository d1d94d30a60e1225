"""Characters and lengths: transliterated by table, or refused with the exact place; nothing disappears."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.errors import Misconfigured, Refused
from connector.iso20022.characters import NOTHING, Alphabet, load_tables
from connector.iso20022.engine import Engine
from connector.iso20022.scheme import Characters

PLAIN = "[A-Za-z0-9/?:().,'+ -]"
SPOKEN = {
    "José Núñez": "Jose Nunez",
    "Straße 5 \u2013 “Süd”": "Strasse 5 - 'Sud'",
    "Łukasz & Søren": "Lukasz + Soren",
    "Владимир Щукин": "Vladimir Shchukin",
    "Γιώργος": "Giorgos",
    "١٢٣، ۴۵": "123, 45",
    "ፍ፡ ፪።": None,
    "e\u0301te\u0301": "ete",
    "a\u00a0b": "a b",
    "語": None,
    "☂": None,
}
SCHEME = f"""
extends: generic
characters:
  allowed: "{PLAIN}"
  transliterate: world
limits:
  lengths: {{remittance: 10, end_to_end_id: 5}}
"""


@pytest.fixture(scope="module")
def tables(repository):
    return load_tables([repository / "mappings" / "characters"])


@pytest.fixture(scope="module")
def alphabet(tables):
    return Alphabet(Characters(re.compile(PLAIN), "world"), tables["world"])


@pytest.fixture(scope="module")
def strict(tmp_path_factory, catalogue, repository) -> Engine:
    folder = tmp_path_factory.mktemp("strict")
    (folder / "strict").mkdir()
    (folder / "strict" / "scheme.yaml").write_text(SCHEME)
    return Engine(catalogue, repository / "mappings", folder)


@pytest.mark.parametrize("text", SPOKEN)
def test_names_are_transliterated_or_refused(alphabet, text):
    fixed = alphabet.fix(text)
    if SPOKEN[text] is None:
        assert fixed.refused
    else:
        assert (fixed.text, fixed.refused) == (SPOKEN[text], 0)


@given(text=st.text(max_size=30))
def test_what_is_fixed_is_allowed_and_every_character_is_accounted_for(alphabet, text):
    fixed = alphabet.fix(text)
    if fixed.refused:
        assert not re.fullmatch(PLAIN, fixed.text[fixed.refused - 1])
    else:
        assert re.fullmatch(f"{PLAIN}*", fixed.text)
        assert fixed.changed or fixed.text == text


def test_a_replacement_stands_for_what_no_table_knows():
    alphabet = Alphabet(Characters(re.compile(PLAIN), "", "."), NOTHING)
    assert alphabet.fix("語A").text == ".A"


@pytest.mark.parametrize("pattern", ["[A-Z -]", "[^a-z]", "[]A-Z]", "[-A-Z]"])
def test_forbidden_is_what_is_not_allowed(pattern):
    alphabet = Alphabet(Characters(re.compile(pattern)), NOTHING)
    for character in "aAzZ- ]^é":
        assert bool(alphabet.forbidden.search(character)) is not bool(re.fullmatch(pattern, character))
    assert alphabet.forbidden.search("\0") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [("characters: {ab: c}", "one character"), ("characters: {a: ''}", "must stand"), ("includes: [x]", "no table")],
)
def test_wrong_tables_are_refused(tmp_path, text, reason):
    (tmp_path / "own.yaml").write_text(f"name: own\n{text}\n")
    with pytest.raises(Misconfigured, match=reason):
        load_tables([tmp_path])


def test_every_payment_that_may_not_be_written_is_named(strict, transfer):
    first, second = transfer.transfers
    value = replace(
        transfer, transfers=[first._replace(creditor_name="Ab☂"), second._replace(creditor_account="12ü")]
    )
    with pytest.raises(Refused) as refused:
        strict.write("strict", "pain.001.001.09", value)
    faults = {fault.where: fault.sentence for fault in refused.value.faults}
    assert faults.keys() == {"transfers/0/creditor_name", "transfers/1/creditor_account"}
    assert faults["transfers/0/creditor_name"].startswith("Character 3 (U+2602 UMBRELLA)")
    assert "Ab" not in str(refused.value)


def test_what_is_changed_or_cut_is_noted_by_place_without_the_text(strict, transfer):
    first, second = transfer.transfers
    value = replace(
        transfer,
        debtor_name="D" * 150,
        transfers=[first._replace(creditor_name="Zoé", remittance="R" * 12), second],
    )
    body, notes = strict.compose("strict", "pain.001.001.09", value)
    assert set(notes) == {
        "debtor_name: cut from 150 to 140 characters.",
        "transfers/0/creditor_name: 1 transliterated, the first at position 3.",
        "transfers/0/remittance: cut from 12 to 10 characters.",
    }
    assert b"<Nm>Zoe</Nm>" in body
    assert b"<Ustrd>RRRRRRRRRR</Ustrd>" in body


def test_what_is_not_to_be_cut_is_refused(strict, transfer):
    first, second = transfer.transfers
    value = replace(transfer, transfers=[first._replace(end_to_end_id="123456"), second])
    with pytest.raises(Refused) as refused:
        strict.write("strict", "pain.001.001.09", value)
    assert [(fault.where, fault.code) for fault in refused.value.faults] == [
        ("transfers/0/end_to_end_id", "too_long")
    ]


def test_codes_that_no_external_set_lists_are_refused_on_the_way_out_and_named_on_the_way_in(
    connector, bank, transfer, report
):
    with pytest.raises(Refused, match="ExternalCategoryPurpose1Code"):
        connector.write("generic", "pain.001.001.09", replace(transfer, category_purpose="XXXX"))
    body = bank.write("generic", "pain.002.001.10", replace(report, blocks=(), transactions=()))
    received = connector.read(body.replace(b"ACTC", b"ZZZZ"))
    assert received.value.group_status == "ZZZZ"
    assert any("ZZZZ" in note and "ExternalPaymentGroupStatus1Code" in note for note in received.tolerated)
    assert received.value.tolerated == received.tolerated

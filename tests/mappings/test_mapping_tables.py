"""The tables in ``mappings/``: complete, and made of codes that exist."""

import json
import os
from pathlib import Path

import pytest

from connector.domain.errors import Misconfigured
from connector.domain.status import InstructionStatus, Outcome, outcome
from connector.iso20022.codes import load_sentences, load_status_table, load_tables

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def code_sets() -> dict[str, dict[str, str]]:
    shared = Path(os.environ.get("ISOGATE_SHARED", REPOSITORY.parent / "shared"))
    file = shared / "iso20022" / "codesets" / "official_2Q2026_codes.json"
    if not file.is_file():
        pytest.skip(f"no external code sets at {file}")
    return json.loads(file.read_text())


@pytest.mark.parametrize("status", InstructionStatus)
def test_every_status_has_a_contract_status_of_its_outcome(status):
    told = load_status_table().contract(status)
    buckets = {Outcome.ONGOING: "ongoing", Outcome.COMPLETED: "completed"}
    assert told.bucket == buckets.get(outcome(status), "failed")
    assert told.final == (outcome(status) is not Outcome.ONGOING)
    assert load_sentences().status(status).endswith(".")


def test_a_reason_refines_the_contract_status():
    table = load_status_table()
    assert table.contract("RJCT", "AM05").status == "DUPLICATE"
    assert table.contract("RJCT", "AC04").status == "FAILED"


def test_an_unknown_status_is_neither_success_nor_failure():
    assert load_status_table().contract("WXYZ").bucket == "ongoing"


def test_codes_with_a_sentence_exist(code_sets):
    official = {
        code
        for name, codes in code_sets.items()
        if "Reason" in name or name.startswith("ExternalPayment")
        for code in codes
    }
    sentences = load_sentences()
    assert set(sentences.reasons) - official == set()
    assert set(sentences.statuses) - official == {"RTND"}


def test_all_statuses_of_the_code_set_have_a_sentence(code_sets):
    known = set(load_sentences().statuses)
    assert set(code_sets["ExternalPaymentTransactionStatus1Code"]) <= known
    assert set(code_sets["ExternalPaymentGroupStatus1Code"]) <= known


def test_bank_and_connector_agree_on_the_tables_they_share():
    ours, theirs = load_tables(REPOSITORY / "mappings/codes"), load_tables(REPOSITORY / "simulators/profiles/codes")
    assert theirs
    assert all(ours[name].codes == table.codes for name, table in theirs.items())


def test_a_table_that_is_none_is_refused(tmp_path):
    (tmp_path / "bad.yaml").write_text("codes: [1, 2]")
    with pytest.raises(Misconfigured, match="text to text"):
        load_tables(tmp_path)
    (tmp_path / "status.yaml").write_text("statuses: {}")
    with pytest.raises(Misconfigured, match="contract statuses"):
        load_status_table(tmp_path / "status.yaml")

"""A wrong profile never gets as far as a payment: it is refused at load, with file, line, path and a sentence."""

from pathlib import Path
from typing import NamedTuple

import pytest

from connector.domain.errors import Misconfigured
from connector.iso20022.engine import Engine

GOOD = """\
message: pacs.028.001.03
value: StatusInquiry
write:
  FIToFIPmtStsReq:
    GrpHdr:
      MsgId: message_id
      CreDtTm: created
    OrgnlGrpInf:
      OrgnlMsgId: original_message_id
      OrgnlMsgNmId: original_message
    TxInf:
      each: transactions
      OrgnlInstrId: instruction_id
read:
  FIToFIPmtStsReq:
    GrpHdr:
      MsgId: message_id
      CreDtTm: created
    OrgnlGrpInf:
      OrgnlMsgId: original_message_id
      OrgnlMsgNmId: original_message
    TxInf:
      each: transactions
      OrgnlInstrId: instruction_id
      OrgnlEndToEndId: end_to_end_id
"""


class Wrong(NamedTuple):
    old: str
    new: str
    line: int
    path: str
    words: str


CASES = {
    "unknown element": Wrong(
        "MsgId: message_id", "MsgID: message_id", 6, "FIToFIPmtStsReq/GrpHdr/MsgID", "no element MsgID; it has MsgId"
    ),
    "wrong order": Wrong(
        "      MsgId: message_id\n      CreDtTm: created",
        "      CreDtTm: created\n      MsgId: message_id",
        7,
        "FIToFIPmtStsReq/GrpHdr/MsgId",
        "MsgId must stand before CreDtTm",
    ),
    "twice": Wrong("      CreDtTm: created", "      MsgId: created", 7, "FIToFIPmtStsReq/GrpHdr/MsgId", "twice"),
    "mandatory missing": Wrong(
        "      CreDtTm: created\n", "", 6, "FIToFIPmtStsReq/GrpHdr", "CreDtTm is mandatory here and missing"
    ),
    "mandatory under a condition": Wrong(
        "MsgId: message_id",
        "MsgId: {from: message_id, when: message_id}",
        6,
        "FIToFIPmtStsReq/GrpHdr/MsgId",
        "cannot have a condition",
    ),
    "repeats what stands once": Wrong(
        "    GrpHdr:\n", "    GrpHdr:\n      each: transactions\n", 6, "FIToFIPmtStsReq/GrpHdr", "only once"
    ),
    "not a collection": Wrong(
        "each: transactions", "each: message_id", 12, "FIToFIPmtStsReq/TxInf", "not a collection"
    ),
    "unknown field": Wrong(
        "MsgId: message_id", "MsgId: messageid", 6, "FIToFIPmtStsReq/GrpHdr/MsgId", "has no field messageid"
    ),
    "unknown keyword": Wrong(
        "MsgId: message_id", "MsgId: {form: message_id}", 6, "FIToFIPmtStsReq/GrpHdr/MsgId/form", "neither an element"
    ),
    "unknown format": Wrong(
        "MsgId: message_id",
        "MsgId: {from: message_id, format: roman}",
        6,
        "FIToFIPmtStsReq/GrpHdr/MsgId",
        "no format roman",
    ),
    "format of another type": Wrong(
        "MsgId: message_id", "MsgId: created", 6, "FIToFIPmtStsReq/GrpHdr/MsgId", "datetime does not fit Max35Text"
    ),
    "constant too long": Wrong(
        "MsgId: message_id",
        "MsgId: {is: " + "x" * 36 + "}",
        6,
        "FIToFIPmtStsReq/GrpHdr/MsgId",
        "has not the length",
    ),
    "two sources": Wrong(
        "MsgId: message_id", "MsgId: {is: A, from: message_id}", 6, "FIToFIPmtStsReq/GrpHdr/MsgId", "not from several"
    ),
    "unknown code table": Wrong(
        "MsgId: message_id",
        "MsgId: {from: message_id, code: none}",
        6,
        "FIToFIPmtStsReq/GrpHdr/MsgId",
        "code table none",
    ),
    "text for a container": Wrong(
        "    OrgnlGrpInf:\n      OrgnlMsgId: original_message_id\n      OrgnlMsgNmId: original_message\n    TxInf",
        "    OrgnlGrpInf: original_message_id\n    TxInf",
        8,
        "FIToFIPmtStsReq/OrgnlGrpInf",
        "no text of its own",
    ),
    "children for text": Wrong(
        "MsgId: message_id", "MsgId: {Id: message_id}", 6, "FIToFIPmtStsReq/GrpHdr/MsgId", "has text and no child"
    ),
    "not YAML": Wrong("value: StatusInquiry", "value: [", 4, "", "not readable YAML"),
    "unknown value": Wrong("value: StatusInquiry", "value: Letter", 1, "", "there is no value Letter"),
    "another message": Wrong("message: pacs.028.001.03", "message: pacs.002.001.10", 1, "message", "named after"),
    "unknown part": Wrong("value: StatusInquiry", "value: StatusInquiry\nsend: x", 1, "", "no meaning for send"),
    "unread field": Wrong("      OrgnlEndToEndId: end_to_end_id\n", "", 15, "", "StatusInquiry"),
    "bad pattern": Wrong(
        "OrgnlInstrId: instruction_id\nread",
        "OrgnlInstrId: {from: instruction_id, when: {instruction_id: '('}}\nread",
        13,
        "FIToFIPmtStsReq/TxInf/OrgnlInstrId/when",
        "no regular expression",
    ),
}
CASES["unread field"] = CASES["unread field"]._replace(
    path="", words="nothing is read into InquiredTransfer.end_to_end_id"
)


def load(catalogue, folder: Path, text: str, message: str = "pacs.028.001.03") -> Engine:
    scheme = folder / "national"
    scheme.mkdir()
    (scheme / f"{message}.yaml").write_text(text)
    return Engine(catalogue, folder)


def test_a_right_profile_is_loaded(catalogue, tmp_path):
    engine = load(catalogue, tmp_path, GOOD)
    assert engine.profiles() == {"national": (("pacs.028.001.03",), ("pacs.028.001.03",))}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_wrong_profile_is_refused_with_its_place(catalogue, tmp_path, case):
    assert case.old in GOOD
    with pytest.raises(Misconfigured) as refused:
        load(catalogue, tmp_path, GOOD.replace(case.old, case.new, 1))
    error = refused.value
    assert error.file.endswith("national/pacs.028.001.03.yaml")
    assert (error.line, error.path) == (case.line, case.path), error
    assert case.words in error.sentence


REPORT = """\
message: acmt.024.001.03
value: VerificationReport
write:
  IdVrfctnRpt:
    Assgnmt:
      MsgId: message_id
      CreDtTm: created
      Assgnr: {Pty: {Nm: initiating_party}}
      Assgne: {Pty: {Nm: initiating_party}}
    Rpt:
      each: results
      OrgnlId: id
      Vrfctn: verified
      Rsn:
        Cd: {from: reason, when: {reason: '[A-Z0-9]{4}'}}
        Prtry: reason
"""


def test_alternatives_with_a_condition_are_loaded(catalogue, tmp_path):
    load(catalogue, tmp_path, REPORT, "acmt.024.001.03")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("Cd: {from: reason, when: {reason: '[A-Z0-9]{4}'}}", "Cd: reason", 15, "only one of Cd, Prtry"),
        ("Prtry: reason", "Prtry: {from: reason, when: reason}", 16, "last alternative"),
        ("Assgne: {Pty: {Nm: initiating_party}}\n", "", 9, "Assgne is mandatory"),
        ("Vrfctn: verified", "Vrfctn: {is: maybe}", 13, "neither true nor false"),
        ("OrgnlId: id", "OrgnlId: {from: id, '@Ccy': id}", 12, "no attribute Ccy"),
        ("Cd: {from", "Cd: {format: date, from", 15, "does not fit reason"),
    ],
)
def test_alternatives_and_facets_are_checked(catalogue, tmp_path, old, new, line, words):
    text = REPORT.replace(f"      {old}" if new == "" else old, new, 1)
    with pytest.raises(Misconfigured, match=words) as refused:
        load(catalogue, tmp_path, text, "acmt.024.001.03")
    assert refused.value.line == (5 + 1 if new == "" else line)


def test_a_code_table_must_fit_the_schema_and_be_readable_back(catalogue, tmp_path):
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "two.yaml").write_text("codes: {A: X, B: X}")
    (tmp_path / "codes" / "long.yaml").write_text("codes: {A: " + "x" * 40 + "}")
    with pytest.raises(Misconfigured, match="has not the length"):
        load(catalogue, tmp_path, GOOD.replace("MsgId: message_id", "MsgId: {from: message_id, code: long}", 1))


def test_a_code_table_with_one_code_for_two_values_cannot_be_read(catalogue, tmp_path):
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "two.yaml").write_text("codes: {A: X, B: X}")
    text = GOOD.replace("OrgnlEndToEndId: end_to_end_id", "OrgnlEndToEndId: {from: end_to_end_id, code: two}")
    with pytest.raises(Misconfigured, match="cannot be read back"):
        load(catalogue, tmp_path, text)


def test_an_attribute_that_the_schema_asks_for_must_be_given(catalogue, tmp_path):
    good = (Path(__file__).parents[3] / "mappings" / "generic" / "pacs.008.001.08.yaml").read_text()
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "account-types.yaml").write_text("codes: {'00': ACCOUNT}")
    text = good.replace("{from: amount_minor, '@Ccy': ../currency}", "amount_minor")
    with pytest.raises(Misconfigured, match="needs the attribute Ccy"):
        load(catalogue, tmp_path, text, "pacs.008.001.08")


def test_a_message_without_schema_is_refused(catalogue, tmp_path):
    text = GOOD.replace("pacs.028.001.03", "pacs.099.001.01")
    with pytest.raises(Misconfigured, match="no schema of"):
        load(catalogue, tmp_path, text, "pacs.099.001.01")

"""A report as a person reads it."""

from connector.domain.messages import StatusReport
from connector.iso20022.codes import load_sentences
from connector.iso20022.explain import explain, masked


def test_a_report_is_summed_up_with_sentences(report: StatusReport):
    told = explain(report, load_sentences(), ("odd",))
    assert (told.message, told.original_message_id, told.notes) == ("pain.002.001.10", "MSG1", ("odd",))
    assert told.group is not None
    assert told.group.meaning.startswith("Technically correct")
    lines = {(line.status, line.reason): line for line in told.totals}
    assert lines["RJCT", "AC04"].transactions == 1
    assert "closed" in lines["RJCT", "AC04"].advice
    assert lines["ACSC", ""].advice == ""
    assert [line.end_to_end_id for line in told.transactions] == ["E1", "E2"]


def test_codes_that_are_not_known_are_said_to_be_so(report: StatusReport):
    rows = [report.transactions[0]._replace(status="XXXX", reason="ZZ99")]
    told = explain(
        StatusReport("pacs.002.001.10", "R", report.created, "M", "pacs.008.001.08", transactions=rows),
        load_sentences(),
    )
    assert told.group is None
    assert "does not know" in told.totals[0].meaning
    assert "does not know" in told.totals[0].advice


def test_numbers_of_accounts_and_phones_are_masked():
    assert masked("account 1012345678 is closed") == "account ********78 is closed"
    assert masked("GB29 NWBK 6016 1331 9268 19") == "*" * 25 + "19"
    assert masked("call +99970123456, code AC04") == "call **********56, code AC04"

"""Counts and control sums are checked both ways, in decimals."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from connector.domain.errors import Refused
from connector.domain.messages import PaymentReturn, ReturnedTransfer

NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)


def test_a_total_that_is_not_the_sum_is_not_written(connector, transfer):
    with pytest.raises(Refused) as refused:
        connector.write("generic", "pain.001.001.09", replace(transfer, total_minor=3051))
    assert refused.value.faults[0].code == "AM10"


@pytest.mark.parametrize(
    ("old", "new", "where", "code"),
    [
        (b"<NbOfTxs>2<", b"<NbOfTxs>3<", "CstmrCdtTrfInitn/GrpHdr/NbOfTxs", "AM18"),
        (b"<CtrlSum>30.50<", b"<CtrlSum>30.51<", "CstmrCdtTrfInitn/GrpHdr/CtrlSum", "AM10"),
        (b">20.00<", b">20.01<", "CstmrCdtTrfInitn/GrpHdr/CtrlSum", "AM10"),
    ],
)
def test_wrong_totals_of_the_group_are_refused(connector, bank, transfer, old, new, where, code):
    body = connector.write("generic", "pain.001.001.09", transfer).replace(old, new, 1)
    with pytest.raises(Refused) as refused:
        bank.read(body)
    assert refused.value.faults[0][:2] == (where, code)
    assert connector.validate(body).faults == refused.value.faults


@pytest.mark.parametrize(("name", "code"), [(b"NbOfTxs>2<", "AM18"), (b"CtrlSum>30.50<", "AM10")])
def test_wrong_totals_of_a_block_are_refused(connector, bank, transfer, name, code):
    body = connector.write("generic", "pain.001.001.09", transfer)
    head, _, tail = body.rpartition(name)
    with pytest.raises(Refused) as refused:
        bank.read(head + name.replace(b">", b">1").replace(b"12<", b"12<") + tail)
    (fault,) = refused.value.faults
    assert fault.where.startswith("CstmrCdtTrfInitn/PmtInf[1]/")
    assert fault.code == code


def test_equal_sums_may_be_spelt_differently(connector, bank, transfer):
    body = connector.write("generic", "pain.001.001.09", transfer).replace(b"<CtrlSum>30.50<", b"<CtrlSum>30.5<")
    assert bank.read(body).value == transfer


@pytest.mark.parametrize("name", [b"CtrlSum>", b'TtlIntrBkSttlmAmt Ccy="USD">'])
def test_wrong_totals_between_institutions_are_refused(connector, bank, transfer, name):
    body = connector.write("generic", "pacs.008.001.08", transfer).replace(
        b"<" + name + b"30.50", b"<" + name + b"30"
    )
    with pytest.raises(Refused) as refused:
        bank.read(body)
    assert refused.value.faults[0].code == "AM10"


def test_wrong_totals_of_a_return_are_refused(connector, bank):
    rows = [ReturnedTransfer("X1", "I1", "E1", "T1", 1050, "AC04")]
    value = PaymentReturn("R1", NOW, "USD", 1050, "M1", "pacs.008.001.08", date(2026, 11, 23), rows)
    body = bank.write("generic", "pacs.004.001.09", value)
    with pytest.raises(Refused) as refused:
        connector.read(body.replace(b"<NbOfTxs>1<", b"<NbOfTxs>2<"))
    assert refused.value.faults[0].where == "PmtRtr/GrpHdr/NbOfTxs"


def test_sums_of_thousands_of_cents_are_exact(connector, bank, transfer):
    row = transfer.transfers[0]
    rows = [row._replace(instruction_id=f"I{i}", end_to_end_id=f"E{i}", amount_minor=10) for i in range(3000)]
    value = replace(transfer, transfers=rows, total_minor=30_000)
    assert bank.read(connector.write("generic", "pain.001.001.09", value)).value == value


def test_currencies_of_one_message_must_not_be_mixed(connector, bank, transfer):
    body = connector.write("generic", "pain.001.001.09", transfer).replace(b'"USD">20', b'"EUR">20')
    with pytest.raises(Refused) as refused:
        bank.read(body)
    assert refused.value.faults[0].code == "mixed"


def test_amounts_too_precise_for_the_currency_are_refused(connector, bank, transfer):
    body = connector.write("generic", "pain.001.001.09", transfer)
    body = body.replace(b">20.00<", b">20.001<").replace(b">30.50<", b">30.501<")
    with pytest.raises(Refused) as refused:
        bank.read(body)
    assert refused.value.faults[0].code == "AM12"


def test_what_a_profile_does_not_allow_is_refused_not_lost(connector, bank, transfer):
    body = connector.write("generic", "pain.001.001.09", transfer)
    block = body[body.index(b"<PmtInf>") : body.index(b"</CstmrCdtTrfInitn>")]
    twice = body.replace(block, block * 2).replace(b"<NbOfTxs>2", b"<NbOfTxs>4", 1).replace(b"30.50", b"61.00", 1)
    assert connector.validate(twice).valid
    with pytest.raises(Refused) as refused:
        bank.read(twice)
    assert refused.value.faults[0][:2] == ("CstmrCdtTrfInitn/PmtInf", "unsupported")
    with pytest.raises(Refused) as refused:
        bank.read(body.replace(b"<PmtMtd>TRF", b"<PmtMtd>CHK"))
    assert refused.value.faults[0].sentence == "Only TRF is accepted here."

"""The bank of the scaling measurement: its answer is a valid pain.002 that settles the whole message, once."""

from pathlib import Path

import pytest

import mappings
from connector.domain.messages import StatusReport
from connector.iso20022.engine import Engine
from iso20022_schemas import Catalogue
from loadtests.bench.light_bank import LightBank
from loadtests.bench.samples import credit_transfer


@pytest.fixture(scope="module")
def engine():
    return Engine(Catalogue(), Path(mappings.__file__).parent)


def test_its_report_is_valid_and_settles_every_payment_of_the_message(engine):
    order = credit_transfer(30)
    report = engine.read(LightBank().report_on(engine.write("generic", "pain.001.001.09", order))).value
    assert isinstance(report, StatusReport)
    assert (report.original_message_id, report.original_message) == (order.message_id, "pain.001.001.09")
    assert (report.original_count, report.group_status) == (30, "ACSC")
    assert report.original_total == f"{order.total_minor / 100:.2f}"


def test_a_message_that_comes_again_is_paid_once(engine):
    bank, body = LightBank(), engine.write("generic", "pain.001.001.09", credit_transfer(3))
    bank.report_on(body)
    bank.report_on(body)
    assert bank.figures() == {"messages": 1, "repeated": 1, "payments": 3, "total": "30.03"}


def test_what_is_no_order_is_refused():
    with pytest.raises(ValueError, match="no group header"):
        LightBank().report_on(b"<Document/>")

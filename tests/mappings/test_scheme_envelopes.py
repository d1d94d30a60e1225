"""What stands around the messages of the schemes that have envelopes: root, header, Document, in this order."""

from datetime import UTC, date, datetime

import pytest
from lxml import etree
from scheme_values import INTERBANK

from connector.domain.errors import Misconfigured
from connector.domain.messages import Recall, StatusInquiry
from connector.iso20022.engine import Engine
from connector.iso20022.scheme import Job
from iso20022_schemas.catalogue import Catalogue


def written(engine: Engine, scheme: str) -> bytes:
    message = engine.scheme(scheme).message(Job.INTERBANK)
    return engine.compose(scheme, message, INTERBANK[scheme], sender="TREAXU22", receiver="NSWIXU22").body


@pytest.mark.parametrize(
    ("scheme", "version"), [("cbprplus", "head.001.001.02"), ("instant-africa", "head.001.001.03")]
)
def test_the_envelope_has_a_valid_header_before_a_valid_document(connector, official, scheme, version):
    facts = connector.scheme(scheme)
    message = facts.message(Job.INTERBANK)
    root = etree.fromstring(written(connector, scheme))
    assert etree.QName(root).localname == facts.envelope.root
    assert (etree.QName(root).namespace or "") == facts.envelope.namespace
    header, document = root
    for element, name in ((header, version), (document, message)):
        schema = official.schema(name)
        assert schema.validate(etree.fromstring(etree.tostring(element))), schema.error_log
    assert header.findtext("{*}MsgDefIdr") == message
    assert header.findtext("{*}BizMsgIdr") == "MSG0001"
    assert (header.findtext("{*}BizSvc") or "") == facts.envelope.service


@pytest.mark.parametrize("scheme", ["cbprplus", "instant-africa"])
def test_the_other_side_sees_who_sent_it(connector, bank, scheme):
    body = written(connector, scheme)
    header = bank.read(body, profile=scheme).header
    assert header is not None
    assert (header.sender, header.receiver) == ("TREAXU22", "NSWIXU22")


@pytest.mark.parametrize(("scheme", "moment"), [("cbprplus", "00.000+00:00"), ("instant-africa", "00.000Z")])
def test_the_header_tells_the_time_as_its_users_want_it(connector, scheme, moment):
    assert f":{moment}</CreDt>".encode() in written(connector, scheme)


def test_how_institutions_are_named_is_one_of_two(tmp_path):
    folder = tmp_path / "wrong"
    folder.mkdir()
    (folder / "scheme.yaml").write_text("envelope: {root: {name: Box}, header: head.001.001.03, institutions: tax}")
    with pytest.raises(Misconfigured, match="or other"):
        Engine(Catalogue(), tmp_path)


MOMENT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("scheme", ["cbprplus", "instant-africa"])
def test_an_inquiry_to_a_payer_bank_has_a_header_that_says_who_asks(connector, bank, scheme):
    inquiry = StatusInquiry("ASK1", MOMENT, "MSG1", "pain.001.001.09", (), "", "TREAXU22", "Ministry of Pensions")
    written = connector.compose(scheme, connector.scheme(scheme).message(Job.INQUIRY), inquiry)
    header = bank.read(written.body, profile=scheme).header
    assert header is not None
    assert (header.sender, header.receiver) == ("Ministry of Pensions", "TREAXU22")


@pytest.mark.parametrize("scheme", ["cbprplus", "instant-africa"])
def test_who_asks_back_is_transliterated_as_who_paid(connector, bank, scheme):
    recall = Recall(
        *("ASK1", MOMENT, "ASK1", "Ministerium f\u00fcr Rente", "TREAXU22", "MSG1", "pain.001.001.09"),
        *("USD", date(2026, 11, 20), "", "DUPL"),
    )
    written = connector.compose(scheme, connector.scheme(scheme).message(Job.RECALL), recall)
    assert [note.split(":")[0] for note in written.notes] == ["assigner"]
    header = bank.read(written.body, profile=scheme).header
    assert header is not None
    assert header.sender == "Ministerium fur Rente"

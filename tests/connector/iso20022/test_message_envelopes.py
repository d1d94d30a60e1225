"""Envelopes and headers: written by scheme in every version, read in any shape, validated under their schemas."""

import pytest
from lxml import etree

from connector.domain.errors import Refused
from connector.domain.messages import Rejection
from connector.iso20022.engine import Engine

VERSIONS = ["head.001.001.01", "head.001.001.02", "head.001.001.03"]


@pytest.fixture(scope="module")
def enveloped(tmp_path_factory, catalogue, repository):
    """An engine whose schemes are called after the version of their header; "alone" has an envelope without one."""
    folder = tmp_path_factory.mktemp("envelopes")
    for version in (*VERSIONS, "alone"):
        header = f"  header: {version}\n  service: a & b\n" if version in VERSIONS else ""
        (folder / version).mkdir()
        text = f"extends: generic\nenvelope:\n  root: {{name: Wrapped, namespace: 'urn:w'}}\n{header}"
        (folder / version / "scheme.yaml").write_text(text)
    return Engine(catalogue, repository / "mappings", repository / "simulators" / "profiles", folder)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_header_of_each_version_is_valid_and_read_back(enveloped, official, transfer, version):
    written = enveloped.compose(version, "pain.001.001.09", transfer, sender="national <1>", receiver="UNIOXU22")
    header, document = etree.fromstring(written.body)
    assert official.schema(version).validate(etree.fromstring(etree.tostring(header)))
    assert official.schema("pain.001.001.09").validate(etree.fromstring(etree.tostring(document)))
    received = enveloped.read(written.body, profile=version)
    assert received.value == transfer
    assert received.tolerated == ()
    assert received.header is not None
    assert received.header[:4] == ("national <1>", "UNIOXU22", "MSG1", "pain.001.001.09")
    assert received.header.service == "a & b"


def test_the_agents_of_the_value_stand_in_where_nobody_is_named(enveloped, transfer):
    received = enveloped.read(enveloped.write("head.001.001.03", "pain.001.001.09", transfer), profile="generic")
    assert received.header is not None
    assert (received.header.sender, received.header.receiver) == ("Ministry", "TREAXU22")


def test_a_header_that_is_not_valid_is_not_sent(enveloped, transfer):
    with pytest.raises(Refused) as refused:
        enveloped.compose("head.001.001.03", "pain.001.001.09", transfer, sender="x" * 141, receiver="UNIOXU22")
    assert refused.value.faults[0].where == "AppHdr/Fr/OrgId/Nm"


@pytest.mark.parametrize("name", ["Ministry of Social Welfare and Public Labour", "Ministry of Pensions", "x" * 140])
def test_a_sender_that_is_no_institution_is_named_as_an_organisation(enveloped, transfer, name):
    written = enveloped.compose("head.001.001.03", "pain.001.001.09", transfer, sender=name, receiver="UNIOXU22")
    assert f"<OrgId><Nm>{name}</Nm></OrgId>".encode() in written.body
    header = enveloped.read(written.body, profile="generic").header
    assert (header.sender, header.receiver) == (name, "UNIOXU22")


def test_an_envelope_may_be_without_a_header(enveloped, transfer):
    body = enveloped.write("alone", "pain.001.001.09", transfer)
    received = enveloped.read(body, profile="alone")
    assert (received.value, received.header, received.tolerated) == (transfer, None, ())
    assert enveloped.read(body).tolerated == ("The Document stands in an envelope (Wrapped).",)


def test_a_document_alone_is_read_where_an_envelope_is_usual(enveloped, transfer):
    assert enveloped.read(enveloped.write("generic", "pain.001.001.09", transfer), profile="alone").value == transfer


def test_headers_that_contradict_or_are_not_valid_are_named(enveloped, transfer):
    body = enveloped.write("head.001.001.03", "pain.001.001.09", transfer)
    other = body.replace(b"<MsgDefIdr>pain.001.001.09", b"<MsgDefIdr>pacs.008.001.08")
    assert enveloped.read(other, profile="head.001.001.03").tolerated == (
        "The header announces another message than pain.001.001.09.",
    )
    refused, wrong = (
        "The header is not valid under head.001.001.03",
        body.replace(b"<BizMsgIdr>MSG1</BizMsgIdr>", b""),
    )
    assert enveloped.read(wrong, profile="head.001.001.03").tolerated == (
        f"{refused}: AppHdr: unexpected: MsgDefIdr may not stand here. Expected: BizMsgIdr.",
    )
    verdict = enveloped.validate(body.replace(b"<BizMsgIdr>MSG1<", b"<BizMsgIdr>" + b"M" * 36 + b"<"))
    assert (verdict.valid, verdict.tolerated[-1]) == (
        True,
        f"{refused}: AppHdr/BizMsgIdr: length: The text is longer than 35 characters.",
    )


@pytest.mark.parametrize("wrapped", ["<![CDATA[{}]]>", "{}"])
def test_a_document_that_stands_as_text_is_taken_out(enveloped, transfer, wrapped):
    body = enveloped.write("generic", "pain.001.001.09", transfer).decode()
    text = body if "CDATA" in wrapped else body.replace("&", "&amp;").replace("<", "&lt;")
    received = enveloped.read(f"<soap><data>{wrapped.format(text)}</data></soap>".encode())
    assert received.value == transfer
    assert received.tolerated == (
        "The Document stands in the envelope as text.",
        "The Document stands in an envelope (soap).",
    )


@pytest.mark.parametrize(
    "inside",
    [
        "<Document/><Document/>",
        "<!DOCTYPE Document [<!ENTITY a 'b'>]><Document/>",
        "<a><![CDATA[<Document/>]]]]><![CDATA[></a>",
        "<Document",
    ],
)
def test_text_that_is_no_document_is_refused(enveloped, inside):
    with pytest.raises(Refused):
        enveloped.read(f"<soap><data><![CDATA[{inside}]]></data></soap>".encode())
    with pytest.raises(Refused):
        enveloped.read(b"<soap><a><![CDATA[<Document/>]]></a><b><![CDATA[<Document/>]]></b></soap>")


def test_a_rejection_is_written_by_the_other_side_and_read(connector, bank):
    value = Rejection("MSG1", "FF02", "Not valid.", "Document/CstmrCdtTrfInitn")
    assert connector.read(bank.write("generic", "admi.002.001.01", value)).value == value

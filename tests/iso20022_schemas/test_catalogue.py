"""The catalogue finds schemas, the operator's first, and says plainly when it cannot use one."""

import threading
from pathlib import Path

import pytest
from lxml import etree

from connector.domain.errors import Misconfigured, NotFound
from iso20022_schemas import Catalogue, Kind

PAIN_001 = "pain.001.001.09"
NAMESPACE = f"urn:iso:std:iso:20022:tech:xsd:{PAIN_001}"
ISSUE_2 = {
    *("pain.001.001.09", "pain.002.001.10", "pacs.008.001.08", "pacs.002.001.10", "acmt.023.001.03"),
    *("acmt.024.001.03", "pacs.004.001.09", "pacs.028.001.03"),
    *("head.001.001.01", "head.001.001.02", "head.001.001.03"),
}


def _schema(body: str, namespace: str = NAMESPACE) -> str:
    xs = "http://www.w3.org/2001/XMLSchema"
    return f'<xs:schema xmlns:xs="{xs}" xmlns="{namespace}" targetNamespace="{namespace}">{body}</xs:schema>'


SMALL = _schema('<xs:element name="Document" type="xs:string"/>')


def test_the_messages_of_the_first_flows_are_there(ours: Catalogue) -> None:
    assert set(ours.messages()) >= ISSUE_2
    assert list(ours.messages()) == sorted(ours.messages())


def test_a_message_is_found_by_its_namespace(ours: Catalogue) -> None:
    assert ours.find(NAMESPACE) == PAIN_001
    assert ours.namespace(PAIN_001) == NAMESPACE
    assert ours.find("urn:example:unknown") is None


def test_an_unknown_message_is_not_found(ours: Catalogue) -> None:
    for ask in (ours.schema, ours.xsd, ours.structure, ours.namespace):
        with pytest.raises(NotFound, match=r"pain\.999"):
            ask("pain.999.001.01")


def test_a_folder_of_the_operator_goes_first(tmp_path: Path) -> None:
    (tmp_path / "national.xsd").write_text(SMALL)
    catalogue = Catalogue(tmp_path)
    assert catalogue.xsd(PAIN_001) == tmp_path / "national.xsd"
    assert catalogue.xsd("pain.002.001.10").parent != tmp_path
    assert catalogue.schema(PAIN_001).validate(etree.fromstring(f'<Document xmlns="{NAMESPACE}"/>'))


def test_the_first_of_several_folders_counts(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "any.xsd").write_text(SMALL)
    assert Catalogue(tmp_path / "first", tmp_path / "second").xsd(PAIN_001).parent.name == "first"


def test_a_dialect_is_named_by_its_file(tmp_path: Path) -> None:
    namespace = "http://example.org/de/pain.002.001.03.ch.02.xsd"
    (tmp_path / "pain.002.001.03.ch.02.xsd").write_text(_schema('<xs:element name="Document"/>', namespace))
    catalogue = Catalogue(tmp_path)
    assert catalogue.find(namespace) == "pain.002.001.03.ch.02"
    assert "pain.002.001.03" in catalogue.messages()


def test_schema_files_that_declare_no_message_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "signature.xsd").write_text(_schema("", "http://www.w3.org/2000/09/xmldsig#"))
    assert Catalogue(tmp_path).messages() == Catalogue().messages()


@pytest.mark.parametrize("content", ["", "no XML at all", "<xs:schema", "<html/>"])
def test_a_file_that_is_no_xml_is_refused_with_its_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "broken.xsd").write_text(content)
    with pytest.raises(Misconfigured, match=r"broken\.xsd"):
        Catalogue(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no folder"):
        Catalogue(tmp_path / "missing")


def test_a_message_twice_in_one_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xsd").write_text(SMALL)
    (tmp_path / "b.xsd").write_text(SMALL)
    with pytest.raises(Misconfigured, match=r"pain\.001\.001\.09, as a\.xsd"):
        Catalogue(tmp_path)


def test_a_schema_that_does_not_compile_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wrong.xsd").write_text(_schema('<xs:element name="Document" type="Missing"/>'))
    with pytest.raises(Misconfigured, match="no valid schema"):
        Catalogue(tmp_path).schema(PAIN_001)


def test_a_schema_without_a_root_has_no_structure(tmp_path: Path) -> None:
    (tmp_path / "empty.xsd").write_text(_schema(""))
    with pytest.raises(Misconfigured, match="no root element"):
        Catalogue(tmp_path).structure(PAIN_001)


def test_an_unsupported_construct_is_refused_with_its_line(tmp_path: Path) -> None:
    body = '\n<xs:complexType name="T"><xs:sequence>\n<xs:group ref="G"/></xs:sequence></xs:complexType>'
    (tmp_path / "odd.xsd").write_text(_schema(body))
    with pytest.raises(Misconfigured, match=r"odd\.xsd:3: group"):
        Catalogue(tmp_path).structure(PAIN_001)


def test_each_thread_holds_its_own_compiled_schema(ours: Catalogue) -> None:
    compiled: list[etree.XMLSchema] = []
    threads = [threading.Thread(target=lambda: compiled.append(ours.schema(PAIN_001))) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join()
    assert len({id(schema) for schema in (*compiled, ours.schema(PAIN_001))}) == 3
    assert ours.schema(PAIN_001) is ours.schema(PAIN_001)


def test_the_structure_shows_order_and_occurrence(ours: Catalogue) -> None:
    root = ours.structure(PAIN_001)
    initiation = root.child("CstmrCdtTrfInitn")
    assert initiation is not None
    assert [(node.name, node.minimum, node.maximum) for node in initiation.elements] == [
        ("GrpHdr", 1, 1),
        ("PmtInf", 1, None),
        ("SplmtryData", 0, None),
    ]
    assert initiation.type_name == "CustomerCreditTransferInitiationV09"
    assert root.at("CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/PmtId/Missing") is None
    assert root.at("") is root


def test_the_structure_shows_facets_and_attributes(ours: Catalogue) -> None:
    amount = ours.structure(PAIN_001).at("CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf/Amt/InstdAmt")
    assert amount is not None
    assert amount.simple is not None
    assert (amount.simple.base, amount.simple.total_digits, amount.simple.fraction_digits) == ("decimal", 18, 5)
    assert [(item.name, item.required, item.type.patterns) for item in amount.attributes] == [
        ("Ccy", True, ("[A-Z]{3,3}",))
    ]
    assert amount.elements == ()
    bearer = ours.structure(PAIN_001).at("CstmrCdtTrfInitn/PmtInf/ChrgBr")
    assert bearer is not None
    assert bearer.simple is not None
    assert bearer.simple.enumeration == ("DEBT", "CRED", "SHAR", "SLEV")


def test_the_structure_shows_choices_and_wildcards(ours: Catalogue) -> None:
    root = ours.structure(PAIN_001)
    account = root.at("CstmrCdtTrfInitn/PmtInf/DbtrAcct/Id")
    assert account is not None
    assert account.is_choice
    assert [node.name for node in account.elements] == ["IBAN", "Othr"]
    envelope = root.at("CstmrCdtTrfInitn/SplmtryData/Envlp")
    assert envelope is not None
    assert [(node.kind, node.type_name) for node in envelope.members] == [(Kind.ANY, "##any lax")]


def test_recursive_and_nameless_types_and_nested_groups_are_read(tmp_path: Path) -> None:
    body = """
      <xs:element name="Document" type="Tree"/>
      <xs:complexType name="Tree"><xs:sequence>
        <xs:element name="Leaf"><xs:simpleType><xs:restriction base="Short">
          <xs:pattern value="[a-z]*"/></xs:restriction></xs:simpleType></xs:element>
        <xs:choice minOccurs="0"><xs:element name="A" type="xs:date"/>
          <xs:element name="Tree" type="Tree"/></xs:choice>
      </xs:sequence></xs:complexType>
      <xs:simpleType name="Short"><xs:restriction base="xs:string">
        <xs:maxLength value="5"/></xs:restriction></xs:simpleType>
    """
    (tmp_path / "tree.xsd").write_text(_schema(body))
    root = Catalogue(tmp_path).structure(PAIN_001)
    leaf, date = root.at("Tree/Tree/Tree/Leaf"), root.at("Tree/A")
    assert leaf is not None
    assert leaf.simple is not None
    assert (leaf.simple.max_length, leaf.simple.patterns) == (5, ("[a-z]*",))
    assert date is not None
    assert date.simple is not None
    assert date.simple.base == "date"
    assert [(node.kind, node.minimum) for node in root.members] == [(Kind.ELEMENT, 1), (Kind.CHOICE, 0)]
    assert not root.is_choice

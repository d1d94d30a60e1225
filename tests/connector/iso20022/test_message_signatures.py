"""Signed messages: made and verified where the scheme says so; wrapped, altered, foreign and missing ones refused."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree

from connector.domain.errors import Misconfigured, Refused
from connector.iso20022.engine import Engine
from connector.iso20022.signing import Signing

START = datetime(2026, 1, 1, tzinfo=UTC)
DURING = datetime(2026, 11, 21, tzinfo=UTC).timestamp()
MESSAGE = "pain.001.001.09"
SCHEMES = {
    "sealed": """
envelope:
  root: {name: Sealed, namespace: 'urn:sealed'}
  header: head.001.001.03
signature: {make: true, require: true, place: header}
""",
    "stamped": """
envelope:
  root: {name: Stamped}
signature: {make: true, require: true, place: document}
""",
    "bare": "signature: {make: true, require: true, place: document}\n",
}


def pair(name: str, key=None) -> tuple[bytes, bytes]:
    """A private key and its self-signed certificate, as PEM."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), certificate.public_bytes(
        Encoding.PEM
    )


@pytest.fixture(scope="module")
def ours():
    return pair("ours")


@pytest.fixture(scope="module")
def profiles(tmp_path_factory, repository):
    """Schemes that sign; what they write they also read."""
    folder = tmp_path_factory.mktemp("signing")
    for name, facts in SCHEMES.items():
        (folder / name).mkdir()
        (folder / name / "scheme.yaml").write_text(f"name: {name}\nextends: generic\n{facts}")
    return [repository / "mappings", repository / "simulators" / "profiles", folder]


@pytest.fixture(scope="module")
def engine_of(catalogue, profiles):
    def make(signing: Signing | None) -> Engine:
        return Engine(catalogue, *profiles, signing=signing)

    return make


@pytest.fixture(scope="module")
def engine(engine_of, ours) -> Engine:
    key, certificate = ours
    return engine_of(Signing(key, certificate, (pair("other")[1], certificate), lambda: DURING))


def signed(engine: Engine, scheme: str, transfer) -> bytes:
    return engine.compose(scheme, MESSAGE, transfer, sender="TREAXU22", receiver="UNIOXU22").body


def refusal(engine: Engine, scheme: str, body: bytes) -> str:
    with pytest.raises(Refused) as refused:
        engine.read(body, profile=scheme)
    (fault,) = refused.value.faults
    assert fault.code in {"signature", "several", "unknown_message"}
    return fault.sentence


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_we_sign_is_read_back_with_the_name_of_the_signer(engine, transfer, scheme):
    received = engine.read(signed(engine, scheme, transfer), profile=scheme)
    assert received.value == transfer
    assert received.signer == "CN=ours"
    assert received.tolerated == ()


def test_a_signer_that_is_named_is_the_only_one_that_may_sign(engine, transfer, ours):
    body = signed(engine, "sealed", transfer)
    fingerprint = x509.load_pem_x509_certificate(ours[1]).fingerprint(hashes.SHA256())
    for name in ("CN=ours", fingerprint.hex(), fingerprint.hex(":").upper()):
        assert engine.read(body, profile="sealed", signer=name).value == transfer
    with pytest.raises(Refused) as refused:
        engine.read(body, profile="sealed", signer="CN=another")
    assert refused.value.faults[0].code == "signature"


def test_the_signature_stands_in_the_header(engine, transfer):
    root = etree.fromstring(signed(engine, "sealed", transfer))
    assert root.find("{*}AppHdr/{*}Sgntr/{*}Signature") is not None


def test_rsa_keys_sign_as_well(engine_of, transfer):
    key, certificate = pair("rsa", rsa.generate_private_key(65537, 2048))
    engine = engine_of(Signing(key, certificate, (certificate,), lambda: DURING))
    assert engine.read(signed(engine, "sealed", transfer), profile="sealed").value == transfer


@pytest.mark.parametrize("scheme", SCHEMES)
def test_altered_content_is_refused(engine, transfer, scheme):
    body = signed(engine, scheme, transfer).replace(b"1012345678", b"1099999999")
    assert "altered" in refusal(engine, scheme, body)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_message_without_a_signature_is_refused(engine, transfer, scheme):
    body = re.sub(rb"<ds:Signature.*</ds:Signature>", b"", signed(engine, scheme, transfer), flags=re.DOTALL)
    assert "not signed" in refusal(engine, scheme, body)


def test_a_foreign_key_is_refused(engine, engine_of, transfer):
    key, certificate = pair("foreign")
    foreign = engine_of(Signing(key, certificate, (), lambda: DURING))
    assert "not trusted" in refusal(engine, "sealed", signed(foreign, "sealed", transfer))


def test_a_certificate_that_has_expired_is_refused(engine, engine_of, ours, transfer):
    later = engine_of(Signing(trusted=(ours[1],), clock=lambda: DURING + 365 * 86400))
    assert "not trusted" in refusal(later, "sealed", signed(engine, "sealed", transfer))


def test_a_signed_message_wrapped_into_another_is_refused(engine, transfer):
    """The classic wrapping: the signed content is kept somewhere, and a forged one stands where it is looked for."""
    good = etree.fromstring(signed(engine, "stamped", transfer))
    forged = etree.fromstring(etree.tostring(good))
    forged.find(".//{*}InstdAmt").text = "99.00"
    signature = forged.find("{*}Signature")
    kept = etree.SubElement(signature, "{http://www.w3.org/2000/09/xmldsig#}Object")
    kept.append(good[0])
    assert refusal(engine, "stamped", etree.tostring(forged))


@pytest.mark.parametrize("uri", ["#good", "http://127.0.0.1:9/x", "file:///etc/passwd"])
def test_a_signature_over_a_part_or_something_else_is_refused(engine, transfer, uri):
    body = signed(engine, "stamped", transfer).replace(b'URI=""', b'URI="%s"' % uri.encode())
    assert "whole message" in refusal(engine, "stamped", body)


def test_two_signatures_are_refused(engine, transfer):
    root = etree.fromstring(signed(engine, "stamped", transfer))
    root.append(etree.fromstring(etree.tostring(root.find("{*}Signature"))))
    assert "more than one" in refusal(engine, "stamped", etree.tostring(root))


def test_a_signature_at_another_place_is_refused(engine, transfer):
    assert "header" in refusal(engine, "sealed", signed(engine, "stamped", transfer))


@pytest.mark.parametrize("method", ["hmac-sha256", "rsa-sha1"])
def test_weak_and_keyed_methods_are_refused(engine, transfer, method):
    body = signed(engine, "stamped", transfer)
    body = re.sub(
        rb'(<ds:SignatureMethod Algorithm=")[^"]*', rb"\1http://www.w3.org/2000/09/xmldsig#" + method.encode(), body
    )
    assert "not trusted" in refusal(engine, "stamped", body)


def test_a_document_as_text_does_not_pass_beside_a_signature(engine, transfer):
    root = etree.fromstring(signed(engine, "stamped", transfer))
    document = root.find("{*}Document")
    text = etree.tostring(document).decode().replace("10.50", "99.50")
    root.remove(document)
    etree.SubElement(root, "Data").text = text
    assert "altered" in refusal(engine, "stamped", etree.tostring(root))


def test_signatures_that_nobody_asked_for_are_passed_over(engine, transfer):
    body = signed(engine, "stamped", transfer)
    assert engine.read(body, profile="generic").value == transfer
    assert engine.read(body, profile="generic").signer == ""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_that_signs_needs_keys(engine_of, transfer, scheme):
    engine = engine_of(None)
    with pytest.raises(Refused, match="key"):
        signed(engine, scheme, transfer)
    with pytest.raises(Refused, match="certificates"):
        engine.read(b"<Document/>", profile=scheme)


def test_keys_that_do_not_belong_together_stop_the_start(engine_of, ours):
    with pytest.raises(Misconfigured, match="does not belong"):
        engine_of(Signing(ours[0], pair("another")[1]))
    with pytest.raises(Misconfigured, match="PEM"):
        engine_of(Signing(b"no key", ours[1]))

"""XML signatures (XMLDSig, enveloped) over whole messages, in ``AppHdr/Sgntr`` or as the root's last child.

Against signature wrapping: there is exactly one signature, it stands where the scheme says, it covers the whole
message by an empty URI, and what is read afterwards are the very bytes that the signature was verified over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidInput, SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from connector.domain.errors import Misconfigured, Refused
from connector.iso20022.parsing import Element, parse
from connector.iso20022.scheme import SignaturePlace

_NAMESPACE: Final = "http://www.w3.org/2000/09/xmldsig#"
_SIGNATURE: Final = f"{{{_NAMESPACE}}}Signature"
PLACEHOLDER: Final = f'<ds:Signature xmlns:ds="{_NAMESPACE}" Id="placeholder"/>'
"""Where a signature is to stand in a header."""

_METHODS: Final = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
_DIGESTS: Final = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})


@dataclass(frozen=True, slots=True, repr=False)
class Signing:
    """Keys and certificates as PEM: our own private key with its certificate, and the certificates of our peers.

    clock: seconds since 1970, by which certificates are judged valid.
    """

    key: bytes = b""
    certificate: bytes = b""
    trusted: tuple[bytes, ...] = ()
    clock: Callable[[], float] = lambda: datetime.now(UTC).timestamp()


class Verified(NamedTuple):
    """A message whose signature is good: the bytes that were signed, and the subject of the signer's certificate."""

    body: bytes
    signer: str


class Signer:
    """Signs and verifies with one set of keys; safe to use from several threads."""

    def __init__(self, signing: Signing) -> None:
        """Load keys and certificates. Raises ``Misconfigured``."""
        self._clock = signing.clock
        self._certificate = signing.certificate.decode("ascii", "replace")
        try:
            self._key = load_pem_private_key(signing.key, None) if signing.key else None
            self._trusted = [x509.load_pem_x509_certificate(pem) for pem in signing.trusted]
            own = x509.load_pem_x509_certificate(signing.certificate) if signing.certificate else None
        except (ValueError, TypeError) as error:
            raise Misconfigured("signing", 0, "", f"a key or certificate is not readable PEM: {error}") from None
        if self._key is not None and (own is None or own.public_key() != self._key.public_key()):
            raise Misconfigured("signing", 0, "", "the certificate does not belong to the key")

    @property
    def signs(self) -> bool:
        """Whether there is a key to sign with."""
        return self._key is not None

    @property
    def verifies(self) -> bool:
        """Whether there are certificates to verify with."""
        return bool(self._trusted)

    def sign(self, body: bytes) -> bytes:
        """The signed message; a placeholder in it says where the signature goes, else it is the root's last child.

        Raises ``Refused`` where there is no key.
        """
        if not isinstance(self._key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise Refused.because("/", "signature", "No RSA or elliptic key to sign with is configured.")
        elliptic = isinstance(self._key, ec.EllipticCurvePrivateKey)
        method = SignatureMethod.ECDSA_SHA256 if elliptic else SignatureMethod.RSA_SHA256
        signer = XMLSigner(signature_algorithm=method, digest_algorithm=DigestAlgorithm.SHA256)
        signed = signer.sign(parse(body), key=self._key, cert=self._certificate)
        return etree.tostring(signed, xml_declaration=True, encoding="UTF-8")

    def verify(self, root: Element, place: SignaturePlace, expected: str = "") -> Verified:
        """What the message says under a signature that we trust. Raises ``Refused``.

        expected: subject or SHA-256 fingerprint of the only certificate that may have signed; "": any trusted one.
        """
        _check_place(root, place)
        moment = datetime.fromtimestamp(self._clock(), UTC)
        for certificate in self._trusted:
            if certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
                verified = _verified(root, certificate)
                if verified is not None:
                    _check_signer(certificate, expected)
                    return verified
        raise Refused.because("/", "signature", "The signature is not trusted, or the content was altered.")


def signatures(root: Element) -> Sequence[Element]:
    """All signatures in a message."""
    return list(root.iter(_SIGNATURE))


def without_signature(root: Element) -> None:
    """Take a signature off the root or out of the header, with the empty Sgntr: no schema knows them so."""
    for signature in signatures(root):
        above = signature.getparent()
        if above is not None and (above is root or etree.QName(above).localname == "Sgntr"):
            above.remove(signature)
    for empty in [element for element in root.iter("{*}Sgntr") if not len(element)]:
        above = empty.getparent()
        if above is not None:
            above.remove(empty)


def _check_signer(certificate: x509.Certificate, expected: str) -> None:
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    given = expected.replace(":", "").lower()
    if expected and expected != certificate.subject.rfc4514_string() and given != fingerprint:
        raise Refused.because(
            "/", "signature", "The signature is not that of the institution that sends the message."
        )


def _check_place(root: Element, place: SignaturePlace) -> None:
    """One signature, at its place, over all of the message."""
    found = signatures(root)
    if not found:
        raise Refused.because("/", "signature", "The message is not signed.")
    if len(found) > 1:
        raise Refused.because("/", "signature", "The message has more than one signature.")
    above = [etree.QName(element).localname for element in found[0].iterancestors()]
    expected = above[:2] == ["Sgntr", "AppHdr"] if place is SignaturePlace.HEADER else len(above) == 1
    if not expected or len(above) > 3:
        raise Refused.because("/", "signature", f"The signature does not stand in the {place.value}.")
    references = [element.get("URI") for element in found[0].iter(f"{{{_NAMESPACE}}}Reference")]
    if references != [""]:
        raise Refused.because("/", "signature", "The signature does not cover the whole message.")


def _verified(root: Element, certificate: x509.Certificate) -> Verified | None:
    expected = SignatureConfiguration(
        location=".//", expect_references=1, signature_methods=_METHODS, digest_algorithms=_DIGESTS
    )
    try:
        result = XMLVerifier().verify(root, x509_cert=certificate, expect_config=expected)
    except (SignXMLException, InvalidInput, ValueError, etree.LxmlError):
        return None
    if isinstance(result, list) or result.signed_xml is None or result.signed_xml.tag != root.tag:
        return None
    return Verified(bytes(result.signed_data), certificate.subject.rfc4514_string())

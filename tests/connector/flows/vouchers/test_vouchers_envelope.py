"""Files are signed and encrypted with what is allowed, and nothing else gets through."""

import base64
import hmac
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from connector.domain.errors import Misconfigured, Refused
from connector.flows.vouchers import envelope
from connector.flows.vouchers.exchange_keys import KeyHolder, fresh, key_management, of_file, signature_algorithms

CONTENT = b'{"iss":"MINISTRY"}'


def holder(*keys):
    return KeyHolder.of_text(json.dumps({"keys": [key.as_dict(private=True) for key in keys]}))


US = KeyHolder.of_text(json.dumps(fresh()))
THEM = KeyHolder.of_text(json.dumps(fresh()))
RSA = RSAKey.generate_key(2048)
FILE = envelope.seal(CONTENT, envelope.BATCH, THEM, US)


def of(keys):
    return lambda kid: [envelope.Candidate("MINISTRY", key)] if (key := keys.named(kid)) else []


def read(file, sender=THEM, kind=envelope.BATCH, reader=US):
    return envelope.verified(envelope.opened(file, reader), kind, of(sender))


def b64(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def signed(header, key, content=CONTENT):
    return jws.serialize_compact(header, content, key, registry=_anything(jws.JWSRegistry)).encode()


def hashed(header, secret):
    """Sign with a secret that everybody knows, such as a public key."""
    text = b64(header) + b"." + base64.urlsafe_b64encode(CONTENT).rstrip(b"=")
    return text + b"." + base64.urlsafe_b64encode(hmac.digest(secret, text, "sha256")).rstrip(b"=")


def encrypted(document, **header):
    key = US.encrypting()
    given_header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "cty": "JWT", "kid": key.thumbprint(), **header}
    names = [given_header["alg"], given_header["enc"], *([given_header["zip"]] if "zip" in given_header else [])]
    registry = jwe.JWERegistry(algorithms=names, strict_check_header=False)
    return jwe.encrypt_compact(given_header, document, key, registry=registry).encode()


def _anything(kind):
    return kind(algorithms=list(kind.algorithms), strict_check_header=False)


def test_what_is_sealed_can_be_read_and_names_its_signer():
    assert read(FILE) == (("MINISTRY",), CONTENT)


@pytest.mark.parametrize(
    "sender",
    [[RSA], [OKPKey.generate_key("Ed25519"), OKPKey.generate_key("X25519")], [ECKey.generate_key("P-256")]],
    ids=["RSA", "Ed25519 and X25519", "one P-256 key for both"],
)
def test_senders_may_have_other_kinds_of_keys(sender):
    their = holder(*sender)
    assert read(envelope.seal(CONTENT, envelope.BATCH, their, US), their).content == CONTENT
    answer = envelope.seal(CONTENT, envelope.RESPONSE, US, their)
    assert read(answer, US, envelope.RESPONSE, their).content == CONTENT


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
def test_both_signatures_of_an_rsa_key_are_accepted(alg):
    document = signed({"alg": alg, "kid": RSA.thumbprint(), "typ": envelope.BATCH}, RSA)
    assert read(encrypted(document), holder(RSA)).content == CONTENT


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_a_file_with_any_byte_changed_is_refused(place, change):
    changed = FILE[:place] + bytes([FILE[place] ^ change]) + FILE[place + 1 :]
    with pytest.raises(Refused):
        read(changed)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(FILE) - 1))
def test_a_file_that_was_cut_is_refused(length):
    with pytest.raises(Refused):
        read(FILE[:length])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.text("eyJ.{}A_-=", max_size=200).map(str.encode))
def test_rubbish_is_refused(rubbish):
    with pytest.raises(Refused):
        read(rubbish)


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"alg": "RSA1_5"}, "/alg"),
        ({"alg": "dir"}, "/alg"),
        ({"enc": "A128CBC-HS256"}, "/enc"),
        ({"zip": "DEF"}, "/zip"),
        ({"crit": ["exp"], "exp": 1}, "/crit"),
        ({"cty": "text"}, "/cty"),
        ({"kid": "nobody's"}, "/kid"),
        ({"kid": 7}, "/kid"),
        ({"alg": ["dir"]}, "/alg"),
    ],
)
def test_what_the_outer_header_has_wrong_is_named(changed, where):
    header = json.loads(base64.urlsafe_b64decode(FILE.split(b".")[0] + b"=="))
    with pytest.raises(Refused) as refused:
        read(b".".join([b64({**header, **changed}), *FILE.split(b".")[1:]]))
    assert where in {fault.where for fault in refused.value.faults}


def test_compression_is_refused_also_where_all_else_is_right():
    with pytest.raises(Refused, match="Compression"):
        read(encrypted(jws.serialize_compact({"alg": "HS256"}, b"x" * 10_000, OctKey.generate_key(256)), zip="DEF"))


SIGNER = THEM.signing()
GOOD = {"alg": "ES256", "kid": SIGNER.thumbprint(), "typ": envelope.BATCH}


@pytest.mark.parametrize(
    "document",
    [
        b64({**GOOD, "alg": "none"}) + b"." + base64.urlsafe_b64encode(CONTENT).rstrip(b"=") + b".",
        hashed({**GOOD, "alg": "HS256"}, SIGNER.as_pem(private=False)),
        signed({**GOOD, "typ": envelope.RESPONSE}, SIGNER),
        signed({name: GOOD[name] for name in ("alg", "kid")}, SIGNER),
        signed({**GOOD, "kid": "somebody else"}, SIGNER),
        signed({**GOOD, "b64": True}, SIGNER),
        signed(GOOD, ECKey.generate_key("P-256")),
        CONTENT,
        b"",
    ],
    ids=[
        "none",
        "HMAC with the public key",
        "another document",
        "untyped",
        "unknown key",
        "b64",
        "forged",
        "plain",
        "",
    ],
)
def test_whatever_is_wrong_inside_gets_the_same_refusal_as_a_wrong_key(document):
    with pytest.raises(Refused) as refused:
        read(encrypted(document))
    assert refused.value.faults == envelope.not_genuine().faults


def test_a_file_for_somebody_else_under_our_key_id_is_not_genuine():
    stranger = KeyHolder.of_text(json.dumps(fresh()))
    parts = envelope.seal(CONTENT, envelope.BATCH, THEM, stranger).split(b".")
    header = json.loads(base64.urlsafe_b64decode(parts[0] + b"=="))
    with pytest.raises(Refused) as refused:
        read(b".".join([b64({**header, "kid": US.encrypting().thumbprint()}), *parts[1:]]))
    assert refused.value.faults == envelope.not_genuine().faults


def vector(token, **key):
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    (only,) = KeyHolder.of_text(json.dumps(key))._keys
    return envelope._signed_by(token.encode(), header, only)


def test_the_signatures_of_the_standards_are_accepted():
    claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    es256 = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"  # RFC 7515 A.3
    curve = {
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }
    assert vector(f"eyJhbGciOiJFUzI1NiJ9.{claims}.{es256}", **curve)
    assert not vector(f"eyJhbGciOiJFUzI1NiJ9.{claims}.{es256[:-3]}A1Q", **curve)
    eddsa = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"  # RFC 8037 A.4
    edwards = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert vector(f"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.{eddsa}", **edwards)
    assert KeyHolder.of_text(json.dumps(edwards)).named("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")  # A.3


def test_encryption_of_the_standards_that_is_not_ours_is_refused():
    with pytest.raises(Refused) as refused:  # RFC 7516 A.1: RSA-OAEP with SHA-1
        read(b"eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AAAA.AAAA.AAAA.AAAA")
    assert [fault.where for fault in refused.value.faults] == ["/alg", "/cty"]


def weak():
    key = rsa.generate_private_key(65537, 1024).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    "text",
    ["", "{}", "null", "[]", '{"keys": []}', '{"keys": [3]}', "[" * 100_000, '{"kty": "oct", "k": "AAAA"}',
     '{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}', '{"kty": "EC", "crv": "secp256k1", "x": "", "y": ""}',
     '{"kty": "RSA", "n": "AQAB", "e": "AQAB"}', "-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----", weak()],
)  # fmt: skip
def test_what_is_no_key_of_use_is_refused(text):
    with pytest.raises(Refused):
        KeyHolder.of_text(text)


def test_pem_keys_are_read():
    private = ECKey.generate_key("P-256")
    both = KeyHolder.of_text(private.as_pem(private=True).decode() + RSA.as_pem(private=False).decode())
    assert signature_algorithms(both.named(private.thumbprint())) == ("ES256",)
    assert key_management(both.named(RSA.thumbprint())) == "RSA-OAEP-256"
    assert not both.private
    assert both.any_private


def test_own_keys_are_made_once_and_stay_secret(tmp_path):
    path = tmp_path / "keys" / "exchange-keys.json"
    made = of_file(path, make=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert of_file(path, make=True).public() == made.public()
    assert [(key["use"], key["alg"]) for key in made.public()["keys"]] == [
        ("sig", "ES256"),
        ("enc", "ECDH-ES+A256KW"),
    ]
    assert "d" not in {name for key in made.public()["keys"] for name in key}


def test_after_a_rotation_the_newest_signs_and_all_decrypt():
    older, newer = fresh(), fresh()
    both = KeyHolder.of_text(json.dumps({"keys": older["keys"] + newer["keys"]}))
    before, after = (KeyHolder.of_text(json.dumps(keys)) for keys in (older, newer))
    assert read(envelope.seal(CONTENT, envelope.BATCH, THEM, before), reader=both).content == CONTENT
    assert both.signing() == after.signing()
    assert both.encrypting().thumbprint() == after.encrypting().thumbprint()


@pytest.mark.parametrize("text", ["", "{}", json.dumps(RSA.as_dict(private=True)), json.dumps(US.public())])
def test_keys_that_cannot_be_our_own_stop_the_start(tmp_path, text):
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(Misconfigured, match=str(path)):
        of_file(path)

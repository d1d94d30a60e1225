"""A production instance: TLS, tokens and keys given, no simulators, nobody let in without a token."""

import base64
import datetime
import os
import ssl

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector.cli.instance import free_ports, supervisor_of
from connector.settings import load


@pytest.fixture
def certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "tls.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "tls.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return tmp_path


@pytest.fixture
def production(certificate, monkeypatch):
    for name, value in {
        "PROFILE": "production",
        "TLS_CERTIFICATE": str(certificate / "tls.pem"),
        "TLS_KEY": str(certificate / "tls.key"),
        "SOURCE_TOKENS": '{"MINISTRY0001": "source-token"}',
        "INSTITUTION_TOKENS": '{"TREAXU22": "bank-token"}',
        "ADMIN_TOKEN": "admin-token",
        "ENCRYPTION_KEYS": "k1:" + base64.b64encode(os.urandom(32)).decode(),
        "CONNECTOR_URL": "",
    }.items():
        monkeypatch.setenv(f"ISOGATE_{name}", value)
    return load(port=free_ports(1)[0], host="127.0.0.1", data_dir=certificate / "data")


async def test_production_serves_tls_to_those_with_a_token_only(production, certificate):
    supervisor = supervisor_of(production, print)
    assert [part.name for part in supervisor.parts] == ["store", "api", "worker 1"]
    trusted = ssl.create_default_context(cafile=str(certificate / "tls.pem"))
    trusted.check_hostname = False
    await supervisor.start()
    try:
        async with aiohttp.ClientSession(production.api_url, connector=aiohttp.TCPConnector(ssl=trusted)) as session:
            async with session.get("/healthcheck") as answer:
                assert answer.status == 200
            async with session.get("/admin/batches") as answer:
                assert answer.status == 401
            async with session.get("/admin/batches", headers={"Authorization": "Bearer admin-token"}) as answer:
                assert answer.status == 200
    finally:
        assert await supervisor.stop()

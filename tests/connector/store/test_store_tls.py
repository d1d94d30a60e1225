"""A server behind TLS is spoken to like any other."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connector.domain.errors import Unavailable
from connector.store import EmbeddedServer
from connector.store.server import HEAVY_BYTES, Server

KEY = "ig:{p0}:record:test:tls"


def certified(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for this machine."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context


class Tunnel:
    """Speaks TLS to clients and passes what they say on to the server's socket."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.open: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, before = await asyncio.open_unix_connection(self.socket)
        self.open += [writer, before]
        await asyncio.gather(self._pass(reader, before), self._pass(behind, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except (OSError, ssl.SSLError):
            pass
        writer.close()

    def cut(self) -> None:
        for writer in self.open:
            writer.transport.abort()


@pytest.fixture
async def tunnel(store_server: EmbeddedServer, tmp_path: Path):
    path, context = certified(tmp_path)
    tunnel = Tunnel(store_server.socket)
    listening = await asyncio.start_server(tunnel.serve, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    server = Server(f"rediss://127.0.0.1:{port}?ssl_ca_certs={path}")
    yield tunnel, server
    await server.close()
    listening.close()


async def test_commands_of_every_size_pass_through_tls(tunnel) -> None:
    _, server = tunnel
    large = b"x" * (3 * HEAVY_BYTES)
    await server.send([("SET", KEY, large)])
    answers = await asyncio.gather(
        *(server.send([("ECHO", f"{n}")]) for n in range(100)), server.send([("GET", KEY)])
    )
    assert answers == [*([f"{n}".encode()] for n in range(100)), [large]]
    await server.send([("DEL", KEY)])


async def test_a_connection_that_is_cut_is_opened_anew(tunnel) -> None:
    between, server = tunnel
    await server.send([("PING",)])
    between.cut()
    await asyncio.sleep(0)
    try:
        await server.send([("PING",)])
    except Unavailable:
        await server.send([("PING",)])

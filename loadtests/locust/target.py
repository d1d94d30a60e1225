"""What is loaded: a deployment at an address, or an instance of its own in one of three security postures."""

import asyncio
import json
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from connector.cli.instance import fresh_instance
from connector.cli.supervisor import Part
from loadtests.locust.tls import CA

POSTURES: Final = ("open", "tokens", "tls")
SOURCES: Final = ("Gov_Stack_BB",)
"""A Source BB that the sandbox knows: vouchers are for no others."""

INSTITUTIONS: Final = ("TREAXU22", "UNIOXU22", "HARBXU22", "KASHXU22", "TELAXU22", "NSWIXU22")
SAMPLES: Final = 200
"""Looks at the memory of an instance during a run."""


@dataclass
class Target:
    """An instance under load; parts: its processes, where it is ours; memory: MB by process, sampled."""

    url: str
    parts: Sequence[Part] = ()
    memory: dict[str, list[float]] = field(default_factory=dict)

    @property
    def ours(self) -> bool:
        """Whether nobody else uses it."""
        return bool(self.parts)

    @property
    def restarts(self) -> dict[str, int]:
        """How often a process of it ended and was started again, by name."""
        return {part.name: part.restarts for part in self.parts if part.restarts}

    async def sample_forever(self, seconds: float) -> None:
        """Look at the memory of its processes from time to time."""
        while self.ours:
            for part in self.parts:
                if resident := resident_mb(part.pid):
                    self.memory.setdefault(part.name, []).append(resident)
            await asyncio.sleep(max(1.0, seconds / SAMPLES))


@asynccontextmanager
async def target(url: str, posture: str, workers: int, tell: Callable[[str], None]) -> AsyncIterator[Target]:
    """Give the deployment at ``url``, or start an instance that leaves nothing behind."""
    if url:
        yield Target(url.rstrip("/"))
        return
    with tempfile.TemporaryDirectory(prefix="isogate-load-") as folder:
        quiet = {"log_level": "ERROR", "workers": workers, "progress_interval_seconds": 3600.0}
        secrecy = _secrecy(Path(folder), posture)
        async with fresh_instance(Path(folder, "data"), tell, **quiet, **secrecy) as (made, supervisor):
            yield Target(made.api_url, supervisor.parts)


def _secrecy(folder: Path, posture: str) -> dict[str, object]:
    """Make what the posture needs. Tokens go where processes inherit them: into the environment of this one."""
    if posture == "open":
        return {}
    os.environ["ISOGATE_SOURCE_TOKENS"] = _tokens(SOURCES)
    os.environ["ISOGATE_INSTITUTION_TOKENS"] = _tokens(INSTITUTIONS)
    os.environ["ISOGATE_ADMIN_TOKEN"] = secrets.token_hex(16)
    if posture == "tokens":
        return {}
    certificate, key = self_signed(folder)
    os.environ[CA] = os.environ["SSL_CERT_FILE"] = str(certificate)
    return {"tls_certificate": certificate, "tls_key": key}


def _tokens(names: Sequence[str]) -> str:
    return json.dumps({name: secrets.token_hex(16) for name in names})


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine's loopback address, and its key; gives their PEM files."""
    import ipaddress  # noqa: PLC0415 - with the next ones, needed for this alone

    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=IsoGate load test")
    now, addresses = datetime.now(UTC), [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(7)
    )
    builder = builder.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    made = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
        key, hashes.SHA256()
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(pem))
    files[1].touch(mode=0o600)
    files[1].write_bytes(plain)
    return files


def resident_mb(pid: int) -> float:
    """Give the resident memory of a process in MB; 0 where the system does not tell (Linux does)."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)

"""What is loaded: a deployment at an address, or an instance of its own in one of three security postures."""

import asyncio
import json
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from connector.app import store_url
from connector.cli.instance import fresh_instance
from connector.cli.supervisor import Part
from connector.settings import Settings
from connector.store.link import ServerLink
from loadtests.bench.memory import KIBIBYTES, process_table, process_tree
from loadtests.locust.memory import every_seconds
from loadtests.locust.tls import CA

DAY_SECONDS: Final = 86_400.0
POSTURES: Final = ("open", "tokens", "tls")
SOURCES: Final = ("Gov_Stack_BB",)
"""A Source BB that the sandbox knows: vouchers are for no others."""

INSTITUTIONS: Final = ("TREAXU22", "UNIOXU22", "HARBXU22", "KASHXU22", "TELAXU22", "NSWIXU22")


@dataclass(frozen=True)
class Own:
    """How an instance of its own is: its posture, workers, how the store syncs its file (``always``, ``everysec``).

    archive_after_seconds: after what time finished batches leave the store; 0: as is usual.
    """

    posture: str = "open"
    workers: int = 1
    fsync: str = "always"
    archive_after_seconds: float = 0.0


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
            for name, resident in (await asyncio.to_thread(self._resident)).items():
                self.memory.setdefault(name, []).append(resident)
            await asyncio.sleep(every_seconds(seconds))

    def _resident(self) -> dict[str, float]:
        """Resident memory of each process and what came from it (the store's server does), in MB."""
        table = process_table()
        sizes = {part.name: sum(table[pid][1] for pid in process_tree(part.pid, table)) for part in self.parts}
        return {name: round(kib / KIBIBYTES, 1) for name, kib in sizes.items() if kib}


@asynccontextmanager
async def target(url: str, own: Own, tell: Callable[[str], None]) -> AsyncIterator[Target]:
    """Give the deployment at ``url``, or start an instance that leaves nothing behind."""
    if url:
        yield Target(url.rstrip("/"))
        return
    with tempfile.TemporaryDirectory(prefix="isogate-load-") as folder, _environment_kept():
        quiet = {"log_level": "ERROR", "workers": own.workers, "progress_interval_seconds": 3600.0}
        archived = (
            {"archive_after_days": own.archive_after_seconds / DAY_SECONDS} if own.archive_after_seconds else {}
        )
        secrecy = _secrecy(Path(folder), own.posture)
        async with fresh_instance(Path(folder, "data"), tell, **quiet, **archived, **secrecy) as (made, supervisor):
            await _sync_store(made, own.fsync)
            yield Target(made.api_url, supervisor.parts)


async def _sync_store(settings: Settings, fsync: str) -> None:
    link = ServerLink(store_url(settings))
    try:
        await link.ask("CONFIG", "SET", "appendfsync", fsync)
    finally:
        await link.close()


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Let nothing of an instance's secrecy stay in the environment of this process."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


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

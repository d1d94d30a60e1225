"""Configuration: environment variables ``ISOGATE_*``, each documented here; the command line overrides them.

Two profiles. ``sandbox`` runs open on this machine, makes its own keys and pays through the simulators.
``production`` refuses to start until identities, TLS and keys are given, and says which of them is missing.
"""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from connector.domain.errors import Misconfigured

PREFIX: Final = "ISOGATE_"
SECRETS: Final = {"encryption_keys", "source_tokens", "institution_tokens", "admin_token", "suv_clients", "redis_url"}


class Profile(StrEnum):
    """How open an instance is."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Everything that can be configured. Names of environment variables: the field's, in capitals, with ISOGATE_."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    profile: Profile = Field(Profile.SANDBOX, description="sandbox (open, simulated banks) or production")
    host: str = Field("127.0.0.1", description="Address that API and simulators listen on")
    port: int = Field(3333, ge=1, le=65535, description="Port of the API")
    simulators_port: int = Field(0, ge=0, le=65535, description="Port of the simulators; 0: the API's port plus one")
    data_dir: Path = Field(Path("isogate-data"), description="Folder of the embedded store, the simulators and keys")
    workers: int = Field(1, ge=1, le=256, description="Worker processes that `isogate up` starts")
    api_processes: int = Field(
        1, ge=1, le=64, description="API processes that `isogate up` starts on the one port; above 1 on Linux only"
    )
    take_over_after_seconds: float = Field(
        60.0,
        gt=0,
        description="Silence after which a dead worker's work is taken; below 60, a slow one may count as dead",
    )
    worker_concurrency: int = Field(8, ge=1, le=256, description="Steps that one worker process takes at once")

    redis_url: str = Field(
        "",
        pattern=r"^((rediss?(\+cluster)?|unix)://.+)?$",
        description="Redis, Valkey or a cluster (redis+cluster://); empty: an embedded one under the data folder",
    )
    partitions: int = Field(8, ge=1, le=1024, description="Partitions of the store's keys; fixed once there is data")
    encryption_keys: SecretStr = Field(
        SecretStr(""), description="Keys at rest, `id:base64 of 32 bytes`, comma separated, the last one writes"
    )

    connector_url: str = Field("", description="Address under which FSPs reach this instance; empty: host and port")
    simulators_url: str = Field("", description="Address of the simulators; empty: host and simulators_port")
    tls_certificate: Path | None = Field(None, description="PEM file with the API's certificate chain")
    tls_key: Path | None = Field(None, description="PEM file with the certificate's private key")
    source_tokens: dict[str, SecretStr] = Field(
        default_factory=dict, description="Bearer token of each Source BB, JSON object id → token"
    )
    institution_tokens: dict[str, SecretStr] = Field(
        default_factory=dict, description="Bearer token of each institution that calls back, JSON object code → token"
    )
    suv_clients: dict[str, SecretStr] = Field(
        default_factory=dict, description="Password of each retail voucher client, JSON object client id → password"
    )
    suv_product: str = Field(
        "RETAIL", pattern=r"^\S{1,36}$", description="Voucher group of retail requests without product"
    )
    suv_settlement_entity: str = Field(
        "ISOGATE", pattern=r"^\S{1,40}$", description="Whom a retail merchant settles with, as clients know it"
    )
    suv_receiver: str = Field(
        "ISOGATE", pattern=r"^\S{1,40}$", description="Who keeps the vouchers, as clients know it"
    )
    admin_token: SecretStr = Field(SecretStr(""), description="Bearer token of the admin API")

    lengths_strict: bool = Field(default=True, description="Ids must have the contract's exact lengths; false: ≤ 36")
    max_body_bytes: int = Field(512 * 1024 * 1024, ge=1024, description="Largest request body, in bytes")
    slice_size: int = Field(5000, ge=1, le=100_000, description="Instructions that are stored and resolved at once")
    ceiling: int = Field(2_000_000, ge=1, description="Most instructions in one batch")
    callback_verb: str = Field("POST", pattern="^(POST|PUT)$", description="HTTP verb of callbacks: POST or PUT")
    callback_attempts: int = Field(12, ge=1, description="Tries of a callback before it is laid aside as dead")
    callback_first_delay_seconds: float = Field(1.0, gt=0, description="Pause after the first failed try; doubles")
    callback_headers: tuple[str, ...] = Field(
        ("X-Callback-URL", "X-CallbackURL", "X-Callback_URL"), description="Spellings of the callback header"
    )
    progress_interval_seconds: float = Field(5.0, gt=0, description="Pause between progress callbacks of a batch")
    answer_within_seconds: float = Field(30.0, gt=0, description="Silence after which a sandbox's bank is asked")
    inquiry_attempts: int = Field(10, ge=1, description="How often a silent bank is asked about a message")

    reconcile_at: str = Field(
        "",
        pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$",
        description="Time of day (UTC) at which yesterday is reconciled, as 06:00; empty: never",
    )
    reconcile_tolerance_days: int = Field(2, ge=0, le=7, description="Days that sending and booking may be apart")

    redemption_wait_seconds: float = Field(
        2.5, gt=0, le=60, description="Time that a redemption waits for the merchant's payment before it is pending"
    )
    redemption_repeat_seconds: float = Field(
        1.0, ge=0, description="Time within which the same redemption without a request id is a retry"
    )
    voucher_wrong_tries: int = Field(5, ge=1, description="Wrong numbers after which a voucher is blocked")
    presenter_wrong_tries: int | None = Field(
        None,
        ge=0,
        description="Wrong numbers after which who presents them waits 15 minutes, 0: never; empty: 20, sandbox 0",
    )
    payout_interval_seconds: float = Field(
        0.01, ge=0, le=10, description="Least pause between two payouts to merchants by one worker"
    )

    exchange_key: Path | None = Field(
        None,
        description="JWK set or PEM file with the private keys for voucher files, the last ones sign; "
        "empty: a sandbox makes its own, production takes no files",
    )
    voucher_inbox: Path | None = Field(None, description="Folder that is watched for encrypted voucher files")
    voucher_outbox: Path | None = Field(None, description="Folder for the responses to them")
    voucher_file_lines: int = Field(100_000, ge=1, le=100_000, description="Most lines in a voucher file")
    voucher_file_lines_at_once: int = Field(
        2000, ge=0, description="Lines up to which the response to a voucher file is in the same answer"
    )
    voucher_file_age_seconds: float = Field(7 * 86_400.0, gt=0, description="Age at which a voucher file is refused")

    demo_data: Path | None = Field(
        None, description="JSON file with the demo data of a sandbox (docs/demo-data.md); empty: those of the package"
    )

    voucher_sweep_seconds: float = Field(30.0, gt=0, description="Pause between two looks for expired vouchers")
    voucher_retention_days: int = Field(
        0, ge=0, description="Days after which used vouchers are moved into the archive; 0: only by command"
    )
    voucher_archive: Path | None = Field(
        None, description="Folder of archived vouchers; empty: voucher-archive in the data folder"
    )

    archive: Path | None = Field(
        None,
        description="Folder of archived batches, the same for every process; empty: archive in the data folder",
    )
    archive_after_days: float | None = Field(
        None,
        ge=0,
        description="Days after which finished batches are moved into the archive, 0: only by command; empty: 1, "
        "or 0 where production has an external store and no ISOGATE_ARCHIVE",
    )

    schemas: tuple[Path, ...] = Field((), description="Folders of XSDs that go before the ones that are built in")
    profiles: tuple[Path, ...] = Field((), description="Folders of mapping profiles beside those built in")
    signing_key: Path | None = Field(None, description="PEM file with the private key that messages are signed with")
    signing_certificate: Path | None = Field(None, description="PEM file with the certificate of that key")
    trusted_certificates: tuple[Path, ...] = Field(
        (), description="PEM files with the certificates under which messages of FSPs are accepted"
    )
    simulator_profiles: tuple[Path, ...] = Field((), description="Folders of profiles of the simulated institutions")
    simulator_signing_key: Path | None = Field(
        None, description="PEM file with the key that the simulated institutions sign with"
    )
    simulator_signing_certificate: Path | None = Field(None, description="PEM file with the certificate of that key")
    simulator_reports: str = Field(
        "exceptions",
        pattern="^(exceptions|each)$",
        description="What simulated reports list: exceptions from one status for all, or each payment",
    )

    log_json: bool = Field(default=False, description="Log lines as JSON objects instead of text")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged")

    @property
    def sandbox(self) -> bool:
        """Whether the instance is an open sandbox."""
        return self.profile is Profile.SANDBOX

    @property
    def presenter_tries(self) -> int:
        """Wrong voucher numbers that one presenter may present within the window; 0: any number."""
        if self.presenter_wrong_tries is not None:
            return self.presenter_wrong_tries
        return 0 if self.sandbox else 20

    @property
    def archive_folder(self) -> Path:
        """Folder of archived batches."""
        return self.archive or self.data_dir / "archive"

    @property
    def archive_after_seconds(self) -> float:
        """After what time finished batches are archived; 0: only by command.

        A production of several hosts has to say which folder they share before anything is moved there.
        """
        if self.archive_after_days is not None:
            return self.archive_after_days * 86_400.0
        return 86_400.0 if self.sandbox or self.archive or not self.redis_url else 0.0

    @property
    def scheme(self) -> str:
        """``https`` where a certificate is configured, else ``http``."""
        return "https" if self.tls_certificate else "http"

    @property
    def api_url(self) -> str:
        """Where the API of this instance is reached, without a trailing slash."""
        return (self.connector_url or f"{self.scheme}://{_reachable(self.host)}:{self.port}").rstrip("/")

    @property
    def store_place(self) -> str:
        """Where the store is, in words, without user and password."""
        parts = urlsplit(self.redis_url)
        if not parts.scheme:
            return f"embedded, under {self.data_dir / 'store'}"
        kind = "cluster" if parts.scheme.endswith("+cluster") else "server"
        return f"{kind} at {parts.netloc.rpartition('@')[2] or parts.path}"

    @property
    def simulators_address(self) -> tuple[str, int]:
        """Host and port that the simulators listen on."""
        return self.host, self.simulators_port or self.port + 1

    @property
    def listening(self) -> list[tuple[str, int]]:
        """Every host and port that an instance listens on: its API, and in a sandbox its simulators."""
        simulated = self.sandbox and not self.simulators_url
        return [(self.host, self.port), *([self.simulators_address] if simulated else [])]

    @property
    def simulators_base(self) -> str:
        """Where the simulators are reached, without a trailing slash."""
        host, port = self.simulators_address
        return (self.simulators_url or f"http://{_reachable(host)}:{port}").rstrip("/")

    def missing(self) -> list[str]:
        """Name each thing that production needs and that is not configured; a sandbox needs none."""
        if self.sandbox:
            return []
        needs = {
            "ISOGATE_SOURCE_TOKENS (bearer tokens of the Source BBs)": bool(self.source_tokens),
            "ISOGATE_INSTITUTION_TOKENS (bearer tokens of the institutions)": bool(self.institution_tokens),
            "ISOGATE_ADMIN_TOKEN (bearer token of the admin API)": bool(self.admin_token.get_secret_value()),
            "ISOGATE_TLS_CERTIFICATE (PEM file, certificate chain)": _is_file(self.tls_certificate),
            "ISOGATE_TLS_KEY (PEM file, private key)": _is_file(self.tls_key),
            "ISOGATE_ENCRYPTION_KEYS (`id:base64 of 32 bytes`)": bool(self.encryption_keys.get_secret_value()),
        }
        return [name for name, given in needs.items() if not given]


def load(**overrides: Any) -> Settings:  # noqa: ANN401 - values of any setting; pydantic checks them
    """Read the settings; ``None`` among the overrides means "as the environment says".

    Raises ``Misconfigured`` naming the variable that is wrong, or everything that production lacks.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise Misconfigured("environment", 0, *_first_fault(error)) from None
    except SettingsError as error:
        # pydantic names the setting in quotes; the value itself, which may be a secret, is not repeated
        name = str(error).split('"')[1] if '"' in str(error) else ""
        raise Misconfigured("environment", 0, PREFIX + name.upper(), "is not valid JSON") from None
    if settings.api_processes > 1 and sys.platform != "linux":
        sentence = "more than 1 needs Linux, where the kernel divides connections among processes on one port"
        raise Misconfigured("environment", 0, PREFIX + "API_PROCESSES", sentence)
    if missing := settings.missing():
        raise Misconfigured("environment", 0, "profile production", "missing: " + "; ".join(missing))
    return settings


def environment(settings: Settings) -> dict[str, str]:
    """Write the settings as environment variables, for child processes; secrets are left to be inherited."""
    plain = settings.model_dump(mode="json", exclude=SECRETS)
    return {PREFIX + name.upper(): _text(value) for name, value in plain.items() if value not in (None, "", [])}


def _text(value: object) -> str:

    return value if isinstance(value, str) else json.dumps(value)


def _first_fault(error: ValidationError) -> tuple[str, str]:
    fault = error.errors(include_input=False, include_url=False)[0]
    return PREFIX + "_".join(str(part) for part in fault["loc"]).upper(), fault["msg"]


def _is_file(path: Path | None) -> bool:
    return path is not None and path.is_file()


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not bound

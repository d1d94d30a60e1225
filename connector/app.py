"""The composition root: settings in, running services and applications out."""
# ruff: noqa: PLC0415 - each process imports what it composes: `validate` needs no store, a worker no web server

import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from connector.domain.errors import Misconfigured
from connector.settings import Settings

if TYPE_CHECKING:
    from aiohttp import web

    from connector.api import Token
    from connector.demo import DemoData
    from connector.domain.directory import Directory
    from connector.domain.stages import Stages
    from connector.flows.services import FlowSettings, Services
    from connector.flows.vouchers.exchange_keys import FileExchange, KeyHolder
    from connector.flows.worker import Worker
    from connector.iso20022.engine import Engine
    from connector.iso20022.signing import Signing
    from connector.store import Keyring


def build_engine(settings: Settings, stages: "Stages | None" = None) -> "Engine":
    """Load schemas and mapping profiles; raises ``Misconfigured`` naming file, line and path of a wrong profile."""
    import mappings
    from connector.iso20022.engine import Engine
    from iso20022_schemas import Catalogue

    folders = Path(mappings.__file__).parent, *settings.profiles
    return Engine(Catalogue(*settings.schemas), *folders, signing=signing(settings), stages=stages)


def signing(settings: Settings) -> "Signing | None":
    """The keys and certificates that messages are signed and verified with; none where none are configured.

    Raises ``Misconfigured`` for a file that cannot be read.
    """
    from connector.iso20022.signing import Signing

    trusted = tuple(_pem(path) for path in settings.trusted_certificates)
    own = _pem(settings.signing_key), _pem(settings.signing_certificate)
    return Signing(*own, trusted) if any((*own, *trusted)) else None


def _pem(path: Path | None) -> bytes:
    try:
        return path.read_bytes() if path else b""
    except OSError as error:
        raise Misconfigured(str(path), 0, "", f"cannot be read: {error.strerror}") from error


@asynccontextmanager
async def build_services(settings: Settings, name: str = "") -> AsyncIterator["Services"]:
    """Connect to the store, load the engine, open the channels; all are closed in the opposite order.

    name: of this process, different from that of every living one (default: host and process id).
    Raises ``Misconfigured`` and ``NotFound`` where an institution's scheme cannot be spoken.
    """
    from connector.channels import Channels
    from connector.domain.stages import Stages
    from connector.flows.services import Services
    from connector.sandbox import furnish
    from connector.store import Store

    stages = Stages(time.thread_time)
    engine = build_engine(settings, stages)
    store = await Store.connect(
        store_url(settings),
        keys=keyring(settings),
        partitions=settings.partitions,
        clock=time.time,
        stages=stages,
        archive=settings.archive_folder,
    )
    try:
        if settings.archive_after_seconds:
            await store.archiving.prepare()
        if settings.sandbox:
            await furnish(store, time.time, *sandbox_world(settings))
        for institution in (await store.directory.load()).institutions.values():
            if institution.url:
                engine.ready(institution.profile)
        async with Channels(
            engine, connector_url=settings.api_url, places=store.places, owner=name or own_name()
        ) as channels:
            services = Services(
                store,
                engine,
                channels,
                time.time,
                _flow_settings(settings),
                files=_file_exchange(settings),
                stages=stages,
            )
            try:
                yield services
            finally:
                await services.desk.close()
    finally:
        await store.close()


def exchange_keys(settings: Settings) -> "KeyHolder | None":
    """Read the keys for voucher files; a sandbox without any makes its own under the data folder."""
    from connector.flows.vouchers.exchange_keys import of_file

    if settings.exchange_key:
        return of_file(settings.exchange_key)
    return of_file(settings.data_dir / "exchange-keys.json", make=True) if settings.sandbox else None


def _file_exchange(settings: Settings) -> "FileExchange":
    from connector.flows.vouchers.exchange_keys import FileExchange

    return FileExchange(
        exchange_keys(settings),
        settings.voucher_file_lines,
        settings.voucher_file_lines_at_once,
        settings.voucher_file_age_seconds,
        callback_https=not settings.sandbox,
    )


def build_api(services: "Services", settings: Settings) -> "web.Application":
    """Build the HTTP application over running services."""
    from connector.api import ApiSettings, application

    return application(
        services,
        ApiSettings(
            profile=settings.profile.value,
            lengths_strict=settings.lengths_strict,
            max_body_bytes=settings.max_body_bytes,
            callback_headers=settings.callback_headers,
            callback_verb=settings.callback_verb,
            callback_https=not settings.sandbox,
            simulators_url=settings.simulators_base if settings.sandbox else "",
            tokens=_tokens(settings),
            suv_clients=_suv_clients(settings),
            suv_product=settings.suv_product,
            suv_settlement_entity=settings.suv_settlement_entity,
            suv_receiver=settings.suv_receiver,
            public_url=settings.api_url,
            reset=_reset_of(settings) if settings.sandbox else None,
        ),
    )


def sandbox_world(settings: Settings) -> tuple["Directory", "DemoData"]:
    """Give what a sandbox is filled with: its institutions, and the demo data. Raises ``Misconfigured``."""
    from connector import demo
    from connector.sandbox import sandbox_directory

    directory = sandbox_directory(settings.simulators_base, settings.answer_within_seconds)
    return directory, demo.read(settings.demo_data) if settings.demo_data else demo.default()


def _reset_of(settings: Settings) -> "Callable[[Services], Awaitable[Mapping[str, int]]]":
    from connector import sandbox

    async def reset(services: "Services") -> "Mapping[str, int]":
        loaded = await sandbox.reset(services, *sandbox_world(settings), settings.simulators_base)
        return loaded._asdict()

    return reset


def keyring(settings: Settings) -> "Keyring":
    """Read the keys at rest from the settings; a sandbox without any makes its own under the data folder."""
    from connector.store import Keyring

    text = settings.encryption_keys.get_secret_value()
    return Keyring.of_text(text) if text else Keyring.of_file(settings.data_dir / "keys")


def store_url(settings: Settings) -> str:
    """Give the store's URL: the configured one, else that of the embedded server under the data folder."""
    from connector.store.embedded import EmbeddedServer

    return settings.redis_url or EmbeddedServer(settings.data_dir / "store").url


def build_worker(services: "Services", settings: Settings, name: str = "") -> "Worker":
    """Build a worker with a name that no other living worker has."""
    from connector.flows.worker import Worker

    return Worker(services, name or own_name(), settings.worker_concurrency)


def own_name() -> str:
    """Name this process, different from all others on all machines."""
    return f"{socket.gethostname()}-{os.getpid()}"


def build_simulators(settings: Settings) -> "web.Application":
    """Build the application that plays every institution of the sandbox."""
    from connector.domain.stages import Stages
    from connector.iso20022.engine import Engine
    from iso20022_schemas import Catalogue
    from simulators.server import PROFILES, application
    from simulators.settings import SimulatorSettings

    host, port = settings.simulators_address
    stages = Stages(time.thread_time)
    folders = *PROFILES, *settings.simulator_profiles
    played = SimulatorSettings(
        settings.data_dir / "simulators",
        connector_url=settings.api_url,
        host=host,
        port=port,
        reports_each=settings.simulator_reports == "each",
    )
    return application(
        played,
        Engine(Catalogue(), *folders, signing=_simulators_signing(settings), stages=stages),
        stages,
    )


def _simulators_signing(settings: Settings) -> "Signing | None":
    """The keys of the simulated institutions, who trust the connector's certificate."""
    from connector.iso20022.signing import Signing

    own = _pem(settings.simulator_signing_key), _pem(settings.simulator_signing_certificate)
    trusted = (_pem(settings.signing_certificate),) if settings.signing_certificate else ()
    return Signing(*own, trusted) if any((*own, *trusted)) else None


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Load the API's certificate; ``None`` where none is configured (sandbox)."""
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except OSError as error:
        reason = (
            "is no PEM file, or the key is not the certificate's"
            if isinstance(error, ssl.SSLError)
            else error.strerror
        )
        raise Misconfigured(str(settings.tls_certificate), 0, "", str(reason)) from None
    return context


def _flow_settings(settings: Settings) -> "FlowSettings":
    from connector.flows.services import FlowSettings

    return FlowSettings(
        slice_size=settings.slice_size,
        ceiling=settings.ceiling,
        callback_attempts=settings.callback_attempts,
        callback_first_delay_seconds=settings.callback_first_delay_seconds,
        callback_verb=settings.callback_verb,
        progress_interval_seconds=settings.progress_interval_seconds,
        inquiry_attempts=settings.inquiry_attempts,
        take_over_after_seconds=settings.take_over_after_seconds,
        strict_addresses=not settings.sandbox,
        connector_url=settings.api_url,
        voucher_sweep_seconds=settings.voucher_sweep_seconds,
        voucher_archive=str(settings.voucher_archive or settings.data_dir / "voucher-archive"),
        voucher_retention_seconds=settings.voucher_retention_days * 86_400.0,
        archive_after_seconds=settings.archive_after_seconds,
        reconcile_at=settings.reconcile_at,
        reconcile_tolerance_days=settings.reconcile_tolerance_days,
        redemption_wait_seconds=settings.redemption_wait_seconds,
        redemption_repeat_seconds=settings.redemption_repeat_seconds,
        voucher_wrong_tries=settings.voucher_wrong_tries,
        presenter_wrong_tries=settings.presenter_tries,
        payout_interval_seconds=settings.payout_interval_seconds,
    )


def _suv_clients(settings: Settings) -> tuple[tuple[str, str], ...]:
    secrets = ((name, secret.get_secret_value()) for name, secret in settings.suv_clients.items())
    return tuple((name, sha256(secret.encode()).hexdigest()) for name, secret in secrets)


def _tokens(settings: Settings) -> tuple["Token", ...]:
    from connector.api import Role, Token

    admin = {"operator": settings.admin_token} if settings.admin_token.get_secret_value() else {}
    by_role = {Role.SOURCE: settings.source_tokens, Role.INSTITUTION: settings.institution_tokens, Role.ADMIN: admin}
    return tuple(
        Token.of(secret.get_secret_value(), role, name)
        for role, secrets in by_role.items()
        for name, secret in secrets.items()
    )

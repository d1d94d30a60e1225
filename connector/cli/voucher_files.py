"""``isogate vouchers encrypt | decrypt | open-number | watch``: voucher files from a shell; their folder."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import asyncio
import json
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import options
from connector.cli.files import content_of
from connector.cli.voucher_keys import WELL_KNOWN, Folder, Source, Url, ask, base_url, text_of
from connector.domain.errors import Misconfigured, Refused

if TYPE_CHECKING:
    from connector.flows.vouchers.exchange_keys import KeyHolder

Out = Annotated[
    Path | None, typer.Option("--out", help="File to write [default: standard output]", show_default=False)
]
Ours = Annotated[
    Path | None,
    typer.Option("--receiver", help="File with IsoGate's public keys [default: asked of --url]", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(encrypt)
    app.command()(decrypt)
    app.command("open-number")(open_number)
    app.command()(watch)


def encrypt(
    document: Annotated[Path, typer.Argument(help="The batch (JSON); iss, aud and iat are filled in")],
    source: Annotated[str, typer.Option("--source", help="Id of the Source BB that signs")],
    folder: Folder = Path(),
    out: Out = None,
    receiver: Ours = None,
    url: Url = None,
) -> None:
    """Sign and encrypt a batch as a Source BB does it, with the keys of ``isogate vouchers keys make``."""
    import msgspec

    from connector.flows.vouchers import envelope

    ours = _receiver(receiver, url)
    key = ours.encrypting()
    content = _json_object(document)
    claims = {"iss": source, "aud": key.thumbprint() if key else "", "iat": int(time.time())}
    signed = msgspec.json.Encoder(decimal_format="number").encode({**claims, **content})
    _write(out, envelope.seal(signed, envelope.BATCH, _private(folder, source), ours))


def decrypt(
    file: Annotated[Path, typer.Argument(help="A response or refusal (JOSE)")],
    source: Annotated[str, typer.Option("--source", help="Id of the Source BB that it is for")],
    folder: Folder = Path(),
    out: Out = None,
    receiver: Ours = None,
    url: Url = None,
) -> None:
    """Decrypt an answer and check that IsoGate signed it. Exit code 1 if it is a refusal."""
    from connector.flows.vouchers import envelope

    ours, sealed = _receiver(receiver, url), content_of(file).strip()
    signed = sealed if sealed.count(b".") == 2 else envelope.opened(sealed, _private(folder, source))

    def candidates(kid: str) -> list[envelope.Candidate]:
        key = ours.named(kid)
        return [envelope.Candidate("isogate", key)] if key else []

    try:
        content, refused = envelope.verified(signed, envelope.RESPONSE, candidates).content, False
    except Refused:
        content, refused = envelope.verified(signed, envelope.REFUSAL, candidates).content, True
    _write(out, json.dumps(json.loads(content), indent=2).encode())
    if refused:
        raise typer.Exit(1)


def open_number(
    source: Source,
    serial: Annotated[int, typer.Argument(help="The voucher's serial number")],
    sealed: Annotated[str, typer.Argument(help="Its encrypted number, as a callback has it")],
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Folder of its keys [default: the sandbox's key]", show_default=False),
    ] = None,
) -> None:
    """Decrypt the voucher number of a callback."""
    from connector.domain.directory import Directory, SourceBB
    from connector.flows.vouchers.secrecy import correspondent, opened_number

    given = text_of(folder / f"{source}.voucher-key").strip() if folder else ""
    known = {source: SourceBB(source, source, voucher_key=given)}
    print(opened_number(correspondent(Directory({}, {}, known, open_sources=True), source), serial, sealed))


def watch(data_dir: options.DataDir = None, profile: options.ProfileName = None) -> None:
    """Answer the files in ISOGATE_VOUCHER_INBOX into ISOGATE_VOUCHER_OUTBOX; `isogate up` does this as well."""
    from connector.cli.process import run, until_stopped
    from connector.logs import configure
    from connector.settings import load

    settings = load(data_dir=data_dir, profile=profile)
    configure("voucher files", as_json=settings.log_json, level=settings.log_level)
    inbox, outbox = settings.voucher_inbox, settings.voucher_outbox
    if not inbox or not outbox:
        raise Misconfigured("environment", 0, "ISOGATE_VOUCHER_INBOX, ISOGATE_VOUCHER_OUTBOX", "name the two folders")

    async def body(stop: asyncio.Event) -> None:
        from connector.app import build_services
        from connector.flows.vouchers import batch_file, batch_folder

        async with build_services(settings) as services:
            batch_file.own_keys(services)
            await batch_folder.watch(services, batch_folder.Folder(inbox, outbox), stop)

    run(until_stopped(body))


def _receiver(file: Path | None, url: str | None) -> "KeyHolder":
    from connector.flows.vouchers.exchange_keys import KeyHolder

    if file:
        return KeyHolder.of_text(text_of(file))
    return KeyHolder.of_text(json.dumps(asyncio.run(ask("GET", base_url(url) + WELL_KNOWN))))


def _private(folder: Path, source: str) -> "KeyHolder":
    from connector.flows.vouchers.exchange_keys import KeyHolder

    return KeyHolder.of_text(text_of(folder / f"{source}.private.json"))


def _json_object(file: Path) -> dict[str, Any]:
    """Read a JSON object; numbers with a fraction stay exact."""
    import msgspec

    try:
        found = msgspec.json.Decoder(float_hook=Decimal).decode(content_of(file))
    except msgspec.MsgspecError as error:
        raise Misconfigured(str(file), 0, "", f"is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Misconfigured(str(file), 0, "", "is no JSON object")
    return found


def _write(out: Path | None, content: bytes) -> None:
    if out is None:
        sys.stdout.write(content.decode() + "\n")
        return
    try:
        out.write_bytes(content + b"\n")
    except OSError as error:
        raise Misconfigured(str(out), 0, "", error.strerror or "cannot be written") from None

"""``isogate vouchers keys``: key pairs of a Source BB for rehearsals, their registration, and our public keys."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from connector.domain.errors import Fault, Misconfigured, Refused, Unavailable

WELL_KNOWN: Final = "/.well-known/jwks.json"

app = typer.Typer(help="Keys for voucher files and voucher numbers.", no_args_is_help=True)

Source = Annotated[str, typer.Argument(help="Id of the Source BB", metavar="SOURCE")]
Folder = Annotated[Path, typer.Option("--folder", help="Folder of its keys")]
Url = Annotated[str | None, typer.Option("--url", help="Address of the API", show_default=False)]


@app.command()
def make(source: Source, folder: Folder = Path()) -> None:
    """Make keys for a Source BB: SOURCE.private.json stays with it, SOURCE.public.json and SOURCE.voucher-key do not.

    The first two are JWK sets (one key signs, one is encrypted to), the third has the 64 bytes for voucher numbers.
    """
    import base64

    from connector.flows.vouchers.exchange_keys import KeyHolder, fresh
    from connector.flows.vouchers.secrecy import KEY_BYTES

    private = json.dumps(fresh(), indent=2)
    public = json.dumps(KeyHolder.of_text(private).public(), indent=2)
    voucher_key = base64.b64encode(os.urandom(KEY_BYTES)).decode()
    for name, text in (("private.json", private), ("public.json", public), ("voucher-key", voucher_key)):
        print(_written(folder / f"{source}.{name}", text + "\n"))


@app.command()
def register(source: Source, folder: Folder = Path(), url: Url = None) -> None:
    """Register the public keys and the voucher key of a Source BB; one that is unknown becomes known.

    In production ISOGATE_ADMIN_TOKEN is the operator's token.
    """
    keys = {
        "public_key": text_of(folder / f"{source}.public.json"),
        "voucher_key": text_of(folder / f"{source}.voucher-key").strip(),
    }
    saved = asyncio.run(_register(base_url(url), source, keys))
    print(f"{source}: keys {', '.join(saved['public_keys'])}; voucher key {saved['voucher_key_id']}")


@app.command()
def show(url: Url = None) -> None:
    """Print the public keys of a running instance: to which files are encrypted, by which answers are signed."""
    print(json.dumps(asyncio.run(ask("GET", base_url(url) + WELL_KNOWN)), indent=2))


def base_url(url: str | None) -> str:
    """Say where the API is: as given, else as the environment says."""
    from connector.settings import load

    return (url or load(profile="sandbox").api_url).rstrip("/")


def text_of(file: Path) -> str:
    """Read a text file; raises ``Misconfigured``."""
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(str(file), 0, "", f"cannot be read: {type(error).__name__}") from None


async def ask(method: str, url: str, **content: Any) -> Any:  # noqa: ANN401 - any JSON, aiohttp's options
    """Ask the API for JSON, with the operator's token if there is one; raises ``Unavailable`` and ``Refused``."""
    import aiohttp

    token = os.environ.get("ISOGATE_ADMIN_TOKEN", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, url, **content) as answer,
        ):
            body = await answer.json(content_type=None) if answer.content_type.endswith("json") else {}
    except aiohttp.ClientError as error:
        raise Unavailable(url, type(error).__name__) from None
    if answer.status >= 400:
        faults = [Fault(**fault) for fault in body.get("errors", [])]
        raise Refused(faults or [Fault("API", "http", f"It answered with HTTP status {answer.status}.")])
    return body


async def _register(base: str, source: str, keys: dict[str, str]) -> dict[str, Any]:
    known = (await ask("GET", f"{base}/admin/sources"))["items"]
    there = next((each for each in known if each["id"] == source), {"name": source})
    said = {name: there[name] for name in ("name", "programme", "callback_url") if name in there}
    saved: dict[str, Any] = await ask("PUT", f"{base}/admin/sources/{source}", json={**said, **keys})
    return saved


def _written(path: Path, text: str) -> Path:
    from connector.store.crypto import write_new

    try:
        write_new(path, text)
    except OSError as error:
        raise Misconfigured(str(path), 0, "", error.strerror or "cannot be written") from None
    return path

